"""Orders that take days and weeks, on a server that skips time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from tests.households import item, order
from tests.pipe import Pipe, running_pipe, until
from tests.support import time_skipping_server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def skipping_pipe(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pipe]:
    """A pipe whose Temporal server skips time whenever nothing but a timer is waited for."""
    async with (
        time_skipping_server() as temporal,
        running_pipe(temporal.client, tmp_path_factory.mktemp("skipping")) as pipe,
    ):
        await pipe.sim("PUT", "/*/pace", {"completes_after_ms": 0})
        yield pipe


async def test_a_future_dated_order_starts_on_its_day_and_can_be_amended_before(skipping_pipe: Pipe) -> None:
    pipe = skipping_pipe
    start = datetime.now(UTC) + timedelta(days=30)
    order_id = await pipe.submit(order(item("net", "fibre-100"), requestedStartDate=start.isoformat()))
    outcome = await pipe.outcome(order_id)
    assert outcome.state == "completed"
    assert outcome.completed_at >= start


async def test_a_visit_weeks_away_is_found_done_by_polling_when_its_callback_is_lost(skipping_pipe: Pipe) -> None:
    pipe = skipping_pipe
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    await pipe.sim("PUT", "/field-service/faults", {"drop_callback_rate": 1.0})
    order_id = await pipe.submit(order(item("net", "fibre-100")))

    async def polled_for_weeks() -> bool:
        journal = await pipe.sim("GET", "/field-service/journal")
        return sum(entry["verb"] == "poll" and order_id in entry["key"] for entry in journal) >= 26

    await until(polled_for_weeks, "weeks of polling")
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    assert (await pipe.outcome(order_id)).state == "completed"
    await pipe.sim("DELETE", "/field-service/faults")


async def test_a_visit_made_while_the_order_is_on_hold_is_found_by_polling_and_nothing_begins(
    skipping_pipe: Pipe,
) -> None:
    pipe = skipping_pipe
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    await pipe.sim("PUT", "/field-service/faults", {"drop_callback_rate": 1.0})
    order_id = await pipe.submit(order(item("net", "fibre-100")))
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    await pipe.change(order_id, kind="hold")
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    await pipe.until_task(order_id, "installation/visit-site", "done")
    assert (await pipe.view(order_id)).state == "held"
    assert (await pipe.tasks(order_id))["fibre-internet/activate-line"] == "pending"
    await pipe.change(order_id, kind="release")
    assert (await pipe.outcome(order_id)).state == "completed"
    await pipe.sim("DELETE", "/field-service/faults")
