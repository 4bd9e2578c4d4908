"""Silos that fail, lose answers and lose callbacks: every order settles, and the silos hold what was last asked for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection

import pytest

from tests.e2e.comparison import flaws
from tests.e2e.running import StackPipe
from tests.e2e.stories import Moment, Story, stories

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

AWAITED = ("field-service", "shipping", "trade-in")


async def test_fifty_orders_settle_though_silos_fail_and_lose_answers(pipe: StackPipe) -> None:
    told = list(stories())
    assert len(told) == 50
    await pipe.sim("PUT", "/*/faults", {"lose_response_rate": 0.3, "error_rate": 0.2, "seed": 1})
    orders = await tell(pipe, told)
    verdicts = await decided(pipe, orders)
    assert verdicts["cancel", "applied"] >= 6
    assert verdicts["amend", "applied"] >= 30
    assert await flaws(pipe, orders) == []


async def test_orders_settle_though_callbacks_get_lost_and_doubled(pipe: StackPipe) -> None:
    await pipe.sim("PUT", "/*/faults", {"drop_callback_rate": 0.4, "duplicate_callback_rate": 0.5, "seed": 1})
    orders = await tell(pipe, list(stories())[::5])
    await decided(pipe, orders)
    assert await flaws(pipe, orders) == []


async def tell(pipe: StackPipe, told: Collection[Story]) -> dict[str, Story]:
    """Submit every order and ask for its changes at their moments. The orders, by id."""
    for silo in AWAITED:
        await pipe.sim("PUT", f"/{silo}/pace", {"completes_after_ms": None})
    orders = dict(zip(await asyncio.gather(*(begin(pipe, story) for story in told)), told, strict=True))

    with_tv = sum(story.has_tv for story in told)
    await pipe.until_calls("field-service", "provision", with_tv // 2)
    await ask(pipe, orders, Moment.AWAITING)
    # Nothing of these waits after the visit: on a busy machine they would be completed before they are asked.
    await ask(pipe, {order: story for order, story in orders.items() if not story.has_tv}, Moment.LATE)
    await let_go(pipe, "field-service")

    await pipe.until_calls("tv", "provision", with_tv * 3 // 4)
    await ask(pipe, {order: story for order, story in orders.items() if story.has_tv}, Moment.LATE)
    await let_go(pipe, "shipping")
    await let_go(pipe, "trade-in")
    return orders


async def begin(pipe: StackPipe, story: Story) -> str:
    """Submit an order and change it at once where the story says so. Returns its id."""
    order = await pipe.submit(story.body)
    await ask(pipe, {order: story}, Moment.AT_ONCE)
    return order


async def ask(pipe: StackPipe, orders: dict[str, Story], moment: Moment) -> None:
    """Ask for every change of a moment; those of one order one after the other."""

    async def ask_for(order: str, story: Story) -> None:
        for number, (when, change) in enumerate(story.changes):
            if when is moment:
                await pipe.change(order, requestId=f"change-{number}", **change)

    await asyncio.gather(*(ask_for(order, story) for order, story in orders.items()))


async def let_go(pipe: StackPipe, silo: str) -> None:
    """Have a silo end what it has under way, and be quick from now on."""
    await pipe.sim("PUT", f"/{silo}/pace", {"completes_after_ms": 200})
    await pipe.sim("POST", f"/{silo}/complete", {"match": "", "outcome": "completed"})


async def decided(pipe: StackPipe, orders: dict[str, Story]) -> Counter[tuple[str, str]]:
    """Wait until every order has ended, as its changes wanted. How many changes of each kind met which verdict."""
    await asyncio.gather(*(pipe.outcome(order) for order in orders))
    verdicts: Counter[tuple[str, str]] = Counter()
    for view in await asyncio.gather(*(pipe.view(order) for order, story in orders.items() if story.changes)):
        its = [(str(verdict.kind), verdict.state.value) for verdict in view.changes]
        assert len(its) == len(orders[view.id].changes)
        assert {state for _, state in its} <= {"applied", "rejected"}, view.changes
        assert (view.state == "cancelled") == (("cancel", "applied") in its), view.changes
        reasons = [reason for verdict in view.changes for reason in verdict.reasons]
        assert {reason.code for reason in reasons} <= {"past_no_return", "fee_not_accepted"}, reasons
        verdicts.update(its)
    return verdicts
