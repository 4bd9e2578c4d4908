"""Milestones that silos report on the way: noted once for each thing, and points of no return from then on."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from pydantic import TypeAdapter

from orders.change.request import ChangeState, ItemUpdate
from orders.fulfilment.deciding import assess
from orders.fulfilment.snapshot import Snapshot
from orders.model.catalog import Catalog, PointOfNoReturn, Scope
from orders.model.order import OrderRequest, RequestedItem
from orders.model.values import Money, Verb
from orders.read_model.records import EventKind
from orders.reconcile.ledger import Fact
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.tracking.observation import observe
from orders.tracking.what_if.options import options_of
from tests.orders.support.builders import AT, Bench, key_of, operation, plan, task, thing
from tests.orders.support.driver import NOW, Driver, household, key, shipped_catalog

PARCEL, VISIT = "delivery/ship-parcel", "installation/visit-site"
FEE = Money(amount=Decimal("9.90"), currency="EUR")
REPORTED = "2026-03-02T08:30:00.000Z"


def on_the_way(*names: str, at: str = REPORTED) -> Outcome:
    """What a silo reports of a call whose end is to come."""
    return Outcome(OutcomeKind.ACKNOWLEDGED, milestones=dict.fromkeys(names, at))


class Reporting(Bench):
    """A reconciler whose silos report milestones."""

    def reached(self, call: str, *names: str, at: str = REPORTED) -> bool:
        """A milestone of the call `parcel/0/0` is reported. True where that is news."""
        name, n = call.rsplit("/", 1)
        return self.reconciler.answer(thing(name), int(n), on_the_way(*names, at=at), AT)

    def milestones(self, name: str = "parcel", generation: int = 0) -> dict[str, str]:
        """The milestones of a thing."""
        return self.fact(name, generation).milestones

    def fact(self, name: str = "parcel", generation: int = 0) -> Fact:
        found = self.reconciler.ledger.fact((key_of(name), generation))
        assert found is not None
        return found


def awaited(to: str = "A") -> Reporting:
    """A parcel that its silo has taken on."""
    order = Reporting(plan(task("parcel", to=to), operations=[operation("parcel", amend_while_waiting=True)]))
    order.next()
    order.acknowledged("provision parcel/0/0")
    return order


def test_a_milestone_is_noted_with_the_instant_at_which_the_silo_reached_it_and_nothing_else_changes() -> None:
    order = awaited()
    assert order.reached("parcel/0/0", "handed-over")
    assert order.milestones() == {"handed-over": REPORTED}
    assert order.fact().waiting is not None
    assert order.next() == []


def test_where_the_silo_tells_no_instant_it_is_that_of_its_arrival() -> None:
    order = awaited()
    assert order.reached("parcel/0/0", "handed-over", at="")
    assert order.milestones() == {"handed-over": AT}


def test_the_same_milestone_again_is_no_news_and_keeps_its_instant() -> None:
    order = awaited()
    assert order.reached("parcel/0/0", "handed-over")
    assert not order.reached("parcel/0/0", "handed-over", at="2026-03-02T08:59:00.000Z")
    assert order.milestones() == {"handed-over": REPORTED}


def test_that_a_call_is_still_awaited_is_no_news() -> None:
    order = Reporting(plan(task("parcel")))
    order.next()
    assert not order.reached("parcel/0/0")
    order.acknowledged("provision parcel/0/0")
    assert not order.reached("parcel/0/0")


def test_a_milestone_that_overtakes_the_outcome_of_its_own_call_counts_once_that_is_known() -> None:
    order = Reporting(plan(task("parcel")))
    assert order.next() == ["provision parcel/0/0"]
    assert order.reached("parcel/0/0", "handed-over")
    order.acknowledged("provision parcel/0/0")
    assert order.milestones() == {"handed-over": REPORTED}


def test_the_outcome_of_a_call_may_tell_of_milestones_itself() -> None:
    order = Reporting(plan(task("parcel")))
    order.next()
    [step] = order.reconciler.calls.values()
    order.reconciler.record(step, on_the_way("handed-over"), AT)
    assert order.milestones() == {"handed-over": REPORTED}


def test_the_end_may_tell_of_milestones_that_were_never_reported() -> None:
    order = awaited()
    done = Outcome(OutcomeKind.DONE, milestones={"handed-over": REPORTED})
    assert order.reconciler.answer((key_of("parcel"), 0), 0, done, AT)
    assert (order.fact().waiting, order.milestones()) == (None, {"handed-over": REPORTED})


def test_a_milestone_that_comes_after_the_end_is_noted_all_the_same() -> None:
    order = awaited()
    order.callback("parcel/0/0")
    order.next()
    assert order.reached("parcel/0/0", "handed-over")
    assert order.next() == []
    assert order.settled


def test_a_milestone_of_an_older_call_counts_while_a_newer_one_is_awaited() -> None:
    order = awaited("A")
    order.target(plan(task("parcel", to="B"), operations=[operation("parcel", amend_while_waiting=True)]))
    order.acknowledged("amend parcel/0/1")
    assert order.reached("parcel/0/0", "handed-over")
    assert order.milestones() == {"handed-over": REPORTED}
    # Should the newer one be refused, the older one is awaited again.
    order.callback("parcel/0/1", OutcomeKind.REFUSED)
    waiting = order.fact().waiting
    assert waiting is not None
    assert waiting.n == 0


def test_a_milestone_of_the_way_back_is_none_of_the_thing_itself() -> None:
    order = awaited()
    order.callback("parcel/0/0")
    order.target(plan())
    order.acknowledged("compensate parcel/0/1")
    assert not order.reached("parcel/0/1", "handed-over")
    order.callback("parcel/0/1", OutcomeKind.REFUSED)
    assert not order.reached("parcel/0/1", "handed-over")
    assert order.milestones() == {}


def test_a_milestone_of_what_is_gone_or_was_never_asked_for_says_nothing() -> None:
    order = awaited()
    assert not order.reached("parcel/1/0", "handed-over")
    order.target(plan())
    order.done("compensate parcel/0/1")
    assert not order.reached("parcel/0/0", "handed-over")
    assert order.settled


def test_the_next_generation_has_its_milestones_still_before_it() -> None:
    one, other = (plan(task("parcel", to=to), operations=[operation("parcel", replace=["to"])]) for to in "AB")
    order = Reporting(one)
    order.next()
    order.acknowledged("provision parcel/0/0")
    order.reached("parcel/0/0", "handed-over")
    order.target(other)
    order.run()
    assert order.milestones(generation=1) == {}


# Points of no return


class Shipping(Driver):
    """An order whose silos report milestones, and what it tells."""

    def reached(self, task_name: str, milestone: str) -> bool:
        """The awaited call of a task has reached a milestone."""
        [fact] = self.order.reconciler.ledger.facts[key(self, task_name)].values()
        assert fact.waiting is not None
        news = self.order.answer(fact.id, fact.waiting.n, on_the_way(milestone), AT)
        observe(self.order, NOW)
        return news

    def milestones(self) -> list[tuple[object, object]]:
        """The milestones told, with their tasks."""
        told = [event.data for event in self.order.carried.journal.events if event.kind is EventKind.MILESTONE]
        return [(data["milestone"], str(data["task"]).split("/", 1)[1]) for data in told]


def in_flight(catalog: Catalog | None = None) -> Shipping:
    driver = Shipping(household(), waiting=["shipping", "field-service"], catalog=catalog)
    driver.run()
    return driver


def test_a_parcel_that_the_carrier_has_costs_its_fee_and_one_that_it_has_not_costs_nothing() -> None:
    driver = in_flight()
    baseline = driver.order.start.baseline_plan
    assert driver.order.impact_of_target(baseline).fees == []
    driver.reached(PARCEL, "weighed")
    assert driver.order.impact_of_target(baseline).fees == []
    driver.reached(PARCEL, "handed-over")
    impact = driver.order.impact_of_target(baseline)
    assert impact.fees == [FEE]
    assert [obstacle.since for obstacle in impact.obstacles] == [REPORTED]


def test_an_option_is_free_until_the_milestone_is_expected_and_costs_its_fee_from_then_on() -> None:
    driver = in_flight()

    def parcel_anew() -> tuple[object, object]:
        told = options_of(driver.order, driver.catalog, NOW).items[0].options
        option = next(option for option in told if option.name == key(driver, PARCEL))
        return option.fees, option.until

    assert parcel_anew() == ((), NOW + timedelta(days=1))
    driver.reached(PARCEL, "handed-over")
    assert parcel_anew() == ((FEE,), None)


def test_a_milestone_is_told_once_and_moves_nothing() -> None:
    driver = in_flight()
    moves = list(driver.order.carried.journal.transitions)
    assert driver.reached(PARCEL, "handed-over")
    assert not driver.reached(PARCEL, "handed-over")
    driver.run()
    assert driver.milestones() == [("handed-over", PARCEL)]
    told = driver.order.carried.journal.transitions
    assert [move for move in told if move.milestone is None] == [move for move in moves if move.milestone is None]
    carried = TypeAdapter(Snapshot).validate_json(TypeAdapter(Snapshot).dump_json(driver.order.carried))
    assert carried.ledger == driver.order.carried.ledger
    driver.complete("shipping")
    driver.run()
    assert driver.milestones() == [("handed-over", PARCEL), ("parcel-delivered", PARCEL)]


def hard_on_the_way() -> Catalog:
    """The shipped catalog, but that a technician who is on the way comes."""
    catalog = shipped_catalog()
    installation = catalog.specifications["installation"]
    point = PointOfNoReturn(kind="hard", milestone="on-the-way", reached_after=timedelta(days=4))
    visit = installation.tasks["visit-site"].model_copy(update={"point_of_no_return": point})
    changed = installation.model_copy(update={"tasks": {"visit-site": visit}})
    return catalog.model_copy(update={"specifications": {**catalog.specifications, "installation": changed}})


def test_past_a_hard_milestone_a_change_is_refused_though_the_task_is_not_done() -> None:
    driver = in_flight(hard_on_the_way())
    driver.reached(VISIT, "on-the-way")
    verdict = driver.change("cancel")
    assert (verdict.state, [reason.code for reason in verdict.reasons]) == (
        ChangeState.REJECTED,
        ["past_no_return"],
    )
    assert f"since {REPORTED}" in verdict.reasons[0].message


def test_a_milestone_passed_before_the_silo_was_asked_rejects_what_was_being_assessed() -> None:
    driver = in_flight(hard_on_the_way())
    assert driver.change("cancel").state is ChangeState.ASSESSING
    driver.reached(VISIT, "on-the-way")
    verdict = assess(driver.order, AT)
    assert verdict is not None
    assert (verdict.state, {reason.code for reason in verdict.reasons}) == (ChangeState.REJECTED, {"not_let_go"})
    assert "it has reached on-the-way meanwhile" in verdict.reasons[0].message
    assert driver.run() == []


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Outcome(OutcomeKind.DONE), ChangeState.ACCEPTED),
        (Outcome(OutcomeKind.REFUSED, code="on_the_way", reason="said the silo"), ChangeState.REJECTED),
    ],
)
def test_a_silo_that_is_being_asked_to_let_go_decides_itself_what_its_milestone_means(
    answer: Outcome, state: ChangeState
) -> None:
    driver = in_flight(hard_on_the_way())
    driver.change("cancel")
    [ask] = driver.order.reconciler.next_steps()
    assert ask.verb is Verb.COMPENSATE
    assert driver.order.answer(ask.fact, 0, on_the_way("on-the-way"), AT)
    assert assess(driver.order, AT) is None
    driver.order.record(ask, answer, AT)
    verdict = assess(driver.order, AT)
    assert verdict is not None
    assert verdict.state is state


def test_of_several_sim_cards_one_that_is_on_its_way_is_not_the_one_given_up() -> None:
    catalog = shipped_catalog()
    mobile = catalog.specifications["mobile"]
    letter = mobile.tasks["ship-sim"]
    point = PointOfNoReturn(kind="soft", milestone="posted", reached_after=timedelta(hours=1), fee=FEE)
    tasks = {
        **mobile.tasks,
        "ship-sim": letter.model_copy(update={"point_of_no_return": point, "scope": Scope.PRODUCT}),
    }
    specifications = {**catalog.specifications, "mobile": mobile.model_copy(update={"tasks": tasks})}
    sims = RequestedItem(id="sims", offering="mobile-s", quantity=2, characteristics={"sim_type": "physical"})
    request = OrderRequest(external_id="x", channel="web", customer_id="cust-1", items=(sims,))
    driver = Shipping(
        request, waiting=["shipping"], catalog=catalog.model_copy(update={"specifications": specifications})
    )
    driver.run()
    first, second = driver.order.revision.items[0].products
    driver.reached(f"{second}/mobile/ship-sim", "posted")
    assert driver.change("amend", update=(ItemUpdate(id="sims", quantity=1),)).state is ChangeState.ACCEPTED
    assert driver.order.revision.items[0].products == (second,)
    assert first != second
