"""Planning takes twice as long for twice as many items, however they hang together. Counted, not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import pytest

from orders.change.request import ChangeKind, ChangeRequest, ItemUpdate
from orders.model.catalog import Catalog
from orders.model.order import Appointment, OrderRequest, Rejection, RequestedItem, Site
from orders.planning.amend import amended
from orders.planning.capture import capture
from orders.planning.decompose import decompose
from tests.orders.support.catalogs import SOUND, catalog_of

FEW, MANY = 40, 160
DAY = datetime(2031, 3, 3, 8, tzinfo=UTC)
HOME, AWAY = Site(id="home"), Site(id="away")


@pytest.fixture(name="catalog", scope="module")
def a_catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return catalog_of(tmp_path_factory.mktemp("catalog"), SOUND)


def steps_of(work: Callable[[], object]) -> int:
    """How many of its steps Python takes for a piece of work, each turn of a comprehension counted."""
    count = 0

    def watch(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        count += event == "opcode"
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        with suppress(Rejection):
            work()
    finally:
        sys.settrace(before)
    return count


def asked(*items: RequestedItem) -> OrderRequest:
    return OrderRequest(external_id="x", channel="web", customer_id="c", items=items)


def strangers(number: int) -> OrderRequest:
    return asked(*(RequestedItem(id=f"i{n}", offering="none") for n in range(number)))


def one_id(number: int) -> OrderRequest:
    return asked(*(RequestedItem(id="i", offering="none") for _ in range(number)))


def deep(number: int) -> OrderRequest:
    return asked(*(RequestedItem(id=f"i{n}", offering="none", parent=f"i{n + 1}") for n in range(number)))


def wide(number: int) -> OrderRequest:
    held = (RequestedItem(id=f"i{n}", offering="fibre", site=HOME, parent="top") for n in range(number))
    return asked(RequestedItem(id="top", offering="none"), *held)


def bundles(number: int) -> OrderRequest:
    return asked(*(RequestedItem(id=f"i{n}", offering="duo", site=HOME) for n in range(number)))


def one_under_all(number: int) -> OrderRequest:
    phones = (RequestedItem(id=f"i{n}", offering="phone", site=HOME, relies_on=("under",)) for n in range(number))
    return asked(RequestedItem(id="under", offering="fibre", site=HOME), *phones)


def one_under_each(number: int) -> OrderRequest:
    lines = (RequestedItem(id=f"i{n}", offering="fibre", site=HOME) for n in range(number))
    phones = (RequestedItem(id=f"o{n}", offering="phone", site=HOME, relies_on=(f"i{n}",)) for n in range(number))
    return asked(*lines, *phones)


def quantities(number: int) -> OrderRequest:
    lines = RequestedItem(id="lines", offering="fibre", site=HOME, quantity=number)
    return asked(lines, RequestedItem(id="o", offering="phone", site=HOME, quantity=number, relies_on=("lines",)))


@pytest.mark.parametrize("order", [strangers, one_id, deep, wide, bundles])
def test_capture_takes_in_proportion_to_the_items(catalog: Catalog, order: Callable[[int], OrderRequest]) -> None:
    few, many = order(FEW), order(MANY)
    ratio = steps_of(lambda: capture(catalog, many)) / steps_of(lambda: capture(catalog, few))
    assert ratio < 1.1 * MANY / FEW


@pytest.mark.parametrize("order", [bundles, one_under_all, one_under_each, quantities])
def test_a_plan_takes_in_proportion_to_the_products(catalog: Catalog, order: Callable[[int], OrderRequest]) -> None:
    def work(number: int) -> Callable[[], object]:
        revision = capture(catalog, order(number), "o")
        return lambda: decompose(catalog, "o", revision)

    assert steps_of(work(MANY)) / steps_of(work(FEW)) < 1.1 * MANY / FEW


def test_appointments_take_in_proportion_to_the_sites(catalog: Catalog) -> None:
    def work(number: int) -> Callable[[], object]:
        sites = [Site(id=f"site-{n}") for n in range(number)]
        items = (RequestedItem(id=site.id, offering="fibre", site=site) for site in sites)
        made = tuple(Appointment(site=site.id, start=DAY, time_zone="UTC") for site in sites)
        revision = capture(catalog, asked(*items), "o").model_copy(update={"appointments": made})
        return lambda: decompose(catalog, "o", revision)

    assert steps_of(work(MANY)) / steps_of(work(FEW)) < 1.1 * MANY / FEW


def test_an_amendment_takes_in_proportion_to_the_items(catalog: Catalog) -> None:
    def work(number: int) -> Callable[[], object]:
        revision = capture(catalog, bundles(number))
        update = tuple(ItemUpdate(id=f"i{n}", offering="duo", site=AWAY) for n in range(number))
        change = ChangeRequest(request_id="r", kind=ChangeKind.AMEND, update=update)
        return lambda: amended(catalog, "o", revision, change)

    assert steps_of(work(MANY)) / steps_of(work(FEW)) < 1.1 * MANY / FEW
