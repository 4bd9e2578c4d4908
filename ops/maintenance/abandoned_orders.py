"""`orderpipe register abandoned`: orders that the register shows as under way, and that have no workflow.

Their workflow was terminated in Temporal, or deleted there. They are written down as that, so that lists, and whoever
looks at a customer, see it too. Should the workflow be reset, or the register rebuilt, what the order itself wrote
replaces that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from rich.console import Console
from temporalio.client import Client

from api.errors import UnknownOrder
from api.service.abandoned import WorkflowEnded, as_recorded, is_abandoned
from logs import quoted
from ops.maintenance.outside import said_in_words
from orders.read_model.states import LifecycleState
from orders.read_model.views import OrderView
from register import Register
from register.searching.query import Comparison, OrderField, OrderQuery, Predicate, Sort
from settings import Settings
from workflows.sdk.connection import connect
from workflows.sdk.executions import describe

_SIDE_BY_SIDE: Final = 20
_UNDER_WAY: Final = tuple(
    str(state)
    for state in LifecycleState
    if state not in (LifecycleState.COMPLETED, LifecycleState.CANCELLED, LifecycleState.REJECTED)
)


def run_abandoned(settings: Settings, console: Console) -> None:
    """Look for abandoned orders in the register that the settings name, and tell them, a line each.

    Raises:
        CommandError: if Temporal or the register cannot be asked.
    """

    async def all_of_it() -> list[OrderView]:
        register = Register(settings.register_address)
        try:
            return await find_abandoned(await connect(f"127.0.0.1:{settings.temporal_port}"), register)
        finally:
            register.close()

    with said_in_words():
        found = asyncio.run(all_of_it())
    for order in found:
        told = f"{order.id}  {order.external_id}  customer {order.customer_id}  by {order.channel}"
        console.print(quoted(told), highlight=False, markup=False, soft_wrap=True)
    console.print(f"Abandoned: {len(found)} orders.", highlight=False)


async def find_abandoned(client: Client, register: Register) -> list[OrderView]:
    """Ask Temporal about every order that has not ended, and write down which were abandoned. Returns all of those.

    Raises:
        RPCError: if Temporal cannot be asked.
    """
    found: list[OrderView] = []
    async for page in _under_way(register):
        looked_at = await asyncio.gather(*(_look_at(client, register, order_id) for order_id in page))
        found += [order for order in looked_at if order is not None]
    return found


async def _under_way(register: Register) -> AsyncIterator[list[str]]:
    """The ids of all orders that have not ended as far as is recorded, some at a time."""
    last = ""
    while True:
        where = (
            Predicate(OrderField.STATE, Comparison.IN, _UNDER_WAY),
            Predicate(OrderField.ID, Comparison.GT, last),
        )
        query = OrderQuery(where=where, sort=(Sort(OrderField.ID),), limit=_SIDE_BY_SIDE)
        page = [order.id for order in (await asyncio.to_thread(register.search.orders, query)).orders]
        if not page:
            return
        yield page
        last = page[-1]


async def _look_at(client: Client, register: Register, order_id: str) -> OrderView | None:
    """An order as it was left, if it was abandoned, and written down as that."""
    execution = await describe(client, order_id)
    if execution is not None and (execution.is_open or execution.ended_by_itself):
        return None
    # Only now: an order writes down its end before its workflow closes.
    record = await asyncio.to_thread(register.records.find, order_id)
    if record is None:
        return None
    why = UnknownOrder("gone") if execution is None else WorkflowEnded("ended")
    left = as_recorded(record, why)
    if not is_abandoned(left):
        return None
    if left != record.view:
        await asyncio.to_thread(register.records.correct, record.model_copy(update={"view": left}))
    return left
