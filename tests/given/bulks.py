"""Bulk work for tests: many small orders that a silo refuses, and jobs over them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import closing
from typing import Any
from uuid import uuid4

import httpx2

from register import Register
from tests.given.households import item, order
from tests.given.registers import fallen, told
from tests.running.pipe import Pipe, until

SILO = "mobile-core"
BULK = "/care/v1/bulk"
AT_A_TIME = 20
"""Orders that are submitted at the same time."""


def a_channel() -> str:
    """A channel that no other test orders through."""
    return f"bulk-{uuid4().hex[:8]}"


async def refuse(pipe: Pipe, *orders: str, code: str = "no_profile") -> None:
    """Have the silo refuse everything of some orders, or without any of all."""
    faults = [{"operation": "*", "match": match, "code": code} for match in orders or ("",)]
    await pipe.sim("PUT", f"/{SILO}/faults", {"permanent": faults})


async def fallen_out(pipe: Pipe, count: int, channel: str) -> list[str]:
    """So many orders through a channel, each with a call that the silo refused, as the register knows by now."""
    await refuse(pipe)
    bodies = [order(item("1", "mobile-s", sim_type="esim"), channel=channel) for _ in range(count)]
    submitted: list[str] = []
    for start in range(0, count, AT_A_TIME):
        submitted += await asyncio.gather(*map(pipe.submit, bodies[start : start + AT_A_TIME]))

    async def all_there() -> bool:
        search = {"channel": channel, "silo": SILO, "state": "waiting", "limit": 1}
        answer = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/fallout", params=search)
        return answer.status_code == 200 and answer.json()["total"] == count  # It may be busy for now.

    await until(all_there, f"{count} orders to fall out", seconds=200)
    return submitted


def retry_of(channel: str, **changes: Any) -> dict[str, Any]:
    """A job that has all tried again that the silo refused of a channel's orders."""
    wanted = {"fallout": {"channel": channel, "silo": SILO}, "action": {"kind": "retry"}}
    return {**wanted, "reason": "it is back", "requester": "Ada", "rate": 50, **changes}


async def begin(pipe: Pipe, body: dict[str, Any], **params: Any) -> dict[str, Any]:
    answer = await pipe.http.post(f"{pipe.settings.api_address}{BULK}", json=body, params=params)
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


async def job_of(pipe: Pipe, job_id: str) -> dict[str, Any]:
    answer = await pipe.http.get(f"{pipe.settings.api_address}{BULK}/{job_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def settled(pipe: Pipe, job_id: str) -> dict[str, Any]:
    """A job, once it is known what became of all that it asked."""

    async def known() -> bool:
        return (await job_of(pipe, job_id))["settledAt"] is not None

    await until(known, f"job {job_id} to be settled", seconds=200)
    return await job_of(pipe, job_id)


async def orders_of(pipe: Pipe, job_id: str, **search: Any) -> dict[str, dict[str, Any]]:
    """The orders of a job by id, from all of its pages."""
    found: dict[str, dict[str, Any]] = {}
    offset: int | None = 0
    while offset is not None:
        address = f"{pipe.settings.api_address}{BULK}/{job_id}/orders"
        answer = await pipe.http.get(address, params={"offset": offset, "limit": 7, **search})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found |= {each["orderId"]: each for each in page["orders"]}
        offset = page["nextOffset"]
    return found


def counted(job: dict[str, Any]) -> dict[str, int]:
    """How many orders of a job are where, without those states that none is in."""
    return {state: count for state, count in job["counts"].items() if count}


def without_workflow(address: str, count: int, channel: str) -> list[str]:
    """Orders that only the register knows: whoever asks them is told at once that it cannot be done."""
    named = [f"O-{uuid4().hex[:10]}" for _ in range(count)]
    with closing(Register(address)) as register:
        for order_id in named:
            waits = fallen(f"{order_id}-f1", silo=SILO)
            register.records.record(told(1, waits, order_id=order_id, channel=channel, external_id=order_id))
    return named


async def asked_once(pipe: Pipe, job_id: str, orders: Iterable[str]) -> list[str]:
    """The orders among some whose log has anything but one request of the job."""
    wrong: list[str] = []
    for order_id in orders:
        answer = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{order_id}/changes")
        asked = [each["requestId"] for each in answer.json()["changes"] if each["requestId"].startswith(f"{job_id}.")]
        if asked != [f"{job_id}.{order_id}"]:
            wrong.append(order_id)
    return wrong


async def post(http: httpx2.AsyncClient, address: str, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return await http.post(address, json=body, headers=headers)
