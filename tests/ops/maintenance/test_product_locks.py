"""Freeing what an order has locked whose workflow was ended from outside."""

from __future__ import annotations

from contextlib import closing

import pytest

from ops.maintenance.product_locks import StillInFlight, unlock
from register import Register
from tests.given.installed import change, household, move
from tests.running.pipe import Pipe


async def test_products_of_an_order_that_was_terminated_are_freed_by_hand_and_not_before(pipe: Pipe) -> None:
    home = await household(pipe)
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    moved = await home.ordered(move(home.product("net"), "1"))
    with closing(Register(pipe.settings.register_address)) as register:
        with pytest.raises(StillInFlight, match=moved):
            await unlock(pipe.client, register, moved)
        await pipe.handle(moved).terminate()
        refused = (await home.order(change(home.product("tv"), action="delete"))).json()
        assert "in a state that nobody wrote down" in refused["note"][0]["text"]
        assert await unlock(pipe.client, register, moved) == 3
        assert await unlock(pipe.client, register, moved) == 0
    await home.ends(await home.ordered(change(home.product("tv"), action="delete")), "completed")
