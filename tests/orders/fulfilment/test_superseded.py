"""A change under assessment that a cancellation supersedes: one story at every door, and a final state is final."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from orders.change.impact import Effect
from orders.change.request import ChangeKind, ChangeRequest, ChangeState, ItemUpdate
from orders.fulfilment.messages import PlanAnswer
from orders.model.order import OrderRequest, RequestedItem, Site
from orders.model.values import Money
from orders.read_model.journal import CancellationState
from orders.read_model.records import EventKind
from orders.read_model.states import LifecycleState
from orders.tracking.reporting import fee_views
from orders.tracking.what_if.preview import preview
from register.cancellations import state_of
from tests.orders.support.catalogs import catalog_of
from tests.orders.support.driver import AT, NOW, Driver, household, key

FEE = Money(amount=Decimal("9.90"), currency="EUR")


def assessed() -> Driver:
    """An order of which a cancellation is being assessed: field service is asked, and has not answered."""
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    assert driver.change("cancel", "first").state is ChangeState.ASSESSING
    (asked,) = driver.order.reconciler.next_steps()
    assert driver.order.silo_of(asked.task) == "field-service"
    return driver


def told_of(driver: Driver, change: str) -> list[object]:
    """The states of a cancellation, as its events tell them."""
    return [
        event.data["state"]
        for event in driver.order.journal.carried.events
        if event.kind is EventKind.CANCELLATION_STATE_CHANGED and event.data["change"] == change
    ]


def test_a_second_cancellation_ends_the_first_and_the_first_stays_ended() -> None:
    driver = assessed()
    seen = preview(driver.order, ChangeRequest(request_id="second", kind=ChangeKind.CANCEL), PlanAnswer(), NOW)
    verdict = driver.change("cancel", "second")
    assert (verdict.state, verdict.reasons) == (seen.state, seen.reasons) == (ChangeState.ASSESSING, ())
    assert seen.impact is not None and verdict.impact == seen.impact.summary()
    first = driver.order.verdicts["first"]
    assert (first.state, [reason.code for reason in first.reasons]) == (ChangeState.SUPERSEDED, ["superseded"])
    assert "second" in first.reasons[0].message
    for call in list(driver.order.reconciler.calls.values()):
        driver.order.record(call, driver.answer(call), AT)
    driver.run()
    driver.order.close(NOW)
    assert driver.order.state is LifecycleState.CANCELLED
    assert told_of(driver, "first") == ["inProgress", "terminatedWithError"]
    assert told_of(driver, "second") == ["inProgress", "done"]
    assert [(entry.request_id, entry.state) for entry in driver.order.log] == [
        ("first", ChangeState.SUPERSEDED),
        ("second", ChangeState.APPLIED),
    ]


@pytest.mark.parametrize("order", LifecycleState)
def test_what_is_superseded_is_terminated_whatever_becomes_of_its_order(order: LifecycleState) -> None:
    assert state_of(ChangeState.SUPERSEDED, order) is CancellationState.TERMINATED_WITH_ERROR


def test_a_cancellation_that_is_refused_supersedes_nothing() -> None:
    driver = assessed()
    second = ChangeRequest(request_id="second", kind=ChangeKind.CANCEL, digest="of another impact")
    verdict = driver.change("cancel", "second", digest="of another impact")
    assert (verdict.state, [reason.code for reason in verdict.reasons]) == (ChangeState.REJECTED, ["impact_changed"])
    assert preview(driver.order, second, PlanAnswer(), NOW).state is ChangeState.ASSESSING  # It tells the digest.
    assert driver.order.verdicts["first"].state is ChangeState.ASSESSING
    assert driver.order.state is LifecycleState.ASSESSING_CANCELLATION
    for call in list(driver.order.reconciler.calls.values()):
        driver.order.record(call, driver.answer(call), AT)
    driver.run()
    assert driver.order.verdicts["first"].state is ChangeState.ACCEPTED
    assert driver.order.state is LifecycleState.CANCELLED


def test_the_log_is_in_the_order_of_decision_and_what_is_assessed_has_none() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    moves = tuple(ItemUpdate(id=name, site=Site(id="elsewhere")) for name in ("net", "tv"))
    driver.change("amend", "move", update=moves)
    driver.change("hold", "wait")
    assert [(entry.request_id, bool(entry.decided_at)) for entry in driver.order.log] == [
        ("wait", True),
        ("move", False),
    ]
    driver.change("release", "go on")
    driver.run()
    assert [(entry.request_id, bool(entry.decided_at)) for entry in driver.order.log] == [
        ("wait", True),
        ("go on", True),
        ("move", True),
    ]
    driver.complete("field-service")
    driver.complete("shipping")
    driver.run()
    driver.order.close(NOW)
    assert [entry.request_id for entry in driver.order.log] == ["wait", "go on", "move"]


def test_a_fee_that_is_not_owed_any_more_is_said_so_by_preview_verdict_and_order() -> None:
    driver = Driver(household(installation="self"))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    driver.refuse["warehouse.provision"] = "out_of_stock"
    # Another technology takes another router, and so changes the parcel: at a fee, and not before the router is there.
    other, back = ((ItemUpdate(id="net", characteristics={"technology": value}),) for value in ("xgs-pon", "gpon"))
    assert driver.change("amend", "other", update=other, accept_fee=FEE).state is ChangeState.ACCEPTED
    driver.run()
    assert fees(driver) == [("other", FEE, "pending")]
    verdict = driver.change("amend", "back", update=back)
    assert verdict.state is ChangeState.ACCEPTED
    assert verdict.impact is not None
    assert [(spared.change, spared.fee) for spared in verdict.impact.spared] == [("other", FEE)]
    assert fees(driver) == [("other", FEE, "notOwed")]
    driver.run()
    assert not any("bill-fee" in call for call in driver.calls)


def fees(driver: Driver) -> list[tuple[str, Money, str]]:
    """The fees as the order tells them."""
    return [(fee.change, fee.fee, fee.state) for fee in fee_views(driver.order)]


def test_a_fee_that_is_billed_is_told_as_that() -> None:
    driver = Driver(household(installation="self"))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    parcel = key(driver, "ship-parcel")
    assert driver.change("replace", "lost", task=parcel, accept_fee=FEE).state is ChangeState.ACCEPTED
    driver.run()
    assert fees(driver) == [("lost", FEE, "billed")]


BOX = """
silos:
  billing: {protocol: tmf640, address: /billing, fees: fee}
  warehouse: {protocol: tmf641, address: /warehouse}
specifications:
  box:
    role: box
    characteristics:
      colour: {default: red}
    tasks:
      stock:
        silo: warehouse
        operation: stock
        title: Stock
        inputs: {colour: {value: "${char.colour}", on_change: replace}}
        replacement: make_before_break
        point_of_no_return: {kind: soft, fee: {amount: 9.90, currency: EUR}}
offerings:
  box: {specification: box}
"""


def test_what_is_set_back_and_asked_for_again_is_at_the_fee_again(tmp_path: Path) -> None:
    request = OrderRequest(
        external_id="x", channel="web", customer_id="c", items=(RequestedItem(id="1", offering="box"),)
    )
    driver = Driver(request, catalog=catalog_of(tmp_path, BOX))
    driver.run()
    driver.waiting = {"warehouse"}
    blue, red = ((ItemUpdate(id="1", characteristics={"colour": value}),) for value in ("blue", "red"))
    assert driver.change("amend", "forth", update=blue, accept_fee=FEE).state is ChangeState.ACCEPTED
    driver.run()
    assert driver.change("amend", "back", update=red).state is ChangeState.ACCEPTED
    # The blue box is on its way still. To have it means that the red one is taken back, which is past its point.
    again = driver.change("amend", "again", update=blue)
    assert [reason.code for reason in again.reasons] == ["fee_not_accepted"]
    assert again.impact is not None
    assert again.impact.effects == {"warehouse": {Effect.REPLACED: 1}}
    assert driver.change("amend", "at the fee", update=blue, accept_fee=FEE).state is ChangeState.ACCEPTED
    driver.complete("warehouse")
    driver.run()
    assert fees(driver) == [("forth", FEE, "notOwed"), ("at the fee", FEE, "billed")]
