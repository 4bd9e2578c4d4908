"""The visits that an order calls for, and what is said of a slot that is taken."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from orders.fulfilment.starting import prepare
from orders.model.order import Appointment, Rejection, Site, TimeSlot
from orders.model.silos.capacity import Capacity, Slots, Window
from orders.planning.scheduling.visits import (
    FreeSlot,
    chosen_anew,
    not_before,
    slot_taken,
    visits_for,
    visits_of,
    windows_left,
)
from tests.orders.support.driver import NOW, household, shipped_catalog

BERLIN = ZoneInfo("Europe/Berlin")
HOME = Site(id="home", address={"city": "Berlin"})


def slot(day: int, hour: int = 8) -> FreeSlot:
    start = datetime(2026, 3, day, hour, tzinfo=BERLIN)
    return FreeSlot(id=f"{day}", start=start, end=start + timedelta(hours=4), time_zone="Europe/Berlin")


def test_an_order_has_one_visit_a_site_with_its_appointment() -> None:
    catalog = shipped_catalog()
    start = prepare(catalog, household(), NOW)
    [visit] = visits_of(catalog, start.revision, start.plan)
    assert (visit.silo, visit.operation, visit.site.id, visit.appointment) == ("field-service", "visit", "home", None)
    made = Appointment(site="home", start=slot(9).start, time_zone="Europe/Berlin")
    revision = start.revision.model_copy(update={"appointments": (made,)})
    assert [visit.appointment for visit in visits_of(catalog, revision, start.plan)] == [made]
    assert [visit.appointment for visit in chosen_anew(catalog, revision, start.plan)] == [made]
    assert chosen_anew(catalog, revision, start.plan, (made,)) == []


@pytest.mark.parametrize(
    ("offering", "given", "visits"),
    [
        ("fibre-1000", {}, ["Technician's visit"]),
        ("fibre-1000", {"installation": "self"}, []),
        ("triple-play-500", {}, ["Technician's visit"]),
        ("mobile-s", {}, []),
    ],
)
def test_an_offering_calls_for_a_visit_by_its_characteristics(
    offering: str, given: dict[str, str], visits: list[str]
) -> None:
    assert [visit.title for visit in visits_for(shipped_catalog(), offering, given, HOME)] == visits


def test_nobody_comes_for_what_is_not_sold() -> None:
    with pytest.raises(Rejection, match="there is no offering no-such"):
        visits_for(shipped_catalog(), "no-such", {}, HOME)


def test_a_slot_that_is_taken_is_told_with_the_next_three() -> None:
    [visit] = visits_for(shipped_catalog(), "fibre-1000", {}, HOME)
    reason = slot_taken(visit, slot(3), [slot(6), slot(4), slot(5), slot(9)])
    assert reason.code == "slot_taken"
    assert str(reason.words).endswith(
        "The next are 2026-03-04 08:00 to 12:00 (Europe/Berlin); "
        "2026-03-05 08:00 to 12:00 (Europe/Berlin); 2026-03-06 08:00 to 12:00 (Europe/Berlin)"
    )
    assert "none is free in the weeks after it" in slot_taken(visit, slot(3), []).message


def test_where_the_silo_offers_none_slots_are_the_windows_that_have_some_of_the_days_visits_left() -> None:
    morning, afternoon = Window(start=time(8), end=time(12)), Window(start=time(13), end=time(17))
    slots = Slots(zone="Europe/Berlin", zones={"Funchal": "Atlantic/Madeira"}, windows=(morning, afternoon))
    capacity = Capacity(name="v", silo="s", operation="o", number=3, numbers={"Funchal": 2}, slots=slots)
    friday, monday = date(2026, 3, 6), date(2026, 3, 9)

    def left(place: str, *had: tuple[date, datetime | None]) -> list[tuple[str, int | None]]:
        begin, end = datetime(2026, 3, 6, tzinfo=BERLIN), datetime(2026, 3, 9, 14, tzinfo=BERLIN)
        found = windows_left(capacity, place, begin, end, had)
        return [(each.start.isoformat()[5:], each.left) for each in found]

    free = [("03-06T08:00:00+01:00", 2), ("03-06T13:00:00+01:00", 1), ("03-09T08:00:00+01:00", 2)]
    assert left("Ulm") == [*free, ("03-09T13:00:00+01:00", 1)]
    assert left("Funchal")[0] == ("03-06T08:00:00+00:00", 1)
    early = (friday, datetime(2026, 3, 6, 8, tzinfo=BERLIN))
    late = (friday, datetime(2026, 3, 6, 15, tzinfo=BERLIN))
    assert left("Ulm", early)[:2] == [("03-06T08:00:00+01:00", 1), ("03-06T13:00:00+01:00", 1)]
    assert left("Ulm", late)[:2] == [("03-06T08:00:00+01:00", 2), ("03-09T08:00:00+01:00", 2)]
    assert left("Ulm", late, (friday, None), (friday, None))[0] == ("03-09T08:00:00+01:00", 2)
    assert left("Ulm", *[(monday, None)] * 3) == free[:2]


def test_an_appointment_lies_in_a_slot_whatever_zone_it_is_written_in() -> None:
    morning = slot(3)
    ten = TimeSlot(start=datetime(2026, 3, 3, 9, tzinfo=UTC), time_zone="UTC")
    assert morning.covers(ten)
    assert morning.covers(ten.model_copy(update={"end": datetime(2026, 3, 3, 11, tzinfo=UTC)}))
    assert not morning.covers(ten.model_copy(update={"end": datetime(2026, 3, 3, 12, tzinfo=UTC)}))
    assert not morning.covers(ten.model_copy(update={"start": datetime(2026, 3, 3, 11, tzinfo=UTC)}))


def test_only_visits_that_nobody_has_chosen_a_slot_for_are_expected_by_what_is_free() -> None:
    catalog = shipped_catalog()
    start = prepare(catalog, household(), NOW)
    [visit] = visits_of(catalog, start.revision, start.plan)
    day = NOW + timedelta(days=20)
    expected = not_before(start.plan, {visit.task: day})
    assert [key for key, task in expected.tasks.items() if task.appointed_until == day] == [visit.task]
    assert not_before(expected, {visit.task: day + timedelta(days=1)}) == expected
