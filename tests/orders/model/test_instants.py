"""Instants have a zone and lie within bounds, however they are written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from orders.model.instants import Instant, InstantText, LocalInstant

INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
LOCAL: TypeAdapter[datetime] = TypeAdapter(LocalInstant)
WRITTEN: TypeAdapter[str] = TypeAdapter(InstantText)


@pytest.mark.parametrize(
    "written",
    [
        "2031-03-14T16:00:00",  # No zone.
        "2031-03-14",
        "1999-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "3031-03-03T08:00:00Z",
        "0001-01-01T00:00:00+01:00",  # What cannot be turned to UTC.
        "9999-12-31T23:59:59.9999999-05:00",
        "tomorrow",
        "",
        10**18,
        1_900_000_000,  # Seconds since 1970, or a year that was typed wrong?
        True,
        None,
    ],
)
def test_what_is_no_instant_within_bounds_is_refused(written: object) -> None:
    for kind in (INSTANT, LOCAL):
        with pytest.raises(ValidationError):
            kind.validate_python(written)


def test_an_instant_is_in_utc_and_a_local_one_as_it_was_written() -> None:
    written = "2199-12-31T23:30:00-02:00"  # In UTC it is the next year, which is out of bounds.
    with pytest.raises(ValidationError):
        INSTANT.validate_python(written)
    noon = INSTANT.validate_python("2031-03-14T12:00:00+14:00")
    assert (noon, noon.tzinfo) == (datetime(2031, 3, 13, 22, tzinfo=UTC), UTC)
    assert LOCAL.validate_python("2031-03-14T12:00:00+14:00").isoformat() == "2031-03-14T12:00:00+14:00"


def test_an_instant_in_a_fact_is_written_alike_and_may_be_unknown() -> None:
    assert WRITTEN.validate_python("2031-03-14T13:00:00+01:00") == "2031-03-14T12:00:00.000Z"
    assert WRITTEN.validate_python("") == ""
    with pytest.raises(ValidationError):
        WRITTEN.validate_python("9999-12-31T23:59:59-14:00")
