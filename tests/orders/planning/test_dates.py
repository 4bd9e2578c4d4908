"""Dates that a change asks for are real: hours that the clocks at the site show, not over, and in order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orders.change.request import ChangeKind, ChangeRequest
from orders.model.order import Rejection
from orders.planning.scheduling.dates import require_possible_dates
from tests.orders.support.driver import Driver, household

NOW = datetime(2031, 1, 1, 12, tzinfo=UTC)


def refused(**fields: Any) -> list[str]:
    """The codes of the reasons why a change of dates is refused. None where it is not."""
    change = ChangeRequest(request_id="c", kind=ChangeKind.RESCHEDULE, **fields)
    try:
        require_possible_dates(Driver(household()).order.revision, change, NOW)
    except Rejection as rejection:
        return [reason.code for reason in rejection.reasons]
    return []


@pytest.mark.parametrize(
    ("start", "zone"),
    [
        ("2031-07-03T08:00:00+02:00", "Europe/Berlin"),
        ("2031-01-03T08:00:00+01:00", "Europe/Berlin"),
        ("2031-10-26T02:30:00+02:00", "Europe/Berlin"),  # The hour that comes twice that night, either time.
        ("2031-10-26T02:30:00+01:00", "Europe/Berlin"),
        ("2031-01-03T08:00:00+05:45", "Asia/Kathmandu"),
    ],
)
def test_an_appointment_at_an_hour_that_the_clocks_show_is_taken(start: str, zone: str) -> None:
    assert refused(appointments=[{"site": "home", "start": start, "time_zone": zone}]) == []


@pytest.mark.parametrize(
    ("start", "zone"),
    [
        ("2031-07-03T08:00:00+01:00", "Europe/Berlin"),  # In July that is +02:00.
        ("2031-03-30T02:30:00+01:00", "Europe/Berlin"),  # That night the clock goes from 02:00 to 03:00.
        ("2031-01-03T08:00:00+01:00", "Europe/Atlantis"),
        ("2031-01-03T08:00:00+01:00", "Europe"),
        ("2020-03-03T08:00:00+01:00", "Europe/Berlin"),
        ("2031-01-01T13:00:00+01:00", "Europe/Berlin"),  # Right now.
    ],
)
def test_an_appointment_that_nobody_can_keep_is_refused(start: str, zone: str) -> None:
    assert refused(appointments=[{"site": "home", "start": start, "time_zone": zone}]) == ["impossible_appointment"]


def test_an_end_at_an_hour_that_the_clocks_do_not_show_is_refused() -> None:
    made = {"site": "home", "start": "2031-03-30T01:30:00+01:00", "end": "2031-03-30T02:30:00+01:00"}
    assert refused(appointments=[{**made, "time_zone": "Europe/Berlin"}]) == ["impossible_appointment"]


def test_requested_dates_long_past_are_refused_and_those_of_today_are_not() -> None:
    assert refused(requested_start="2030-12-30T12:00:00Z") == ["past_date"]
    assert refused(requested_completion="2030-12-30T12:00:00Z") == ["past_date"]
    assert refused(requested_start="2031-01-01T08:00:00Z") == []
