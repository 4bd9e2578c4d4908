"""What a person can do about a refused call beside trying it again: other input, by hand, done without."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

import pytest

from orders.change.request import ChangeKind, ChangeRequest, ChangeState, ItemUpdate, Verdict
from orders.fulfilment.messages import PlanAnswer
from orders.model.catalog import Catalog
from orders.model.order import OrderRequest, RequestedItem
from orders.model.values import Action, Inputs, Money, Verb
from orders.reconcile.ledger import Fact, Step
from orders.reconcile.outcome import RETRY_BUDGET_SPENT, Outcome, OutcomeKind
from orders.tracking.what_if.preview import preview
from tests.orders.support.driver import NOW, Driver, household, key, shipped_catalog

ROUTER = "fibre-internet/allocate-router"
LINE = "fibre-internet/activate-line"
PORT = "fibre-internet/reserve-port"
TV = "tv/activate-tv"
FEE = Money(amount=Decimal("9.90"), currency="EUR")
SELF = {"installation": "self"}


class Sending(Driver):
    """Tells what was sent, and has some calls end in doubt."""

    def __init__(self, request: OrderRequest, *, doubt: Collection[str] = (), **more: Any) -> None:
        super().__init__(request, **more)
        self.sent: list[tuple[str, Inputs]] = []
        self.doubt = set(doubt)

    def answer(self, step: Step) -> Outcome:
        self.sent.append((self._name(step), step.sent))
        if f"{self.order.silo_of(step.task)}.{step.verb}" in self.doubt:
            return Outcome(OutcomeKind.UNKNOWN, code=RETRY_BUDGET_SPENT, reason="no answer")
        return super().answer(step)

    def fact(self, task: str) -> Fact:
        [fact] = self.order.reconciler.ledger.facts[key(self, task)].values()
        return fact


def by_hand(task: str, name: str) -> Catalog:
    """The shipped catalog, in which people may give an input of a task."""
    catalog = shipped_catalog()
    specification, _, template = task.partition("/")
    content = catalog.model_dump(by_alias=True)
    content["specifications"][specification]["tasks"][template]["inputs"][name]["by_hand"] = True
    return Catalog.model_validate(content)


def refused(silo: str, *, catalog: Catalog | None = None, **internet: Any) -> Sending:
    driver = Sending(household(**SELF, **internet), catalog=catalog)
    driver.refuse[f"{silo}.provision"] = "no"
    driver.run()
    return driver


def resolved(driver: Driver, task: str, how: str, request_id: str = "by-hand", **more: Any) -> Verdict:
    return driver.change(
        "resolve", request_id, task=key(driver, task), resolution=how, requester="Ada", reason="why", **more
    )


def code_of(verdict: Verdict) -> str:
    [reason] = verdict.reasons
    return reason.code


# Other input for one call


def test_a_refused_call_is_tried_again_with_the_input_that_a_person_gives_for_it() -> None:
    driver = refused("warehouse", catalog=by_hand(ROUTER, "sku"))
    driver.refuse.clear()
    verdict = driver.change("retry", task=key(driver, ROUTER), inputs={"sku": "router-xgs-pon"})
    assert verdict.state is ChangeState.ACCEPTED
    driver.sent.clear()
    driver.run()
    [sent] = [inputs for name, inputs in driver.sent if name == f"warehouse.provision {ROUTER}/0/1"]
    assert sent["sku"] == "router-xgs-pon"
    assert driver.fact(ROUTER).inputs["sku"] == "router-gpon"
    assert driver.order.settled


def test_what_a_person_gave_is_said_again_as_long_as_the_same_is_planned_for_it() -> None:
    driver = refused("access-network", catalog=by_hand(LINE, "up_mbps"))
    driver.refuse.clear()
    driver.change("retry", "again", task=key(driver, LINE), inputs={"up_mbps": 30})
    driver.run()
    update = ItemUpdate(id="net", characteristics={"down_mbps": 500})
    driver.change("amend", "faster", update=(update,))
    driver.sent.clear()
    driver.run()
    [sent] = [inputs for name, inputs in driver.sent if name.startswith("access-network.amend")]
    assert (sent["down_mbps"], sent["up_mbps"]) == (500, 30)


def test_what_a_person_gave_ends_where_another_value_is_planned_for_it() -> None:
    driver = refused("access-network", catalog=by_hand(LINE, "down_mbps"))
    driver.refuse.clear()
    driver.change("retry", "again", task=key(driver, LINE), inputs={"down_mbps": 150})
    driver.run()
    driver.change("amend", "faster", update=(ItemUpdate(id="net", characteristics={"down_mbps": 500}),))
    driver.sent.clear()
    driver.run()
    [sent] = [inputs for name, inputs in driver.sent if name.startswith("access-network.amend")]
    assert sent["down_mbps"] == 500


def test_an_amendment_is_tried_again_with_the_input_that_a_person_gives_for_it() -> None:
    driver = Sending(household(**SELF), waiting=["shipping"], catalog=by_hand(LINE, "up_mbps"))
    driver.run()
    driver.refuse["access-network.amend"] = "too_fast"
    driver.change("amend", "faster", update=(ItemUpdate(id="net", characteristics={"down_mbps": 500}),))
    driver.run()
    driver.refuse.clear()
    driver.change("retry", "again", task=key(driver, LINE), inputs={"up_mbps": 30})
    driver.sent.clear()
    driver.run()
    [sent] = [inputs for name, inputs in driver.sent if name.startswith("access-network.amend")]
    assert (sent["down_mbps"], sent["up_mbps"]) == (500, 30)
    assert driver.fact(LINE).asks == {"up_mbps": 30}


def test_it_is_for_one_call_which_refused_again_is_tried_as_planned() -> None:
    driver = refused("warehouse", catalog=by_hand(ROUTER, "sku"))
    driver.change("retry", "given", task=key(driver, ROUTER), inputs={"sku": "other"})
    driver.run()
    driver.refuse.clear()
    driver.change("retry", "again", task=key(driver, ROUTER))
    driver.sent.clear()
    driver.run()
    assert next(inputs for name, inputs in driver.sent if name.startswith("warehouse"))["sku"] == "router-gpon"


def test_only_what_the_catalog_names_may_be_given_by_hand() -> None:
    driver = refused("warehouse")
    verdict = driver.change("retry", task=key(driver, ROUTER), inputs={"colour": "blue"})
    assert code_of(verdict) == "not_by_hand"
    assert driver.run() == []


def test_a_call_that_may_have_been_done_is_tried_again_as_it_was_alone() -> None:
    driver = Sending(household(**SELF), doubt=["warehouse.provision"], catalog=by_hand(ROUTER, "sku"))
    driver.run()
    verdict = driver.change("retry", task=key(driver, ROUTER), inputs={"sku": "other"})
    assert code_of(verdict) == "outcome_unknown"


# Done by hand


def test_a_call_that_had_no_usable_answer_is_done_where_a_person_knows_that() -> None:
    driver = Sending(household(**SELF), doubt=["tv.provision"])
    driver.run()
    assert code_of(resolved(driver, TV, "done", "too-little")) == "output_missing"
    assert resolved(driver, TV, "done", outputs={"tv_id": "by hand"}).state is ChangeState.ACCEPTED
    driver.run()
    assert driver.fact(TV).outputs["tv_id"] == "by hand"
    assert driver.order.settled


def test_a_call_that_is_to_be_tried_again_waits_for_nobody_to_do_it_by_hand() -> None:
    driver = Sending(household(**SELF), doubt=["tv.provision"])
    driver.run()
    driver.change("retry", "again", task=key(driver, TV))
    assert code_of(resolved(driver, TV, "done", outputs={"tv_id": "by hand"})) == "nothing_to_resolve"


def test_an_amendment_that_was_refused_is_done_by_hand() -> None:
    driver = Sending(household(**SELF), waiting=["shipping"])
    driver.run()
    driver.refuse["access-network.amend"] = "too_fast"
    driver.change("amend", "faster", update=(ItemUpdate(id="net", characteristics={"down_mbps": 500}),))
    driver.run()
    before = driver.fact(LINE).outputs
    assert resolved(driver, LINE, "done").state is ChangeState.ACCEPTED
    driver.run()
    assert driver.fact(LINE).inputs["down_mbps"] == 500
    assert driver.fact(LINE).outputs == before
    assert not driver.order.reconciler.fallout


@pytest.mark.parametrize(("how", "billed"), [("done", True), ("sunk", False)])
def test_an_undo_done_by_hand_is_billed_and_one_that_was_written_off_is_not(how: str, *, billed: bool) -> None:
    driver = Sending(household(**SELF))
    driver.refuse = {"tv.provision": "closed", "shipping.compensate": "delivered"}
    driver.run()
    driver.change("cancel", "off", accept_fee=FEE)
    driver.run()
    [task] = driver.order.reconciler.fallout
    verdict = driver.change("resolve", "by-hand", task=task, resolution=how, requester="Ada")
    assert verdict.state is ChangeState.ACCEPTED
    calls = driver.run()
    assert any(call.startswith("billing.provision") and "fee" in call for call in driver.calls) is billed, calls
    assert driver.order.settled


# Done without


def test_an_order_goes_on_without_what_a_named_person_waives() -> None:
    driver = refused("tv")
    assert resolved(driver, TV, "waived").state is ChangeState.ACCEPTED
    calls = driver.run()
    assert any("tv/start-billing" in call for call in calls)
    assert not any(call.startswith("tv.") for call in calls)
    assert driver.order.settled
    [fallout] = driver.order.journal.carried.kept.told()
    assert fallout.ended == "waived"


def test_nobody_waives_what_something_builds_on() -> None:
    driver = refused("resource-inventory")
    verdict = resolved(driver, PORT, "waived")
    assert code_of(verdict) == "needed"
    assert key(driver, LINE) in verdict.reasons[0].message
    assert key(driver, PORT) in driver.order.reconciler.fallout


@pytest.mark.parametrize(("lacking", "told"), [("requester", "needs requester"), ("reason", "needs a reason")])
def test_a_waiver_names_somebody_and_says_why(lacking: str, told: str) -> None:
    fields = {"task": "t", "resolution": "waived", "requester": "Ada", "reason": "why"}
    del fields[lacking]
    with pytest.raises(ValueError, match=told):
        ChangeRequest.model_validate({"request_id": "r", "kind": "resolve", **fields})


def test_what_may_have_been_made_of_it_is_let_go_of() -> None:
    driver = Sending(household(**SELF), doubt=["tv.provision"])
    driver.run()
    resolved(driver, TV, "waived")
    assert f"tv.compensate {TV}/0/1" in driver.run()
    assert key(driver, TV) not in driver.order.reconciler.ledger.facts
    assert driver.order.settled


def test_nothing_that_is_in_force_is_done_without() -> None:
    driver = Sending(household(**SELF), waiting=["shipping"])
    driver.run()
    driver.refuse["tv.amend"] = "no"
    driver.change("amend", "sport", update=(ItemUpdate(id="tv", offering="tv-sport"),))
    driver.run()
    assert key(driver, TV) in driver.order.reconciler.fallout
    assert code_of(resolved(driver, TV, "waived")) == "nothing_to_resolve"


def test_it_is_asked_for_again_where_something_else_is_wanted_of_it() -> None:
    driver = refused("tv")
    driver.waiting = {"shipping"}
    resolved(driver, TV, "waived")
    driver.run()
    driver.refuse.clear()
    driver.change("amend", "sport", update=(ItemUpdate(id="tv", offering="tv-sport"),))
    assert any(call.startswith("tv.provision") for call in driver.run())
    assert driver.order.reconciler.ledger.waived == {}


def test_a_person_who_has_waived_it_may_have_it_tried_again_after_all() -> None:
    driver = refused("tv")
    driver.waiting = {"shipping"}
    resolved(driver, TV, "waived")
    driver.run()
    driver.refuse.clear()
    assert driver.change("retry", "again", task=key(driver, TV)).state is ChangeState.ACCEPTED
    assert any(call.startswith("tv.provision") for call in driver.run())


def test_what_was_waived_is_no_part_of_the_installed_product_and_asked_for_by_its_next_change() -> None:
    driver = refused("tv")
    resolved(driver, TV, "waived")
    driver.run()
    installed = driver.leaves()
    [tv] = [product for product in installed if product.specification == "tv"]
    assert not any(task.endswith(TV) for task in tv.holding.tasks)
    items = (RequestedItem(id="i", action=Action.MODIFY, product=tv.id, offering="tv-sport"),)
    follow_on = OrderRequest(external_id="y", channel="web", customer_id="cust-1", items=items)
    later = Sending(follow_on, installed=installed)
    assert any(call.startswith("tv.provision") for call in later.run())
    assert later.order.settled


def test_a_waiver_outlives_the_run_of_the_workflow() -> None:
    driver = refused("tv")
    driver.waiting = {"shipping"}
    resolved(driver, TV, "waived")
    copied = driver.order.reconciler.ledger.copy()
    assert copied.waived.keys() == {key(driver, TV)}


# At every stage of a change

WAYS: dict[str, dict[str, Any]] = {
    "retry": {"kind": "retry"},
    "input": {"kind": "retry", "inputs": {"pack": "cinema"}},
    "done": {"kind": "resolve", "resolution": "done", "outputs": {"tv_id": "by hand"}},
    "waived": {"kind": "resolve", "resolution": "waived"},
    "kept": {"kind": "resolve", "resolution": "kept"},
}
NOTHING = {"nothing_to_retry", "nothing_to_resolve"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stage", range(0, 9, 2))
@pytest.mark.parametrize("doubt", [False, True], ids=["refused", "in doubt"])
@pytest.mark.parametrize("change", ["amend", "cancel"])
def test_each_way_ends_well_at_every_stage_of_a_change(change: str, stage: int, way: str, *, doubt: bool) -> None:
    driver = Sending(household(**SELF), catalog=by_hand(TV, "pack"), waiting=["shipping"])
    if doubt:
        driver.doubt = {"tv.provision"}
    else:
        driver.refuse["tv.provision"] = "closed"
    driver.run()
    if change == "cancel":
        driver.change("cancel", "off", accept_fee=FEE)
    else:
        update = (ItemUpdate(id="net", characteristics={"down_mbps": 500}), ItemUpdate(id="tv", offering="tv-sport"))
        driver.change("amend", "other", update=update)
    driver.run_some(stage)
    driver.order.reconciler.look()
    fields = {name: value for name, value in WAYS[way].items() if name != "kind"}
    if WAYS[way]["kind"] == "resolve":
        fields |= {"requester": "Ada", "reason": "why"}
    task = next(task for task in [*driver.order.start.plan.tasks] if task.endswith(TV))
    asked = {"request_id": "way", "kind": WAYS[way]["kind"], "task": task, **fields}
    told = preview(driver.order, ChangeRequest.model_validate(asked), PlanAnswer(), NOW)
    verdict = driver.change(WAYS[way]["kind"], "way", task=task, **fields)
    assert (verdict.state, verdict.reasons) == (told.state, told.reasons)
    assert {reason.code for reason in verdict.reasons} <= {*NOTHING, "outcome_unknown"}
    driver.refuse.clear()
    driver.doubt.clear()
    driver.run()
    if driver.order.reconciler.fallout:
        driver.change("retry", "after-all", silo="tv")
    driver.run()
    driver.complete("shipping")
    driver.run()
    assert driver.order.settled
    held = driver.order.reconciler.ledger.facts
    assert (task in held) is (change == "amend" and task not in driver.order.reconciler.ledger.waived)
    if task in held:
        [fact] = held[task].values()
        assert fact.inputs["pack"] == "sport"
    assert ChangeKind(WAYS[way]["kind"]) is verdict.kind
    assert not [call for call in driver.order.reconciler.calls.values() if call.verb is not Verb.INSPECT]
