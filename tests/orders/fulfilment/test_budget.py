"""The budget of an order: what is more than it may have is refused, or kept in short, and the order goes on."""

from __future__ import annotations

import pytest

from orders.change.request import ChangeKind, ChangeRequest, ChangeState, ItemUpdate, Verdict
from orders.fulfilment.change_log import ChangeLog
from orders.model.budget import (
    CHANGE,
    GIVEN,
    INBOX,
    ITEMS,
    LOG,
    LONGEST_TEXT,
    MOST_NAMED,
    MOST_REASONS,
    OUTPUTS,
    PLAN,
    PRODUCTS,
    START,
    TASKS,
    TOO_LARGE,
    size_of,
)
from orders.model.order import OrderRequest, Reason, Rejection, RequestedItem
from orders.model.values import Inputs
from orders.reconcile.given import Given
from orders.reconcile.ledger import Fact, Ledger
from orders.reconcile.outcome import OUTPUT_MISSING, Outcome, OutcomeKind
from tests.orders.support.driver import AT, Driver, household, key


def lines(*quantities: int) -> OrderRequest:
    """Items of internet without anything, one for each quantity."""
    items = (
        RequestedItem(id=f"net-{number}", offering="mobile-m", quantity=quantity)
        for number, quantity in enumerate(quantities)
    )
    return OrderRequest(external_id="x", channel="web", customer_id="cust-1", items=tuple(items))


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (lines(1000, 1000, 1), f"2001 products in one order: at most {PRODUCTS.most} are taken"),
        (lines(*[1] * 1001), f"1001 items in one order: at most {ITEMS.most} are taken"),
    ],
)
def test_an_order_of_too_much_is_refused_by_a_reason_that_names_limit_and_size(
    request_: OrderRequest, told: str
) -> None:
    with pytest.raises(Rejection) as refused:
        Driver(request_)
    assert [(reason.code, reason.message) for reason in refused.value.reasons] == [(TOO_LARGE, told)]


def test_an_order_of_too_many_tasks_is_refused() -> None:
    with pytest.raises(Rejection, match=rf"\d+ tasks in one order: at most {TASKS.most} are taken"):
        Driver(lines(1000, 1000))


def test_a_change_to_more_products_than_an_order_may_have_is_refused() -> None:
    driver = Driver(lines(1))
    driver.run()
    add = tuple(RequestedItem(id=f"more-{n}", offering="mobile-m", quantity=1000) for n in range(2))
    with pytest.raises(Rejection, match="2001 products"):
        driver.change("amend", add=add)


def test_one_change_that_is_too_large_is_refused() -> None:
    driver = Driver(household(), waiting=["field-service"])
    update = tuple(
        ItemUpdate(id="net", characteristics={f"c{number}": "x" * 1000}) for number in range(CHANGE.most // 1000)
    )
    verdict = driver.change("amend", update=update)
    assert TOO_LARGE in [reason.code for reason in verdict.reasons]
    assert driver.order.revision.number == 1


def test_two_hundred_changes_with_long_reasons_are_kept_within_bounds_and_a_cancellation_is_decided() -> None:
    driver = Driver(household(), waiting=["shipping"])
    driver.run()
    for number in range(400):
        driver.change("hold" if number % 2 else "release", f"c-{number}", reason=f"{number} " + "x" * 2_000)
    assert sum(len(verdict.model_dump_json()) for verdict in driver.order.verdicts.values()) <= LOG
    assert driver.order.verdicts["c-399"].state is ChangeState.ACCEPTED
    assert driver.change("cancel", "away").state is not ChangeState.SUPERSEDED
    assert "away" in driver.order.verdicts


def entry(request_id: str, state: ChangeState) -> Verdict:
    """An entry of about 1,200 bytes."""
    return Verdict(request_id=request_id, kind=ChangeKind.AMEND, state=state, revision=1, reason="x" * 1000)


def test_the_log_forgets_what_was_refused_first_and_never_what_is_assessed_or_awaited() -> None:
    log = ChangeLog(verdicts := {})
    log.keep(entry("assessing", ChangeState.ASSESSING))
    log.keep(entry("oldest", ChangeState.ACCEPTED))
    log.keep(entry("awaited", ChangeState.REJECTED))
    with log.awaiting("awaited"):
        for number in range(3 * LOG // 1000):
            log.keep(entry(f"refused-{number}", ChangeState.REJECTED))
    assert {"assessing", "oldest", "awaited"} <= verdicts.keys()
    assert "refused-0" not in verdicts
    for number in range(3 * LOG // 1000):
        log.keep(entry(f"accepted-{number}", ChangeState.ACCEPTED))
    assert "assessing" in verdicts
    assert not {"oldest", "awaited"} & verdicts.keys()
    assert sum(len(verdict.model_dump_json()) for verdict in verdicts.values()) <= LOG


def test_the_log_names_the_first_of_many_reasons() -> None:
    driver = Driver(household())
    reasons = [Reason(code="unknown_item", message=f"no item {number}") for number in range(500)]
    change = ChangeRequest(request_id="c", kind=ChangeKind.HOLD)
    verdict = driver.order.reject(change, reasons, AT)
    assert len(verdict.reasons) == MOST_REASONS + 1
    assert verdict.reasons[-1].message == f"and {500 - MOST_REASONS} reasons more"


def test_an_entry_about_hundreds_of_tasks_is_small() -> None:
    driver = Driver(lines(300))
    driver.run()
    verdict = driver.change("cancel")
    assert verdict.impact is not None
    assert sum(sum(counts.values()) for counts in verdict.impact.effects.values()) > 600
    assert len(verdict.impact.obstacles) <= MOST_NAMED
    assert len(verdict.model_dump_json()) < 20_000


def test_changes_beyond_those_that_can_wait_are_turned_away_but_for_a_cancellation() -> None:
    driver = Driver(household())
    for number in range(INBOX + 1):
        driver.order.receive(ChangeRequest(request_id=f"c-{number}", kind=ChangeKind.HOLD), AT)
    driver.order.receive(ChangeRequest(request_id="c-0", kind=ChangeKind.HOLD), AT)
    driver.order.receive(ChangeRequest(request_id="away", kind=ChangeKind.CANCEL), AT)
    assert len(driver.order.inbox) == INBOX + 1
    assert [reason.code for reason in driver.order.verdicts[f"c-{INBOX}"].reasons] == ["too_many_changes"]
    assert "c-0" not in driver.order.verdicts
    assert list(driver.order.inbox)[-1].request_id == "away"


def test_outputs_that_are_too_large_wait_for_a_person_who_tells_them() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    reserve = key(driver, "fibre-internet/reserve-port")
    steps = driver.order.reconciler.next_steps()
    while steps:
        step = steps.pop()
        outcome = driver.answer(step)
        if step.task == reserve:
            outcome = Outcome(OutcomeKind.DONE, {"port_id": "p" * 1_000_000})
        driver.order.record(step, outcome, AT)
        steps += driver.order.reconciler.next_steps()
    assert driver.order.reconciler.fallout == {reserve}
    (refusal,) = driver.order.reconciler.ledger.refusals_of(reserve)
    assert refusal.code == OUTPUT_MISSING
    assert refusal.reason.endswith(f"at most {OUTPUTS} are taken")
    by_hand = {"task": reserve, "resolution": "done", "requester": "ann"}
    assert driver.change("resolve", "a", outputs={"port_id": "p" * 10_000}, **by_hand).reasons[0].code == TOO_LARGE
    assert driver.change("resolve", "b", outputs={"port_id": "port-1"}, **by_hand).state is ChangeState.ACCEPTED
    driver.run()
    assert driver.order.reconciler.fallout == set()


def test_what_silos_give_is_bounded_in_all() -> None:
    ledger = Ledger()
    given = Given(ledger)
    outputs: Inputs = {"text": "x" * (OUTPUTS - 20)}
    taken = 0
    for number in range(1000):
        outcome = given.fitting(Outcome(OutcomeKind.DONE, outputs, reason="r" * 5_000))
        assert outcome.outputs in (outputs, {})
        assert len(outcome.reason) <= LONGEST_TEXT
        task = f"o.1.{number}/s/t"
        fact = Fact(task=task, generation=0, operation="s/t", items=(), inputs={}, built_on={}, n=0, since=AT)
        fact.outputs = outcome.outputs
        ledger.put(fact)
        given.note(task)
        taken += size_of(outcome.outputs)
    assert GIVEN - OUTPUTS < given.total <= GIVEN + 10_000
    ledger.facts.clear()
    for number in range(1000):
        given.note(f"o.1.{number}/s/t")
    assert given.total == 0


def test_what_an_order_carries_at_most_fits_into_a_payload_of_temporal() -> None:
    """Also where nothing of it can be compressed. Its tasks, as many as there may be, have room for their outputs."""
    usual = {"charge_id": "BIL-0001234567", "bandwidth_mbps": 1000, "customer": "c" * 36, "product": "p" * 64}
    assert TASKS.most * size_of(usual) <= GIVEN
    assert START.most + PLAN.most + LOG + GIVEN < 2 * 2**20
