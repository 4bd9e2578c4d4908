"""An order: where it is, why, what comes next, and when; its course, items and changes, and how it came to be so."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.access.principal import Scope
from api.care.customers import message_routes
from api.care.customers.message_bodies import MessageResponse
from api.care.orders import order_routes
from api.care.orders.answer_bodies import NowResponse
from api.care.orders.care_bodies import OrderResponse, TaskResponse, TimelineEntryResponse, TimelineResponse
from api.console.drawing import draw
from api.console.page import PageDep
from api.errors import OrderClosed, UnknownOrder
from api.http.dependencies import AskingDep, LinksDep, Offset, RegisterDep, needs
from api.http.visibility import VisibleOrderId
from api.service.asking import Asking
from register import Register
from register.searching.found_by import lines_of

router = APIRouter(dependencies=[needs(Scope.LOOK)])

_ALL: Final = 1000
_MOVES: Final = 200
_ROWS: Final = 200
"""Of a table of tasks: a thousand take a browser, and us, longer than anybody waits."""


@router.get("/orders/{order_id}")
async def order(
    page: PageDep, order_id: VisibleOrderId, asking: AskingDep, links: LinksDep, register: RegisterDep
) -> Response:
    """All that an agent wants to know of an order at first."""
    # Each is worked out by the worker and read here: of a large order, one meanwhile of the other.
    told, entries, messages = await asyncio.gather(
        order_routes.order(order_id, asking, links), _timeline(order_id, asking), _messages(order_id, register)
    )
    linear = page.request.query_params.get("scale") == "true"
    return page.show(
        "order.html",
        order=told,
        entries=entries,
        waits_at=_waits_at(told),
        messages=messages,
        timeline=draw(entries, page.viewer.now, true=linear) if entries else None,
        gates=_gates(entries),
        linear=linear,
        site_line=site_line,
    )


@router.get("/orders/{order_id}/timeline")
async def timeline(
    page: PageDep,
    order_id: VisibleOrderId,
    asking: AskingDep,
    site: Annotated[str | None, Query(max_length=200)] = None,
    offset: Offset = 0,
) -> Response:
    """The tasks of an order, or of one of its sites, as a picture and as a table in pages."""
    entries = await _timeline(order_id, asking)
    linear = page.request.query_params.get("scale") == "true"
    shown = [entry for entry in entries if site is None or (entry.site or "") == site]
    drawn = draw(entries, page.viewer.now, true=linear, site=site)
    listed, following = shown[offset : offset + _ROWS], offset + _ROWS
    return page.show(
        "tasks.html",
        order_id=order_id,
        entries=listed,
        total=len(shown),
        offset=offset,
        following=following if following < len(shown) else None,
        step=_ROWS,
        timeline=drawn,
        site=site,
    )


@router.get("/orders/{order_id}/tasks/{task:path}")
async def task(page: PageDep, order_id: VisibleOrderId, task: str, asking: AskingDep) -> Response:
    """One task: what it comes after, what follows, and what its silo holds."""
    entries = await _timeline(order_id, asking)
    found = next((entry for entry in entries if entry.task == task), None)
    if found is None:
        return page.show("error.html", 404, status=404, code="unknown", reason="", message="", details=())
    plan = await _plan(order_id, asking)
    known = plan.get(task)
    by_key = {entry.task: entry for entry in entries}
    before = [*known.builds_on, *known.after] if known is not None else [*found.after]
    following = [each.key for each in plan.values() if task in each.builds_on or task in each.after]
    return page.show(
        "task.html",
        order_id=order_id,
        entry=found,
        known=known,
        before=[by_key[key] for key in dict.fromkeys(before) if key in by_key],
        following=[by_key[key] for key in following if key in by_key],
    )


@router.get("/orders/{order_id}/history")
async def history(
    page: PageDep,
    order_id: VisibleOrderId,
    asking: AskingDep,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> Response:
    """How an order came to be as it is."""
    told = await order_routes.history(order_id, asking, offset, _MOVES)
    return page.show("history.html", order_id=order_id, history=told, offset=offset, step=_MOVES)


async def _messages(order_id: str, register: Register) -> tuple[MessageResponse, ...]:
    """What the customer was told of it, word for word."""
    try:
        return (await message_routes.of_order(order_id, register)).messages
    except UnknownOrder:  # It is so new that nothing was written down of it.
        return ()


async def _timeline(order_id: str, asking: Asking) -> tuple[TimelineEntryResponse, ...]:
    """All tasks of an order that are kept: of one whose workflow is gone there may be none."""
    entries: tuple[TimelineEntryResponse, ...] = ()
    offset: int | None = 0
    while offset is not None:
        try:
            told: TimelineResponse = await order_routes.timeline(order_id, asking, offset, _ALL)
        except OrderClosed:
            break
        entries, offset = (*entries, *told.tasks), told.next_offset
    return entries


async def _plan(order_id: str, asking: Asking) -> dict[str, TaskResponse]:
    """The tasks of an order with what silos hold of them, by key; none where its workflow is gone."""
    plan: dict[str, TaskResponse] = {}
    offset: int | None = 0
    while offset is not None:
        try:
            told = await order_routes.tasks(order_id, asking, offset, _ALL)
        except OrderClosed:
            break
        plan |= {task.key: task for task in told.tasks}
        offset = told.next_offset
    return plan


def _waits_at(order: OrderResponse) -> NowResponse | None:
    """The task that the order as a whole waits for, if it is one."""
    wait = order.answer.waits_for
    return next((each for each in order.answer.now if wait is not None and each.task == wait.task), None)


def _gates(entries: tuple[TimelineEntryResponse, ...]) -> dict[str, list[TimelineEntryResponse]]:
    """By item the tasks with a point of no return: what decides until when it can be changed."""
    gates: dict[str, list[TimelineEntryResponse]] = {}
    for entry in entries:
        if entry.no_return is not None:
            for item in entry.items:
                gates.setdefault(item, []).append(entry)
    return gates


def site_line(site: object) -> str:
    """An address in one line."""
    return ", ".join(lines_of(getattr(site, "address", {}))) or str(getattr(site, "id", ""))
