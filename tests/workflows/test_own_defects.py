"""A defect of ours on one message rejects that message: the order stays as it was, goes on, and can be cancelled."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from temporalio.worker import Replayer

from orders.fulfilment import order_in_flight
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model import wire_names
from orders.read_model.journal import Journal
from orders.reconcile.reconciler import Reconciler
from tests.cases import Case, submitted
from tests.given.households import internet_voice_tv, phone_number
from tests.running.pipe import Pipe, until
from workflows import display
from workflows.display import PROBLEM
from workflows.order import OrderWorkflow
from workflows.sdk.connection import data_converter, sandbox

VISIT = "@site-1/installation/visit-site"


@pytest.fixture
async def case(pipe: Pipe) -> Case:
    """An order for which a technician is awaited."""
    case = await submitted(pipe, internet_voice_tv(phone_number(), equipment="own"), "field-service")
    await case.settles_but(VISIT)
    return case


def broken(*_: object, **__: object) -> Any:
    """What a defect does. Nobody is to read its text."""
    raise OverflowError("date value out of range: of secret-customer")


async def replays(case: Case) -> None:
    """See that the order's history is understood."""
    replayer = Replayer(workflows=[OrderWorkflow], data_converter=data_converter(), workflow_runner=sandbox())
    await replayer.replay_workflow(await case.pipe.handle(case.order).fetch_history())


async def problem(case: Case) -> str | None:
    """What Temporal's list says is in the way of an order."""
    return (await case.pipe.handle(case.order).describe()).typed_search_attributes.get(PROBLEM)


async def goes_on(case: Case) -> None:
    """See that the order can be cancelled, and leaves nothing behind."""
    verdict = await case.change("cancel", "goes-on", acceptFee={"amount": "9.90", "currency": "EUR"})
    assert verdict["state"] in ("accepted", "assessing"), verdict
    assert (await case.pipe.outcome(case.order)).state == "cancelled"
    assert await case.pipe.held(case.order) == []


async def test_a_change_that_is_more_than_we_can_decide_is_rejected_and_logged_without_its_values(
    case: Case, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as defect, caplog.at_level(logging.ERROR):
        defect.setattr(order_in_flight, "promised_at", broken)
        later = await case.change("reschedule", "later", requestedCompletionDate="2031-03-03T08:00:00Z")
    [reason] = later["reasons"]
    assert (later["state"], reason["code"]) == ("rejected", "internal_error")
    [logged] = [record.getMessage() for record in caplog.records if "internal_error" in record.getMessage()]
    assert logged.split()[1].strip(":") in reason["message"]
    assert "OverflowError" in logged
    assert "order_in_flight" in logged
    assert "secret-customer" not in caplog.text
    assert (await case.pipe.view(case.order)).revision == 1
    # Mended since: what was rejected stays that, also when the history is read again.
    await replays(case)
    repeated = await case.change("reschedule", "later", requestedCompletionDate="2031-03-03T08:00:00Z")
    assert repeated["reasons"] == [reason]
    again = await case.change("reschedule", "again", requestedCompletionDate="2031-03-03T08:00:00Z")
    assert again["state"] == "accepted"
    await goes_on(case)
    await replays(case)


@pytest.mark.parametrize("where", [Fulfilment.question, Fulfilment.impact_of_target, Fulfilment.decided])
async def test_a_change_is_answered_wherever_deciding_breaks(
    case: Case, monkeypatch: pytest.MonkeyPatch, where: Callable[..., object]
) -> None:
    times: list[int] = []

    def once(order: Fulfilment, *args: Any, **kwargs: Any) -> object:
        times.append(1)
        return broken() if len(times) == 1 else where(order, *args, **kwargs)

    with monkeypatch.context() as defect:
        defect.setattr(Fulfilment, where.__name__, once)
        verdict = await case.amend({"id": "tv", "offering": "tv-sport"})
    assert (verdict["state"], verdict["reasons"][0]["code"]) == ("rejected", "internal_error")
    await goes_on(case)
    await replays(case)


async def test_what_is_being_assessed_is_rejected_when_its_end_cannot_be_decided(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    await case.pipe.sim("PUT", "/field-service/faults", {"outage": True})
    fee = {"amount": "9.90", "currency": "EUR"}
    assert (await case.change("cancel", acceptFee=fee))["state"] == "assessing"
    with monkeypatch.context() as defect:
        defect.setattr(Fulfilment, "cancel", broken)
        await case.pipe.sim("DELETE", "/field-service/faults")

        async def rejected() -> bool:
            [change, *_] = (await case.pipe.view(case.order)).changes
            return change.state == "rejected"

        await until(rejected, "the cancellation to be rejected")
    [change] = (await case.pipe.view(case.order)).changes
    assert [reason.code for reason in change.reasons] == ["internal_error"]
    # What was let go for it comes back.
    await case.pipe.until_task(case.order, "installation/visit-site", "awaiting")
    await goes_on(case)
    await replays(case)


async def test_a_call_whose_outcome_cannot_be_recorded_waits_for_a_person(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Reconciler.record

    def defective(reconciler: Reconciler, step: Any, outcome: Any, at: str) -> None:
        record(reconciler, step, outcome, at)
        if step.task.endswith("activate-tv") and outcome.kind == "done":
            broken()

    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    with monkeypatch.context() as defect:
        defect.setattr(Reconciler, "record", defective)
        case = Case(pipe, await pipe.submit(internet_voice_tv(phone_number(), equipment="own")))
        await pipe.until_task(case.order, "installation/visit-site", "awaiting")
        await case.complete("field-service")
        await pipe.until_task(case.order, "tv/activate-tv", "fallout")
    view = await pipe.view(case.order)
    assert [fallout.code for fallout in view.fallout] == ["internal_error"]
    assert await problem(case) == "internal_error"
    await replays(case)
    verdict = await case.change("retry", task=view.fallout[0].task)
    assert verdict["state"] == "accepted"
    assert (await pipe.outcome(case.order)).state == "completed"
    assert await pipe.applied_twice(case.order) == []
    assert await problem(case) is None
    await replays(case)


async def test_a_report_that_cannot_be_recorded_is_asked_for_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = case.pipe
    with monkeypatch.context() as defect:
        defect.setattr(Reconciler, "answer", broken)
        await case.complete("field-service")

        async def seen() -> bool:
            return bool((await pipe.view(case.order)).problems)

        await until(seen, "the problem to be seen")
    address = f"{pipe.settings.api_address}/care/v1/orders/{case.order}"
    [told] = (await pipe.http.get(address)).json()["problems"]
    assert told["code"] == "internal_error"
    await pipe.until_task(case.order, "installation/visit-site", "awaiting")
    assert (await pipe.outcome(case.order)).state == "completed"
    await replays(case)


@pytest.mark.parametrize(("module", "name"), [(Journal, "moved"), (Journal, "foreseen"), (display, "details")])
async def test_an_order_that_cannot_tell_how_it_stands_goes_on_and_tells_it_later(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    with monkeypatch.context() as defect:
        defect.setattr(module, name, broken)
        case = Case(pipe, await pipe.submit(internet_voice_tv(phone_number(), equipment="own")))

        async def there() -> bool:
            return (await case.tasks()).get(VISIT) == "awaiting"

        await until(there, "the visit to be awaited")
        await case.complete("field-service")
    assert (await pipe.outcome(case.order)).state == "completed"
    address = f"{pipe.settings.api_address}/care/v1/orders/{case.order}/history"
    moves = (await pipe.http.get(address)).json()["transitions"]
    assert [move["after"] for move in moves if move["item"] is None][-1] == "completed"
    await replays(case)


async def test_what_is_asked_by_signal_is_rejected_too(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as defect:
        defect.setattr(Fulfilment, "hold", broken)
        await case.pipe.handle(case.order).signal(wire_names.CHANGE_SIGNAL, {"request_id": "s", "kind": "hold"})

        async def decided() -> bool:
            return bool((await case.pipe.view(case.order)).changes)

        await until(decided, "the change to be decided")
    [change] = (await case.pipe.view(case.order)).changes
    assert (change.state, change.reasons[0].code) == ("rejected", "internal_error")
    await goes_on(case)
