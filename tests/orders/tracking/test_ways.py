"""Each way to set a fallout right is offered with the request that asks for it, and can be asked for like that."""

from __future__ import annotations

from typing import Any

import pytest

from orders.change.request import ChangeKind, ChangeRequest, Subject
from orders.fulfilment.messages import PlanAnswer
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.catalog import Catalog
from orders.tracking.what_if.options import OptionsPage, options_of
from orders.tracking.what_if.preview import preview
from orders.tracking.what_if.setting_right import OfferedWay, ways_of
from tests.orders.support.driver import NOW, Driver, household, key, shipped_catalog

TV = "tv/activate-tv"
PORT = "fibre-internet/reserve-port"


def with_input_by_hand() -> Catalog:
    content = shipped_catalog().model_dump(by_alias=True)
    content["specifications"]["tv"]["tasks"]["activate-tv"]["inputs"]["pack"]["by_hand"] = True
    return Catalog.model_validate(content)


def refused(silo: str = "tv") -> Driver:
    driver = Driver(household(installation="self"), waiting=["shipping"], catalog=with_input_by_hand())
    driver.refuse[f"{silo}.provision"] = "closed"
    driver.run()
    return driver


def ways(driver: Driver, task: str) -> dict[str, OfferedWay]:
    """Those on a copy of the order, as everybody is told them."""
    copied = Fulfilment.of(driver.order.fork())
    return {way.way.value: way for way in ways_of(copied, driver.catalog, key(driver, task), NOW)}


def test_all_ways_are_offered_with_what_they_would_do() -> None:
    found = ways(refused(), TV)
    assert list(found) == ["retry", "otherInput", "done", "waived", "corrected", "itemCancelled"]
    assert all(offered.possible for offered in found.values())
    assert found["waived"].words == "The order goes on without: Activation of television"
    assert {way: offered.takes for way, offered in found.items()} == {
        "retry": (),
        "otherInput": ("pack",),
        "done": ("requester", "tv_id"),
        "waived": ("requester", "reason"),
        "corrected": (),
        "itemCancelled": (),
    }


SAID: dict[str, dict[str, Any]] = {
    "otherInput": {"inputs": {"pack": "sport"}},
    "done": {"requester": "Ada", "outputs": {"tv_id": "x"}},
    "waived": {"requester": "Ada", "reason": "why"},
}


@pytest.mark.parametrize("way", ["retry", "otherInput", "done", "waived", "itemCancelled"])
def test_the_request_with_what_it_takes_is_previewed_and_accepted(way: str) -> None:
    driver = refused()
    offered = ways(driver, TV)[way]
    fields = {**offered.request, **SAID.get(way, {})}
    change = ChangeRequest.model_validate({"request_id": "w", **fields})
    if not change.kind.revises:
        assert preview(driver.order, change, PlanAnswer(), NOW).state == "accepted"
    del fields["kind"]
    assert driver.change(change.kind.value, "w", **fields).state == "accepted"


def test_what_something_builds_on_is_not_to_be_done_without() -> None:
    offered = ways(refused("resource-inventory"), PORT)["waived"]
    assert not offered.possible
    assert [reason.code for reason in offered.reasons] == ["needed"]


def test_another_offering_may_do_where_one_fixes_what_goes_into_the_call() -> None:
    driver = refused()
    copied = Fulfilment.of(driver.order.fork())
    offered = [way for way in ways_of(copied, driver.catalog, key(driver, TV), NOW) if way.way == "corrected"]
    assert {str(way.value) for way in offered} == {"tv-sport", "tv-cinema"}
    assert all(way.request["update"] == [{"id": "tv", "offering": way.value}] for way in offered)


def test_a_characteristic_that_goes_into_the_call_may_be_corrected() -> None:
    driver = Driver(household(), waiting=["shipping", "field-service"])
    driver.refuse["resource-inventory.provision"] = "no_port"
    driver.run()
    corrected = ways(driver, PORT)["corrected"]
    assert (corrected.kind, corrected.takes, corrected.possible) == (ChangeKind.AMEND, ("technology",), True)
    assert corrected.request["update"] == [{"id": "net", "characteristics": {}}]


def test_a_residue_is_tried_again_undone_by_hand_or_written_off() -> None:
    driver = Driver(household(installation="self"), waiting=["shipping"])
    driver.refuse = {"tv.provision": "closed", "access-network.compensate": "busy"}
    driver.run()
    line = key(driver, "fibre-internet/activate-line")
    driver.change("cancel", "off")
    driver.run()
    copied = Fulfilment.of(driver.order.fork())
    found = {way.way.value: way for way in ways_of(copied, driver.catalog, line, NOW)}
    assert list(found)[:4] == ["retry", "done", "kept", "sunk"]
    assert found["done"].words.endswith("counts as undone, by hand")


def test_none_is_offered_where_nothing_waits_for_a_person() -> None:
    assert ways_of(Fulfilment.of(refused().order.fork()), with_input_by_hand(), "o/x/y", NOW) == ()


def test_options_tell_them_too() -> None:
    driver = refused()
    told = options_of(Fulfilment.of(driver.order.fork()), driver.catalog, NOW, OptionsPage(limit=50))
    [tv] = [item for item in told.items if item.item == "tv"]
    offered = [option for option in tv.options if option.subject is Subject.FALLOUT]
    assert [(option.kind.value, option.value, option.possible) for option in offered] == [
        ("retry", None, True),
        ("retry", "otherInput", True),
        ("resolve", "done", True),
        ("resolve", "waived", True),
    ]
    assert {option.name for option in offered} == {key(driver, TV)}
