"""What exists only once: a number goes from one thing to another only when the one has let go of it."""

from __future__ import annotations

from orders.model.plan import Plan
from orders.reconcile.target import TaskStatus
from tests.orders.support.builders import Bench, held, ledger_of, operation, plan, task

NUMBERS = [operation(name, exclusive=["number"]) for name in "abc"]


def lines(**numbers: str | None) -> Plan:
    """A number for each of `a`, `b` and `c`, and a line on each, that moves to a new number before the old one goes."""
    tasks = [
        made
        for name, number in numbers.items()
        for made in (
            task(name, number=number, release_after=[f"line-{name}"]),
            task(f"line-{name}", on=[name], refs=[name]),
        )
    ]
    return plan(*tasks, operations=NUMBERS)


def ordered(**numbers: str | None) -> Bench:
    """All of it in place."""
    order = Bench(lines(**numbers))
    order.run()
    assert order.settled
    return order


def test_a_number_is_taken_over_once_the_other_line_has_left_it() -> None:
    order = ordered(a="1", b="2")
    order.reconciler.retarget(lines(a="2", b="3"))
    assert order.run() == [
        "provision b/1/0",
        "amend line-b/0/1",
        "compensate b/0/1",
        "provision a/1/0",
        "amend line-a/0/1",
        "compensate a/0/1",
    ]
    assert order.settled


def test_two_lines_that_swap_their_numbers_interrupt_one_of_them() -> None:
    order = ordered(a="1", b="2")
    order.reconciler.retarget(lines(a="2", b="1"))
    assert order.run() == [
        "compensate line-a/0/1",
        "compensate a/0/1",
        "provision b/1/0",
        "amend line-b/0/1",
        "compensate b/0/1",
        "provision a/1/0",
        "provision line-a/1/0",
    ]
    assert order.settled


def test_three_lines_that_swap_round_interrupt_one_of_them() -> None:
    order = ordered(a="1", b="2", c="3")
    order.reconciler.retarget(lines(a="2", b="3", c="1"))
    calls = order.run()
    assert [call for call in calls if call.startswith("compensate line")] == ["compensate line-a/0/1"]
    assert order.settled


def test_a_number_of_a_line_that_goes_is_free_when_it_has_gone() -> None:
    order = ordered(a="1", b="2")
    order.reconciler.retarget(lines(b="1"))
    assert order.run() == [
        "compensate line-a/0/1",
        "compensate a/0/1",
        "provision b/1/0",
        "amend line-b/0/1",
        "compensate b/0/1",
    ]


def test_a_number_that_the_silo_drew_counts_as_held() -> None:
    drawn = held("a", number=None)
    drawn.outputs["number"] = "1"
    order = Bench(plan(task("a", number=None), operations=NUMBERS), ledger_of(drawn, operations=NUMBERS))
    assert order.target(plan(task("b", number="1"), operations=NUMBERS)) == ["compensate a/0/1"]
    assert order.done("compensate a/0/1") == ["provision b/0/0"]


def test_a_number_still_being_reserved_for_the_other_line_counts_as_held() -> None:
    order = Bench(lines(a="1"))
    order.next()
    assert order.target(lines(a="2", b="1")) == []
    assert order.done("provision a/0/0") == ["provision a/1/0"]
    assert order.status("b") is TaskStatus.BLOCKED
    assert "provision b/0/0" in order.run()
    assert order.settled


def test_a_swap_taken_back_half_way_lets_each_line_keep_what_it_has() -> None:
    order = ordered(a="1", b="2")
    assert order.target(lines(a="2", b="1")) == ["compensate line-a/0/1"]
    order.reconciler.retarget(lines(a="1", b="2"))
    assert order.run() == ["compensate line-a/0/1", "provision line-a/1/0"]
    assert order.settled


def test_a_number_that_the_other_line_is_to_keep_is_for_the_silo_to_refuse() -> None:
    order = ordered(a="1", b="2")
    assert order.target(lines(a="1", b="1")) == ["provision b/1/0"]
    order.refused("provision b/1/0")
    assert order.status("b") is TaskStatus.FALLOUT


def test_a_number_of_what_can_not_move_before_it_breaks_with_all_that_stands_on_it() -> None:
    def stacked(a: str, b: str) -> Plan:
        return plan(task("a", number=a), task("b", on=["a"], number=b), operations=NUMBERS)

    order = Bench(stacked("1", "2"))
    order.run()
    order.reconciler.retarget(stacked("2", "3"))
    assert order.run() == ["compensate b/0/1", "provision a/1/0", "provision b/1/0", "compensate a/0/1"]
    assert order.settled


def test_the_same_number_anew_breaks_the_line_before_it_is_made_anew() -> None:
    order = ordered(a="1")
    order.reconciler.mark_for_replacement("o/s/a")
    assert order.run() == [
        "compensate line-a/0/1",
        "compensate a/0/1",
        "provision a/1/0",
        "provision line-a/1/0",
    ]
    assert order.settled


def test_a_number_asked_for_again_while_it_is_given_back_waits_until_it_is_free() -> None:
    order = ordered(a="1")
    assert order.target(lines(a="2")) == ["provision a/1/0"]
    assert order.done("provision a/1/0") == ["amend line-a/0/1"]
    assert order.done("amend line-a/0/1") == ["compensate a/0/1"]
    assert order.target(lines(a="1")) == []
    assert order.done("compensate a/0/1") == ["provision a/2/0"]
    assert order.run()[-2:] == ["amend line-a/0/2", "compensate a/1/1"]
    assert order.settled


def test_a_number_given_up_for_a_drawn_one_goes_to_the_line_that_is_to_have_it() -> None:
    order = ordered(a="1", b="2")
    order.reconciler.retarget(lines(a="2", b=None))
    calls = order.run()
    assert calls.index("compensate b/0/1") < calls.index("provision a/1/0")
    assert not [call for call in calls if call.startswith("compensate line")]
    assert order.settled
