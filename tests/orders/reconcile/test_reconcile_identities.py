"""What identifies a thing: it is kept while it may be wanted again, and asked for by its value when it comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orders.model.catalog import Identity
from orders.model.plan import Operation, Plan
from orders.reconcile.ledger import Ledger
from orders.reconcile.outcome import OTHER_GIVEN
from orders.reconcile.target import TaskStatus
from tests.orders.support.builders import Bench, held, key_of, ledger_of, operation, plan, task


def number(asked_by: str | None = "wish", *, keep: bool = False, break_before_make: bool = False) -> Operation:
    plain = operation("number", replace=["wish", "kind"], exclusive=["wish"], break_before_make=break_before_make)
    return replace(plain, identities={"out": Identity(asked_by=asked_by, keep=keep)})


def with_line(wish: str | None = None, *, kind: str = "a", drawn: Operation | None = None) -> Plan:
    line = task("line", on=["number"], refs=["number"])
    return plan(task("number", wish=wish, kind=kind, release_after=["line"]), line, operations=[drawn or number()])


def found(drawn: Operation | None = None, gives: str = "out") -> Ledger:
    """A line with the number 0, which was drawn, as the order found them."""
    line = held("line", on={"number": 0}, number="number/0")
    ledger = ledger_of(held("number", wish=None, kind="a"), line, operations=[drawn or number()])
    for fact in ledger.all_facts():
        fact.found = True
    ledger.facts[key_of("number")][0].outputs |= {gives: "number/0"}
    return ledger


# Kept


def test_a_number_that_was_found_goes_when_nothing_else_is_left_to_do() -> None:
    order = Bench(plan(*with_line("7").tasks.values(), task("bill", after=["line"]), operations=[number()]), found())
    assert order.next() == ["provision number/1/0"]
    assert order.done("provision number/1/0", out="7") == ["amend line/0/1"]
    assert order.done("amend line/0/1") == ["provision bill/0/0"]
    assert order.done("provision bill/0/0") == ["compensate number/0/1"]
    order.done("compensate number/0/1")
    assert order.settled


def test_set_back_before_that_it_is_still_there_and_the_new_one_goes() -> None:
    order = Bench(plan(*with_line("7").tasks.values(), task("bill", after=["line"]), operations=[number()]), found())
    order.next()
    order.done("provision number/1/0", out="7")
    order.done("amend line/0/1")
    assert order.target(with_line()) == ["amend line/0/2"]
    assert order.inputs["amend line/0/2"] == {"number": "number/0"}
    order.done("amend line/0/2")
    order.run()
    assert order.holds == ["line/0", "number/0"]


def test_of_what_ceases_it_goes_last() -> None:
    order = Bench(plan(), found())
    assert order.next() == ["compensate line/0/1"]
    assert order.refused("compensate line/0/1") == []
    assert order.target(with_line()) == []
    assert order.settled
    assert order.holds == ["line/0", "number/0"]


@pytest.mark.parametrize("keep", [False, True])
def test_what_the_order_itself_has_drawn_is_kept_where_it_is_worth_it(keep: bool) -> None:
    order = Bench(with_line(drawn=number(keep=keep)))
    order.run()
    order.target(with_line("7", drawn=number(keep=keep)))
    order.done("provision number/1/0", out="7")
    order.target(plan(*with_line("7").tasks.values(), task("bill", after=["line"]), operations=[number(keep=keep)]))
    calls = order.done("amend line/0/1")
    assert calls == (["provision bill/0/0"] if keep else ["provision bill/0/0", "compensate number/0/1"])


def test_an_order_that_is_cancelled_keeps_nothing_of_its_own() -> None:
    drawn = number(keep=True)
    order = Bench(plan(task("number", wish=None), task("line"), operations=[drawn]))
    order.run()
    assert order.target(replace(plan(), final=True)) == ["compensate line/0/1", "compensate number/0/1"]


def test_what_is_kept_is_amended_rather_than_made_anew_when_it_is_wanted_again() -> None:
    speeds = [
        plan(task("number", wish=None, kind=kind, speed=speed), task("bill"), operations=[number()])
        for kind, speed in (("b", 1), ("a", 2))
    ]
    ledger = ledger_of(held("number", wish=None, kind="a", speed=1), operations=[number()])
    ledger.facts[key_of("number")][0].found = True
    order = Bench(speeds[0], ledger)
    order.next()
    order.done("provision number/1/0")
    assert "amend number/0/1" in order.target(speeds[1])
    order.run()
    assert order.holds == ["bill/0", "number/0"]


def test_what_somebody_waits_for_that_exists_only_once_is_not_kept() -> None:
    other = replace(operation("other", exclusive=["wish"]), identities={"out": Identity(asked_by="wish")})
    wished = with_line("7")
    both = plan(*wished.tasks.values(), task("other", wish="number/0"), operations=[number(), other])
    order = Bench(both, found(gives="wish"))
    assert order.next() == ["provision number/1/0"]
    order.done("provision number/1/0", out="7")
    assert order.done("amend line/0/1") == ["compensate number/0/1"]
    assert order.done("compensate number/0/1") == ["provision other/0/0"]


def test_what_a_person_wants_anew_is_not_kept() -> None:
    order = Bench(with_line(), found())
    order.reconciler.mark_for_replacement(key_of("number"))
    calls = order.run()
    assert calls == ["provision number/1/0", "amend line/0/1", "compensate number/0/1"]
    assert not order.reconciler.ledger.gone


# Asked for again


def test_what_had_to_go_first_is_asked_for_by_its_value() -> None:
    drawn = number(break_before_make=True)
    order = Bench(with_line("7", drawn=drawn), found(drawn))
    assert order.run()[:3] == ["compensate line/0/1", "compensate number/0/1", "provision number/1/0"]
    order.target(with_line(drawn=drawn))
    calls = order.run()
    assert "provision number/2/0" in calls
    [step] = [fact for fact in order.reconciler.ledger.all_facts() if fact.task == key_of("number")]
    assert step.inputs == {"wish": None, "kind": "a"}


def asking(target: Plan, ledger: Ledger) -> Bench:
    """A bench on which a number was given back, and is asked for again."""
    order = Bench(plan(), ledger)
    order.run()
    order.target(target)
    return order


def test_the_call_carries_the_value_and_what_is_held_has_the_inputs_of_its_task() -> None:
    order = asking(with_line(), found())
    [step] = order.reconciler.calls.values()
    assert (step.inputs, step.sent) == ({"wish": None, "kind": "a"}, {"wish": "number/0", "kind": "a"})
    order.done("provision number/1/0", out="number/0")
    order.run()
    assert order.settled
    assert order.fact("number/1").outputs == {"out": "number/0"}


def test_it_is_not_asked_for_where_another_kind_is_wanted() -> None:
    [step] = asking(with_line(kind="b"), found()).reconciler.calls.values()
    assert step.sent == {"wish": None, "kind": "b"}


def test_a_silo_that_cannot_be_asked_is_not() -> None:
    drawn = number(asked_by=None)
    [step] = asking(with_line(drawn=drawn), found(drawn)).reconciler.calls.values()
    assert step.sent == {"wish": None, "kind": "a"}


def test_while_it_is_being_given_back_nothing_else_is_drawn_in_its_place() -> None:
    order = Bench(plan(), found())
    order.next()
    assert order.done("compensate line/0/1") == ["compensate number/0/1"]
    assert order.target(with_line()) == []
    assert order.done("compensate number/0/1") == ["provision number/1/0"]
    assert order.reconciler.calls[key_of("number"), 1].asks == {"wish": "number/0"}


def test_what_got_lost_is_asked_for_where_its_silo_can_be_asked() -> None:
    order = Bench(with_line(), found())
    order.next()
    order.lose("number/0")
    assert order.reconciler.calls[key_of("number"), 1].asks == {"wish": "number/0"}


def test_a_call_of_unknown_outcome_is_repeated_with_what_it_asked_for() -> None:
    order = asking(with_line(), found())
    order.unknown("provision number/1/0")
    assert order.retry("number") == ["provision number/1/0"]
    assert order.reconciler.calls[key_of("number"), 1].asks == {"wish": "number/0"}


def test_an_amendment_of_what_was_asked_for_says_so_again() -> None:
    """Else a silo that is told all that it is to hold would read that any other will do."""
    drawn = number()
    order = asking(plan(task("number", wish=None, kind="a", speed=1), operations=[drawn]), found())
    order.done("provision number/1/0", out="number/0")
    assert order.target(plan(task("number", wish=None, kind="a", speed=2), operations=[drawn])) == ["amend number/1/1"]
    [step] = order.reconciler.calls.values()
    assert step.sent == {"wish": "number/0", "kind": "a", "speed": 2}


# Another one given


def test_a_silo_that_is_asked_for_a_value_and_gives_another_makes_fallout() -> None:
    order = asking(with_line(), found())
    assert order.done("provision number/1/0", out="another") == []
    assert order.status("number") is TaskStatus.FALLOUT
    refusal = order.fact("number/1").refusal
    assert refusal is not None
    assert (refusal.code, refusal.reason) == (OTHER_GIVEN, "done, but the silo gave out another, not number/0")


def test_so_does_one_that_gives_another_than_was_wished_and_says_so_by_callback() -> None:
    order = Bench(plan(task("number", wish="7", kind="a"), operations=[number()]))
    order.next()
    order.acknowledged("provision number/0/0")
    assert order.callback("number/0/0", out="8")
    assert order.next() == []
    assert order.status("number") is TaskStatus.FALLOUT
    assert order.target(plan()) == ["compensate number/0/1"]


def test_a_person_may_tell_what_it_is_after_all() -> None:
    order = asking(with_line(), found())
    order.done("provision number/1/0", out="another")
    assert order.reconciler.done_by_hand(key_of("number"), {"out": "number/0"}, "2026-01-01T00:00:00.000Z")
    assert order.next() == ["provision line/1/0"]


def test_who_wishes_for_what_was_drawn_has_it_already() -> None:
    order = Bench(with_line("number/0"), found())
    assert order.next() == []
    assert order.settled
    assert order.fact("number/0").inputs == {"wish": "number/0", "kind": "a"}
