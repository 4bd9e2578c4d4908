"""Instants on the wire: read with a time zone, written in UTC with `Z` and milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, AwareDatetime, PlainSerializer

from orders.model.instants import instant

EARLIEST, LATEST = 2000, 2200
"""Years. Temporal's visibility keeps 64 bits of nanoseconds, and a typing error is likelier than such an order."""


def _in_range(value: datetime) -> datetime:
    if not EARLIEST <= value.year < LATEST:
        raise ValueError(f"must lie between the years {EARLIEST} and {LATEST}")
    return value.astimezone(UTC)


Instant: TypeAlias = Annotated[AwareDatetime, AfterValidator(_in_range)]
"""An instant that a client names, in UTC."""

InstantOut: TypeAlias = Annotated[datetime, PlainSerializer(instant, return_type=str)]
"""An instant that a client is told."""
