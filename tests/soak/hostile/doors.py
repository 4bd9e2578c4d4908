"""Sending hostile messages to an order in flight, by every door that there is."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from uuid import uuid4

from httpx2 import TransportError
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError, WorkflowUpdateStage
from temporalio.common import RawValue
from temporalio.service import RPCError

from orders.model import wire_names
from tests.running.pipe import LOST, Pipe
from tests.soak.hostile.messages import content
from tests.soak.script import Door, Hostile

_NOBODY_THERE = 503
_TRIES = 60
_PAUSE_S = 0.5
_MERGE_PATCH = "application/merge-patch+json"
_SIGNALS = {
    "signal": wire_names.CHANGE_SIGNAL,
    "silo_events": wire_names.SILO_EVENTS_SIGNAL,
    "turn": wire_names.TURN_SIGNAL,
}


async def send(pipe: Pipe, order: str, step: Hostile) -> str:
    """Send a hostile message. Tells what was wrong with the answer, or nothing. Temporal may refuse what it likes."""
    told = content(step)
    wrong = await send_bytes(pipe, order, step.door, told, encoding=step.encoding, copies=step.copies)
    return f"{step.door}, {step.message}: {wrong}" if wrong else ""


async def send_bytes(pipe: Pipe, order: str, door: Door, told: bytes, *, encoding: str, copies: int) -> str:
    """Send some bytes. Placeholders in them are filled in, an encoding and copies are for Temporal."""
    silo, key = await _awaited(pipe, order)
    for placeholder, value in ((b"{order}", order), (b"{id}", f"hostile-{uuid4().hex[:8]}"), (b"{key}", key)):
        told = told.replace(placeholder, value.encode())
    metadata = {"encoding": encoding.encode()} if encoding else {}
    arguments = [RawValue(Payload(metadata=metadata, data=told)) for _ in range(copies)]
    match door:
        case "signal" | "silo_events" | "turn":
            await _signal(pipe, order, _SIGNALS[door], arguments)
            return ""
        case "update":
            await _update(pipe, order, arguments)
            return ""
        case "care":
            address = f"{pipe.settings.api_address}/care/v1/orders/{order}/changes"
            return await _ask(pipe, "POST", address, told)
        case "callback":
            return await _ask(pipe, "POST", f"{pipe.settings.api_address}/callbacks/{silo}", told, _token(pipe, silo))
        case "patch":
            return await _ask(pipe, "PATCH", pipe.api(f"/productOrder/{order}"), told)


async def _awaited(pipe: Pipe, order: str) -> tuple[str, str]:
    """A silo that is at work on something for the order, and the key of that; else one that is none."""
    answer = await pipe.http.get(f"{pipe.settings.silos_address}/_sim/services", params={"order": order})
    for silo, services in answer.json().items():
        for service in services:
            if service["state"] == "pending":
                return silo, f"{service['id']}/0"
    return "shipping", f"{order}@site-1/parcel/ship/0/0"


async def _signal(pipe: Pipe, order: str, name: str, arguments: list[RawValue]) -> None:
    for _ in range(_TRIES):
        try:
            return await pipe.handle(order).signal(name, args=arguments)
        except RPCError as error:
            if error.status not in LOST:
                return None
            await asyncio.sleep(_PAUSE_S)


async def _update(pipe: Pipe, order: str, arguments: list[RawValue]) -> None:
    # Whoever asks goes away before the answer comes.
    with suppress(WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError, RPCError, TimeoutError):
        async with asyncio.timeout(5):
            await pipe.handle(order).start_update(
                wire_names.CHANGE_UPDATE, args=arguments, wait_for_stage=WorkflowUpdateStage.ACCEPTED
            )


async def _ask(pipe: Pipe, method: str, address: str, told: bytes, token: str | None = None) -> str:
    headers = {"content-type": _MERGE_PATCH if method == "PATCH" else "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    status, text = 0, "no answer"
    for _ in range(_TRIES):
        with suppress(TransportError):
            answer = await pipe.http.request(method, address, content=told, headers=headers)
            status, text = answer.status_code, answer.text
            if status != _NOBODY_THERE:
                break
        await asyncio.sleep(_PAUSE_S)
    return f"{status} {text[:200]}" if status == 0 or status >= 500 else ""


def _token(pipe: Pipe, silo: str) -> str | None:
    """By which a silo reports, where doors are shut."""
    path = pipe.settings.silo_secrets
    return json.loads(path.read_bytes()).get(silo) if path else None
