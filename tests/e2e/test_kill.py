"""Processes that die by SIGKILL while orders run: when they are back, every order is carried through, once."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from orders.model import wire_names
from tests.e2e.comparison import flaws
from tests.e2e.running import StackPipe
from tests.given.installed import change, household, move
from tests.running.pipe import body_of, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

COUNT = 30


async def test_orders_complete_though_worker_server_and_silos_are_killed_while_they_run(pipe: StackPipe) -> None:
    orders = await pipe.submit_all([body_of("triple-play") for _ in range(COUNT)])
    await pipe.until_calls("resource-inventory", "provision", COUNT // 2)
    await pipe.kill("worker")
    await pipe.start("worker")

    await pipe.until_calls("field-service", "provision.done", COUNT // 3)
    await pipe.kill("temporal")
    await pipe.start("temporal")

    await pipe.until_calls("voice", "provision", COUNT // 3)
    await pipe.kill("silos")
    await pipe.start("silos")

    assert await pipe.states(orders) == {"completed"}
    assert await flaws(pipe, orders) == []


async def test_calls_made_together_are_made_again_under_their_keys_where_their_worker_is_killed(
    pipe: StackPipe,
) -> None:
    await pipe.sim("PUT", "/access-network/faults", {"latency_ms": 1500})
    order_id = await pipe.submit(body_of("business-vpn"))

    async def under_way() -> bool:
        entries = await pipe.sim("GET", f"/journal?order={order_id}")
        return any(entry["silo"] == "access-network" for entry in entries)

    await until(under_way, "a call to reach the silo, with others beside it")
    await pipe.kill("worker")
    await pipe.sim("DELETE", "/access-network/faults")
    await pipe.start("worker")

    assert await pipe.states([order_id]) == {"completed"}
    assert await pipe.applied_twice(order_id) == []
    assert await flaws(pipe, [order_id]) == []


async def test_a_silo_is_let_go_though_the_server_has_lost_track_of_what_was_set_of_its_queue(pipe: StackPipe) -> None:
    """As where who sets it is killed in the middle: its store has taken it, and the server does not know."""
    for _ in range(3):  # Of a queue that it has just come to know, the server has its store in mind for some seconds.
        await paused(pipe, True)
        with closing(sqlite3.connect(pipe.settings.data_dir / "temporal.db", timeout=10)) as store, store:
            queue = "UPDATE task_queue_user_data SET version = version + 1 WHERE task_queue_name = ?"
            assert store.execute(queue, [wire_names.silo_queue("tv")]).rowcount == 1
        order_id = await pipe.submit(body_of("triple-play"))
        await paused(pipe, False)
        assert await pipe.states([order_id]) == {"completed"}


async def paused(pipe: StackPipe, whether: bool) -> None:
    """Pause a silo, or let it go, and wait until that is in force."""
    wanted = {"paused": whether, "reason": "a test"}

    async def in_force() -> bool:
        answer = await pipe.http.patch(f"{pipe.settings.api_address}/care/v1/silos/tv", json=wanted)
        return answer.status_code == 200

    await until(in_force, f"the silo to be paused: {whether}", seconds=60)


async def until_asked(pipe: StackPipe, waits: str) -> None:
    """Wait until an order has asked in vain whether it has its turn."""

    async def asked() -> bool:
        capture, ended = 0, False
        async for event in pipe.handle(waits).fetch_history_events():
            if event.activity_task_scheduled_event_attributes.activity_type.name == wire_names.CAPTURE_ORDER:
                capture = event.event_id
            ended |= 0 < capture == event.activity_task_completed_event_attributes.scheduled_event_id
        return ended

    await until(asked, f"{waits} to ask for its turn")


async def test_an_order_that_waits_for_products_outlives_the_worker_and_has_its_turn(pipe: StackPipe) -> None:
    home = await household(pipe)
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    moved = await home.ordered(move(home.product("net"), "1"))
    await pipe.until_task(moved, "installation/visit-site", "awaiting")
    body = {**home.body(change(home.product("net"), down_mbps=400)), "waitForProducts": True}
    waits = await pipe.submit(body)
    await until_asked(pipe, waits)
    assert (await pipe.view(waits)).state == "pending"

    await pipe.kill("worker")
    await pipe.sim("POST", "/field-service/complete", {"match": moved, "outcome": "completed"})
    await pipe.start("worker")

    await home.ends(moved, "completed")
    assert await home.ends(waits, "completed") == [
        "access-network.amend net.1/fibre-internet/activate-line/0/2",
        "billing.amend net.1/fibre-internet/start-billing/0/1",
    ]
