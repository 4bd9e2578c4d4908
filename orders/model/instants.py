"""Instants: with a zone and within bounds where they are read, and written alike in every log, record and answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, TypeAdapter

EARLIEST, LATEST = 2000, 2200
"""Years. Temporal's visibility keeps 64 bits of nanoseconds, and a typing error is likelier than such an order."""

_FIRST, _END = (datetime(year, 1, 1, tzinfo=UTC) for year in (EARLIEST, LATEST))
_DATE: Final = re.compile(r"\d{4}-", re.ASCII)

MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC", re.ASCII)
"""What `moment` tells, in a longer text: the day and the time."""


def instant(value: datetime) -> str:
    """An instant in UTC with milliseconds: `2031-03-03T07:00:00.000Z`."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def moment(at: datetime) -> str:
    """An instant for people."""
    return f"{wall_clock(at.astimezone(UTC))} UTC"


def wall_clock(at: datetime) -> str:
    """What a clock shows where an instant is told in its own time zone."""
    # Not by `strftime`: each time that imports a module, which costs far more within a workflow.
    return at.replace(tzinfo=None).isoformat(" ", "minutes")


def _written(value: object) -> object:
    """No bare number: pydantic would take it for seconds, or milliseconds, since 1970."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _DATE.match(value)):
        raise ValueError("must be written as in ISO 8601, with a time zone")
    return value


def _in_range(value: datetime) -> datetime:
    # Compared before it is turned to UTC, which the first and last hours of the calendar cannot be.
    if not _FIRST <= value < _END:
        raise ValueError(f"must lie between the years {EARLIEST} and {LATEST}")
    return value


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


AnyInstant: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_written)]
"""An instant that nobody reckons with."""

LocalInstant: TypeAlias = Annotated[AnyInstant, AfterValidator(_in_range)]
"""An instant with the offset from UTC that it was written with."""

Instant: TypeAlias = Annotated[LocalInstant, AfterValidator(_in_utc)]
"""An instant in UTC."""

_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


def _instant_or_none(value: str) -> str:
    return instant(_INSTANT.validate_python(value)) if value else ""


InstantText: TypeAlias = Annotated[str, AfterValidator(_instant_or_none)]
"""An instant as it is written in facts; empty where none is known."""
