"""`orderpipe products unlock`: what an order has locked is free again, though it did not write down its end."""

from __future__ import annotations

import asyncio

from rich.console import Console
from temporalio.client import Client

from ops.maintenance.outside import said_in_words
from ops.terminal import CommandError
from register import Register
from settings import Settings
from workflows.sdk.connection import connect
from workflows.sdk.executions import describe


class StillInFlight(CommandError):
    """The order's workflow is open: it may touch its products at any time."""


def run_unlock(settings: Settings, order_id: str, console: Console) -> None:
    """Unlock what an order holds, and tell how many products that were.

    Raises:
        CommandError: if the order's workflow is open, or Temporal or the register cannot be asked.
    """

    async def all_of_it() -> int:
        register = Register(settings.register_address)
        try:
            return await unlock(await connect(f"127.0.0.1:{settings.temporal_port}"), register, order_id)
        finally:
            register.close()

    with said_in_words():
        unlocked = asyncio.run(all_of_it())
    console.print(f"Products unlocked: {unlocked}.", highlight=False)


async def unlock(client: Client, register: Register, order_id: str) -> int:
    """Unlock what an order holds. Returns how many products that were.

    Raises:
        StillInFlight: if the order's workflow is open.
        RPCError: if Temporal cannot be asked.
    """
    execution = await describe(client, order_id)
    if execution is not None and execution.is_open:
        raise StillInFlight(f"Order {order_id} is in flight: cancel it, or end its workflow first")
    return await asyncio.to_thread(register.line.free, [order_id])
