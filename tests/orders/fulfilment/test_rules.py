"""Rules before people: what is refused is tried again later, as the catalog says, and only then falls out."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from orders.change.request import ChangeState, ItemUpdate
from orders.fulfilment.deciding import assess
from orders.model.catalog import Catalog
from orders.model.instants import instant
from orders.model.values import Money
from orders.read_model.answer import WaitsFor
from orders.read_model.fallout import FalloutRecord
from orders.read_model.states import LifecycleState, TaskState
from orders.reconcile.ledger import Step
from orders.reconcile.outcome import RETRY_BUDGET_SPENT, Outcome, OutcomeKind
from orders.tracking.details import details
from orders.tracking.observation import observe
from orders.tracking.reporting import order_view, plan_page
from orders.tracking.timelining import timeline_page
from tests.orders.support.driver import NOW, Driver, household, key, shipped_catalog

TV = "tv/activate-tv"
LINE = "fibre-internet/activate-line"
FEE = Money(amount=Decimal("9.90"), currency="EUR")
HOUR = timedelta(hours=1)
TEXTS = {"for_agents": {"en": "closed at night"}, "for_customers": {"de": "morgen"}}


def ruled(*rules: dict[str, Any], silo: str = "tv") -> Catalog:
    """The shipped catalog, with these rules of one silo."""
    content = shipped_catalog().model_dump(by_alias=True)
    content["silos"][silo]["rules"] = rules
    return Catalog.model_validate(content)


def again(times: int = 2, **more: Any) -> dict[str, Any]:
    return {"codes": ["closed"], "try_again": {"after": HOUR, "times": times, **more}, "group": "desk", **TEXTS}


class Timed(Driver):
    """An order whose time goes by, and silos that say more of their refusals."""

    def __init__(self, catalog: Catalog, *, waiting: tuple[str, ...] = ("shipping",)) -> None:
        super().__init__(household(installation="self"), catalog=catalog, waiting=waiting)
        self.now = NOW
        self.said: dict[str, Any] = {"code": "closed"}
        self.in_doubt = False

    def answer(self, step: Step) -> Outcome:
        outcome = super().answer(step)
        if outcome.kind is not OutcomeKind.REFUSED:
            return outcome
        kind = OutcomeKind.UNKNOWN if self.in_doubt else OutcomeKind.REFUSED
        return Outcome(kind, reason="said the silo", **self.said)

    def run_some(self, most: int) -> list[str]:
        before = len(self.calls)
        while len(self.calls) - before < most:
            assess(self.order, instant(self.now))
            self.order.try_again(self.now)
            steps = self.order.reconciler.next_steps(most)
            observe(self.order, self.now)
            if not steps:
                break
            for step in steps:
                self.calls.append(self._name(step))
                self.order.record(step, self.answer(step), instant(self.now))
        return self.calls[before:]

    def later(self, by: timedelta = HOUR) -> list[str]:
        """The calls that are made that much later."""
        self.now += by
        return self.run()


def refused(*rules: dict[str, Any], verb: str = "provision") -> Timed:
    driver = Timed(ruled(*rules))
    driver.refuse[f"tv.{verb}"] = "closed"
    driver.run()
    return driver


def told(driver: Driver) -> list[FalloutRecord]:
    return list(driver.order.journal.carried.kept.told())


def test_what_a_rule_has_tried_again_waits_its_time_and_is_then_done() -> None:
    driver = refused(again())
    assert driver.order.tries_again_at == NOW + HOUR
    assert driver.later(HOUR - timedelta(seconds=1)) == []
    driver.refuse.clear()
    assert driver.later(timedelta(seconds=1))[0] == f"tv.provision {TV}/0/1"
    assert driver.order.tries_again_at is None
    assert driver.order.is_in_place(key(driver, TV))
    assert told(driver) == []


def test_it_is_no_fallout_yet_and_is_seen_as_what_it_is() -> None:
    driver = refused(again())
    order, task = driver.order, key(driver, TV)
    view = order_view(order, NOW)
    assert (view.fallout, order.fallout_silos(), told(driver)) == ((), [], [])
    [line] = [line for line in view.answer.now if line.task == task]
    assert (line.waits_for, line.attempts, line.next_try) == (WaitsFor.TRY, 1, NOW + HOUR)
    assert (line.for_agents, line.for_customers) == (TEXTS["for_agents"], TEXTS["for_customers"])
    assert view.state is LifecycleState.IN_PROGRESS
    assert [each.state for each in plan_page(order, 0, 100).tasks if each.key == task] == [TaskState.TRIED_AGAIN]
    [entry] = [entry for entry in timeline_page(order, NOW, 0, 100).tasks if entry.task == task]
    assert (entry.state, entry.next_try, entry.waits_for) == (TaskState.TRIED_AGAIN, NOW + HOUR, WaitsFor.TRY)
    assert "1 tried again" in details(order, view.answer)


def test_an_order_that_waits_for_nothing_else_says_when_it_goes_on() -> None:
    driver = Timed(ruled(again()), waiting=())
    driver.refuse["tv.provision"] = "closed"
    driver.run()
    answer = order_view(driver.order, NOW).answer
    assert answer.waits_for is not None
    assert answer.waits_for.kind is WaitsFor.TRY
    assert answer.summary.startswith("Tried again at 2026-03-02 10:00 UTC: Activation of television")
    assert driver.order.state is LifecycleState.IN_PROGRESS


def test_a_rule_that_gives_up_leaves_a_fallout_to_its_group() -> None:
    driver = refused({**again(), "severity": "major"})
    driver.later()
    assert told(driver) == []
    driver.later()
    [fallout] = told(driver)
    assert (fallout.group, fallout.severity, fallout.attempts) == ("desk", "major", 3)
    assert (fallout.for_agents, fallout.for_customers) == (TEXTS["for_agents"], TEXTS["for_customers"])
    assert fallout.key == f"{fallout.task}/0/2"
    assert driver.order.tries_again_at is None
    assert driver.later() == []


def test_a_person_who_tries_it_again_has_the_rule_begin_anew() -> None:
    driver = refused(again(times=1))
    driver.later()
    [before] = told(driver)
    driver.change("retry", task=before.task)
    driver.run()
    assert driver.order.tries_again_at is not None
    [meanwhile] = told(driver)
    assert (meanwhile.id, meanwhile.state) == (before.id, "underWay")
    driver.later()
    [after] = told(driver)
    assert (after.id, after.state, after.attempts) == (before.id, "waiting", 4)


def test_a_rule_without_another_try_only_says_who_sees_to_it() -> None:
    [fallout] = told(refused({"codes": ["closed"], "group": "desk"}))
    assert (fallout.group, fallout.severity, fallout.attempts) == ("desk", None, 1)


@pytest.mark.parametrize(
    ("said", "pause"),
    [
        ({"code": "x", "status": 423}, HOUR),
        ({"code": "x", "status": 423, "retry_after_s": 90.0}, timedelta(seconds=90)),
        ({"code": "closed", "retry_after_s": 90.0}, timedelta(seconds=90)),
    ],
    ids=["by status", "as told", "by code, as told"],
)
def test_a_rule_is_for_a_code_or_a_status_and_may_wait_as_long_as_it_is_told(
    said: dict[str, Any], pause: timedelta
) -> None:
    driver = Timed(ruled({**again(as_told=True), "statuses": [423]}))
    driver.refuse["tv.provision"] = "closed"
    driver.said = said
    driver.run()
    assert driver.order.tries_again_at == NOW + pause


def test_what_the_silo_says_does_not_count_where_the_rule_does_not_ask_for_it() -> None:
    driver = Timed(ruled(again()))
    driver.refuse["tv.provision"] = "closed"
    driver.said = {"code": "closed", "retry_after_s": 90.0}
    driver.run()
    assert driver.order.tries_again_at == NOW + HOUR


def test_a_refusal_that_no_rule_is_about_falls_out() -> None:
    driver = Timed(ruled(again()))
    driver.refuse["tv.provision"] = "closed"
    driver.said = {"code": "other", "status": 422}
    driver.run()
    assert [fallout.code for fallout in told(driver)] == ["other"]


def test_a_call_of_unknown_outcome_is_repeated_as_it_was() -> None:
    driver = Timed(ruled({**again(), "codes": [RETRY_BUDGET_SPENT]}))
    driver.refuse["tv.provision"] = "closed"
    driver.said, driver.in_doubt = {"code": RETRY_BUDGET_SPENT}, True
    driver.run()
    assert told(driver) == []
    driver.refuse.clear()
    assert driver.later()[0] == f"tv.provision {TV}/0/0"


def test_a_refused_amendment_and_a_refused_undo_are_tried_again_too() -> None:
    driver = Timed(ruled(again(), silo="access-network"))
    driver.run()
    driver.refuse = {"access-network.amend": "closed", "access-network.compensate": "closed"}
    driver.change("amend", "faster", update=(ItemUpdate(id="net", characteristics={"down_mbps": 500}),))
    driver.run()
    assert driver.order.tries_again_at == NOW + HOUR
    driver.refuse.pop("access-network.amend")
    assert driver.later()[0] == f"access-network.amend {LINE}/0/2"
    driver.change("cancel", "off", accept_fee=FEE)
    driver.run()
    line = next(task for task in driver.order.reconciler.ledger.facts if task.endswith(LINE))
    assert told(driver) == []
    states = {each.key: each.state for each in plan_page(driver.order, 0, 100).tasks}
    assert states[line] is TaskState.TRIED_AGAIN
    driver.refuse.clear()
    driver.later()
    assert driver.order.settled


def test_nobody_has_to_wait_for_a_rule_to_have_it_tried_again() -> None:
    driver = refused(again())
    driver.refuse.clear()
    assert driver.change("retry", silo="tv").state is ChangeState.ACCEPTED
    assert driver.run()[0] == f"tv.provision {TV}/0/1"


@pytest.mark.parametrize("stage", range(6))
@pytest.mark.parametrize("doubt", [False, True], ids=["refused", "in doubt"])
@pytest.mark.parametrize("change", ["amend", "cancel"])
def test_a_change_that_arrives_while_a_rule_waits_is_decided_and_carried_out_at_once(
    change: str, stage: int, *, doubt: bool
) -> None:
    driver = Timed(ruled(again(times=20)))
    driver.refuse["tv.provision"] = "closed"
    driver.in_doubt = doubt
    driver.run()
    for _ in range(stage):
        driver.later()
    driver.refuse.clear()
    task, tries = key(driver, TV), driver.order.reconciler.tried_again()
    assert [other for other, _ in tries] == [task]
    if change == "cancel":
        assert driver.change("cancel", "off", accept_fee=FEE).state is ChangeState.ACCEPTED
        driver.run()
        assert driver.order.settled
    else:
        verdict = driver.change("amend", "sport", update=(ItemUpdate(id="tv", offering="tv-sport"),))
        assert verdict.state is ChangeState.ACCEPTED
        calls = driver.run()
        assert any(call.startswith("tv.provision") for call in calls)
        assert driver.order.is_in_place(task)
    assert driver.order.tries_again_at is None


def test_what_waits_for_its_time_goes_on_in_another_run_of_the_workflow() -> None:
    driver = refused(again())
    refusal = driver.order.reconciler.ledger.copy().refused[key(driver, TV)].refusal
    assert datetime.fromisoformat(refusal.again_at) == NOW + HOUR
