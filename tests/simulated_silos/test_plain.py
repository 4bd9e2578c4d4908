"""Silos that speak plain JSON."""

from __future__ import annotations

import pytest
from httpx2 import AsyncClient

KEYED = {"Order-Id": "O1"}


async def test_plain_json_makes_changes_and_removes_a_thing(client: AsyncClient) -> None:
    thing, body = "/homes/things/house/i1%2Fhouse%2F0", {"reference": "i1/house/0", "settings": {"sensors": 3}}
    made = await client.post("/homes/things/house", json=body, headers={**KEYED, "Idempotency-Key": "i1/house/0/0"})
    assert (made.status_code, made.json()["state"], made.json()["settings"]) == (200, "active", {"sensors": 3})
    changed = await client.put(
        thing, json={"settings": {"sensors": 4}}, headers={**KEYED, "Idempotency-Key": "i1/house/0/1"}
    )
    assert changed.json()["settings"] == {"sensors": 4}
    assert (await client.get(thing)).json()["settings"] == {"sensors": 4}
    gone = await client.delete(thing, headers={**KEYED, "Idempotency-Key": "i1/house/0/2"})
    assert (gone.status_code, gone.json()) == (200, {"state": "none"})
    assert ((await client.get(thing)).status_code, (await client.get(thing)).json()) == (404, {"state": "none"})


async def test_work_that_is_to_be_reported_is_a_job(client: AsyncClient) -> None:
    await client.put("/_sim/homes/pace", json={"completes_after_ms": None})
    body = {"reference": "i1/house/0", "settings": {}}
    made = await client.post(
        "/homes/things/house",
        json=body,
        params={"reply_to": "http://127.0.0.1:9/x"},
        headers={**KEYED, "Idempotency-Key": "i1/house/0/0"},
    )
    assert (made.status_code, made.json()["state"], made.json()["job"]) == (202, "working", "i1/house/0/0")
    assert (await client.get("/homes/jobs/i1%2Fhouse%2F0%2F0")).json()["state"] == "working"
    await client.post("/_sim/homes/complete", json={})
    job = (await client.get("/homes/jobs/i1%2Fhouse%2F0%2F0")).json()
    assert (job["state"], job["for"], job["reference"]) == ("done", "O1", "i1/house/0")
    assert (await client.get("/homes/jobs/none")).status_code == 404


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"settings": 1}', b'{"reference": 1}', b'{"reference": "x"}'])
async def test_what_is_no_thing_is_refused(client: AsyncClient, content: bytes) -> None:
    made = await client.post("/homes/things/house", content=content, headers={**KEYED, "Idempotency-Key": "x/0/0"})
    assert (made.status_code, made.json()["state"], made.json()["error"]["code"]) == (400, "refused", "malformed")
