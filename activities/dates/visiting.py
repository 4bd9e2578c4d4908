"""When visits can be: what is still free, whether what was chosen is, and what can be promised where nothing was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx2
import structlog
from sqlalchemy.exc import DBAPIError

from activities.dates.slots import ask_for_slots
from activities.foreseeing import Foreseeing
from activities.protocols.http_client import SiloHttp
from activities.protocols.protocol import SiloUnavailable
from orders.fulfilment.snapshot import OrderStart
from orders.model.catalog import Catalog
from orders.model.order import Reason, Rejection, TimeSlot
from orders.model.silos.capacity import Capacity
from orders.planning.scheduling.visits import FreeSlot, Visit, not_before, slot_taken, visits_of
from orders.promising.forecast import promised_at
from settings import Settings

log = structlog.get_logger()

KNOWN_FOR_S: Final = 30.0
"""How long the first free day of a place counts for promises, and a silo without an answer is not asked by the way."""
_BY_THE_WAY_S: Final = 2.0
"""How long an order waits for what it can be promised by."""
_TO_CHOOSE_S: Final = 8.0
"""How long an order or a change waits to hear whether its slots are free. If they are not, its visits are refused."""
_CATCH_UP_S: Final = 2.0
_AT_ONCE: Final = 5
_MOST_PLACES: Final = 1000
_AROUND: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _First:
    """When the first visit at a place is over, None where nobody knows; and until when that counts."""

    at: datetime | None
    until: float


class Visiting:
    """Slots of the silos of one catalog. Where one offers none they come from its capacity and what is `foreseen`."""

    def __init__(
        self,
        catalog: Catalog,
        client: httpx2.AsyncClient,
        settings: Settings,
        foreseen: Foreseeing | None = None,
    ) -> None:
        self._catalog = catalog
        self._foreseen = foreseen
        self._silos = {silo.name: SiloHttp(silo, client, settings) for silo in catalog.silos.values()}
        self._first: dict[tuple[str, str, str], _First] = {}
        self._silent_until: dict[str, float] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def offered(self, visit: Visit) -> Capacity | None:
        """The capacity that slots for a visit come from. None where nobody offers any."""
        capacity = self._catalog.capacity_of(visit.silo, visit.operation)
        slots = capacity.slots if capacity is not None else None
        return capacity if slots is not None and (slots.offers or self._foreseen is not None) else None

    async def free(self, visit: Visit, begin: datetime | None = None, end: datetime | None = None) -> list[FreeSlot]:
        """The slots that are free for a visit between two instants: as far ahead as they are offered, without those.

        Raises:
            SiloUnavailable: if the silo cannot be asked.
        """
        capacity = self.offered(visit)
        if capacity is None or capacity.slots is None:
            return []
        now, slots = datetime.now(UTC), capacity.slots
        begin = max(begin or now, now)
        end = min(end or begin + timedelta(days=slots.ahead_days), begin + timedelta(days=slots.ahead_days))
        if begin >= end:
            return []
        place = visit.place(capacity)
        if slots.offers:
            found = await ask_for_slots(self._silos[visit.silo], slots, place, visit, begin, end)
        else:
            begin = max(begin, now + timedelta(days=slots.lead_days))
            found = await asyncio.to_thread(self._by_capacity, capacity, visit, begin, end)
        return [slot for slot in found if slot.start >= begin]

    def _by_capacity(self, capacity: Capacity, visit: Visit, begin: datetime, end: datetime) -> list[FreeSlot]:
        """What is left by what orders ask for, as the register knows it, and by what others have just chosen."""
        if self._foreseen is None or begin >= end:
            return []
        self._foreseen.catch_up(_CATCH_UP_S)
        return self._foreseen.free_windows(capacity, visit, begin, end)

    def _held(self, visit: Visit, made: TimeSlot) -> bool:
        """True where nobody else can have the slot any more. A silo that offers its slots gives them away itself."""
        capacity = self.offered(visit)
        if self._foreseen is None or capacity is None or capacity.slots is None or capacity.slots.offers:
            return True
        begin = max(made.start - _AROUND, datetime.now(UTC) + timedelta(days=capacity.slots.lead_days))
        return self._foreseen.hold(capacity, visit, made, begin, made.start + _AROUND)

    async def settled(self, catalog: Catalog, start: OrderStart) -> OrderStart:
        """An order as it was captured, promised for no earlier than somebody can come.

        Raises:
            Rejection: if the slots that it chose are not free, with the next ones.
        """
        if start.waits_for:
            return start
        visits = list(visits_of(catalog, start.revision, start.plan))
        taken = await self.taken(visits, hold=True)
        if taken:
            raise Rejection(taken)
        days = await self._first_days(visits)
        if not days:
            return start
        promised = promised_at(start.revision, not_before(start.plan, days), start.ordered_at)
        return start.model_copy(update={"promised_at": max(promised, start.promised_at or promised)})

    async def taken(self, visits: Iterable[Visit], *, hold: bool = False) -> list[Reason]:
        """Why visits cannot be at their appointments, as far as their silos say, and say so in time.

        To `hold` their slots is to have nobody else choose them, until the order tells of them itself.
        """
        chosen = [visit for visit in visits if visit.appointment is not None and self.offered(visit) is not None]
        try:
            async with asyncio.timeout(_TO_CHOOSE_S):
                found = await asyncio.gather(*(self._refusal(visit, hold=hold) for visit in chosen))
                reasons = [reason for reason in found if reason is not None]
                if reasons and hold and self._foreseen is not None:
                    await asyncio.to_thread(self._foreseen.let_go, chosen)
        except (SiloUnavailable, TimeoutError, DBAPIError) as error:
            log.warning(
                "slots chosen are not looked at", silos=sorted({each.silo for each in chosen}), error=str(error)
            )
            return []
        return reasons

    async def _refusal(self, visit: Visit, *, hold: bool) -> Reason | None:
        made = visit.appointment
        if made is None:
            return None
        async with self._turns:
            found = await self.free(visit, made.start - _AROUND, made.start + _AROUND)
            free = any(slot.covers(made) for slot in found)
            if free and (not hold or await asyncio.to_thread(self._held, visit, made)):
                return None
            return slot_taken(visit, made, await self.free(visit, made.start))

    async def _first_days(self, visits: Iterable[Visit]) -> dict[str, datetime]:
        """By task, when the first visit is over that could be had, of those that nobody has chosen a slot for."""
        days: dict[str, datetime] = {}
        for visit in visits:
            if visit.appointment is None and (at := await self._first_day(visit)) is not None:
                days[visit.task] = at
        return days

    async def _first_day(self, visit: Visit) -> datetime | None:
        capacity = self.offered(visit)
        if capacity is None:
            return None
        key = (capacity.name, visit.place(capacity), visit.kind(capacity))
        known, clock = self._first.get(key), time.monotonic()
        if known is None or known.until < clock:
            if len(self._first) >= _MOST_PLACES:
                self._first.clear()
            known = self._first[key] = _First(await self._first_over(visit), clock + KNOWN_FOR_S)
        return known.at

    async def _first_over(self, visit: Visit) -> datetime | None:
        """When the first slot that is free is over. None where there is none, or the silo does not say by the way."""
        if self._silent_until.get(visit.silo, 0.0) > time.monotonic():
            return None
        try:
            async with asyncio.timeout(_BY_THE_WAY_S):
                found = await self.free(visit)
        except (SiloUnavailable, TimeoutError, DBAPIError) as error:
            self._silent_until[visit.silo] = time.monotonic() + KNOWN_FOR_S
            log.warning("silo not asked for slots", silo=visit.silo, error=str(error))
            return None
        return found[0].over if found else None
