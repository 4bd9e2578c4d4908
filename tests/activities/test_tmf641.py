"""Silos that acknowledge at once and are done later."""

from __future__ import annotations

import dataclasses
import json

import httpx2
import pytest

from activities.protocols.http_client import SiloBody, understood
from activities.protocols.protocol import SiloUnavailable
from activities.protocols.tmf641 import ServiceOrder
from orders.fulfilment.messages import SiloCall
from orders.model.values import Verb
from orders.reconcile.outcome import Outcome, OutcomeKind
from tests.activities.bench import THING, Bench, call

DONE, ACKNOWLEDGED, LOST = Outcome(OutcomeKind.DONE), Outcome(OutcomeKind.ACKNOWLEDGED), Outcome(OutcomeKind.LOST)


def awaited(asked: SiloCall, verb: Verb) -> SiloCall:
    """The question what became of a call."""
    return dataclasses.replace(asked, awaited=verb)


async def complete(bench: Bench, **how: str) -> None:
    """Have all pending work of the silo end now."""
    assert (await bench.sim("POST", "/shipping/complete", how))["completed"] == 1


async def test_a_provision_is_acknowledged_and_done_when_polled_after_its_end(bench: Bench) -> None:
    parcel = call(operation="parcel", to="site-1")
    assert await bench.provision("shipping", parcel) == ACKNOWLEDGED
    assert await bench.inspect("shipping", awaited(parcel, Verb.PROVISION)) == ACKNOWLEDGED
    await complete(bench)
    outcome = await bench.inspect("shipping", awaited(parcel, Verb.PROVISION))
    assert outcome.kind is OutcomeKind.DONE
    assert outcome.outputs["to"] == "site-1"
    assert str(outcome.outputs["tracking_id"]).startswith("TRK-")


async def test_an_amendment_takes_pending_work_over_and_both_end_as_one(bench: Bench) -> None:
    first, second = call(0, operation="parcel", to="site-1"), call(1, operation="parcel", to="site-2")
    await bench.provision("shipping", first)
    assert await bench.amend("shipping", second) == ACKNOWLEDGED
    await complete(bench)
    for asked, verb in ((first, Verb.PROVISION), (second, Verb.AMEND)):
        assert (await bench.inspect("shipping", awaited(asked, verb))).kind is OutcomeKind.DONE
    assert await bench.held("shipping") == {THING: {"to": "site-2"}}


async def test_an_amendment_of_what_is_not_there_tells_that_it_is_lost(bench: Bench) -> None:
    assert (await bench.amend("shipping", call(1))).kind is OutcomeKind.LOST


async def test_a_compensation_of_pending_work_is_done_at_once_and_cancels_it(bench: Bench) -> None:
    await bench.provision("shipping", call(0))
    assert await bench.compensate("shipping", call(1)) == DONE
    outcome = await bench.inspect("shipping", awaited(call(0), Verb.PROVISION))
    assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, "cancelled")
    assert await bench.held("shipping") == {}


async def test_a_compensation_of_what_is_held_is_acknowledged_and_done_later(bench: Bench) -> None:
    await bench.provision("shipping", call(0))
    await complete(bench)
    assert await bench.compensate("shipping", call(1, to="site-1")) == ACKNOWLEDGED
    await complete(bench)
    assert await bench.inspect("shipping", awaited(call(1, to="site-1"), Verb.COMPENSATE)) == DONE


async def test_work_that_failed_is_refused_with_the_silos_code(bench: Bench) -> None:
    await bench.provision("shipping", call())
    await complete(bench, outcome="failed", code="address_unknown")
    outcome = await bench.inspect("shipping", awaited(call(), Verb.PROVISION))
    assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, "address_unknown")
    assert outcome.reason


async def test_a_retry_is_replayed_under_its_key(bench: Bench) -> None:
    await bench.provision("shipping", call())
    assert await bench.provision("shipping", call(), attempt=2) == ACKNOWLEDGED
    assert await bench.journal("shipping") == ["provision applied", "provision replayed"]


async def test_a_poll_tells_the_milestones_reached_on_the_way_and_at_the_end_all_of_them(bench: Bench) -> None:
    parcel = call(operation="parcel")
    await bench.provision("shipping", parcel)
    assert await bench.sim("POST", "/shipping/milestone", {"name": "weighed"}) == {"reached": 1}
    on_the_way = await bench.inspect("shipping", awaited(parcel, Verb.PROVISION))
    assert (on_the_way.kind, list(on_the_way.milestones)) == (OutcomeKind.ACKNOWLEDGED, ["weighed"])
    await complete(bench)
    done = await bench.inspect("shipping", awaited(parcel, Verb.PROVISION))
    assert (done.kind, list(done.milestones)) == (OutcomeKind.DONE, ["weighed", "handed-over"])
    assert on_the_way.milestones.items() <= done.milestones.items()


async def test_an_inspection_without_an_awaited_call_tells_what_is_held(bench: Bench) -> None:
    assert await bench.inspect("shipping", call()) == LOST
    await bench.provision("shipping", call(to="site-1"))
    assert await bench.inspect("shipping", call()) == ACKNOWLEDGED
    await complete(bench)
    assert await bench.inspect("shipping", call()) == Outcome(OutcomeKind.DONE, {"to": "site-1"})


async def test_a_silo_that_knows_neither_the_order_nor_the_service_has_lost_it(bench: Bench) -> None:
    for verb in (Verb.PROVISION, Verb.AMEND, Verb.COMPENSATE):
        assert await bench.inspect("shipping", call(awaited=verb)) == LOST


async def test_a_silo_that_has_cleared_the_order_away_is_judged_by_what_it_holds(bench: Bench) -> None:
    await bench.provision("shipping", call(0, to="site-1"))
    assert await bench.inspect("shipping", call(7, awaited=Verb.PROVISION, to="site-1")) == ACKNOWLEDGED
    await complete(bench)
    for verb in (Verb.PROVISION, Verb.AMEND):
        outcome = await bench.inspect("shipping", call(7, awaited=verb, to="site-1"))
        assert outcome == Outcome(OutcomeKind.DONE, {"to": "site-1"})
    for question in (call(7, awaited=Verb.AMEND, to="site-2"), call(7, awaited=Verb.COMPENSATE)):
        outcome = await bench.inspect("shipping", question)
        assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, "unknown_service_order")


async def test_of_all_orders_that_a_silo_answers_only_the_awaited_one_counts(bench: Bench) -> None:
    orders = [Answer(external_id=f"{THING}/{n}", state=state) for n, state in enumerate(("failed", "inProgress"))]
    body = f"[{','.join(order.model_dump_json(by_alias=True) for order in orders)}]"
    bench.client = httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, text=body)))
    assert await bench.inspect("shipping", call(1, awaited=Verb.AMEND)) == ACKNOWLEDGED


class Answer(SiloBody):
    """What a silo answers to a service order, with a state of any name."""

    external_id: str = f"{THING}/0"
    state: str
    service_order_item: tuple[dict[str, object], ...] = ({"action": "add", "service": {"id": THING}},)


@pytest.mark.parametrize("state", ["acknowledged", "pending", "held", "inProgress", "pendingCancellation"])
def test_a_service_order_that_has_not_ended_is_acknowledged(state: str) -> None:
    answer = Answer(state=state).model_dump_json(by_alias=True).encode()
    assert understood(ServiceOrder, answer).outcome == ACKNOWLEDGED


def test_a_milestone_counts_when_its_status_says_completed_or_nothing_and_its_instant_is_told_in_utc() -> None:
    given = [
        {"name": "picked", "milestoneDate": "2026-03-01T13:00:00+01:00", "status": "Completed"},
        {"name": "packed"},
        {"name": "weighed", "milestoneDate": "0001-01-01T00:00:00+01:00"},
        {"name": "sealed", "milestoneDate": "9999-12-31T23:59:59.9999999-05:00"},
        {"name": "handed-over", "status": "Yet-To-Reach", "milestoneDate": "2026-03-02T12:00:00Z"},
        {"name": "insured", "status": "Violated"},
    ]
    answer = {**Answer(state="inProgress").model_dump(by_alias=True), "milestone": given}
    outcome = understood(ServiceOrder, json.dumps(answer).encode()).outcome
    assert outcome.milestones == {"picked": "2026-03-01T12:00:00.000Z", "packed": "", "weighed": "", "sealed": ""}


@pytest.mark.parametrize("state", ["failed", "rejected", "cancelled", "partial"])
def test_a_service_order_that_ended_otherwise_than_completed_is_refused_with_its_state(state: str) -> None:
    answer = Answer(state=state).model_dump_json(by_alias=True).encode()
    outcome = understood(ServiceOrder, answer).outcome
    assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, state)


def test_a_service_order_in_a_state_that_nobody_knows_is_no_usable_answer() -> None:
    with pytest.raises(SiloUnavailable, match="state"):
        understood(ServiceOrder, Answer(state="pondering").model_dump_json(by_alias=True).encode())
