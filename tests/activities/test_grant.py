"""A silo's grant, shared among workers and counted in calls."""

from __future__ import annotations

import asyncio

import pytest

from activities.calling.grant import Grant
from orders.model.catalog import Catalog, Silo


@pytest.fixture
def silo(catalog: Catalog) -> Silo:
    return catalog.silos["voice"].model_copy(update={"concurrency": 4, "rate_per_second": 1000.0})


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_workers_share_what_is_granted(silo: Silo) -> None:
    grant = Grant(silo)
    shares: list[int] = []
    for workers in (1, 2, 3, 9):
        grant.share_with(workers)
        shares.append(grant.permits)
    assert shares == [4, 2, 1, 1]


async def test_the_first_call_of_an_activity_has_the_permit_of_its_slot(silo: Silo) -> None:
    grant = Grant(silo)
    for _ in range(4):
        await grant.slot()
    grant.brought()
    await asyncio.wait_for(grant.begin(first=True), 1)
    second = asyncio.create_task(grant.begin(first=False))
    await turns()
    assert not second.done()
    grant.end()
    await asyncio.wait_for(second, 1)


async def test_calls_that_wait_go_before_slots(silo: Silo) -> None:
    grant = Grant(silo)
    for _ in range(4):
        await grant.begin(first=False)
    slot = asyncio.create_task(grant.slot())
    await turns()
    call = asyncio.create_task(grant.begin(first=False))
    await turns()
    grant.end()
    await asyncio.wait_for(call, 1)
    assert not slot.done()
    grant.end()
    await asyncio.wait_for(slot, 1)


async def test_whoever_gives_up_waiting_keeps_nothing(silo: Silo) -> None:
    grant = Grant(silo)
    for _ in range(4):
        await grant.begin(first=False)
    waiting = [asyncio.create_task(grant.begin(first=False)) for _ in range(3)]
    await turns()
    waiting[0].cancel()
    grant.end()
    waiting[1].cancel()  # It has just been let in, and does not know yet.
    await asyncio.wait_for(waiting[2], 1)
    assert [task.cancelled() for task in waiting[:2]] == [True, True]


async def test_an_activity_without_a_call_to_begin_gives_its_permit_back(silo: Silo) -> None:
    grant = Grant(silo)
    for _ in range(4):
        await grant.slot()
    grant.brought()
    grant.begin_none()
    await asyncio.wait_for(grant.slot(), 1)


async def test_more_workers_make_room_for_less_at_once(silo: Silo) -> None:
    grant = Grant(silo)
    for _ in range(4):
        await grant.begin(first=False)
    grant.share_with(2)
    waiting = asyncio.create_task(grant.begin(first=False))
    for _ in range(2):
        grant.end()
        await turns()
        assert not waiting.done()
    grant.end()
    await asyncio.wait_for(waiting, 1)


async def test_first_calls_come_at_temporals_pace_and_the_others_leave_them_room(silo: Silo) -> None:
    grant = Grant(silo.model_copy(update={"rate_per_second": 20.0}))
    loop = asyncio.get_running_loop()
    for _ in range(3):
        await grant.slot()
        grant.brought()
    begun = loop.time()
    for _ in range(3):
        await grant.begin(first=True)
    assert loop.time() - begun < 0.05
    await grant.begin(first=False)
    assert loop.time() - begun >= 3 / 20 - 0.01


async def test_a_worker_that_stands_aside_takes_no_more_activities_and_ends_those_it_has(silo: Silo) -> None:
    grant = Grant(silo)
    await grant.slot()
    grant.brought()
    grant.stand_aside(True)
    slot = asyncio.create_task(grant.slot())
    await asyncio.wait_for(grant.begin(first=True), 1)
    await asyncio.wait_for(grant.begin(first=False), 1)
    grant.end()
    await turns()
    assert not slot.done()
    grant.stand_aside(False)
    await asyncio.wait_for(slot, 1)


async def test_a_throttle_holds_for_the_further_calls_of_an_activity_too(silo: Silo) -> None:
    grant = Grant(silo)
    grant.limit_to(20.0)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for _ in range(3):
        await grant.begin(first=False)
    assert loop.time() - begun >= 2 / 20 - 0.01
    for lifted in (None, 0.0, 5000.0):
        grant.limit_to(lifted)
        assert grant.rate == 1000.0
