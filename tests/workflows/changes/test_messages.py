"""A cancellation by every door, at every moment: it is decided and carried out, and nothing is left behind or hangs."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing

import pytest

from orders.model import wire_names
from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, until

Door = Callable[[Pipe, str], Awaitable[None]]


async def by_native_cancel(pipe: Pipe, order: str) -> None:
    """The Web UI's cancel button."""
    await pipe.handle(order).cancel()


async def by_signal(pipe: Pipe, order: str) -> None:
    """A signal from the Web UI, the CLI or any client."""
    await pipe.handle(order).signal(wire_names.CHANGE_SIGNAL, {"request_id": "by-signal", "kind": "cancel"})


async def by_update(pipe: Pipe, order: str) -> None:
    """The care API."""
    await pipe.change(order, requestId="by-update", kind="cancel", requester="agent-7")


@asynccontextmanager
async def during_a_silo_call(pipe: Pipe) -> AsyncIterator[str]:
    """A port is being reserved."""
    await pipe.sim("PUT", "/resource-inventory/faults", {"latency_ms": 700})
    order = await pipe.submit(internet_voice_tv(equipment="own"))
    await pipe.until_task(order, "fibre-internet/reserve-port", "inProgress")
    yield order


@asynccontextmanager
async def during_a_callback_wait(pipe: Pipe) -> AsyncIterator[str]:
    """The technician's visit is awaited."""
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": None})
    order = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order, "installation/visit-site", "awaiting")
    yield order


@asynccontextmanager
async def during_compensation(pipe: Pipe) -> AsyncIterator[str]:
    """An amendment has removed the voice line, and it is being undone."""
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    order = await pipe.submit(internet_voice_tv(installation="self"))
    await pipe.until_task(order, "voice-line/activate-line", "done")
    await pipe.sim("PUT", "/voice/faults", {"latency_ms": 700})
    await pipe.change(order, requestId="remove-voice", kind="amend", remove=["voice"])
    await pipe.until_task(order, "voice-line/activate-line", "compensating")
    yield order


@asynccontextmanager
async def during_the_closing_write(pipe: Pipe) -> AsyncIterator[str]:
    """All is provisioned, and the register does not take the record yet."""
    path = pipe.settings.register_address.removeprefix("sqlite:///")
    await pipe.sim("PUT", "/voice/faults", {"outage": True})
    order = await pipe.submit(internet_voice_tv(installation="self", equipment="own"))
    with closing(sqlite3.connect(path, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        await pipe.sim("DELETE", "/voice/faults")

        async def closing_write_begun() -> bool:
            description = await pipe.client.workflow_service.describe_workflow_execution(pipe.describe(order))
            return any(activity.activity_id.startswith("record/") for activity in description.pending_activities)

        await until(closing_write_begun, "the closing write")
        yield order
        lock.execute("ROLLBACK")


@pytest.mark.parametrize("door", [by_native_cancel, by_signal, by_update])
@pytest.mark.parametrize("moment", [during_a_silo_call, during_a_callback_wait, during_compensation])
async def test_a_cancellation_is_carried_out_whenever_and_however_it_comes(
    pipe: Pipe, moment: Callable[[Pipe], AbstractAsyncContextManager[str]], door: Door
) -> None:
    async with moment(pipe) as order:
        await door(pipe, order)
    outcome = await pipe.outcome(order)
    assert outcome.state == "cancelled"
    assert await pipe.held(order) == []
    view = await pipe.view(order)
    assert [verdict.state for verdict in view.changes if verdict.kind == "cancel"] == ["applied"]
    assert {item.state for item in view.items} == {"cancelled"}


@pytest.mark.parametrize("door", [by_native_cancel, by_signal, by_update])
async def test_a_cancellation_that_comes_while_the_end_is_written_down_is_refused_by_the_end(
    pipe: Pipe, door: Door
) -> None:
    async with during_the_closing_write(pipe) as order:
        await door(pipe, order)
    assert (await pipe.outcome(order)).state == "completed"
    view = await pipe.view(order)
    [verdict] = view.changes
    assert (verdict.kind, verdict.state) == ("cancel", "rejected")
    assert [reason.code for reason in verdict.reasons] == ["order_completed"]
    assert {item.state for item in view.items} == {"completed"}
