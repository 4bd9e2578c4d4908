"""Work beside the event loop: in a process where it is large, bounded in time and in number."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from api.blocking import BILL, Bill
from api.errors import Busy, Malformed, TooMuchWork, problem
from api.working import SMALL, Workshop
from orders.model.order import Reason, Rejection

LARGE = SMALL + 1


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def workshop() -> AsyncIterator[Workshop]:
    made = Workshop(1, waiting=1, deadline_s=30)
    yield made
    made.close()


def busy_for(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def refuse() -> None:
    raise Rejection([Reason(code="no", message="not at all", item="1")])


def malformed() -> None:
    raise Malformed([problem("productOrderItem", "is missing")])


def fail_unspeakably() -> None:
    class Local(Exception):
        pass

    raise Local


async def test_what_is_large_is_done_in_another_process_and_what_is_small_is_not(workshop: Workshop) -> None:
    assert await workshop.run(SMALL, os.getpid) == os.getpid()
    assert await workshop.run(LARGE, os.getpid) != os.getpid()


async def test_what_it_took_stands_on_the_bill(workshop: Workshop) -> None:
    for size in (SMALL, LARGE):
        bill = Bill()
        BILL.set(bill)
        await workshop.run(size, busy_for, 0.05)
        assert 0 < bill.cpu_s < 5


async def test_errors_arrive_as_they_were_raised(workshop: Workshop) -> None:
    with pytest.raises(Rejection) as caught:
        await workshop.run(LARGE, refuse)
    assert caught.value.reasons == (Reason(code="no", message="not at all", item="1"),)
    with pytest.raises(Malformed) as refused:
        await workshop.run(LARGE, malformed)
    assert (refused.value.reason, refused.value.details) == (
        "The request is malformed",
        (problem("productOrderItem", "is missing"),),
    )
    with pytest.raises(RuntimeError, match="Local"):
        await workshop.run(LARGE, fail_unspeakably)
    assert await workshop.run(LARGE, abs, -1) == 1


async def test_what_takes_too_long_is_given_up_and_the_next_is_done() -> None:
    workshop = Workshop(1, deadline_s=0.2)
    try:
        with pytest.raises(TooMuchWork):
            await workshop.run(LARGE, busy_for, 60)
        assert await workshop.run(LARGE, abs, -1) == 1
    finally:
        workshop.close()


async def test_a_process_that_dies_is_replaced(workshop: Workshop) -> None:
    pid = await workshop.run(LARGE, os.getpid)
    with pytest.raises(Busy):
        await workshop.run(LARGE, os.kill, pid, signal.SIGKILL)
    assert await workshop.run(LARGE, os.getpid) != pid


async def test_no_more_is_taken_in_than_can_wait(workshop: Workshop) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(workshop.run(LARGE, busy_for, 0.1)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await workshop.run(LARGE, abs, -1)
        assert not any(each.done() for each in waiting)
    assert await workshop.run(LARGE, abs, -1) == 1
