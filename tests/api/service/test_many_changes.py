"""Two hundred changes to one order at once: each gets one verdict, and the revisions make one line."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from typing import Any

from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, until

FINAL = {"accepted", "rejected"}


async def test_two_hundred_changes_at_once_get_one_verdict_each_and_make_one_line_of_revisions(pipe: Pipe) -> None:
    order_id = await pipe.submit({**internet_voice_tv(), "requestedStartDate": "2031-01-01T00:00:00Z"})
    address = f"{pipe.settings.api_address}/care/v1/orders/{order_id}/changes"
    wanted = [_rate(f"rate-{n}", 51 + n) for n in range(100)]
    stale = [_rate(f"stale-{n}", 500, expectedRevision=1000 + n) for n in range(50)]
    requests = [*wanted, *stale, *wanted[:50]]
    random.Random(7).shuffle(requests)

    answers = await asyncio.gather(*(pipe.http.post(address, json=request) for request in requests))
    assert {answer.status_code for answer in answers} <= {200, 202}

    ids = {request["requestId"] for request in requests}
    log: list[dict[str, Any]] = []

    async def all_decided() -> bool:
        nonlocal log
        log = (await pipe.http.get(address)).json()["changes"]
        return {entry["requestId"] for entry in log} == ids and {entry["state"] for entry in log} <= FINAL

    await until(all_decided, "two hundred requests to be decided")
    assert len(log) == len(ids) == 150
    by_id = {entry["requestId"]: entry for entry in log}
    for request, answer in zip(requests, answers, strict=True):
        if answer.status_code == 200:
            assert answer.json() == by_id[request["requestId"]]
    assert [entry["revision"] for entry in log if entry["state"] == "accepted"] == list(range(2, 102))
    for before, entry in pairwise(log):
        assert entry["revision"] == before["revision"] + (entry["state"] == "accepted")
    assert {request_id for request_id, entry in by_id.items() if entry["state"] == "rejected"} == {
        request["requestId"] for request in stale
    }
    assert {reason["code"] for entry in log for reason in entry["reasons"]} == {"stale_revision"}

    late = [request for request, answer in zip(requests, answers, strict=True) if answer.status_code == 202]
    for request in (late or requests)[:5]:
        again = await pipe.http.post(address, json=request)
        assert (again.status_code, again.json()) == (200, by_id[request["requestId"]])
    last = [entry for entry in log if entry["state"] == "accepted"][-1]
    view = await pipe.view(order_id)
    assert view.items[0].characteristics["down_mbps"] == 51 + int(last["requestId"].removeprefix("rate-"))
    await pipe.http.post(address, json={"kind": "cancel"})


def _rate(request_id: str, down_mbps: int, **fields: Any) -> dict[str, Any]:
    update = {"id": "net", "characteristics": {"down_mbps": down_mbps}}
    return {"requestId": request_id, "kind": "amend", "update": [update], **fields}
