"""`orderpipe watch`: one order, until it ends."""

from __future__ import annotations

import asyncio
import time

from rich.console import Console
from rich.live import Live

from ops.client.door import ENDED, Door
from ops.client.order_screen import order_screen, progress_line, timeline_screen

POLL_EVERY_S = 0.5


async def show(door: Door, order_id: str, console: Console, *, timeline: bool = False) -> None:
    """Show an order as it is now, and if that is wanted its timeline.

    Raises:
        DoorError: if there is no such order, or nobody answers.
    """
    order = await door.order(order_id)
    console.print(order.web_ui, highlight=False, markup=False, soft_wrap=True)
    console.print(order_screen(order))
    if timeline:
        console.print()
        console.print(timeline_screen([entry async for entry in door.timeline(order_id)]))


async def watch(door: Door, order_id: str, console: Console) -> None:
    """Show an order until it ends: as a screen that changes, or where there is no terminal, a line for each change.

    Raises:
        DoorError: if there is no such order, or nobody answers.
    """
    order = await door.order(order_id)
    console.print(order.web_ui, highlight=False, markup=False, soft_wrap=True)
    if console.is_terminal:
        with Live(order_screen(order), console=console, auto_refresh=False) as live:
            while order.state not in ENDED:
                await asyncio.sleep(POLL_EVERY_S)
                order = await door.order(order_id)
                live.update(order_screen(order), refresh=True)
        return
    told = ""
    while order.state not in ENDED:
        line = progress_line(order)
        if line != told:
            console.print(f"{time.strftime('%H:%M:%S')}  {line}", highlight=False, markup=False, soft_wrap=True)
            told = line
        await asyncio.sleep(POLL_EVERY_S)
        order = await door.order(order_id)
    console.print(order_screen(order))
