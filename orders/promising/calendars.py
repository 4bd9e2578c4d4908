"""From the hours that a catalog tells to a calendar in figures: what is known of zones and holidays is asked here.

Workflow code does not come here: what it goes by stands in the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import holidays

from orders.model.silos.working_hours import Calendar, Hours

_BACK, _AHEAD = 1, 2
"""How many years of holidays and of changes of the clock are told, before and after that of the instant."""
_HOUR: Final = timedelta(hours=1)
_FULL_DAY_S: Final = 86_400


def calendar_of(hours: Hours, now: datetime) -> Calendar:
    """The calendar of working hours, as far around an instant as orders last."""
    return _calendar(hours.model_dump_json(), now.astimezone(UTC).year)


@lru_cache(maxsize=200)
def _calendar(told: str, year: int) -> Calendar:
    hours, first, last = Hours.model_validate_json(told), year - _BACK, year + _AHEAD
    return Calendar(
        days=hours.weekdays,
        opens_s=_second(hours.since),
        closes_s=_second(hours.until) or _FULL_DAY_S,
        offsets=tuple(_offsets(ZoneInfo(hours.time_zone), first, last)),
        holidays=tuple(sorted(_holidays(hours.region, range(first, last + 1)))),
    )


def _second(told: time) -> int:
    return told.hour * 3600 + told.minute * 60 + told.second


def _offsets(zone: ZoneInfo, first: int, last: int) -> Iterator[tuple[datetime, int]]:
    at, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    before: int | None = None
    while at < end:
        offset = at.astimezone(zone).utcoffset() or timedelta()
        if offset.total_seconds() != before:
            before = int(offset.total_seconds())
            yield at, before
        at += _HOUR


def _holidays(region: str, years: range) -> list[date]:
    if not region:
        return []
    country, _, part = region.partition("-")
    return list(holidays.country_holidays(country, subdiv=part or None, years=years))


def problem_of(hours: Hours) -> str | None:
    """What is wrong with hours that only a look at zones and holidays shows."""
    try:
        calendar_of(hours, datetime(2026, 1, 1, tzinfo=UTC))
    except (NotImplementedError, ValueError, OSError) as error:  # OSError: part of a zone's name, such as `Europe`.
        return str(error)
    except KeyError as error:  # `ZoneInfoNotFoundError` is one.
        return str(error.args[0]) if error.args else "is not known"
    return None
