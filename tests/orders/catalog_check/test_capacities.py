"""What is found wrong with what silos can do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.orders.support.catalogs import SOUND, catalog_of, problems_of

TEXT = (
    SOUND.replace('ports: "${port.port_id}"}', 'ports: "${port.port_id}", at: "${appointment.start}"}')
    + """
capacities:
  visits:
    silo: field
    operation: visit
    place: site.city
    number: 10
    numbers: {Berlin: 4}
    slots: {zone: Europe/Berlin, windows: [{start: "08:00", end: "12:00"}, {start: "13:00", end: "17:00"}]}
  ports: {silo: inventory, operation: port, kind: input.technology, per: stock, number: 100, numbers: {xgs: 5}}
"""
)
VISITS = "capacities/visits"


def test_capacities_that_make_sense_are_taken(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, TEXT)
    visits, ports = catalog.capacity_of("field", "visit"), catalog.capacity_of("inventory", "port")
    assert visits is not None
    assert ports is not None
    assert (visits.number_of("Berlin"), visits.number_of("Ulm")) == (4, 10)
    assert (ports.number_of("", "xgs"), ports.number_of("", "gpon")) == (5, 100)
    assert catalog.capacity_of("inventory", "stock") is None


@pytest.mark.parametrize(
    ("path", "content", "problem"),
    [
        (f"{VISITS}/silo", "fields", "visits.silo: there is no silo 'fields'"),
        (f"{VISITS}/operation", "visits", "visits.operation: no task asks field for visits"),
        (f"{VISITS}/place", "input.town", "visits.place: no task that asks for visit has an input town"),
        (f"{VISITS}/place", "town", "visits.place: String should match"),
        (f"{VISITS}/per", "stock", "visits.per: visits are had anew each day"),
        (f"{VISITS}/number", "-1", "visits.number: Input should be greater"),
        (f"{VISITS}/slots/zone", "Europe/Atlantis", "visits.slots.zone: Europe/Atlantis is no time zone"),
        (f"{VISITS}/slots/zones", "{Lisboa: Europe}", "visits.slots.zones.Lisboa: Europe is no time zone"),
        (f"{VISITS}/slots/offers", "true", "visits.slots.windows: has no effect: the silo offers its own"),
        (f"{VISITS}/slots/windows", "[]", "visits.slots.windows: where the silo offers no slots"),
        (f"{VISITS}/slots/windows", '[{start: "12:00", end: "08:00"}]', "visits.slots.windows.0: ends after it"),
        (
            f"{VISITS}/slots/windows",
            '[{start: "08:00", end: "12:00"}, {start: "11:00", end: "13:00"}]',
            "visits.slots.windows: are in the order of the day",
        ),
        ("silos/field/protocol", "tmf640", None),
        ("capacities/ports/slots", "{zone: UTC, offers: true}", "ports.slots: no task asks for port by appointment"),
        ("capacities/more", "{silo: inventory, operation: port}", "more.operation: what inventory can do of port is"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, path: str, content: str, problem: str | None) -> None:
    found = problems_of(tmp_path, TEXT, **{path: content})
    if problem is None:
        assert found == []
    else:
        assert any(each.removeprefix("capacities.").startswith(problem) for each in found), found


def test_without_a_number_the_silo_must_offer_slots_itself(tmp_path: Path) -> None:
    found = problems_of(tmp_path, TEXT, **{f"{VISITS}/number": None, f"{VISITS}/numbers": None})
    assert found == [
        "capacities.visits.number: where the silo offers no slots, it is said how many visits there are a day"
    ]
    offered = {f"{VISITS}/slots": "{zone: UTC, offers: true}", "silos/field/protocol": "tmf640"}
    assert problems_of(tmp_path, TEXT, **offered) == [
        "capacities.visits.slots.offers: only silos of the protocol tmf641 are asked for slots"
    ]
