"""Changes decided on the real engine: fees billed once, silos asked to let go, previews that touch nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from activities import planning
from activities.planning import answer_question
from orders.change.request import ChangeKind, ChangeRequest
from orders.model import wire_names
from tests.cases import submitted
from tests.given.households import internet_voice_tv, phone_number
from tests.running.pipe import Pipe, until

PARCEL = "delivery/ship-parcel"
FEE = {"amount": "9.90", "currency": "EUR"}
STREAM = 100


async def test_a_cancellation_waits_for_the_technician_to_let_go(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": None})
    await pipe.sim("PUT", "/field-service/faults", {"latency_ms": 500})
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    verdict = await pipe.change(order_id, requestId="away", kind="cancel")
    assert verdict["state"] == "assessing"
    assert (await pipe.view(order_id)).state == "assessingCancellation"
    assert (await pipe.outcome(order_id)).state == "cancelled"
    undone = [entry for entry in await pipe.journal(order_id) if ".compensate" in entry]
    assert undone[0] == "field-service.compensate installation/visit-site/0/1"
    assert await pipe.held(order_id) == []


async def test_a_technician_who_does_not_let_go_keeps_the_whole_order(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    refusal = {"operation": "visit", "match": "/0/1", "code": "technician_on_site"}
    await pipe.sim("PUT", "/field-service/faults", {"permanent": [refusal]})
    await pipe.change(order_id, requestId="away", kind="cancel")

    async def rejected() -> bool:
        return [change.state for change in (await pipe.view(order_id)).changes] == ["rejected"]

    await until(rejected, "the cancellation to be rejected")
    assert "technician_on_site" in (await pipe.view(order_id)).changes[0].reasons[0].message
    await pipe.sim("DELETE", "/field-service/faults")
    for silo in ("field-service", "shipping"):
        await pipe.sim("POST", f"/{silo}/complete", {"match": "", "outcome": "completed"})
    assert (await pipe.outcome(order_id)).state == "completed"
    assert not any(".compensate" in entry for entry in await pipe.journal(order_id))


async def test_an_accepted_fee_is_billed_once_and_stays_when_the_order_is_cancelled(pipe: Pipe) -> None:
    refusal = {"operation": "subscription", "match": "activate-tv", "code": "no_coverage"}
    await pipe.sim("PUT", "/tv/faults", {"permanent": [refusal]})
    order_id = await pipe.submit(internet_voice_tv(installation="self"))

    async def held() -> bool:
        return (await pipe.view(order_id)).state == "held"

    await until(held, "the order to be held")
    refused = await pipe.change(order_id, requestId="1", kind="cancel")
    assert [reason["code"] for reason in refused["reasons"]] == ["fee_not_accepted"]
    fee = {"amount": "9.90", "currency": "EUR"}
    accepted = await pipe.change(order_id, requestId="2", kind="cancel", acceptFee=fee)
    assert accepted["state"] == "accepted"
    assert (await pipe.outcome(order_id)).state == "cancelled"
    assert await pipe.held(order_id) == ["charges/bill-fee"]
    bill = (await pipe.services(order_id))["billing"][0]["characteristics"]
    assert (bill["amount"], bill["currency"], bill["change"]) == ("9.90", "EUR", "2")


async def test_a_parcel_is_taken_back_for_nothing_until_the_carrier_has_it_and_at_a_fee_before_it_arrives(
    pipe: Pipe,
) -> None:
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    free, order_id = [await pipe.submit(internet_voice_tv(installation="self")) for _ in range(2)]
    for each in (free, order_id):
        await pipe.until_task(each, PARCEL, "awaiting")
    assert (await pipe.change(free, requestId="1", kind="cancel"))["state"] == "accepted"
    assert (await pipe.outcome(free)).state == "cancelled"
    assert await pipe.held(free) == []

    # Each event comes twice; only the poll would know of one that is lost.
    await pipe.sim("PUT", "/shipping/faults", {"duplicate_callback_rate": 1})
    assert await pipe.sim("POST", "/shipping/milestone", {"match": order_id, "name": "handed-over"}) == {"reached": 1}

    async def costs() -> bool:
        return (await preview(pipe, order_id, kind="cancel"))["fees"] == [FEE]

    await until(costs, "the order to know that the carrier has the parcel")
    assert (await pipe.tasks(order_id))[PARCEL] == "awaiting"
    refused = await pipe.change(order_id, requestId="1", kind="cancel")
    assert [reason["code"] for reason in refused["reasons"]] == ["fee_not_accepted"]
    assert (await pipe.change(order_id, requestId="2", kind="cancel", acceptFee=FEE))["state"] == "accepted"
    assert (await pipe.outcome(order_id)).state == "cancelled"
    assert await pipe.held(order_id) == ["charges/bill-fee"]


async def test_a_preview_adds_no_event_and_makes_no_call(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    before = phone_number()
    order_id = await pipe.submit(internet_voice_tv(before, equipment="own"))
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    await pipe.until_task(order_id, "voice-line/reserve-number", "done")
    await pipe.until_recorded(order_id)
    handle = pipe.handle(order_id)
    events, calls = len((await handle.fetch_history()).events), len(await pipe.journal(order_id))
    cancel = await preview(pipe, order_id, kind="cancel")
    assert (cancel["state"], cancel["fees"]) == ("assessing", [])
    assert [task.rsplit("/", 1)[1] for task in cancel["impact"]["asks"]] == ["visit-site"]
    number = {"id": "voice", "characteristics": {"number": "+4930222222"}}
    amend = await preview(pipe, order_id, kind="amend", update=[number])
    effects = {task["task"].split("/", 1)[1]: task for task in amend["impact"]["tasks"]}
    assert effects["voice-line/reserve-number"]["effect"] == "replaced"
    assert effects["voice-line/reserve-number"]["before"] == {"number": before}
    assert effects["tv/activate-tv"]["effect"] == "kept"
    assert len((await handle.fetch_history()).events) == events
    assert len(await pipe.journal(order_id)) == calls

    applied = await pipe.change(order_id, requestId="do", kind="amend", update=[number], digest=amend["digest"])
    assert applied["state"] == "accepted"
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    assert (await pipe.outcome(order_id)).revision == 2


async def test_a_preview_of_what_can_not_be_says_why(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    told = await preview(pipe, order_id, kind="amend", remove=["net"])
    assert told["state"] == "rejected"
    assert {reason["item"] for reason in told["reasons"]} == {"voice", "tv"}
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    await pipe.outcome(order_id)


async def test_a_change_previewed_before_the_order_completed_is_refused_with_the_offer_of_a_follow_on_order(
    pipe: Pipe,
) -> None:
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order_id, "delivery/ship-parcel", "awaiting")
    pack: dict[str, Any] = {"kind": "amend", "update": [{"id": "tv", "offering": "tv-sport"}]}
    digest = (await preview(pipe, order_id, **pack))["digest"]
    await pipe.sim("POST", "/shipping/complete", {"match": "", "outcome": "completed"})
    await pipe.outcome(order_id)
    order = f"{pipe.settings.api_address}/care/v1/orders/{order_id}"
    late = await pipe.http.post(f"{order}/changes", json={**pack, "digest": digest})
    previewed = await pipe.http.post(dry_run(pipe, order_id), json=pack)
    asked = await pipe.http.get(f"{order}/options")
    for response in (late, previewed, asked):
        assert (response.status_code, response.json()["code"]) == (409, "order_completed")
        assert "follow-on order" in response.json()["message"]
    assert (await pipe.http.get(f"{order}/changes")).json()["changes"] == []
    assert (await pipe.http.get(f"{order}/changes/never-asked")).json()["code"] == "unknown_change"


def dry_run(pipe: Pipe, order_id: str) -> str:
    """The address of previews."""
    return f"{pipe.settings.api_address}/care/v1/orders/{order_id}/changes?dryRun=true"


async def preview(pipe: Pipe, order_id: str, **change: Any) -> dict[str, Any]:
    """What a change would do."""
    response = await pipe.http.post(dry_run(pipe, order_id), json=change)
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_stream_of_changes_does_not_keep_an_order_from_its_work(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each comes in while the one before it is decided, until the silo is asked: there is always one to decide."""
    case = await submitted(pipe, internet_voice_tv(phone_number(), equipment="own"), "field-service")
    await case.settles_but("@site-1/installation/visit-site")
    loop, sent = asyncio.get_running_loop(), count(1)

    async def goes_on(change: int) -> None:
        if change < STREAM and not await case.calls():
            later = ChangeRequest(
                request_id=f"later-{change}",
                kind=ChangeKind.RESCHEDULE,
                channel="care",
                requested_completion=datetime(2031, 3, 3, 8, tzinfo=UTC) + timedelta(minutes=change),
            )
            await pipe.handle(case.order).signal(wire_names.CHANGE_SIGNAL, later)

    def planned(*question: Any) -> Any:
        asyncio.run_coroutine_threadsafe(goes_on(next(sent)), loop).result(30)
        return answer_question(*question)

    monkeypatch.setattr(planning, "answer_question", planned)
    await case.change("reschedule", "later-0", requestedCompletionDate="2031-03-03T08:00:00Z")

    async def moved() -> bool:
        return bool(await case.calls())

    await until(moved, "the visit to be moved")
    assert next(sent) < STREAM
    await case.change("cancel", acceptFee=FEE)
    assert (await pipe.outcome(case.order)).state == "cancelled"
