"""What is not wanted any more: when it goes, what is spent instead, how many calls there are, and cancellations."""

from __future__ import annotations

from orders.model.catalog import Undo
from tests.orders.support.builders import Bench, held, ledger_of, operation, plan, task

PORT_REPLACED = operation("port", replace=["kind"])


# Unwanted


def test_what_the_target_does_not_have_is_compensated() -> None:
    order = Bench(plan(), ledger_of(held("port", kind="a")))
    assert order.next() == ["compensate port/0/1"]
    assert order.inputs["compensate port/0/1"] == {"kind": "a"}
    order.done("compensate port/0/1")
    assert order.settled


def test_what_something_stands_on_is_compensated_after_it() -> None:
    order = Bench(plan(task("port"), task("line", on=["port"]), task("tv", on=["line"])))
    order.run()
    order.target(plan())
    assert order.run() == ["compensate tv/0/1", "compensate line/0/1", "compensate port/0/1"]


def test_what_only_came_after_does_not_hold_a_compensation_back() -> None:
    order = Bench(plan(task("account"), task("line", after=["account"])))
    order.run()
    assert order.target(plan()) == ["compensate account/0/1", "compensate line/0/1"]


def test_a_call_under_way_is_undone_only_when_it_has_ended() -> None:
    order = Bench(plan(task("port")))
    assert order.next() == ["provision port/0/0"]
    assert order.target(plan()) == []
    assert order.done("provision port/0/0") == ["compensate port/0/1"]


def test_what_is_only_awaited_is_undone_at_once() -> None:
    order = Bench(plan(task("visit")))
    order.next()
    order.acknowledged("provision visit/0/0")
    assert order.target(plan()) == ["compensate visit/0/1"]


def test_wanted_again_while_being_compensated_it_is_made_anew_afterwards() -> None:
    order = Bench(plan(task("port")))
    order.run()
    assert order.target(plan()) == ["compensate port/0/1"]
    assert order.target(plan(task("port"))) == []
    assert order.done("compensate port/0/1") == ["provision port/1/0"]


def test_wanted_again_while_a_compensation_is_awaited_it_is_made_anew_afterwards() -> None:
    order = Bench(plan(task("port")))
    order.run()
    order.target(plan())
    order.acknowledged("compensate port/0/1")
    assert order.target(plan(task("port"))) == []
    order.callback("port/0/1")
    assert order.next() == ["provision port/1/0"]


# Spent operations


def test_what_can_be_called_off_only_while_it_waits_is_dropped_once_it_is_done() -> None:
    order = Bench(plan(task("visit"), operations=[operation("visit", undo=Undo.UNTIL_DONE)]))
    order.run()
    assert order.target(plan()) == []
    assert order.settled


def test_what_can_be_called_off_while_it_waits_is_called_off() -> None:
    order = Bench(plan(task("visit"), operations=[operation("visit", undo=Undo.UNTIL_DONE)]))
    order.next()
    order.acknowledged("provision visit/0/0")
    assert order.target(plan()) == ["compensate visit/0/1"]


def test_what_has_nothing_to_compensate_is_dropped_without_a_call() -> None:
    order = Bench(plan(task("port"), task("message", on=["port"]), operations=[operation("message", undo=Undo.NEVER)]))
    order.run()
    assert order.target(plan()) == ["compensate port/0/1"]
    assert order.holds == ["port/0"]


def test_a_spent_operation_that_is_replaced_is_done_again_and_the_old_one_dropped() -> None:
    sent = operation("message", undo=Undo.NEVER, replace=["text"])
    order = Bench(plan(task("message", text="a"), operations=[sent]))
    order.run()
    order.target(plan(task("message", text="b"), operations=[sent]))
    assert order.run() == ["provision message/1/0"]
    assert order.holds == ["message/1"]


# Limits


def test_no_more_calls_are_under_way_than_allowed() -> None:
    order = Bench(plan(task("a"), task("b"), task("c")), most=1)
    assert order.next() == ["provision a/0/0"]
    assert order.next() == []
    assert order.done("provision a/0/0") == ["provision b/0/0"]
    assert order.done("provision b/0/0") == ["provision c/0/0"]
    order.done("provision c/0/0")
    assert order.settled


def test_compensations_count_against_the_limit_too() -> None:
    order = Bench(plan(), ledger_of(held("a"), held("b"), held("c")), most=2)
    assert order.next() == ["compensate a/0/1", "compensate b/0/1"]
    assert order.done("compensate b/0/1") == ["compensate c/0/1"]


# Cancel


def test_a_cancelled_new_order_leaves_nothing() -> None:
    order = Bench(plan(task("port"), task("line", on=["port"]), task("tv", on=["line"])))
    order.next()
    assert order.done("provision port/0/0") == ["provision line/0/0"]
    assert order.target(plan()) == []
    assert order.done("provision line/0/0") == ["compensate line/0/1"]
    assert order.done("compensate line/0/1") == ["compensate port/0/1"]
    order.done("compensate port/0/1")
    assert order.settled
    assert order.holds == []


def test_cancelling_a_modification_puts_back_what_was_installed() -> None:
    installed = plan(task("port", kind="a"), task("line", on=["port"], refs=["port"], speed=100))
    wanted = plan(task("port", kind="a"), task("line", on=["port"], refs=["port"], speed=500), task("tv", on=["line"]))
    order = Bench(wanted, ledger_of(held("port", kind="a"), held("line", on={"port": 0}, port="port/0", speed=100)))
    assert order.run() == ["amend line/0/1", "provision tv/0/0"]
    assert order.target(installed) == ["amend line/0/2", "compensate tv/0/1"]
    assert order.inputs["amend line/0/2"] == {"port": "port/0", "speed": 100}
    order.run()
    assert order.settled
    assert order.holds == ["line/0", "port/0"]


def test_cancelling_a_replacement_half_way_keeps_the_installed_generation() -> None:
    plans = [
        plan(task("port", kind=kind), task("line", on=["port"], refs=["port"]), operations=[PORT_REPLACED])
        for kind in "ba"
    ]
    installed = ledger_of(held("port", kind="a"), held("line", on={"port": 0}, port="port/0"))
    order = Bench(plans[0], installed)
    assert order.next() == ["provision port/1/0"]
    assert order.done("provision port/1/0") == ["amend line/0/1"]
    assert order.target(plans[1]) == []
    assert order.done("amend line/0/1") == ["amend line/0/2"]
    assert order.done("amend line/0/2") == ["compensate port/1/1"]
    order.done("compensate port/1/1")
    assert order.holds == ["line/0", "port/0"]
    assert order.settled
