"""Cancellations as a resource: what is asked for, and what becomes of it."""

from __future__ import annotations

from typing import Any

from orders.change.request import ChangeKind, ChangeRequest
from orders.model import wire_names
from tests.api.tmf.tmf_specs import TMF622, spec_problems
from tests.given.households import internet_voice_tv, item, order
from tests.running.pipe import Pipe
from tests.steps import cancel, held_up, let_go, seen_again


async def listed(pipe: Pipe, query: str) -> list[dict[str, Any]]:
    response = await pipe.http.get(pipe.api(f"/cancelProductOrder?{query}"))
    assert response.status_code in (200, 206), response.text
    return response.json()


async def test_a_cancellation_is_in_progress_while_things_are_taken_back_and_then_done(pipe: Pipe) -> None:
    order_id = await held_up(pipe, internet_voice_tv(installation="self"))
    asked = {"cancellationReason": "moved away", "requestedCancellationDate": "2026-01-01T00:00:00Z", "@type": "X"}
    response = await cancel(pipe, order_id, **asked)
    assert response.status_code == 201
    first = response.json()
    assert first["state"] in ("inProgress", "done")
    assert first.items() >= asked.items()
    assert first["productOrder"] == {"id": order_id, "href": pipe.api(f"/productOrder/{order_id}")}
    await let_go(pipe, order_id)
    done = await seen_again(pipe, first)
    found = (await pipe.http.get(pipe.api(f"/productOrder/{order_id}"))).json()
    assert (done["state"], found["state"], found["cancellationReason"]) == ("done", "cancelled", "moved away")
    assert done["effectiveCancellationDate"] == found["cancellationDate"]
    assert await listed(pipe, f"productOrder.id={order_id}") == [done]
    assert await listed(pipe, f"productOrder.id={order_id}&state=inProgress,terminatedWithError") == []
    assert await listed(pipe, f"id={done['id']}&state=done&fields=state") == [
        {"id": done["id"], "href": done["href"], "state": "done"}
    ]


async def test_a_refused_cancellation_says_why_and_the_order_goes_on(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order_id, "installation/visit-site", "done")
    refused = (await cancel(pipe, order_id)).json()
    assert refused["state"] == "terminatedWithError"
    assert "past_no_return" in {error["code"] for error in refused["errorMessage"]}
    assert "effectiveCancellationDate" not in refused
    await let_go(pipe, order_id)
    assert (await pipe.outcome(order_id)).state == "completed"
    assert (await seen_again(pipe, refused))["state"] == "terminatedWithError"
    assert await listed(pipe, f"productOrder.id={order_id}&state=terminatedWithError") == [
        await seen_again(pipe, refused)
    ]


async def test_a_cancellation_at_a_fee_says_how_much_and_is_had_for_it(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order_id, "delivery/ship-parcel", "done")
    refused = (await cancel(pipe, order_id, fee=[], errorMessage="of a client's own")).json()
    [error] = refused["errorMessage"]
    assert error["code"] == "fee_not_accepted"
    assert "9.90 EUR" in error["reason"]
    [fee] = refused["fee"]
    assert fee == {"unit": "EUR", "value": 9.9}
    accepted = (await cancel(pipe, order_id, acceptFee=fee)).json()
    assert (await pipe.outcome(order_id)).state == "cancelled"
    assert (await seen_again(pipe, accepted))["state"] == "done"


async def test_what_the_care_api_or_a_signal_asked_for_is_a_cancellation_like_any_other(pipe: Pipe) -> None:
    order_id = await held_up(pipe, internet_voice_tv(installation="self"))
    await pipe.until_task(order_id, "delivery/ship-parcel", "awaiting")
    await pipe.change(order_id, requestId="pause", kind="release")
    cancelled = ChangeRequest(request_id="desk 4/1", kind=ChangeKind.CANCEL, reason="moved away")
    await pipe.handle(order_id).signal(wire_names.CHANGE_SIGNAL, cancelled)
    assert (await pipe.outcome(order_id)).state == "cancelled"
    href = pipe.api(f"/cancelProductOrder/{order_id}.desk%204%2F1")
    found = (await pipe.http.get(href)).json()
    assert spec_problems(TMF622, "CancelProductOrder", found) == []
    assert (found["id"], found["href"], found["state"]) == (f"{order_id}.desk 4/1", href, "done")
    assert (found["cancellationReason"], found["productOrder"]["id"]) == ("moved away", order_id)
    assert "effectiveCancellationDate" in found
    assert await listed(pipe, f"productOrder.id={order_id}&state=done") == [found]
    for none in (f"{order_id}.pause", f"{order_id}.never", "web-000000000000.desk", "desk"):
        absent = await pipe.http.get(pipe.api(f"/cancelProductOrder/{none}"))
        assert (absent.status_code, absent.json()["code"]) == (404, "unknown_cancellation"), none


async def test_the_same_key_is_the_same_cancellation(pipe: Pipe) -> None:
    order_id = await held_up(pipe, internet_voice_tv(installation="self"))
    await pipe.until_task(order_id, "delivery/ship-parcel", "awaiting")
    await pipe.sim("PUT", "/crm/faults", {"outage": True})
    first, second = [(await cancel(pipe, order_id, key="k")).json() for _ in range(2)]
    assert (first["id"], first["state"]) == (second["id"], "inProgress")
    another = (await cancel(pipe, order_id)).json()
    assert another["id"] != first["id"]
    assert another["errorMessage"][0]["code"] == "already_cancelled"
    await pipe.sim("DELETE", "/crm/faults")
    assert (await pipe.outcome(order_id)).state == "cancelled"
    again = await cancel(pipe, order_id, key="k")
    assert (again.status_code, again.json()) == (201, await seen_again(pipe, first))
    assert [(await seen_again(pipe, each))["state"] for each in (first, another)] == ["done", "terminatedWithError"]


async def test_an_order_that_has_ended_is_not_cancelled(pipe: Pipe) -> None:
    order_id = await pipe.submit(order(item("sim", "mobile-s")))
    await pipe.outcome(order_id)
    late = await cancel(pipe, order_id)
    assert (late.status_code, late.json()["code"]) == (409, "order_closed")
    assert await listed(pipe, f"productOrder.id={order_id}") == []


async def test_what_is_wrong_with_a_cancellation_is_named(pipe: Pipe) -> None:
    unknown = await cancel(pipe, "web-000000000000")
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_order")
    assert unknown.json()["details"][0]["path"] == "productOrder.id"
    order_id = await held_up(pipe, order(item("sim", "mobile-s", sim_type="physical")))
    later = await cancel(pipe, order_id, requestedCancellationDate="2150-01-01T00:00:00Z")
    assert (later.status_code, later.json()["details"][0]["path"]) == (400, "requestedCancellationDate")
    nothing = await pipe.http.post(pipe.api("/cancelProductOrder"), json={})
    assert (nothing.status_code, nothing.json()["details"][0]["path"]) == (400, "productOrder")
    odd = await pipe.http.get(pipe.api("/cancelProductOrder?cancellationReason=x&sort=id"))
    assert [detail["path"] for detail in odd.json()["details"]] == ["query.cancellationReason", "query.sort"]
    absent = await pipe.http.get(pipe.api("/cancelProductOrder/none"))
    assert (absent.status_code, absent.json()["code"]) == (404, "unknown_cancellation")
    await let_go(pipe, order_id)


async def test_an_order_is_deleted_once_it_is_cancelled_and_not_before(pipe: Pipe) -> None:
    order_id = await held_up(pipe, internet_voice_tv(installation="self"))
    address = pipe.api(f"/productOrder/{order_id}")
    early = await pipe.http.delete(address)
    assert (early.status_code, early.json()["code"]) == (409, "order_not_over")
    await cancel(pipe, order_id)
    await let_go(pipe, order_id)
    assert (await pipe.http.delete(address)).status_code == 204
    assert (await pipe.http.get(address)).status_code == 404
    assert await listed(pipe, f"productOrder.id={order_id}") == []
    completed = await pipe.submit(order(item("sim", "mobile-s")))
    await pipe.outcome(completed)
    late = await pipe.http.delete(pipe.api(f"/productOrder/{completed}"))
    assert (late.status_code, late.json()["code"]) == (409, "order_not_over")
