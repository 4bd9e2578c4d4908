"""What silos answer, and what the loop makes of it: losses, doubts, and answers early, late or twice."""

from __future__ import annotations

import pytest

from orders.model.plan import Plan
from orders.reconcile.outcome import OutcomeKind
from orders.reconcile.target import TaskStatus
from tests.orders.support.builders import Bench, held, key_of, ledger_of, operation, plan, task

VISIT = operation("visit", amend_while_waiting=True)


def visit_on(date: int) -> Plan:
    return plan(task("visit", date=date), operations=[VISIT])


# Lost


def test_a_lost_fact_is_made_anew_and_what_refers_to_it_amended() -> None:
    order = Bench(plan(task("port"), task("line", on=["port"], refs=["port"])))
    order.run()
    assert order.lose("port/0") == ["provision port/1/0"]
    assert order.done("provision port/1/0") == ["amend line/0/1"]
    assert order.inputs["amend line/0/1"] == {"port": "port/1"}
    order.done("amend line/0/1")
    assert order.settled


def test_what_stood_on_a_lost_fact_without_referring_to_it_is_re_based() -> None:
    order = Bench(plan(task("port"), task("line", on=["port"])))
    order.run()
    order.lose("port/0")
    assert order.run() == ["provision port/1/0"]
    assert order.fact("line/0").built_on == {key_of("port"): 1}
    assert order.settled


def test_a_lost_fact_that_was_unwanted_is_simply_gone() -> None:
    order = Bench(plan(), ledger_of(held("port"), held("line", on={"port": 0})))
    assert order.next() == ["compensate line/0/1"]
    assert order.lose("port/0") == []
    order.done("compensate line/0/1")
    assert order.settled


def test_what_an_amendment_finds_lost_is_made_anew() -> None:
    order = Bench(plan(task("line", speed=2)), ledger_of(held("line", speed=1)))
    order.next()
    assert order.lost("amend line/0/1") == ["provision line/1/0"]


def test_what_a_compensation_finds_lost_is_gone() -> None:
    order = Bench(plan(), ledger_of(held("line")))
    order.next()
    assert order.lost("compensate line/0/1") == []
    assert order.settled


def test_a_loss_during_a_call_counts_once_the_call_has_ended() -> None:
    order = Bench(plan(task("line", speed=2)), ledger_of(held("line", speed=1)))
    order.next()
    assert order.lose("line/0") == []
    assert order.done("amend line/0/1") == ["provision line/1/0"]


def test_awaited_work_on_a_lost_thing_is_not_awaited_any_more() -> None:
    order = Bench(plan(task("visit")))
    order.next()
    order.acknowledged("provision visit/0/0")
    assert order.lose("visit/0") == ["provision visit/1/0"]
    assert not order.callback("visit/0/0")


# Unknown outcomes


def test_a_provision_of_unknown_outcome_waits_for_a_person_and_is_repeated_under_its_own_key() -> None:
    order = Bench(plan(task("port", kind="a")))
    order.next()
    assert order.unknown("provision port/0/0") == []
    assert order.status("port") is TaskStatus.FALLOUT
    assert order.retry("port") == ["provision port/0/0"]
    order.done("provision port/0/0")
    assert order.settled


def test_an_amendment_of_unknown_outcome_is_repeated_under_its_own_key() -> None:
    order = Bench(plan(task("line", speed=2)), ledger_of(held("line", speed=1)))
    order.next()
    assert order.unknown("amend line/0/1") == []
    assert order.status("line") is TaskStatus.FALLOUT
    assert order.retry("line") == ["amend line/0/1"]
    order.done("amend line/0/1")
    assert order.settled


def test_a_compensation_of_unknown_outcome_is_repeated_under_its_own_key() -> None:
    order = Bench(plan(), ledger_of(held("line")))
    order.next()
    assert order.unknown("compensate line/0/1") == []
    assert order.reconciler.fallout == {key_of("line")}
    assert order.retry("line") == ["compensate line/0/1"]
    order.done("compensate line/0/1")
    assert order.settled


def test_a_compensation_of_unknown_outcome_is_repeated_before_what_is_wanted_again_is_made_anew() -> None:
    order = Bench(plan(), ledger_of(held("line", speed=1)))
    order.next()
    order.unknown("compensate line/0/1")
    assert order.target(plan(task("line", speed=1))) == []
    assert order.status("line") is TaskStatus.FALLOUT
    assert order.retry("line") == ["compensate line/0/1"]
    assert order.done("compensate line/0/1") == ["provision line/1/0"]


def test_a_provision_of_unknown_outcome_that_is_not_wanted_any_more_is_compensated() -> None:
    order = Bench(plan(task("port")))
    order.next()
    order.unknown("provision port/0/0")
    assert order.target(plan()) == ["compensate port/0/1"]
    order.done("compensate port/0/1")
    assert order.settled


def test_a_provision_of_unknown_outcome_whose_inputs_differ_is_compensated_and_made_anew() -> None:
    order = Bench(visit_on(1))
    order.next()
    order.unknown("provision visit/0/0")
    assert order.target(visit_on(2)) == ["compensate visit/0/1"]
    assert order.done("compensate visit/0/1") == ["provision visit/1/0"]


def test_a_late_callback_resolves_an_unknown_outcome() -> None:
    order = Bench(plan(task("port")))
    order.next()
    order.unknown("provision port/0/0")
    assert order.callback("port/0/0")
    assert order.next() == []
    assert order.settled
    assert order.reconciler.fallout == set()


def test_an_amendment_of_unknown_outcome_is_amended_over_once_the_inputs_differ() -> None:
    order = Bench(plan(task("line", speed=2)), ledger_of(held("line", speed=1)))
    order.next()
    order.unknown("amend line/0/1")
    assert order.target(plan(task("line", speed=3))) == ["amend line/0/2"]


def test_back_to_what_is_in_force_an_amendment_of_unknown_outcome_is_amended_over() -> None:
    order = Bench(plan(task("line", speed=2)), ledger_of(held("line", speed=1)))
    order.next()
    order.unknown("amend line/0/1")
    assert order.target(plan(task("line", speed=1))) == ["amend line/0/2"]


# Early, late and doubled answers


def test_a_callback_that_overtakes_its_own_call_is_kept_until_the_call_has_ended() -> None:
    order = Bench(plan(task("visit"), task("line", after=["visit"])))
    order.next()
    assert order.callback("visit/0/0", out="report")
    assert order.next() == []
    assert order.acknowledged("provision visit/0/0") == ["provision line/0/0"]
    assert order.fact("visit/0").outputs == {"out": "report"}


def test_a_callback_that_overtakes_a_call_of_unknown_outcome_makes_it_known() -> None:
    order = Bench(plan(task("visit")))
    order.next()
    order.callback("visit/0/0")
    order.unknown("provision visit/0/0")
    assert order.settled


def test_a_doubled_early_callback_counts_once() -> None:
    order = Bench(plan(task("visit", date=1)))
    order.next()
    order.callback("visit/0/0")
    order.callback("visit/0/0", OutcomeKind.REFUSED)
    assert order.acknowledged("provision visit/0/0") == []
    assert order.settled


def test_an_early_callback_to_an_earlier_run_of_a_call_does_not_outlive_it() -> None:
    order = Bench(plan(task("visit")))
    order.next()
    order.callback("visit/0/0")
    order.acknowledged("provision visit/0/0")
    assert order.reconciler.early == {}


@pytest.mark.parametrize("kind", [OutcomeKind.DONE, OutcomeKind.REFUSED])
def test_a_doubled_callback_says_nothing_new(kind: OutcomeKind) -> None:
    order = Bench(plan(task("line", speed=2)), ledger_of(held("line", speed=1)))
    order.next()
    order.acknowledged("amend line/0/1")
    assert order.callback("line/0/1")
    assert not order.callback("line/0/1", kind)
    order.next()
    assert order.settled


def test_a_callback_about_what_is_not_held_says_nothing() -> None:
    order = Bench(plan(task("line")))
    assert not order.callback("line/0/0")
    assert not order.callback("unheard-of/0/0")


def test_a_callback_that_only_acknowledges_says_nothing() -> None:
    order = Bench(plan(task("visit")))
    order.next()
    order.acknowledged("provision visit/0/0")
    assert not order.callback("visit/0/0", OutcomeKind.ACKNOWLEDGED)
    assert order.status("visit") is TaskStatus.AWAITING


def test_a_late_answer_to_an_older_call_records_what_was_done_then() -> None:
    order = Bench(visit_on(1))
    order.next()
    order.acknowledged("provision visit/0/0")
    order.target(visit_on(2))
    order.acknowledged("amend visit/0/1")
    assert order.callback("visit/0/0")
    assert order.next() == []
    assert order.status("visit") is TaskStatus.AWAITING
    assert order.fact("visit/0").established
    assert order.fact("visit/0").inputs == {"date": 1}
    assert order.callback("visit/0/1")
    order.next()
    assert order.fact("visit/0").inputs == {"date": 2}
    assert order.settled


def test_a_late_answer_to_the_provision_lets_a_refused_amendment_leave_something_in_force() -> None:
    order = Bench(visit_on(1))
    order.next()
    order.acknowledged("provision visit/0/0")
    order.target(visit_on(2))
    order.acknowledged("amend visit/0/1")
    order.callback("visit/0/0")
    order.callback("visit/0/1", OutcomeKind.REFUSED)
    assert order.target(visit_on(1)) == []
    assert order.settled


def test_a_late_refusal_of_the_provision_leaves_the_amendment_awaited() -> None:
    order = Bench(visit_on(1))
    order.next()
    order.acknowledged("provision visit/0/0")
    order.target(visit_on(2))
    order.acknowledged("amend visit/0/1")
    assert order.callback("visit/0/0", OutcomeKind.REFUSED)
    assert order.next() == []
    assert order.status("visit") is TaskStatus.AWAITING
    order.callback("visit/0/1")
    order.next()
    assert order.settled


def test_where_provision_and_amendment_were_both_refused_nothing_is_held() -> None:
    order = Bench(visit_on(1))
    order.next()
    order.acknowledged("provision visit/0/0")
    order.target(visit_on(2))
    order.acknowledged("amend visit/0/1")
    order.callback("visit/0/0", OutcomeKind.REFUSED)
    order.callback("visit/0/1", OutcomeKind.REFUSED)
    assert order.next() == []
    assert order.holds == []
    assert order.status("visit") is TaskStatus.FALLOUT
    assert order.target(visit_on(1)) == ["provision visit/1/0"]


def test_a_refused_provision_whose_amendment_is_refused_in_its_own_call_is_not_held_either() -> None:
    order = Bench(visit_on(1))
    order.next()
    order.acknowledged("provision visit/0/0")
    assert order.target(visit_on(2)) == ["amend visit/0/1"]
    order.callback("visit/0/0", OutcomeKind.REFUSED)
    order.acknowledged("amend visit/0/1")
    assert order.target(visit_on(3)) == ["amend visit/0/2"]
    order.refused("amend visit/0/2")
    order.callback("visit/0/1", OutcomeKind.REFUSED)
    order.next()
    assert order.holds == []
    assert order.retry("visit") == ["provision visit/0/3"]


def test_a_late_answer_to_a_call_that_was_answered_already_says_nothing() -> None:
    order = Bench(visit_on(1))
    order.next()
    order.acknowledged("provision visit/0/0")
    order.target(visit_on(2))
    order.done("amend visit/0/1")
    assert not order.callback("visit/0/0")
    assert order.fact("visit/0").inputs == {"date": 2}


def test_a_late_answer_to_a_provision_that_is_being_compensated_does_not_bring_it_back() -> None:
    order = Bench(plan(task("visit")))
    order.next()
    order.acknowledged("provision visit/0/0")
    order.target(plan())
    order.acknowledged("compensate visit/0/1")
    assert order.callback("visit/0/0")
    assert order.next() == []
    assert order.fact("visit/0").being_compensated
    order.callback("visit/0/1")
    assert order.settled


def test_an_answer_to_an_older_call_out_of_three_is_found() -> None:
    order = Bench(visit_on(1))
    order.next()
    order.acknowledged("provision visit/0/0")
    for number in (1, 2):
        order.target(visit_on(number + 1))
        order.acknowledged(f"amend visit/0/{number}")
    assert order.callback("visit/0/0")
    assert order.fact("visit/0").inputs == {"date": 1}
    assert order.callback("visit/0/1")
    assert order.fact("visit/0").inputs == {"date": 2}
    assert order.callback("visit/0/2")
    order.next()
    assert order.settled


def test_outputs_of_an_amendment_are_added_to_those_held() -> None:
    order = Bench(plan(task("line", speed=2)), ledger_of(held("line", speed=1)))
    order.fact("line/0").outputs["circuit"] = "C"
    order.next()
    order.done("amend line/0/1", out="new")
    assert order.fact("line/0").outputs == {"out": "new", "circuit": "C"}


def test_once_an_older_call_is_done_nothing_even_older_is_awaited() -> None:
    order = Bench(visit_on(1))
    order.next()
    order.done("provision visit/0/0")
    for number in (1, 2, 3):
        order.target(visit_on(number + 1))
        order.acknowledged(f"amend visit/0/{number}")
    assert order.callback("visit/0/2")
    assert order.callback("visit/0/3", OutcomeKind.REFUSED)
    assert order.next() == []
    assert order.fact("visit/0").waiting is None
    assert order.fact("visit/0").inputs == {"date": 3}
    assert order.retry("visit") == ["amend visit/0/4"]


def test_a_repeated_compensation_carries_what_it_carried_before() -> None:
    order = Bench(visit_on(1))
    order.run()
    order.target(visit_on(2))
    order.acknowledged("amend visit/0/1")
    order.target(plan())
    order.unknown("compensate visit/0/2")
    order.callback("visit/0/1")
    carried = order.inputs["compensate visit/0/2"]
    assert order.retry("visit") == ["compensate visit/0/2"]
    assert order.inputs["compensate visit/0/2"] == carried


def test_a_repeated_provision_is_built_on_what_is_there_now() -> None:
    order = Bench(plan(task("port"), task("line", on=["port"])))
    order.next()
    order.done("provision port/0/0")
    order.unknown("provision line/0/0")
    order.lose("port/0")
    order.done("provision port/1/0")
    assert order.retry("line") == ["provision line/0/0"]
    order.done("provision line/0/0")
    assert order.fact("line/0").built_on == {key_of("port"): 1}
    assert order.settled
