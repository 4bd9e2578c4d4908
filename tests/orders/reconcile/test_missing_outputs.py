"""A call that is done without an output that the catalog declares waits for a person: nothing goes on from null."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orders.change.by_hand import settle_by_hand
from orders.change.request import ChangeKind, ChangeRequest, Resolution
from orders.model.plan import Plan
from orders.reconcile.ledger import Step
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.reconcile.target import TaskStatus
from tests.orders.support.builders import AT, Bench, key_of, operation, plan, task, thing

PORT = replace(operation("port", amend_while_waiting=True), outputs=("out",))
NOTHING = Outcome(OutcomeKind.DONE, {"else": 1, "out": None})


def line_on_a_port(wish: int = 1) -> Plan:
    return plan(task("port", wish=wish), task("line", on=["port"], refs=["port"]), operations=[PORT])


def answered(order: Bench, outcome: Outcome = NOTHING) -> list[str]:
    """What starts once the call under way has that outcome."""
    [step] = order.reconciler.calls.values()
    order.reconciler.record(step, outcome, AT)
    return order.next()


def reported(order: Bench, n: int = 0, outcome: Outcome = NOTHING) -> bool:
    """A silo says by callback, or when it is polled, that a call is done. True where that is news."""
    return order.reconciler.answer(thing("port/0"), n, outcome, AT)


def without_output(*, later: bool) -> Bench:
    """A port that is done without its output: at once, or after it was acknowledged."""
    order = Bench(line_on_a_port())
    assert order.next() == ["provision port/0/0"]
    if later:
        order.acknowledged("provision port/0/0")
        assert reported(order)
        assert not reported(order)
        assert order.next() == []
    else:
        assert answered(order) == []
    return order


BOTH = pytest.mark.parametrize("later", [False, True])


@BOTH
def test_nothing_goes_on_from_an_output_that_has_not_come(later: bool) -> None:
    order = without_output(later=later)
    assert order.status("port") is TaskStatus.FALLOUT
    assert order.status("line") is TaskStatus.BLOCKED
    [refusal] = order.reconciler.ledger.refusals_of(key_of("port"))
    assert (refusal.code, refusal.reason) == ("output_missing", "done, but without the output out")
    assert order.reconciler.waiting == set()


@BOTH
def test_a_retry_repeats_the_call_under_its_key(later: bool) -> None:
    order = without_output(later=later)
    assert order.retry("port") == ["provision port/0/0"]
    assert order.done("provision port/0/0", out="P1") == ["provision line/0/0"]
    assert order.inputs["provision line/0/0"] == {"port": "P1"}
    order.done("provision line/0/0")
    assert order.settled


@BOTH
def test_a_person_says_what_the_output_is(later: bool) -> None:
    order = without_output(later=later)

    def settle(**outputs: str) -> str | None:
        change = ChangeRequest(
            request_id="c",
            kind=ChangeKind.RESOLVE,
            task=key_of("port"),
            resolution=Resolution.DONE,
            requester="Ada",
            outputs=dict(outputs),
        )
        reason = settle_by_hand(change, order.reconciler, [], AT)
        return reason.code if reason else None

    assert settle(other="x") == "output_missing"
    assert settle(out="P1") is None
    assert order.next() == ["provision line/0/0"]
    assert order.inputs["provision line/0/0"] == {"port": "P1"}
    assert settle(out="P2") == "nothing_to_resolve"


@BOTH
def test_a_report_with_the_output_mends_it(later: bool) -> None:
    order = without_output(later=later)
    assert reported(order, 0, Outcome(OutcomeKind.DONE, {"out": "P1"}))
    assert order.next() == ["provision line/0/0"]
    assert order.reconciler.fallout == set()


@BOTH
def test_what_was_made_without_its_output_is_taken_back_with_the_order(later: bool) -> None:
    order = without_output(later=later)
    assert order.target(plan()) == ["compensate port/0/1"]


def test_an_amendment_need_not_tell_again_what_is_known() -> None:
    order = Bench(line_on_a_port())
    order.run()
    assert order.target(line_on_a_port(2)) == ["amend port/0/1"]
    assert answered(order, Outcome(OutcomeKind.DONE)) == []
    assert order.settled


def test_an_older_answer_without_its_output_is_remembered_should_the_newer_call_be_refused() -> None:
    order = Bench(line_on_a_port())
    order.next()
    order.acknowledged("provision port/0/0")
    assert order.target(line_on_a_port(2)) == ["amend port/0/1"]
    order.acknowledged("amend port/0/1")
    assert reported(order)
    order.callback("port/0/1", OutcomeKind.REFUSED)
    order.target(line_on_a_port())
    assert order.status("port") is TaskStatus.FALLOUT
    assert order.next() == []


def test_a_compensation_gives_nothing_back() -> None:
    order = Bench(line_on_a_port())
    order.run()
    order.target(plan())
    assert order.done("compensate line/0/1") == ["compensate port/0/1"]
    step: Step = next(iter(order.reconciler.calls.values()))
    order.reconciler.record(step, Outcome(OutcomeKind.DONE), AT)
    assert order.settled
