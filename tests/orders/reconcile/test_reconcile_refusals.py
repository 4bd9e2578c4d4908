"""Refusals: what is tried again and when, what becomes of the rest, and what silos do not let go of."""

from __future__ import annotations

from orders.model.plan import Plan
from orders.reconcile.outcome import OutcomeKind
from orders.reconcile.target import TaskStatus
from tests.orders.support.builders import Bench, held, key_of, ledger_of, operation, plan, task, thing

VISIT = operation("visit", amend_while_waiting=True)


def visit_on(date: int) -> Plan:
    return plan(task("visit", date=date), operations=[VISIT])


# Refusals


def test_a_refused_provision_is_not_tried_again_while_its_inputs_are_the_same() -> None:
    order = Bench(plan(task("number", wish=1)))
    order.next()
    assert order.refused("provision number/0/0") == []
    assert order.status("number") is TaskStatus.FALLOUT
    assert order.reconciler.fallout == {key_of("number")}
    assert order.target(plan(task("number", wish=1))) == []
    assert order.status("number") is TaskStatus.FALLOUT


def test_a_refused_provision_is_tried_as_the_next_generation_once_its_inputs_differ() -> None:
    order = Bench(plan(task("number", wish=1)))
    order.next()
    order.refused("provision number/0/0")
    assert order.target(plan(task("number", wish=2))) == ["provision number/1/0"]
    order.done("provision number/1/0")
    assert order.reconciler.fallout == set()
    assert order.settled


def test_a_refused_provision_that_a_person_retries_has_the_next_number_of_the_same_generation() -> None:
    order = Bench(plan(task("number", wish=1)))
    order.next()
    order.refused("provision number/0/0")
    assert order.retry("number") == ["provision number/0/1"]
    order.refused("provision number/0/1")
    assert order.retry("number") == ["provision number/0/2"]
    order.done("provision number/0/2")
    assert order.fact("number/0").n == 2
    order.target(plan())
    assert order.run() == ["compensate number/0/3"]


def test_a_refused_provision_of_a_replacement_leaves_the_old_one_held() -> None:
    port = operation("port", replace=["kind"])
    order = Bench(plan(task("port", kind="a"), operations=[port]))
    order.run()
    order.target(plan(task("port", kind="b"), operations=[port]))
    assert order.refused("provision port/1/0") == []
    assert order.status("port") is TaskStatus.FALLOUT
    assert order.holds == ["port/0"]
    assert order.target(plan(task("port", kind="a"), operations=[port])) == []
    assert order.settled


def test_a_refused_amendment_is_not_tried_again_while_its_inputs_are_the_same() -> None:
    order = Bench(plan(task("line", speed=2)), ledger_of(held("line", speed=1)))
    order.next()
    assert order.refused("amend line/0/1") == []
    assert order.status("line") is TaskStatus.FALLOUT
    assert order.target(plan(task("line", speed=2))) == []
    assert order.status("line") is TaskStatus.FALLOUT


def test_a_refused_amendment_is_tried_again_once_its_inputs_differ() -> None:
    order = Bench(plan(task("line", speed=2)), ledger_of(held("line", speed=1)))
    order.next()
    order.refused("amend line/0/1")
    assert order.target(plan(task("line", speed=3))) == ["amend line/0/2"]


def test_a_refused_amendment_is_tried_again_when_a_person_asks() -> None:
    order = Bench(plan(task("line", speed=2)), ledger_of(held("line", speed=1)))
    order.next()
    order.refused("amend line/0/1")
    assert order.retry("line") == ["amend line/0/2"]
    order.done("amend line/0/2")
    assert order.settled
    assert order.reconciler.fallout == set()


def test_back_to_what_is_held_a_refused_amendment_is_forgotten() -> None:
    order = Bench(plan(task("line", speed=2)), ledger_of(held("line", speed=1)))
    order.next()
    order.refused("amend line/0/1")
    assert order.target(plan(task("line", speed=1))) == []
    assert order.settled
    assert order.fact("line/0").refusal is None
    assert order.target(plan(task("line", speed=2))) == ["amend line/0/2"]


def test_a_refusal_blocks_only_what_depends_on_it() -> None:
    order = Bench(plan(task("port"), task("line", on=["port"]), task("account")))
    order.next()
    order.refused("provision port/0/0")
    order.done("provision account/0/0")
    assert order.status("line") is TaskStatus.BLOCKED
    assert order.status("account") is TaskStatus.IN_PLACE


def test_work_refused_by_callback_is_fallout_too() -> None:
    order = Bench(plan(task("visit", date=1)))
    order.next()
    order.acknowledged("provision visit/0/0")
    assert order.callback("visit/0/0", OutcomeKind.REFUSED)
    assert order.next() == []
    assert order.status("visit") is TaskStatus.FALLOUT
    assert order.holds == []
    assert order.retry("visit") == ["provision visit/0/1"]


def test_an_amendment_refused_by_callback_leaves_what_was_in_force() -> None:
    order = Bench(plan(task("line", speed=2)), ledger_of(held("line", speed=1)))
    order.next()
    order.acknowledged("amend line/0/1")
    assert order.callback("line/0/1", OutcomeKind.REFUSED)
    assert order.next() == []
    assert order.status("line") is TaskStatus.FALLOUT
    assert order.fact("line/0").inputs == {"speed": 1}


def test_a_refused_amendment_of_what_is_awaited_leaves_the_first_work_awaited() -> None:
    order = Bench(visit_on(1))
    order.next()
    order.acknowledged("provision visit/0/0")
    order.target(visit_on(2))
    assert order.refused("amend visit/0/1") == []
    assert order.status("visit") is TaskStatus.FALLOUT
    assert order.target(visit_on(1)) == []
    assert order.status("visit") is TaskStatus.AWAITING
    assert order.callback("visit/0/0")
    assert order.next() == []
    assert order.settled


def test_nothing_is_retried_where_nothing_was_refused() -> None:
    order = Bench(plan(task("line")))
    order.run()
    assert not order.reconciler.retry(key_of("line"))
    assert not order.reconciler.retry(key_of("unheard-of"))


def test_a_refused_provision_that_is_not_wanted_any_more_can_not_be_retried() -> None:
    order = Bench(plan(task("number")))
    order.next()
    order.refused("provision number/0/0")
    order.target(plan())
    assert order.settled
    assert not order.reconciler.retry(key_of("number"))


# Residue


def test_a_refused_compensation_is_residue_and_the_rest_goes_on() -> None:
    order = Bench(plan(), ledger_of(held("port"), held("line", on={"port": 0}), held("number")))
    assert order.next() == ["compensate line/0/1", "compensate number/0/1"]
    assert order.refused("compensate line/0/1") == []
    assert order.done("compensate number/0/1") == []
    assert order.fact("line/0").compensation_refused
    assert order.reconciler.fallout == {key_of("line")}
    assert order.holds == ["line/0", "port/0"]
    assert not order.settled


def test_residue_is_compensated_again_when_a_person_asks() -> None:
    order = Bench(plan(), ledger_of(held("port"), held("line", on={"port": 0})))
    order.next()
    order.refused("compensate line/0/1")
    assert order.retry("line") == ["compensate line/0/2"]
    assert order.done("compensate line/0/2") == ["compensate port/0/1"]


def test_residue_that_is_wanted_again_is_kept() -> None:
    order = Bench(plan(), ledger_of(held("line", speed=1)))
    order.next()
    order.refused("compensate line/0/1")
    assert order.target(plan(task("line", speed=1))) == []
    assert order.settled
    assert order.reconciler.fallout == set()


def test_a_doomed_fact_that_would_not_go_is_fallout_until_a_person_asks() -> None:
    port = operation("port", replace=["kind"], break_before_make=True)
    order = Bench(plan(task("port", kind="b"), operations=[port]), ledger_of(held("port", kind="a"), operations=[port]))
    order.next()
    assert order.refused("compensate port/0/1") == []
    assert order.status("port") is TaskStatus.FALLOUT
    assert order.retry("port") == ["compensate port/0/2"]
    assert order.done("compensate port/0/2") == ["provision port/1/0"]


def test_a_compensation_refused_by_callback_is_residue_too() -> None:
    order = Bench(plan(), ledger_of(held("line")))
    order.next()
    order.acknowledged("compensate line/0/1")
    assert order.callback("line/0/1", OutcomeKind.REFUSED)
    assert order.next() == []
    assert order.fact("line/0").compensation_refused
    assert order.retry("line") == ["compensate line/0/2"]


def test_an_old_generation_that_would_not_go_is_residue_beside_the_new_one() -> None:
    port = operation("port", replace=["kind"])
    order = Bench(plan(task("port", kind="b"), operations=[port]), ledger_of(held("port", kind="a"), operations=[port]))
    order.next()
    order.done("provision port/1/0")
    order.refused("compensate port/0/1")
    assert order.status("port") is TaskStatus.IN_PLACE
    assert order.reconciler.fallout == {key_of("port")}
    assert not order.settled
    assert order.retry("port") == ["compensate port/0/2"]
    order.done("compensate port/0/2")
    assert order.settled


def test_a_provision_refused_after_an_amendment_was_is_retried_under_a_number_never_used() -> None:
    order = Bench(visit_on(1))
    order.next()
    order.acknowledged("provision visit/0/0")
    order.target(visit_on(2))
    order.refused("amend visit/0/1")
    order.target(visit_on(1))
    order.callback("visit/0/0", OutcomeKind.REFUSED)
    order.next()
    assert order.retry("visit") == ["provision visit/0/2"]


def test_a_compensation_that_is_not_asked_for_any_more_is_forgotten_unless_its_outcome_is_unknown() -> None:
    order = Bench(plan(), ledger_of(held("line"), held("port")))
    order.next()
    order.refused("compensate line/0/1")
    order.unknown("compensate port/0/1")
    for name in ("line/0", "port/0"):
        order.reconciler.clear_refused_compensation(thing(name))
    assert order.target(plan(task("line"), task("port"))) == []
    assert order.status("line") is TaskStatus.IN_PLACE
    assert order.status("port") is TaskStatus.FALLOUT
    assert order.retry("port") == ["compensate port/0/1"]
    assert order.done("compensate port/0/1") == ["provision port/1/0"]


def test_what_was_refused_stays_refused_when_an_earlier_call_is_done() -> None:
    order = Bench(visit_on(1))
    order.next()
    order.acknowledged("provision visit/0/0")
    order.target(visit_on(2))
    order.refused("amend visit/0/1")
    order.callback("visit/0/0")
    assert order.next() == []
    assert order.status("visit") is TaskStatus.FALLOUT
    assert order.retry("visit") == ["amend visit/0/2"]


def test_a_refused_compensation_stays_residue_when_what_it_would_undo_is_done() -> None:
    order = Bench(plan(task("visit")))
    order.next()
    order.acknowledged("provision visit/0/0")
    order.target(plan())
    order.refused("compensate visit/0/1")
    order.callback("visit/0/0")
    assert order.next() == []
    assert order.fact("visit/0").compensation_refused
    assert order.retry("visit") == ["compensate visit/0/2"]


def test_a_late_refusal_of_an_older_generation_does_not_excuse_that_of_a_newer_one() -> None:
    number = operation("number", replace=["wish"])
    plans = [plan(task("number", wish=wish), operations=[number]) for wish in (1, 2, 3)]
    order = Bench(plans[0])
    order.run()
    order.target(plans[1])
    order.acknowledged("provision number/1/0")
    assert order.target(plans[2]) == ["compensate number/1/1", "provision number/2/0"]
    order.refused("provision number/2/0")
    order.callback("number/1/0", OutcomeKind.REFUSED)
    assert order.refused("compensate number/1/1") == []
    assert order.status("number") is TaskStatus.FALLOUT
    assert order.retry("number") == ["provision number/2/1"]
