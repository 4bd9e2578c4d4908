"""When somebody works: as the catalog says it, and as orders carry it along, in plain figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from orders.model.order import TimeZone
from orders.model.values import Frozen

_DAY: Final = timedelta(days=1)
_WEEK_LONG: Final = timedelta(weeks=1)
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
        # The sites of a large order have the same work from the same instant on. Equal instants of two zones are
        # written in two ways: an answer is written as it would be if nothing had been asked before.
        return at if seconds <= 0 else _after(self, at, at.tzinfo, seconds)

    def reckon_after(self, at: datetime, seconds: float) -> datetime:
        """The same, reckoned."""
        leap = self._weeks_within(seconds)
        if leap > 0:
            # Most of what takes long at once: day by day it would take too long to reckon.
            seconds -= self.between(at, at + leap * _WEEK_LONG)
            at += leap * _WEEK_LONG
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
        return at if seconds <= 0 else _before(self, at, at.tzinfo, seconds)

    def reckon_before(self, at: datetime, seconds: float) -> datetime:
        """The same, reckoned."""
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
        """How many seconds of work lie between two instants. However far they are apart, that is no more to reckon."""
        return 0.0 if end <= begin else _between(self, begin, end)

    def reckon_between(self, begin: datetime, end: datetime) -> float:
        """The same, reckoned."""
        first, last = self._day(begin), self._day(end)
        total = self._whole_days_s(first + _DAY, last)
        for day in {first, last}:
            if self._works_on(day):
                opens, closes = self._window(day)
                total += max(0.0, (min(closes, end) - max(opens, begin)).total_seconds())
        return total

    def _weeks_within(self, seconds: float) -> int:
        """Some weeks in which less is done than that, as far as working time is followed."""
        weekly_s = len(self.days) * (self.closes_s - self.opens_s)
        return min(int(seconds // weekly_s) - 1, _MOST_DAYS // len(_WEEK))

    def _whole_days_s(self, first: date, before: date) -> float:
        """The work of all days from one on and before another."""
        if before - first <= 2 * _WEEK_LONG:
            days = (first + n * _DAY for n in range((before - first).days))
            windows = (self._window(day) for day in days if self._works_on(day))
            return sum((closes - opens).total_seconds() for opens, closes in windows)
        weeks, rest = divmod((before - first).days, len(_WEEK))
        worked = weeks * len(self.days)
        worked += sum((first.weekday() + n) % len(_WEEK) in self.days for n in range(rest))
        worked -= sum(first <= day < before and day.weekday() in self.days for day in self.holidays)
        usual_s = self.closes_s - self.opens_s
        changed = {self._day(at + n * timedelta(seconds=1)) for at, _ in self.offsets[1:] for n in (-1, 0)}
        windows = (self._window(day) for day in changed if first <= day < before and self._works_on(day))
        return worked * usual_s + sum((closes - opens).total_seconds() - usual_s for opens, closes in windows)

    def _windows(self, at: datetime, step: int) -> Iterator[tuple[datetime, datetime]]:
        """From the local day of an instant on, one way or the other: when work begins and ends on each day of it."""
        day = self._day(at)
        for _ in range(_MOST_DAYS):
            if self._works_on(day):
                yield self._window(day)
            day += step * _DAY

    def _day(self, at: datetime) -> date:
        return (at + timedelta(seconds=self._offset(at))).date()

    def _works_on(self, day: date) -> bool:
        return day.weekday() in self.days and day not in self.holidays

    def _window(self, day: date) -> tuple[datetime, datetime]:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return self._told(midnight, self.opens_s), self._told(midnight, self.closes_s)

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


@lru_cache(maxsize=4096)
def _after(calendar: Calendar, at: datetime, _: tzinfo | None, seconds: float) -> datetime:
    return calendar.reckon_after(at, seconds)


@lru_cache(maxsize=4096)
def _before(calendar: Calendar, at: datetime, _: tzinfo | None, seconds: float) -> datetime:
    return calendar.reckon_before(at, seconds)


@lru_cache(maxsize=4096)
def _between(calendar: Calendar, begin: datetime, end: datetime) -> float:
    return calendar.reckon_between(begin, end)
