"""Changes decided by their impact: points of no return, fees, silos asked to let go, and what people settle."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orders.change.impact import KNOWN_AFTER_APPLY, Effect
from orders.change.request import ChangeKind, ChangeRequest, ChangeState, ItemUpdate
from orders.model.order import Site
from orders.model.values import Money
from orders.planning.amend import amended
from orders.read_model.states import LifecycleState
from orders.reconcile.outcome import Outcome, OutcomeKind
from tests.orders.support.driver import AT, Driver, household, key, shipped_catalog

FEE = Money(amount=Decimal("9.90"), currency="EUR")
SELF = {"installation": "self"}


def test_a_hard_point_of_no_return_refuses_naming_task_item_and_since_when() -> None:
    driver = Driver(household(), waiting=["shipping"])
    driver.run()
    verdict = driver.change("cancel")
    assert verdict.state is ChangeState.REJECTED
    reason = next(reason for reason in verdict.reasons if reason.code == "past_no_return")
    assert "installation/visit-site" in reason.message
    assert "2026-03-02T09:00" in reason.message
    assert reason.item == "net"
    assert driver.run() == []
    assert driver.order.state is LifecycleState.IN_PROGRESS


def test_a_bundle_past_the_visit_and_the_parcel_still_changes_its_tv_pack_without_a_fee() -> None:
    driver = Driver(household())
    driver.refuse["billing.provision"] = "closed"
    driver.run()
    verdict = driver.change("amend", update=(ItemUpdate(id="tv", offering="tv-sport"),))
    assert verdict.state is ChangeState.ACCEPTED
    assert verdict.impact is not None
    assert verdict.impact.fees == ()
    assert driver.run()[0] == "tv.amend tv/activate-tv/0/1"


def test_a_soft_point_of_no_return_asks_for_exactly_its_fee() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    without = driver.change("cancel", "1")
    assert [reason.code for reason in without.reasons] == ["fee_not_accepted"]
    assert "9.90 EUR" in without.reasons[0].message
    wrong = driver.change("cancel", "2", accept_fee=Money(amount=Decimal("9.90"), currency="USD"))
    assert wrong.state is ChangeState.REJECTED
    assert driver.change("cancel", "3", accept_fee=FEE).state is ChangeState.ACCEPTED


def test_a_fee_is_billed_once_after_the_undo_that_it_pays_for_and_survives_the_cancellation() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    driver.change("cancel", accept_fee=FEE)
    calls = driver.run()
    billed = [call for call in calls if "bill-fee" in call]
    assert billed == ["billing.provision charges/bill-fee/0/0"]
    assert calls.index("shipping.compensate delivery/ship-parcel/0/1") < calls.index(billed[0])
    assert driver.order.state is LifecycleState.CANCELLED
    held = [fact.task.split("/", 1)[1] for fact in driver.order.reconciler.ledger.all_facts()]
    assert held == ["charges/bill-fee"]


def test_a_fee_whose_undo_never_comes_about_is_never_billed() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.refuse["shipping.compensate"] = "delivered"
    driver.run()
    driver.change("cancel", accept_fee=FEE)
    assert not any("bill-fee" in call for call in driver.run())
    (parcel,) = driver.order.reconciler.fallout
    driver.change("resolve", "written-off", task=parcel, resolution="sunk", requester="agent-7")
    assert not any("bill-fee" in call for call in driver.run())
    assert driver.order.state is LifecycleState.CANCELLED


def test_one_undo_is_paid_for_once_however_many_changes_ask_for_it() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    driver.refuse["warehouse.provision"] = "out_of_stock"
    # Another technology takes another router, and so changes the parcel: at a fee, and not before the router is there.
    other = (ItemUpdate(id="net", characteristics={"technology": "xgs-pon"}),)
    assert driver.change("amend", "1", update=other, accept_fee=FEE).state is ChangeState.ACCEPTED
    driver.run()
    unrelated = (ItemUpdate(id="voice", characteristics={"number": "+4930333333"}),)
    assert driver.change("amend", "2", update=unrelated).state is ChangeState.ACCEPTED
    driver.run()
    assert driver.change("cancel", "3").state is ChangeState.ACCEPTED
    calls = driver.run()
    assert [call for call in calls if "bill-fee" in call] == ["billing.provision charges/bill-fee/0/0"]
    assert driver.order.state is LifecycleState.CANCELLED


def test_a_fee_is_forgone_when_a_later_change_makes_its_undo_needless() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    driver.refuse["warehouse.provision"] = "out_of_stock"
    for number, technology, fee in (("1", "xgs-pon", FEE), ("2", "gpon", None)):
        update = (ItemUpdate(id="net", characteristics={"technology": technology}),)
        assert driver.change("amend", number, update=update, accept_fee=fee).state is ChangeState.ACCEPTED
        driver.run()
    assert driver.order.carried.charges[0].forgone
    assert not any("bill-fee" in call for call in driver.calls)


@pytest.mark.parametrize("is_done", (False, True), ids=("awaited", "done and not billed yet"))
def test_a_fee_is_billed_though_another_change_comes_while_the_silo_is_at_it(is_done: bool) -> None:
    driver = Driver(household(**SELF))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    driver.waiting.add("shipping")
    other = (ItemUpdate(id="net", characteristics={"technology": "xgs-pon"}),)
    assert driver.change("amend", "1", update=other, accept_fee=FEE).state is ChangeState.ACCEPTED
    assert "shipping.amend delivery/ship-parcel/0/1" in driver.run()
    if is_done:
        driver.complete("shipping")
    unrelated = (ItemUpdate(id="voice", characteristics={"number": "+4930333333"}),)
    assert driver.change("amend", "2", update=unrelated).state is ChangeState.ACCEPTED
    driver.complete("shipping")
    assert "billing.provision charges/bill-fee/0/0" in driver.run()


def test_a_fee_is_billed_though_another_change_comes_while_the_new_one_is_being_made() -> None:
    driver = Driver(household(**SELF))
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    parcel = key(driver, "ship-parcel")
    assert driver.change("replace", "1", task=parcel, accept_fee=FEE).state is ChangeState.ACCEPTED
    under_way = driver.order.reconciler.next_steps()
    assert [(step.task, step.verb, step.generation) for step in under_way] == [(parcel, "provision", 1)]
    assert driver.change("changePriority", "2", priority=1).state is ChangeState.ACCEPTED
    for step in under_way:
        driver.order.record(step, driver.answer(step), AT)
    calls = driver.run()
    assert [call for call in calls if "ship-parcel" in call or "bill-fee" in call] == [
        "shipping.compensate delivery/ship-parcel/0/1",
        "billing.provision charges/bill-fee/0/0",
    ]


def test_nobody_pays_for_an_undo_that_an_earlier_change_caused_for_nothing() -> None:
    driver = Driver(household(**SELF), waiting=["shipping"])
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    parcel = key(driver, "ship-parcel")
    own = (ItemUpdate(id="net", characteristics={"equipment": "own"}),)
    assert driver.change("amend", "1", update=own).state is ChangeState.ACCEPTED
    under_way = driver.order.reconciler.next_steps()
    assert [(step.task, step.verb) for step in under_way] == [(parcel, "compensate")]
    driver.order.record(under_way[0], Outcome(OutcomeKind.ACKNOWLEDGED), AT)
    # What it tells of the parcel, it tells late.
    driver.order.answer((parcel, 0), 0, Outcome(OutcomeKind.ACKNOWLEDGED, milestones={"handed-over": AT}), AT)
    assert driver.change("cancel", "2").state is ChangeState.ACCEPTED
    driver.order.answer((parcel, 0), 1, Outcome(OutcomeKind.DONE), AT)
    driver.run()
    assert driver.order.state is LifecycleState.CANCELLED
    assert not any("bill-fee" in call for call in driver.calls)


def test_silos_are_asked_to_let_go_before_anything_else_is_undone() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    verdict = driver.change("cancel")
    assert verdict.state is ChangeState.ASSESSING
    assert driver.order.state is LifecycleState.ASSESSING_CANCELLATION
    calls = driver.run()
    assert calls[0] == "field-service.compensate installation/visit-site/0/1"
    assert driver.order.verdicts["c"].state is ChangeState.ACCEPTED
    assert driver.order.state is LifecycleState.CANCELLED


def test_a_silo_that_does_not_let_go_rejects_the_change_and_nothing_is_undone() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.refuse["field-service.compensate"] = "technician_on_site"
    driver.run()
    driver.change("cancel")
    assert driver.run() == ["field-service.compensate installation/visit-site/0/1"]
    verdict = driver.order.verdicts["c"]
    assert verdict.state is ChangeState.REJECTED
    assert "technician_on_site" in verdict.reasons[0].message
    driver.complete("field-service")
    driver.complete("shipping")
    driver.run()
    assert driver.order.state is LifecycleState.COMPLETED
    assert driver.order.reconciler.fallout == set()


def test_what_was_let_go_comes_back_when_another_silo_refuses() -> None:
    driver = Driver(household(), waiting=["field-service"])
    driver.run()
    driver.change("cancel", accept_fee=FEE)
    # While the silo thinks, the technician finishes: too late to let go.
    steps = driver.order.reconciler.next_steps()
    assert [step.verb for step in steps] == ["compensate"]
    driver.complete("field-service")
    refused = driver.refuse
    refused["field-service.compensate"] = "done"
    for step in steps:
        driver.order.reconciler.record(step, driver.answer(step), "2026-03-02T10:00:00.000Z")
    driver.run()
    assert driver.order.verdicts["c"].state is ChangeState.REJECTED
    assert driver.order.state is LifecycleState.COMPLETED


def test_a_cancellation_supersedes_a_change_that_is_being_assessed() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    elsewhere = Site(id="elsewhere")
    moves = (ItemUpdate(id="net", site=elsewhere), ItemUpdate(id="tv", site=elsewhere))
    assert driver.change("amend", "move", update=moves).state is ChangeState.ASSESSING
    assert driver.order.state is LifecycleState.PENDING
    driver.change("cancel", "away")
    assert driver.order.verdicts["move"].state is ChangeState.SUPERSEDED
    driver.run()
    assert driver.order.state is LifecycleState.CANCELLED


def test_what_both_targets_want_goes_on_while_a_change_is_assessed() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    driver.order.reconciler.retry("nothing")
    before = len(driver.order.reconciler.ledger.facts)
    elsewhere = Site(id="elsewhere")
    moves = (ItemUpdate(id="net", site=elsewhere), ItemUpdate(id="tv", site=elsewhere))
    driver.change("amend", "move", update=moves)
    asked = driver.order.reconciler.next_steps()
    assert [f"{driver.order.silo_of(step.task)}.{step.verb}" for step in asked] == ["field-service.compensate"]
    assert len(driver.order.reconciler.ledger.facts) == before


def test_a_preview_digest_binds_the_change_to_what_was_seen() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    seen = driver.order.impact_of_target(driver.order.start.baseline_plan).digest
    driver.complete("field-service")
    driver.run()
    verdict = driver.change("cancel", digest=seen, accept_fee=FEE)
    assert "impact_changed" in [reason.code for reason in verdict.reasons]


def test_an_impact_tells_values_before_and_after_and_what_only_an_output_decides() -> None:
    driver = Driver(household(), waiting=["shipping"])
    driver.run()
    order, update = driver.order, ItemUpdate(id="net", characteristics={"technology": "xgs-pon"})
    change = ChangeRequest(request_id="seen", kind=ChangeKind.AMEND, update=(update,))
    _, target = amended(shipped_catalog(), order.start.order_id, order.revision, change, order.advancement())
    impact = order.impact_of_target(target)
    by_task = {task.task.split("/", 1)[1]: task for task in impact.tasks}
    assert by_task["fibre-internet/reserve-port"].effect is Effect.REPLACED
    assert by_task["fibre-internet/reserve-port"].before == {"technology": "gpon"}
    assert by_task["fibre-internet/activate-line"].effect is Effect.AMENDED
    assert by_task["fibre-internet/activate-line"].after["port"] == KNOWN_AFTER_APPLY
    verdict = driver.change("amend", update=(update,))
    assert verdict.impact is not None
    assert verdict.impact == impact.summary()
    assert verdict.impact.effects["resource-inventory"][Effect.REPLACED] == 1


def test_an_impact_touches_nothing() -> None:
    driver = Driver(household(), waiting=["shipping"])
    driver.run()
    ledger = driver.order.reconciler.ledger
    before = repr(ledger)
    driver.order.impact_of_target(driver.order.start.baseline_plan)
    assert repr(ledger) == before
    assert driver.run() == []


def test_a_lost_parcel_is_sent_anew_though_nothing_about_it_differs() -> None:
    driver = Driver(household(), waiting=["shipping"])
    driver.run()
    assert driver.change("replace", task=key(driver, "delivery/ship-parcel")).state is ChangeState.ACCEPTED
    assert driver.run() == [
        "shipping.compensate delivery/ship-parcel/0/1",
        "shipping.provision delivery/ship-parcel/1/0",
    ]


def test_what_a_silo_works_on_is_made_anew_once_it_has_let_go_of_it() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    visit = key(driver, "installation/visit-site")
    assert driver.change("replace", task=visit).state is ChangeState.ASSESSING
    assert driver.order.state is LifecycleState.PENDING
    assert driver.run() == [
        "field-service.compensate installation/visit-site/0/1",
        "field-service.provision installation/visit-site/1/0",
    ]
    assert driver.order.verdicts["c"].state is ChangeState.ACCEPTED


def test_what_a_silo_does_not_let_go_of_is_not_made_anew() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.refuse["field-service.compensate"] = "technician_on_site"
    driver.run()
    driver.change("replace", task=key(driver, "installation/visit-site"))
    assert driver.run() == ["field-service.compensate installation/visit-site/0/1"]
    assert [reason.code for reason in driver.order.verdicts["c"].reasons] == ["not_let_go"]
    driver.complete("field-service")
    driver.complete("shipping")
    driver.run()
    assert driver.order.state is LifecycleState.COMPLETED


def test_a_refused_provision_done_by_hand_lets_the_order_complete() -> None:
    driver = Driver(household())
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    task = key(driver, "tv/activate-tv")
    verdict = driver.change("resolve", task=task, resolution="done", requester="agent-7", outputs={"tv_id": "TV-1"})
    assert verdict.state is ChangeState.ACCEPTED
    driver.run()
    assert driver.order.settled


def test_a_refused_compensation_leaves_a_residue_that_a_person_settles() -> None:
    driver = Driver(household(**SELF), waiting=["shipping"])
    driver.refuse["billing.compensate"] = "invoiced"
    driver.run()
    driver.change("cancel")
    driver.run()
    assert driver.order.state is LifecycleState.HELD
    for number, task in enumerate(sorted(driver.order.reconciler.fallout)):
        verdict = driver.change("resolve", f"r{number}", task=task, resolution="sunk", requester="agent-7")
        assert verdict.state is ChangeState.ACCEPTED
    driver.run()
    assert driver.order.state is LifecycleState.CANCELLED


def test_an_order_on_hold_says_so_and_goes_on_when_released() -> None:
    driver = Driver(household(), waiting=["shipping"])
    driver.change("hold", "1")
    assert driver.order.state is LifecycleState.HELD
    driver.change("release", "2")
    assert driver.order.state is LifecycleState.IN_PROGRESS
