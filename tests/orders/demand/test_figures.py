"""Demand in figures beside what there is."""

from __future__ import annotations

from datetime import date, timedelta

from orders.demand.figures import Count, demand_of, together
from orders.model.silos.capacity import Capacity, Delivery, Per
from tests.orders.support.driver import shipped_catalog

TODAY = date(2026, 3, 2)
DEVICES = Capacity(name="devices", silo="warehouse", operation="stock", kind="input.sku", per=Per.STOCK)
VISITS = Capacity(name="visits", silo="field-service", operation="visit", place="site.city", numbers={"Ulm": 2})


def routers(day: int, likely: int, drawn: int = 0) -> Count:
    on = TODAY + timedelta(days=day)
    return Count("warehouse", "stock", "", "router", on, likely=likely, safe=likely, drawn=drawn)


def visits(day: int, likely: int, place: str = "Ulm") -> Count:
    return Count("field-service", "visit", place, "", TODAY + timedelta(days=day), likely=likely)


def test_stock_runs_out_on_the_first_day_on_which_more_was_asked_for_than_there_is_until_then() -> None:
    delivered = Delivery(day=TODAY + timedelta(days=3), number=3, kind="router")
    stock = DEVICES.model_copy(update={"number": 5, "deliveries": (delivered,)})
    found = demand_of(
        [routers(0, 3), routers(2, 2), routers(4, 3), routers(5, 1)], shipped_catalog(), {"devices": stock}, TODAY
    )
    assert [(line.day - TODAY).days for line in found.lines] == [0, 2, 4, 5]
    assert [line.left for line in found.lines] == [2, 0, 0, -1]
    [short] = found.shortages
    assert ((short.runs_out - TODAY).days, short.short_of, short.kind) == (5, 1, "router")


def test_what_was_drawn_from_stock_is_not_to_be_had_again() -> None:
    stock = DEVICES.model_copy(update={"number": 5})
    found = demand_of([routers(0, 4, drawn=3)], shipped_catalog(), {"devices": stock}, TODAY)
    assert [line.left for line in found.lines] == [4]


def test_visits_are_had_anew_each_day_at_each_place() -> None:
    counts = [visits(1, 2), visits(2, 3), visits(3, 1), visits(2, 9, "Bonn"), visits(-1, 9)]
    found = demand_of(counts, shipped_catalog(), {"visits": VISITS}, TODAY)
    assert [(line.place, line.capacity, line.left) for line in found.lines] == [
        ("Bonn", None, None),
        ("Ulm", 2, None),
        ("Ulm", 2, 0),
        ("Ulm", 2, -1),
        ("Ulm", 2, 1),
    ]
    assert [((each.runs_out - TODAY).days, each.short_of) for each in found.shortages] == [(2, 1)]


def test_counts_of_the_same_day_are_one() -> None:
    assert together([routers(0, 1), routers(0, 2, 1), routers(1, 1)]) == [routers(0, 3, 1), routers(1, 1)]
