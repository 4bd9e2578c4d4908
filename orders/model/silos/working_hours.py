"""When somebody works: as the catalog says it, and as orders carry it along, in plain figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from orders.model.order import TimeZone
from orders.model.values import Frozen

_DAY: Final = timedelta(days=1)
_MOST_DAYS: Final = 1000
"""How far working time is followed. What takes longer takes the rest of it day and night."""


class Weekday(StrEnum):
    """A day of the week, as ISO 8601 orders them."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_WEEK: Final = tuple(Weekday)


class Hours(Frozen):
    """When a silo works: durations of its tasks count these hours alone.

    `region` is a country, or a part of one, whose public holidays are free: `DE`, `DE-BY`. `until` midnight is the end
    of the day.
    """

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = _WEEK[:5]
    since: time = time(8)
    until: time = time(17)
    time_zone: TimeZone = "UTC"
    region: Annotated[str, Field(pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")] = ""

    @model_validator(mode="after")
    def _has_time_to_work(self) -> Self:
        if self.since.tzinfo is not None or self.until.tzinfo is not None:
            raise ValueError("hours are told by the clock of their time zone, and have none of their own")
        if self.until != time(0) and self.until <= self.since:
            raise ValueError("working hours end after they begin")
        return self

    @property
    def weekdays(self) -> tuple[int, ...]:
        """The days by number: Monday is 0."""
        return tuple(sorted({_WEEK.index(day) for day in self.days}))


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working hours in figures: what a time zone or a holiday is may be known otherwise once a history is replayed.

    `opens_s` and `closes_s` are seconds of the local day. `offsets` are those from UTC, in seconds, each from an
    instant on. Holidays beyond those told are worked on.
    """

    days: tuple[int, ...]
    opens_s: int
    closes_s: int
    offsets: tuple[tuple[datetime, int], ...] = ()
    holidays: tuple[date, ...] = ()

    def after(self, at: datetime, seconds: float) -> datetime:
        """When so many seconds of work that can begin at an instant are done."""
        if seconds <= 0:
            return at
        for opens, closes in self._windows(at, 1):
            begins = max(at, opens)
            there_are = (closes - begins).total_seconds()
            if there_are >= seconds:
                return begins + timedelta(seconds=seconds)
            if there_are > 0:
                seconds -= there_are
                at = closes
        return at + timedelta(seconds=seconds)

    def before(self, at: datetime, seconds: float) -> datetime:
        """When work of so many seconds has to begin at the latest to be done by an instant."""
        if seconds <= 0:
            return at
        for opens, closes in self._windows(at, -1):
            ends = min(at, closes)
            there_are = (ends - opens).total_seconds()
            if there_are >= seconds:
                return ends - timedelta(seconds=seconds)
            if there_are > 0:
                seconds -= there_are
                at = opens
        return at - timedelta(seconds=seconds)

    def between(self, begin: datetime, end: datetime) -> float:
        """How many seconds of work lie between two instants."""
        total = 0.0
        for opens, closes in self._windows(begin, 1):
            if opens >= end:
                break
            total += max(0.0, (min(closes, end) - max(opens, begin)).total_seconds())
        return total

    def _windows(self, at: datetime, step: int) -> Iterator[tuple[datetime, datetime]]:
        """From the local day of an instant on, one way or the other: when work begins and ends on each day of it."""
        day = (at + timedelta(seconds=self._offset(at))).date()
        for _ in range(_MOST_DAYS):
            if day.weekday() in self.days and day not in self.holidays:
                midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
                yield self._told(midnight, self.opens_s), self._told(midnight, self.closes_s)
            day += step * _DAY

    def _told(self, midnight: datetime, seconds: int) -> datetime:
        local = midnight + timedelta(seconds=seconds)
        return local - timedelta(seconds=self._offset(local))

    def _offset(self, at: datetime) -> int:
        offset = 0
        for since, seconds in self.offsets:
            if at < since:
                break
            offset = seconds
        return offset
