"""Demand foreseen: what the register holds of orders, worked out to what they ask of silos, as far as it has moved."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from activities.dates.learning import Learned
from catalog_loader.catalog_files import CatalogStore, UnknownCatalogVersion
from orders.demand.ahead import IN_FLIGHT, Need, needs_in_flight, needs_of_ended, zone_of
from orders.demand.figures import Demand, demand_of
from orders.model.catalog import Catalog
from orders.model.order import Rejection, TimeSlot
from orders.model.silos.capacity import Capacity, StatedCapacity
from orders.model.values import Action
from orders.planning.installed import InstalledProduct
from orders.planning.scheduling.visits import FreeSlot, Visit, windows_left
from register import Register
from register.demand.counting import DemandQuery, Recorded
from register.demand.visits import Had, VisitsWanted

log = structlog.get_logger()

_BATCH: Final = 20
_DAY: Final = timedelta(days=1)


class Foreseeing:
    """Demand by one catalog's capacities. Blocking. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(
        self, register: Register, versions: CatalogStore, catalog: Catalog, learned: Learned | None = None
    ) -> None:
        self._register = register
        self._learned = learned or Learned(register.durations)
        self._versions = versions
        self._catalog = catalog
        told = [
            (each.silo, each.operation, each.place, each.kind, each.slots and (each.slots.zone, each.slots.zones))
            for each in catalog.capacities.values()
        ]
        self._rules = hashlib.sha256(repr(sorted(map(repr, told))).encode()).hexdigest()[:16]

    def catch_up(self, within_s: float) -> int:
        """Work out what has moved, for so long. Gives how many orders are still to be looked at."""
        until, now = time.monotonic() + within_s, datetime.now(UTC)
        while time.monotonic() < until:
            found = self._register.demands.stale(self._rules, now, _BATCH)
            for recorded in found:
                in_flight = recorded.view.state in IN_FLIGHT
                needs = self._needs(recorded, now)
                self._register.demands.write(
                    recorded.view.id, recorded.version, self._rules, needs, in_flight=in_flight
                )
            if len(found) < _BATCH:
                self._register.demands.forget(now)
                return 0
        return self._register.demands.behind(self._rules, now)

    def demand(self, query: DemandQuery) -> Demand:
        """What is asked for, beside what there is."""
        today = datetime.now(UTC).date()
        counts = self._register.demands.counts(query, today)
        return demand_of(counts, self._catalog, self.capacities(), today)

    def free_windows(self, capacity: Capacity, visit: Visit, begin: datetime, end: datetime) -> list[FreeSlot]:
        """The windows between two instants in which somebody can come, beside all other visits at that place."""
        place, counts = visit.place(capacity), self.capacities()[capacity.name]
        had = self._register.visits.had(_around(visit, place, begin, end), datetime.now(UTC))
        return list(windows_left(counts, place, begin, end, had))

    def hold(self, capacity: Capacity, visit: Visit, made: TimeSlot, begin: datetime, end: datetime) -> bool:
        """Hold the window between two instants that an appointment is in, for that visit. False where there is none."""
        place, counts = visit.place(capacity), self.capacities()[capacity.name]
        day = made.start.astimezone(zone_of(capacity, place)).date()

        def is_free(had: Had) -> bool:
            return any(slot.covers(made) for slot in windows_left(counts, place, begin, end, had))

        wanted = _around(visit, place, begin, end)
        return self._register.visits.hold(wanted, day, made.start, datetime.now(UTC), is_free)

    def let_go(self, visits: Iterable[Visit]) -> None:
        """Hold nothing for some visits any more."""
        self._register.visits.free([visit.task for visit in visits])

    def capacities(self) -> dict[str, Capacity]:
        """The capacities as they count now, by name."""
        return self._register.capacities.in_force(self._catalog.capacities.values())

    def stated(self) -> dict[str, StatedCapacity]:
        """What was told of capacities since the catalog was written, by name."""
        return self._register.capacities.stated()

    def state(self, name: str, stated: StatedCapacity) -> tuple[Capacity, StatedCapacity] | None:
        """Note what is told of a capacity, and give it as it counts then. None where the catalog has none."""
        capacity = self._catalog.capacities.get(name)
        if capacity is None:
            return None
        self._register.capacities.state(name, stated)
        return stated.of(capacity), stated

    def forget(self, name: str) -> bool:
        """Go back to what the catalog says of a capacity. False where it has none of the name."""
        if name not in self._catalog.capacities:
            return False
        self._register.capacities.forget(name)
        return True

    def _needs(self, recorded: Recorded, now: datetime) -> list[Need]:
        """What an order asks for. What cannot be told any more is left as it is known."""
        view, known = recorded.view, {need.task: need for need in recorded.known}
        try:
            sold_from = self._versions.load(view.catalog)
            if view.state in IN_FLIGHT:
                needs = self._ahead(sold_from, recorded, now)
                return [_as_first_asked(need, known.get(need.task)) for need in needs]
            if not known and recorded.revision is not None:
                known = {need.task: need for need in self._ahead(sold_from, recorded, now)}
            return list(needs_of_ended(sold_from, self._catalog, view, recorded.timeline, known))
        except (UnknownCatalogVersion, Rejection) as error:
            log.warning("demand not known", order=view.id, error=str(error))
            return [need for need in recorded.known if need.asked is not None]

    def _ahead(self, sold_from: Catalog, recorded: Recorded, now: datetime) -> list[Need]:
        view, revision = recorded.view, recorded.revision
        if revision is None:
            return []
        installed: list[InstalledProduct] = []
        if any(item.action is not Action.ADD for item in revision.items):
            installed = self._register.products.of_customer(view.customer_id)
        figures = self._learned.figures()
        return needs_in_flight(sold_from, self._catalog, view, revision, installed, figures, now)


def _around(visit: Visit, place: str, begin: datetime, end: datetime) -> VisitsWanted:
    """All other visits at that place on the days between two instants, whatever the clock there."""
    days = (begin - _DAY).date(), (end + 2 * _DAY).date()
    return VisitsWanted(visit.silo, visit.operation, place, *days, but_for=visit.task)


def _as_first_asked(need: Need, before: Need | None) -> Need:
    """When it was asked for is known best from when that was first seen. What is done is had on no later day."""
    if need.asked is None or before is None or before.asked is None or before.asked >= need.asked:
        return need
    if need.likely == need.asked:
        likely = min(before.likely, need.likely)
        return replace(need, asked=before.asked, likely=likely, safe=max(likely, min(before.safe, need.safe)))
    return replace(need, asked=before.asked)
