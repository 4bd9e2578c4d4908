"""Planning takes twice as long for twice as many items, however they hang together. Counted, not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest

from orders.change.request import ChangeKind, ChangeRequest, ItemUpdate
from orders.model.catalog import Catalog
from orders.model.order import OrderRequest, Rejection, RequestedItem, Site
from orders.planning.amend import amended
from orders.planning.capture import capture
from tests.orders.support.catalogs import SOUND, catalog_of

FEW, MANY = 50, 200
HOME, AWAY = Site(id="home"), Site(id="away")


@pytest.fixture(name="catalog", scope="module")
def a_catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return catalog_of(tmp_path_factory.mktemp("catalog"), SOUND)


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of Python a piece of work runs, each turn of a loop counted."""
    count = 0

    def watch(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
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


@pytest.mark.parametrize("order", [strangers, one_id, deep, wide, bundles])
def test_capture_takes_in_proportion_to_the_items(catalog: Catalog, order: Callable[[int], OrderRequest]) -> None:
    few, many = order(FEW), order(MANY)
    ratio = lines_run(lambda: capture(catalog, many)) / lines_run(lambda: capture(catalog, few))
    assert ratio < 1.3 * MANY / FEW


def test_an_amendment_takes_in_proportion_to_the_items(catalog: Catalog) -> None:
    def work(number: int) -> Callable[[], object]:
        revision = capture(catalog, bundles(number))
        update = tuple(ItemUpdate(id=f"i{n}", offering="duo", site=AWAY) for n in range(number))
        change = ChangeRequest(request_id="r", kind=ChangeKind.AMEND, update=update)
        return lambda: amended(catalog, "o", revision, change)

    assert lines_run(work(MANY)) / lines_run(work(FEW)) < 1.3 * MANY / FEW
