"""A fallout is followed from when a call came to wait for a person until what it was for is in place, or not wanted."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.values import Money
from orders.read_model.answer_words import fallout_in_words
from orders.read_model.fallout import FalloutRecord, FalloutState
from orders.reconcile.outcome import OUTPUT_MISSING, RETRY_BUDGET_SPENT, Outcome, OutcomeKind
from orders.tracking.fallout import follow_fallout, refused_calls
from orders.tracking.observation import observe
from orders.tracking.reporting import fallout_views, order_record
from tests.orders.support.driver import AT, NOW, Driver, household, key

SELF = {"installation": "self"}
FEE = Money(amount=Decimal("9.90"), currency="EUR")


def without_coverage(**internet: Any) -> Driver:
    """A household whose TV was refused; all else is done."""
    driver = Driver(household(**SELF, **internet))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    return driver


def told(driver: Driver) -> list[FalloutRecord]:
    """What the next record tells."""
    return list(driver.order.journal.carried.kept.told())


def recorded(driver: Driver) -> list[FalloutRecord]:
    """What a record has told."""
    record = order_record(driver.order, NOW)
    driver.order.recorded(record)
    return list(record.fallout)


def only(driver: Driver) -> FalloutRecord:
    [fallout] = told(driver)
    return fallout


def test_a_refused_call_is_told_with_all_that_a_person_needs_to_know() -> None:
    driver = without_coverage()
    fallout = only(driver)
    assert fallout.task == key(driver, "tv/activate-tv")
    assert fallout.key == f"{fallout.task}/0/0"
    assert (fallout.silo, fallout.operation, fallout.verb) == ("tv", "subscription", "provision")
    assert (fallout.code, fallout.reason, fallout.attempts) == ("no_coverage", "said the silo", 1)
    assert (fallout.items, fallout.offerings, fallout.site) == (("tv",), ("tv-basic",), "home")
    assert (fallout.state, fallout.since, fallout.revision) == ("waiting", AT, 1)
    behind = [driver.order.reconciler.ledger.operation_of(task).words for task in waiting_for(driver, fallout.task)]
    assert list(fallout.behind) == behind[:5]
    assert fallout.more_behind == len(behind[5:])
    assert behind


def waiting_for(driver: Driver, task: str) -> list[str]:
    return [other.key for other in driver.order.plan.tasks.values() if task in other.depends_on]


def test_the_order_and_the_register_tell_it_under_the_same_id() -> None:
    driver = without_coverage()
    [view] = fallout_views(driver.order)
    assert view.id == only(driver).id
    assert view.id.startswith(driver.order.start.order_id)


def test_who_asks_before_anybody_has_followed_it_is_told_the_id_that_it_will_have() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["crm.provision"] = "closed"
    for step in driver.order.reconciler.next_steps():
        driver.order.record(step, driver.answer(step), AT)
    driver.order.reconciler.next_steps()
    [early] = fallout_views(driver.order)
    driver.run()
    assert early.id in {fallout.id for fallout in told(driver)}


def test_what_is_tried_again_is_under_way_and_not_over() -> None:
    driver = without_coverage()
    before = only(driver)
    driver.change("retry", task=before.task, requester="Ada")
    driver.order.reconciler.next_steps()
    observe(driver.order, NOW)
    fallout = only(driver)
    assert (fallout.id, fallout.state) == (before.id, "underWay")
    assert fallout.hand is not None
    assert (fallout.hand.what, fallout.hand.change, fallout.hand.by) == ("retried", "c", "Ada")
    assert fallout_views(driver.order) == []


def test_what_is_refused_again_is_the_same_fallout_tried_once_more() -> None:
    driver = without_coverage()
    before = only(driver)
    driver.change("retry", "again", task=before.task)
    driver.refuse["tv.provision"] = "still_none"
    driver.run()
    fallout = only(driver)
    assert (fallout.id, fallout.state, fallout.since) == (before.id, "waiting", before.since)
    assert (fallout.attempts, fallout.code, fallout.key) == (2, "still_none", f"{before.task}/0/1")


def test_what_was_retried_and_done_is_over_and_told_until_it_is_recorded() -> None:
    driver = without_coverage()
    before = only(driver)
    recorded(driver)
    driver.refuse.clear()
    driver.change("retry", task=before.task, requester="Ada")
    driver.run()
    fallout = only(driver)
    assert (fallout.id, fallout.state, fallout.ended, fallout.over_at) == (before.id, "over", "retried", AT)
    assert recorded(driver) == [fallout]
    assert told(driver) == []


def test_what_comes_about_while_a_record_is_under_way_is_told_by_the_next_one() -> None:
    driver = without_coverage()
    record = order_record(driver.order, NOW)
    driver.refuse.clear()
    driver.change("retry", task=only(driver).task)
    driver.run()
    driver.order.recorded(record)
    assert only(driver).state is FalloutState.OVER


def test_news_of_fallout_is_worth_a_record() -> None:
    driver = without_coverage()
    recorded(driver)
    driver.order.journal.news_since = None
    driver.change("retry", task=only(driver).task)
    driver.order.journal.news_since = None
    driver.order.reconciler.next_steps()
    follow_fallout(driver.order, driver.order.progress.take_moved()[1], NOW)
    assert driver.order.journal.news_since is not None


def test_what_falls_out_again_after_it_was_over_is_another_fallout() -> None:
    driver = without_coverage()
    first = only(driver)
    driver.refuse.clear()
    driver.waiting.add("shipping")
    driver.change("retry", task=first.task)
    driver.run()
    driver.refuse["tv.provision"] = "no_coverage"
    fact = driver.order.reconciler.ledger.facts[first.task][0]
    driver.order.answer(fact.id, fact.n, Outcome(OutcomeKind.LOST), AT)
    for step in driver.order.reconciler.next_steps():
        driver.order.record(step, driver.answer(step), "2026-03-02T10:00:00.000Z")
    driver.run()
    over, second = told(driver)
    assert (over.id, over.state) == (first.id, "over")
    assert (second.state, second.attempts) == ("waiting", 1)
    assert second.id != first.id


def test_what_was_done_by_hand_is_over_as_resolved() -> None:
    driver = without_coverage()
    outputs = dict.fromkeys(driver.order.reconciler.ledger.operation_of(only(driver).task).outputs, "x")
    driver.change("resolve", task=only(driver).task, resolution="done", requester="Ada", outputs=outputs)
    driver.run()
    fallout = only(driver)
    assert fallout.hand is not None
    assert (fallout.ended, fallout.hand.by) == ("resolved", "Ada")


def test_what_a_change_makes_needless_is_over_as_amended() -> None:
    driver = without_coverage()
    driver.change("amend", "less", remove=("tv",), channel="web")
    driver.run()
    fallout = only(driver)
    assert fallout.hand is not None
    assert (fallout.ended, fallout.hand.change, fallout.hand.by) == ("amended", "less", "web")
    assert fallout.items == ("tv",)


def test_what_is_wanted_no_more_since_all_is_cancelled_is_over_as_cancelled() -> None:
    driver = without_coverage()
    driver.change("cancel", "off", accept_fee=FEE)
    driver.run()
    assert (only(driver).ended, driver.order.settled) == ("cancelled", True)


def test_a_cancellation_ends_what_was_being_tried_again() -> None:
    driver = without_coverage()
    driver.change("retry", "again", task=only(driver).task)
    steps = driver.order.reconciler.next_steps()
    observe(driver.order, NOW)
    driver.change("cancel", "off", accept_fee=FEE)
    observe(driver.order, NOW)
    assert only(driver).ended == "cancelled"
    for step in steps:
        driver.order.record(step, driver.answer(step), AT)


def test_what_a_silo_does_not_let_go_of_is_a_fallout_of_its_own_until_it_is_written_off() -> None:
    driver = without_coverage()
    driver.refuse["shipping.compensate"] = "delivered"
    driver.change("cancel", "off", accept_fee=FEE)
    driver.run()
    residue = next(fallout for fallout in told(driver) if fallout.state is not FalloutState.OVER)
    assert (residue.silo, residue.verb, residue.code) == ("shipping", "compensate", "delivered")
    driver.change("resolve", "sunk", task=residue.task, resolution="sunk", requester="Ada")
    driver.run()
    assert {fallout.ended for fallout in told(driver)} == {"cancelled", "resolved"}
    assert driver.order.settled


def test_what_a_silo_lets_go_of_when_it_is_asked_again_is_over() -> None:
    driver = without_coverage()
    driver.refuse["shipping.compensate"] = "delivered"
    driver.change("cancel", "off", accept_fee=FEE)
    driver.run()
    driver.refuse.clear()
    residue = next(fallout for fallout in told(driver) if fallout.state is not FalloutState.OVER)
    driver.change("retry", "again", task=residue.task)
    driver.run()
    assert {fallout.ended for fallout in told(driver)} == {"cancelled", "retried"}


def in_doubt() -> tuple[Driver, FalloutRecord]:
    """A TV of which nobody knows whether its silo has done it."""
    driver = Driver(household(**SELF))
    tv = key(driver, "tv/activate-tv")
    while driver.order.reconciler.status[tv] not in ("fallout", "inPlace"):
        for step in driver.order.reconciler.next_steps():
            doubt = Outcome(OutcomeKind.UNKNOWN, code=RETRY_BUDGET_SPENT, reason="no answer")
            driver.order.record(step, doubt if step.task == tv else driver.answer(step), AT)
        driver.order.reconciler.next_steps(0)
    driver.run()
    return driver, next(fallout for fallout in told(driver) if fallout.task == tv)


def test_what_its_silo_says_later_about_the_same_call_leaves_it_the_same_fallout() -> None:
    driver, before = in_doubt()
    fact = driver.order.reconciler.ledger.facts[before.task][0]
    refused = Outcome(OutcomeKind.REFUSED, code="no_coverage", reason="none here")
    driver.order.answer(fact.id, fact.n, refused, "2026-03-02T11:00:00.000Z")
    driver.run()
    fallout = next(each for each in told(driver) if each.task == before.task)
    assert (fallout.id, fallout.since, fallout.attempts) == (before.id, before.since, 1)
    assert (fallout.code, fallout.refused_at) == ("no_coverage", "2026-03-02T11:00:00.000Z")


def test_what_its_silo_has_done_after_all_is_over_as_answered() -> None:
    driver, before = in_doubt()
    fact = driver.order.reconciler.ledger.facts[before.task][0]
    outputs: dict[str, Any] = dict.fromkeys(driver.order.reconciler.ledger.operation_of(before.task).outputs, "x")
    driver.order.answer(fact.id, fact.n, Outcome(OutcomeKind.DONE, outputs), AT)
    driver.run()
    fallout = next(each for each in told(driver) if each.task == before.task)
    assert (fallout.ended, fallout.hand) == ("answered", None)


def test_the_next_run_of_the_workflow_goes_on_with_it() -> None:
    driver = without_coverage()
    before = only(driver)
    start = driver.order.start.model_copy(update={"carried": driver.order.carried})
    after = Fulfilment(type(start).model_validate_json(start.model_dump_json()))
    observe(after, NOW)
    assert after.journal.carried.kept.told() == (before,)
    after.reconciler.next_steps()
    observe(after, NOW + timedelta(hours=1))
    assert after.journal.carried.kept.told() == (before,)


def test_a_refusal_that_counts_again_without_another_call_is_the_same_fallout() -> None:
    driver = without_coverage()
    before = only(driver)
    driver.change("amend", "sport", update=({"id": "tv", "offering": "tv-sport"},))
    driver.refuse.clear()
    driver.order.reconciler.next_steps(0)
    driver.change("amend", "basic", update=({"id": "tv", "offering": "tv-basic"},))
    driver.order.reconciler.next_steps(0)
    observe(driver.order, NOW)
    assert [(each.id, each.attempts) for each in told(driver) if each.state == "waiting"] == [(before.id, 1)]


def test_each_call_of_a_task_that_waits_for_a_person_is_told_once() -> None:
    driver = without_coverage()
    assert len(refused_calls(driver.order, only(driver).task)) == 1


def test_it_says_in_plain_words_what_is_wrong() -> None:
    fallout = only(without_coverage())
    words = str(fallout_in_words(fallout))
    assert words.startswith(f"{fallout.title} at home could not be done: tv refused: said the silo. Waiting for it: ")
    alone = fallout.model_copy(update={"behind": (), "more_behind": 0})
    said = {
        code: str(fallout_in_words(alone.model_copy(update={"code": code, "verb": verb})))
        for code, verb in ((RETRY_BUDGET_SPENT, "amend"), (OUTPUT_MISSING, "provision"), ("delivered", "compensate"))
    }
    what = f"{fallout.title} at home"
    assert said == {
        RETRY_BUDGET_SPENT: f"{what} could not be changed, and is as it was: tv gave no usable answer, "
        "however often it was asked: said the silo",
        OUTPUT_MISSING: f"{what} is done, but not as it was asked for: tv says: said the silo",
        "delivered": f"{what} could not be undone, and is still there: tv refused: said the silo",
    }
