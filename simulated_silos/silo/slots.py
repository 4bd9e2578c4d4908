"""Slots for visits: so many in each window of a day and each region, asked for as in TMF646. A full one is refused."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from simulated_silos.silo.model import Call, Characteristics, Frozen, Refusal, Service, Verb, split_id

if TYPE_CHECKING:
    from simulated_silos.profiles import Profile

MOST_DAYS = 60
NAMED = 3
"""How many slots a refusal names in place of one that is taken."""


class SlotPlan(Frozen):
    """When somebody comes: `number` visits in each window of a working day, in each `region`, by the clock there.

    `region` names the characteristic that tells it. `days` are those of the week, from 0 for Monday.
    """

    region: str = "city"
    zone: str = "Europe/Berlin"
    zones: dict[str, str] = {}
    windows: Annotated[tuple[tuple[time, time], ...], Field(min_length=1)]
    days: tuple[Annotated[int, Field(ge=0, le=6)], ...] = (0, 1, 2, 3, 4)
    number: Annotated[int, Field(ge=0)] = 1


class SlotNumber(Frozen):
    """How many visits there are in each window from now on."""

    model_config = ConfigDict(strict=True)

    number: Annotated[int, Field(ge=0)]


class Malformed(ValueError):
    """A question that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One window of one day in one region."""

    region: str
    start: datetime
    end: datetime

    @property
    def words(self) -> str:
        """For people, by the clock there."""
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%H:%M}"


class Diary:
    """Who has which slot. The number of a window can be steered."""

    def __init__(self, profile: Profile) -> None:
        self._plan = profile.slots
        self._taken: defaultdict[tuple[str, datetime], set[str]] = defaultdict(set)
        self.number: int | None = None

    def pass_on(self, before: Service | None, after: Service | None) -> None:
        """Take back the slot of a service as it was, and note that which it has now."""
        if before is not None and (slot := self._slot_of(before.characteristics)) is not None:
            self._taken[slot.region, slot.start].discard(before.id)
        if after is not None and (slot := self._slot_of(after.characteristics)) is not None:
            self._taken[slot.region, slot.start].add(after.id)

    def taken(self, call: Call, now: datetime | None = None) -> Refusal | None:
        """The refusal of a call that asks for a slot which others have, naming the next ones."""
        slot = self._slot_of(call.inputs) if call.verb is not Verb.COMPENSATE else None
        if slot is None or self._left(slot, split_id(call.id)[0]) > 0:
            return None
        now = now or datetime.now(UTC)
        following = self.free(slot.region, max(slot.start, now), slot.start + timedelta(days=MOST_DAYS), now=now)
        others = [each.words for each, _ in islice(following, NAMED)]
        told = f"the next are {'; '.join(others)}" if others else "none is free in the weeks after it"
        message = f"nobody is free in {slot.region} on {slot.words}: {told}"
        return Refusal(status=409, code="slot_taken", message=message)

    def free(
        self, region: str, begin: datetime, end: datetime, but_for: str = "", now: datetime | None = None
    ) -> Iterator[tuple[Slot, int]]:
        """The slots of a region between two instants, each with how many it has left for the visit `but_for`."""
        begin = max(begin, now or datetime.now(UTC))
        zone = self._zone(region)
        day = begin.astimezone(zone).date()
        while self._plan is not None and day <= end.astimezone(zone).date():
            for slot in self._slots_of(region, day):
                left = self._left(slot, but_for)
                if begin <= slot.start < end and left > 0:
                    yield slot, left
            day += timedelta(days=1)

    def _left(self, slot: Slot, task: str) -> int:
        there = sum(split_id(each)[0] != task for each in self._taken.get((slot.region, slot.start), ()))
        number = self._plan.number if self._plan is not None else 0
        return (number if self.number is None else self.number) - there

    def _zone(self, region: str) -> ZoneInfo:
        return ZoneInfo(self._plan.zones.get(region, self._plan.zone) if self._plan is not None else "UTC")

    def _slots_of(self, region: str, day: date) -> Iterator[Slot]:
        if self._plan is not None and day.weekday() in self._plan.days:
            zone = self._zone(region)
            for start, end in self._plan.windows:
                yield Slot(region, datetime.combine(day, start, zone), datetime.combine(day, end, zone))

    def _slot_of(self, given: Characteristics) -> Slot | None:
        """The slot that an appointment lies in. What is asked for by no appointment, or another hour, has none."""
        if self._plan is None:
            return None
        try:
            start = datetime.fromisoformat(str(given.get("appointment_start")))
        except ValueError:
            return None
        if start.tzinfo is None:
            return None
        region = str(given.get(self._plan.region) or "")
        there = start.astimezone(self._zone(region))
        return next((slot for slot in self._slots_of(region, there.date()) if slot.start <= there < slot.end), None)


class _Wire(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class _Period(_Wire):
    start_date_time: AwareDatetime
    end_date_time: AwareDatetime


class _TimeSlot(_Wire):
    valid_for: _Period


class _Entity(_Wire):
    id: str


class _Search(_Wire):
    requested_time_slot: Annotated[tuple[_TimeSlot, ...], Field(min_length=1)]
    related_place: dict[str, object] = {}
    related_entity: tuple[_Entity, ...] = ()


def answered(diary: Diary, plan: SlotPlan, body: bytes) -> bytes:
    """The answer to a TMF646 `searchTimeSlot`.

    Raises:
        Malformed: if it is none.
    """
    try:
        search = _Search.model_validate_json(body)
    except ValidationError as reason:
        first = reason.errors(include_url=False, include_context=False)[0]
        raise Malformed(f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}") from reason
    wanted = search.requested_time_slot[0].valid_for
    end = min(wanted.end_date_time, max(wanted.start_date_time, datetime.now(UTC)) + timedelta(days=MOST_DAYS))
    region = str(search.related_place.get(plan.region) or "")
    task = search.related_entity[0].id if search.related_entity else ""
    found = [
        {
            "id": f"{slot.region}-{slot.start:%Y%m%dT%H%M}",
            "validFor": {"startDateTime": slot.start.isoformat(), "endDateTime": slot.end.isoformat()},
            "remaining": left,
        }
        for slot, left in diary.free(region, wanted.start_date_time, end, task)
    ]
    return json.dumps({"status": "done", "availableTimeSlot": found}).encode()
