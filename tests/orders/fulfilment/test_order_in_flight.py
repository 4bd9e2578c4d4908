"""One order in flight: verdicts, and what they leave behind."""

from __future__ import annotations

from datetime import datetime

import pytest
from pydantic import ValidationError

from orders.change.request import ChangeKind, ChangeRequest, ChangeState, ItemUpdate, Verdict
from orders.fulfilment.deciding import consider
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.order import OrderRequest, Rejection, RequestedItem
from orders.model.plan import Plan
from orders.planning.capture import capture
from orders.planning.decompose import decompose
from orders.read_model.states import LifecycleState
from tests.orders.support.driver import AT, NOW, Driver, household, key

SELF = {"installation": "self", "equipment": "own"}


def mobiles(quantity: int, start: datetime | None = None, completion: datetime | None = None) -> OrderRequest:
    """Mobile subscriptions with an eSIM: nothing is shipped."""
    return OrderRequest(
        external_id="x",
        channel="web",
        customer_id="cust-1",
        items=(RequestedItem(id="m", offering="mobile-s", quantity=quantity, characteristics={"sim_type": "esim"}),),
        requested_start=start,
        requested_completion=completion,
    )


def codes(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


# Verdicts


def test_a_change_to_an_older_revision_is_refused() -> None:
    driver = Driver(mobiles(2))
    amended = driver.change("amend", "1", update=(ItemUpdate(id="m", quantity=3),), expected_revision=1)
    assert (amended.state, amended.revision) == (ChangeState.ACCEPTED, 2)
    for kind in ("cancel", "amend"):
        fields = {"update": (ItemUpdate(id="m", quantity=1),)} if kind == "amend" else {}
        stale = driver.change(kind, f"stale-{kind}", expected_revision=1, **fields)
        assert codes(stale) == ["stale_revision"]
        assert stale.revision == 2
    assert driver.order.revision.number == 2
    assert not driver.order.cancelled


def test_a_request_is_decided_once_however_often_it_arrives() -> None:
    driver = Driver(mobiles(2))
    first = driver.change("amend", "1", update=(ItemUpdate(id="m", quantity=3),))
    assert driver.change("amend", "1", update=(ItemUpdate(id="m", quantity=3),)) == first
    assert driver.change("cancel", "1") == first
    assert driver.order.revision.number == 2
    assert not driver.order.cancelled


def test_a_refused_request_stays_refused_under_its_id() -> None:
    driver = Driver(mobiles(2))
    refused = driver.change("cancel", "1", expected_revision=7)
    assert driver.change("cancel", "1") == refused
    assert not driver.order.cancelled


def test_a_cancelled_order_can_not_be_cancelled_again() -> None:
    driver = Driver(mobiles(1))
    assert driver.change("cancel", "1").state is ChangeState.ACCEPTED
    assert codes(driver.change("cancel", "2")) == ["already_cancelled"]


def test_a_cancelled_order_can_not_be_amended() -> None:
    driver = Driver(mobiles(1))
    driver.change("cancel", "1")
    assert codes(driver.change("amend", "2", update=(ItemUpdate(id="m", quantity=2),))) == ["order_cancelled"]
    assert driver.order.revision.number == 1


def test_a_verdict_says_who_asked_for_what_and_when_it_was_decided() -> None:
    driver = Driver(mobiles(1))
    verdict = driver.change("cancel", "1", requester="agent-7", channel="shop", reason="moved away")
    assert (verdict.request_id, verdict.kind) == ("1", ChangeKind.CANCEL)
    assert (verdict.requester, verdict.channel, verdict.reason) == ("agent-7", "shop", "moved away")
    assert verdict.decided_at == AT
    assert driver.order.verdicts == {"1": verdict}


def test_an_accepted_change_is_applied_once_the_order_is_settled() -> None:
    driver = Driver(mobiles(2))
    driver.change("cancel", "no", expected_revision=7)
    driver.change("amend", "yes", update=(ItemUpdate(id="m", quantity=1),))
    driver.run()
    driver.order.close(NOW)
    states = {name: verdict.state for name, verdict in driver.order.verdicts.items()}
    assert states == {"no": ChangeState.REJECTED, "yes": ChangeState.APPLIED}


def test_a_request_that_can_not_be_read_is_noted_and_changes_nothing() -> None:
    driver = Driver(mobiles(1))
    verdict = driver.order.reject_malformed("not JSON", AT)
    assert (verdict.kind, verdict.state, codes(verdict)) == (None, ChangeState.REJECTED, ["malformed"])
    assert driver.order.verdicts == {"malformed-1": verdict}
    assert driver.order.revision.number == 1


def test_a_request_that_can_not_be_read_takes_nobody_elses_place_in_the_log() -> None:
    driver = Driver(mobiles(1))
    driver.change("hold", "malformed-1")
    driver.order.receive(ChangeRequest(request_id="malformed-2", kind=ChangeKind.RELEASE), AT)
    assert driver.order.reject_malformed("not JSON", AT).request_id == "malformed-3"
    assert driver.order.verdicts["malformed-1"].kind is ChangeKind.HOLD


def test_a_retry_needs_a_refused_call() -> None:
    driver = Driver(mobiles(1))
    driver.refuse["number-inventory.provision"] = "none_left"
    driver.run()
    task = key(driver, "mobile/reserve-number")
    assert codes(driver.change("retry", "1", task=key(driver, "mobile/sign-contract"))) == ["nothing_to_retry"]
    assert driver.order.state is LifecycleState.HELD
    driver.refuse.clear()
    assert driver.change("retry", "2", task=task).state is ChangeState.ACCEPTED
    assert driver.run()[0] == "number-inventory.provision mobile/reserve-number/0/1"
    assert driver.order.state is LifecycleState.COMPLETED
    assert codes(driver.change("retry", "3", task=task)) == ["nothing_to_retry"]


def test_a_refused_amendment_of_the_revision_leaves_everything_as_it_is() -> None:
    driver = Driver(household(**SELF))
    driver.run()
    plan = driver.order.plan
    with pytest.raises(Rejection) as caught:
        driver.change("amend", remove=("net",))
    assert {reason.item for reason in caught.value.reasons} == {"voice", "tv"}
    change = ChangeRequest(request_id="c", kind=ChangeKind.AMEND, remove=("net",))
    verdict = driver.order.reject(change, list(caught.value.reasons), AT)
    assert verdict.revision == 1
    assert driver.order.plan is plan
    assert driver.run() == []


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "amend"},
        {"kind": "cancel", "remove": ["m"]},
        {"kind": "cancel", "task": "t"},
        {"kind": "retry"},
        {"kind": "resolve", "task": "t", "resolution": "kept"},
        {"kind": "resolve", "task": "t", "requester": "agent"},
        {"kind": "amend", "remove": ["m"], "colour": "red"},
        {"kind": "amend", "update": [{"id": "m", "quantity": 0}]},
        {"kind": "explode"},
    ],
)
def test_a_change_that_does_not_fit_its_kind_can_not_be_asked_for(content: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ChangeRequest.model_validate({"request_id": "r", **content})


# Cancelling


def test_a_cancelled_order_settles_without_anything() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    assert driver.order.state is LifecycleState.HELD
    driver.change("cancel")
    assert driver.order.state is LifecycleState.PENDING_CANCELLATION
    driver.run()
    assert driver.order.state is LifecycleState.CANCELLED
    assert driver.order.carried.ledger.facts == {}
    assert driver.order.revision.number == 1


def test_an_order_cancelled_before_anything_began_is_cancelled_at_once() -> None:
    driver = Driver(mobiles(1))
    driver.change("cancel")
    assert driver.order.settled
    assert driver.order.state is LifecycleState.CANCELLED


def test_a_cancelled_modification_leaves_what_was_installed() -> None:
    before = Driver(mobiles(2))
    before.run()
    installed = before.order
    request = mobiles(3)
    revision = capture(before.catalog, request)
    later = Fulfilment(
        installed.start.model_copy(
            update={
                "revision": revision,
                "plan": decompose(before.catalog, request.order_id, revision),
                "baseline": installed.revision,
                "baseline_plan": installed.carried.plan,
                "baseline_ledger": installed.carried.ledger,
            }
        )
    )
    held = set(installed.carried.ledger.facts)
    before.order = later
    assert any("mobile/reserve-number" in call for call in before.run())
    assert set(later.carried.ledger.facts) > held
    change = ChangeRequest(request_id="c", kind=ChangeKind.CANCEL)
    consider(later, change, None, later.start.baseline_plan, AT)
    calls = before.run()
    assert {call.split()[0].split(".")[1] for call in calls} == {"compensate"}
    assert set(later.carried.ledger.facts) == held
    assert later.state is LifecycleState.CANCELLED


def test_an_order_never_writes_into_its_baseline() -> None:
    before = Driver(mobiles(1))
    before.run()
    ledger = before.order.carried.ledger
    facts = set(ledger.facts)
    start = before.order.start.model_copy(update={"baseline_ledger": ledger, "plan": Plan()})
    later = Fulfilment(start)
    for step in later.reconciler.next_steps():
        assert step.verb == "compensate"
    assert later.carried.ledger is not ledger
    assert set(ledger.facts) == facts
    assert all(fact.n == 0 for fact in ledger.all_facts())


# Amending in flight


def test_what_is_given_up_in_flight_is_undone_and_nothing_else_is_touched() -> None:
    driver = Driver(mobiles(3))
    driver.run()
    product = driver.order.revision.items[0].products[1]
    driver.change("amend", update=(ItemUpdate(id="m", drop=(product,)),))
    calls = driver.run()
    assert {call.split()[0].split(".")[1] for call in calls} == {"compensate"}
    assert len(calls) == len([task for task in driver.order.start.plan.tasks if task.startswith(f"{product}/")])
    assert not any(task.startswith(f"{product}/") for task in driver.order.carried.ledger.facts)
    assert driver.order.state is LifecycleState.COMPLETED


def test_the_least_advanced_product_is_the_one_given_up() -> None:
    driver = Driver(mobiles(3))
    first = driver.order.revision.items[0].products[0]
    order = driver.order
    for step in order.reconciler.next_steps():
        order.reconciler.record(step, driver.answer(step), AT)
    for step in order.reconciler.next_steps():
        if not step.task.startswith(f"{first}/"):
            order.reconciler.record(step, driver.answer(step), AT)
    order.reconciler.next_steps()
    advancement = order.advancement()
    assert advancement[first].tasks_in_place < min(
        each.tasks_in_place for product, each in advancement.items() if product != first
    )
    driver.change("amend", update=(ItemUpdate(id="m", quantity=2),))
    assert first not in order.revision.items[0].products


def test_a_product_added_in_flight_is_provided_like_the_others() -> None:
    driver = Driver(mobiles(2))
    driver.run()
    driver.change("amend", update=(ItemUpdate(id="m", quantity=3),))
    calls = driver.run()
    assert "mobile-core.provision mobile/activate-subscription/0/0" in calls
    assert not any("compensate" in call or "amend" in call for call in calls if "customer/" not in call)
    assert driver.order.state is LifecycleState.COMPLETED


def test_products_past_no_return_are_known_from_their_own_tasks_only() -> None:
    driver = Driver(household())
    driver.run()
    assert not any(each.past_no_return for each in driver.order.advancement().values() if each.tasks_in_place == 0)
    shared = key(driver, "installation/visit-site")
    assert len(driver.order.plan.tasks[shared].products) == 1
    net = driver.order.revision.items[0].products[0]
    assert driver.order.advancement()[net].past_no_return
