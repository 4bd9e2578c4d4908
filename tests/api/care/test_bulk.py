"""Bulk work in the care API: previewed, frozen, asked at a rate, stopped, and told by what became of it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from api.access.principal import Scope
from orders.model import wire_names
from tests.api.conftest import Door, ShutDoor
from tests.given.bulks import (
    BULK,
    SILO,
    a_channel,
    asked_once,
    begin,
    counted,
    fallen_out,
    job_of,
    orders_of,
    post,
    refuse,
    retry_of,
    settled,
    without_workflow,
)
from tests.given.households import internet_voice_tv, item, order
from tests.running.pipe import Pipe, until


async def test_what_a_silo_refused_is_tried_again_of_all_orders_and_told_of_each(pipe: Pipe) -> None:
    channel = a_channel()
    orders = await fallen_out(pipe, 9, channel)
    again = sorted(orders[:3])
    preview = await begin(pipe, retry_of(channel), dryRun=True)
    assert (preview["total"], sorted(each["orderId"] for each in preview["sample"])) == (9, sorted(orders))
    assert preview["sample"][0]["href"].endswith(f"/care/v1/orders/{preview['sample'][0]['orderId']}")
    assert [(await pipe.view(each)).changes for each in orders] == [()] * 9
    await refuse(pipe, *again, code="still_none")

    job = await begin(pipe, retry_of(channel, digest=preview["digest"]))
    assert (job["total"], job["requester"], job["reason"]) == (9, "Ada", "it is back")
    assert job["sought"] == {"fallout": {"channel": channel, "silo": SILO}}
    assert (job["action"]["kind"], job["action"]["silo"]) == ("retry", SILO)
    done = await settled(pipe, job["id"])
    assert (done["state"], done["accepted"], counted(done)) == ("asked", 9, {"done": 6, "refused": 3})
    refused = await orders_of(pipe, job["id"], state="refused")
    assert (sorted(refused), {each["code"] for each in refused.values()}) == (again, {"still_none"})
    assert set(await orders_of(pipe, job["id"])) == set(orders)
    for order_id in set(orders) - set(again):
        assert (await pipe.outcome(order_id)).state == "completed"
        assert await pipe.applied_twice(order_id) == []
    assert await asked_once(pipe, job["id"], orders) == []
    verdict = (await pipe.http.get(refused[again[0]]["change"])).json()
    assert (verdict["state"], verdict["requester"], verdict["reason"]) == ("accepted", "Ada", "it is back")

    await pipe.sim("DELETE", f"/{SILO}/faults")
    second = await begin(pipe, retry_of(channel))
    assert second["total"] == 3
    assert counted(await settled(pipe, second["id"])) == {"done": 3}
    assert counted(await job_of(pipe, job["id"])) == {"done": 6, "refused": 3}


async def test_a_job_is_about_what_is_grave_enough(pipe: Pipe) -> None:
    channel = a_channel()
    await fallen_out(pipe, 1, channel)
    no_port = {"permanent": [{"operation": "*", "match": "", "code": "no_free_port"}]}
    await pipe.sim("PUT", "/resource-inventory/faults", no_port)
    grave = await pipe.submit(order(item("1", "fibre-100"), channel=channel))
    wanted = {"fallout": {"channel": channel, "severity": ["major"], "silo": "resource-inventory"}}

    async def known() -> bool:
        return (await begin(pipe, retry_of(channel, **wanted), dryRun=True))["total"] == 1

    await until(known, "the grave one to have fallen out")
    preview = await begin(pipe, retry_of(channel, **wanted), dryRun=True)
    assert [each["orderId"] for each in preview["sample"]] == [grave]
    wanted["fallout"]["severity"] = ["minor"]
    assert (await begin(pipe, retry_of(channel, **wanted), dryRun=True))["total"] == 0


async def test_the_web_ui_tells_what_a_job_does(pipe: Pipe) -> None:
    channel = a_channel()
    without_workflow(pipe.settings.register_address, 1, channel)
    job = await begin(pipe, retry_of(channel))
    await settled(pipe, job["id"])
    handle = pipe.client.get_workflow_handle(wire_names.bulk_workflow_id(job["id"]))
    await handle.result()
    described = await handle.describe()
    assert await described.static_summary() == f"retry what {SILO} has refused: 1 orders"
    assert job["webUi"].endswith(f"/workflows/bulk-{job['id']}")
    told = (await job_of(pipe, job["id"]))["told"]
    assert told == [
        f"retry what {SILO} has refused: 1 orders, for Ada",
        "it is back",
        "All were asked.",
        "- 1 rejected",
    ]


async def test_the_set_is_frozen_when_it_begins(pipe: Pipe) -> None:
    channel = a_channel()
    early = without_workflow(pipe.settings.register_address, 3, channel)
    job = await begin(pipe, retry_of(channel, rate=0.1, stopAt={}))
    without_workflow(pipe.settings.register_address, 2, channel)
    assert set(await orders_of(pipe, job["id"])) == set(early)
    assert (await begin(pipe, retry_of(channel), dryRun=True))["total"] == 5
    await post(pipe.http, f"{job['href']}/stop")


async def test_a_preview_that_is_outdated_begins_nothing(pipe: Pipe) -> None:
    channel = a_channel()
    without_workflow(pipe.settings.register_address, 1, channel)
    preview = await begin(pipe, retry_of(channel), dryRun=True)
    without_workflow(pipe.settings.register_address, 1, channel)
    body = retry_of(channel, digest=preview["digest"])
    answer = await pipe.http.post(f"{pipe.settings.api_address}{BULK}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "preview_outdated")


async def test_the_same_request_begins_one_job(pipe: Pipe) -> None:
    channel = a_channel()
    orders = without_workflow(pipe.settings.register_address, 2, channel)
    body = retry_of(channel, requestId=f"again-{channel}")
    first = await begin(pipe, body)
    without_workflow(pipe.settings.register_address, 1, channel)
    again = await begin(pipe, body)
    assert (again["id"], again["total"]) == (first["id"], 2)
    assert counted(await settled(pipe, first["id"])) == {"rejected": 2}
    assert (await begin(pipe, body))["settledAt"] is not None
    assert {each["code"] for each in (await orders_of(pipe, first["id"])).values()} == {"no_workflow"}
    assert set(await orders_of(pipe, first["id"])) == set(orders)
    other = {**body, "reason": "another"}
    answer = await pipe.http.post(f"{pipe.settings.api_address}{BULK}", json=other)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")


async def test_a_job_stops_itself_where_too_many_fail(pipe: Pipe) -> None:
    channel = a_channel()
    without_workflow(pipe.settings.register_address, 40, channel)
    job = await begin(pipe, retry_of(channel, stopAt={"number": 5}))
    stopped = await settled(pipe, job["id"])
    assert (stopped["state"], stopped["stoppedBy"]) == ("stopped", "")
    assert stopped["why"].endswith("orders have failed, and 5 stop it")
    # Those that were asked together with the fifth were asked too.
    assert 5 <= stopped["counts"]["rejected"] < 5 + 8
    assert stopped["counts"]["waiting"] == 40 - stopped["counts"]["rejected"]


async def test_a_retry_of_a_silo_that_still_refuses_stops_itself(pipe: Pipe) -> None:
    channel = a_channel()
    orders = await fallen_out(pipe, 6, channel)
    # At ten seconds an order it has far to go.
    job = await begin(pipe, retry_of(channel, rate=0.1, stopAt={"number": 1}))

    async def first_asked() -> bool:
        return (await job_of(pipe, job["id"]))["accepted"] > 0

    async def stopped() -> bool:
        return (await job_of(pipe, job["id"]))["state"] == "stopped"

    await until(first_asked, "an order to accept")
    await post(pipe.http, f"{job['href']}/pause")
    await until(stopped, "the job to stop itself")
    told = await job_of(pipe, job["id"])
    assert told["counts"]["refused"] > 0
    assert told["counts"]["waiting"] > 0
    await pipe.sim("DELETE", f"/{SILO}/faults")
    for order_id in orders:
        await pipe.change(order_id, kind="cancel", requestId="off")


async def test_a_job_is_paused_resumed_and_stopped_by_request(pipe: Pipe) -> None:
    channel = a_channel()
    without_workflow(pipe.settings.register_address, 30, channel)
    # At ten seconds an order it has far to go.
    job = await begin(pipe, retry_of(channel, rate=0.1, stopAt={}))

    async def first_asked() -> bool:
        return (await job_of(pipe, job["id"]))["counts"]["rejected"] > 0

    await until(first_asked, "an order to be asked")
    paused = (await post(pipe.http, f"{job['href']}/pause", requester="Bob", reason="lunch")).json()
    assert (paused["state"], paused["stoppedBy"], paused["why"]) == ("paused", "Bob", "lunch")
    assert (await post(pipe.http, f"{job['href']}/resume")).json()["state"] == "asking"
    stopped = (await post(pipe.http, f"{job['href']}/stop", requester="Bob", reason="enough")).json()
    assert (stopped["state"], stopped["stoppedBy"], stopped["why"]) == ("stopped", "Bob", "enough")
    left = (await settled(pipe, job["id"]))["counts"]["waiting"]
    assert left > 0
    assert (await post(pipe.http, f"{job['href']}/resume")).json()["state"] == "stopped"
    assert (await job_of(pipe, job["id"]))["counts"]["waiting"] == left
    [listed] = [each for each in (await listed_jobs(pipe)) if each["id"] == job["id"]]
    assert listed["state"] == "stopped"


async def listed_jobs(pipe: Pipe) -> list[dict[str, Any]]:
    return (await pipe.http.get(f"{pipe.settings.api_address}{BULK}")).json()["jobs"]


async def test_a_cancel_from_the_web_ui_stops_it(pipe: Pipe) -> None:
    channel = a_channel()
    without_workflow(pipe.settings.register_address, 30, channel)
    job = await begin(pipe, retry_of(channel, rate=0.1, stopAt={}))
    handle = pipe.client.get_workflow_handle(wire_names.bulk_workflow_id(job["id"]))
    await handle.cancel()
    stopped = await settled(pipe, job["id"])
    assert (stopped["state"], stopped["stoppedBy"]) == ("stopped", "Temporal")
    await handle.result()


async def test_orders_are_held_released_given_priority_rescheduled_and_cancelled(pipe: Pipe) -> None:
    channel = a_channel()
    for silo in ("field-service", "shipping"):  # A parcel that was sent would cost a fee.
        await pipe.sim("PUT", f"/{silo}/pace", {"completes_after_ms": None})
    orders = [await pipe.submit({**internet_voice_tv(), "channel": [{"id": channel}]}) for _ in range(2)]
    for order_id in orders:
        await pipe.until_task(order_id, "installation/visit-site", "awaiting")

    async def listed(state: str) -> bool:
        search = {"channel": channel, "state": state}
        answer = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders", params=search)
        return answer.json()["total"] == 2

    async def begun(kind: str, **more: Any) -> str:
        wanted = {"orders": {"channel": channel}, "action": {"kind": kind, **more}, "reason": "storm"}
        return str((await begin(pipe, wanted))["id"])

    async def asked(kind: str, **more: Any) -> dict[str, int]:
        return counted(await settled(pipe, await begun(kind, **more)))

    await until(lambda: listed("inProgress"), "the register to know the orders")
    assert await asked("hold") == {"done": 2}
    await until(lambda: listed("held"), "the orders to be held")
    assert await asked("release") == {"done": 2}
    assert await asked("changePriority", priority=0) == {"done": 2}
    assert [(await pipe.view(each)).priority for each in orders] == [0, 0]
    later = await begun("reschedule", requestedCompletionDate="2199-01-01T00:00:00Z")

    async def accepted() -> bool:
        return counted(await job_of(pipe, later)) == {"underWay": 2}

    await until(accepted, "the orders to accept another date")
    assert await asked("cancel") == {"done": 2}
    assert counted(await settled(pipe, later)) == {"overtaken": 2}
    assert {str((await pipe.outcome(each)).state) for each in orders} == {"cancelled"}
    assert await asked("hold") == {"rejected": 2}


async def test_nothing_is_begun_over_nothing(door: Door) -> None:
    answer = await post(door.http, BULK, **retry_of(a_channel()))
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_fits")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"reason": ""}, "reason"),
        ({"fallout": None}, "body"),
        ({"orders": {}}, "body"),
        ({"fallout": {"silo": "tv", "limit": 5}}, "fallout.limit"),
        ({"fallout": {}}, "action.silo"),
        ({"action": {"kind": "amend"}}, "action.kind"),
        ({"action": {"kind": "retry", "priority": 1}}, "action.priority"),
        ({"action": {"kind": "hold", "silo": "tv"}}, "action.silo"),
        ({"action": {"kind": "changePriority"}}, "action.priority"),
        ({"action": {"kind": "reschedule"}}, "action"),
        ({"action": {"kind": "reschedule", "requestedStartDate": "soon"}}, "action.requestedStartDate"),
        ({"rate": 51}, "rate"),
        ({"rate": 0}, "rate"),
        ({"stopAt": {"share": 1.5}}, "stopAt.share"),
        ({"when": "now"}, "when"),
    ],
    ids=str,
)
async def test_a_job_that_makes_no_sense_is_malformed(door: Door, changes: dict[str, Any], path: str) -> None:
    answer = await post(door.http, BULK, **{**retry_of("c"), **changes})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert [detail["path"] for detail in answer.json()["details"]] == [path]


@pytest.mark.parametrize("path", ["", "/orders", "/stop", "/pause", "/resume"])
async def test_a_job_that_there_is_not_is_unknown(door: Door, path: str) -> None:
    asked = "POST" if path in ("/stop", "/pause", "/resume") else "GET"
    answer = await door.http.request(asked, f"{BULK}/{uuid4().hex}{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_job")


async def test_bulk_work_is_for_agents_and_operators_who_see_every_order(shut_door: ShutDoor) -> None:
    channel = a_channel()
    without_workflow(shut_door.settings.register_address, 1, channel)
    body = retry_of(channel)
    bound = shut_door.as_(Scope.CARE, customer="C1")
    for headers in (bound, shut_door.as_channel(channel), shut_door.as_silo()):
        assert (await post(shut_door.http, BULK, headers, **body)).status_code == 403
        assert (await shut_door.http.get(BULK, headers=headers)).status_code == 403
    assert (await post(shut_door.http, BULK, **body)).status_code == 401
    agent = shut_door.as_(Scope.CARE, subject="Ada")
    job = (await post(shut_door.http, BULK, agent, **{**body, "requester": "Bob"})).json()
    assert job["requester"] == "Ada (on behalf of Bob)"
    href = f"{BULK}/{job['id']}"
    for path in ("", "/orders"):
        assert (await shut_door.http.get(f"{href}{path}", headers=bound)).status_code == 403
    for verb in ("stop", "pause", "resume"):
        assert (await post(shut_door.http, f"{href}/{verb}", bound)).status_code == 403
    operator = shut_door.as_(Scope.OPERATE, subject="Eve")
    assert (await shut_door.http.get(href, headers=operator)).status_code == 200
