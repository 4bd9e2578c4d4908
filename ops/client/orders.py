"""`orderpipe orders`: orders by what one knows of them."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from ops.client.door import Door, Sought
from ops.client.order_screen import rigid_table, state_text
from ops.client.printing import print_json
from ops.terminal import CommandError
from orders.model.instants import moment
from orders.read_model.states import LifecycleState


def states(named: list[str]) -> tuple[str, ...]:
    """Order states as they were named.

    Raises:
        CommandError: if there is no such state.
    """
    known = [state.value for state in LifecycleState]
    for name in named:
        if name not in known:
            raise CommandError(f"{name} is no state of orders: there are {', '.join(known)}")
    return tuple(named)


async def show_orders(door: Door, search: Mapping[str, Sought], console: Console, *, as_json: bool) -> None:
    """List orders, the latest first."""
    page = await door.orders(search)
    if as_json:
        print_json(page, console)
        return
    rows = [
        (
            order.id,
            moment(order.ordered_at),
            state_text(order.state),
            Text("late", style="red") if order.in_jeopardy else "",
            Text(", ".join(order.fallout), style="red"),
            order.customer_id,
            ", ".join(order.offerings),
        )
        for order in page.orders
    ]
    if rows:
        console.print(rigid_table(("order", "since", "state", "", "waits for", "customer", "offerings"), rows))
    left = page.total - len(page.orders)
    console.print(
        f"{page.total} in all" + (f", {left} more than are shown: see --limit" if left else ""), highlight=False
    )
