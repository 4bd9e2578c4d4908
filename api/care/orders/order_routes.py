"""The care API: an order as a care agent needs to see it, and changes to it while it is in flight.

An agent whose token is that of one customer has that one's orders here, and no others.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Annotated

import structlog
from fastapi import APIRouter, Body, Header, Query, Response
from pydantic.alias_generators import to_camel

from api.access.principal import Scope
from api.care.orders.care_bodies import HistoryResponse, OrderResponse, TasksResponse, TimelineResponse
from api.care.orders.change_bodies import (
    AppointmentBody,
    ChangeBody,
    ChangedItem,
    ChangeResponse,
    ChangesResponse,
    OptionsResponse,
    PreviewResponse,
    UndecidedChange,
)
from api.care.orders.change_examples import CHANGES
from api.errors import Detail, Malformed, UnknownChange, problem
from api.http.dependencies import Agent, AskingDep, ChangingDep, LargeBodies, LinksDep, Offset, errors, needs
from api.http.verdicts import is_decided
from api.http.visibility import VisibleOrderId
from api.tmf.links import Links
from api.tmf.tmf622.request import characteristics_of, fitting, read_items, site_at, site_of
from api.tmf.tmf622.wishes import wishes_of_update
from orders.change.request import ChangeRequest, ItemUpdate, misfits
from orders.model.order import Appointment
from orders.model.values import Action
from orders.read_model.views import OrderView
from orders.tracking.what_if.options import OptionsPage

log = structlog.get_logger()
router = APIRouter(prefix="/care/v1/orders", tags=["care"], dependencies=[needs(Scope.LOOK)], route_class=LargeBodies)


@router.get("/{order_id}", summary="An order in full", responses=errors(404, 503))
async def order(order_id: VisibleOrderId, asking: AskingDep, links: LinksDep) -> OrderResponse:
    """Its items, silos and fallout, every change ever decided, and where to look further."""
    return order_response(await asking.with_problems(order_id), links)


@router.get("/{order_id}/tasks", summary="An order's tasks with what the silos hold", responses=errors(404, 409, 503))
async def tasks(
    order_id: VisibleOrderId,
    asking: AskingDep,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> TasksResponse:
    """A page of tasks: those of the target first, then what is still to be undone.

    None while it waits for products, or where it was rejected. 409 where it ended so long ago that they are not kept.
    """
    return TasksResponse.model_validate(await asking.plan(order_id, offset, limit))


@router.get(
    "/{order_id}/timeline", summary="When what was done, and what is still to come", responses=errors(404, 409, 503)
)
async def timeline(
    order_id: VisibleOrderId,
    asking: AskingDep,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> TimelineResponse:
    """A page of its tasks by when they began, or should: what is critical, points of no return, milestones.

    Also long after its end. 409 where its workflow was ended from outside and is gone.
    """
    return TimelineResponse.model_validate(await asking.timeline(order_id, offset, limit))


@router.get("/{order_id}/history", summary="How an order came to be as it is", responses=errors(404, 503))
async def history(
    order_id: VisibleOrderId,
    asking: AskingDep,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> HistoryResponse:
    """A page of its moves from state to state, those of its items, and milestones, each with its cause, newest last."""
    return HistoryResponse.model_validate(await asking.history(order_id, offset, limit))


@router.get("/{order_id}/options", summary="What may still be changed", responses=errors(404, 409, 503))
async def options(
    order_id: VisibleOrderId,
    changing: ChangingDep,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
    skip: Annotated[int, Query(ge=0, le=100_000, description="how many options of the first item")] = 0,
) -> OptionsResponse:
    """For each item of a page the changes that it may take now, until when and at what fee, or why not.

    Each is tried as a request for it would be, on a copy: nothing is changed. 409 once the order has ended. In a large
    order that takes a while: a page ends after some seconds, in the middle of an item if need be, and the next one goes
    on at `nextOffset` and `nextSkip`.
    """
    return OptionsResponse.model_validate(await changing.options(order_id, OptionsPage(offset, limit, skip)))


@router.post(
    "/{order_id}/changes",
    summary="Ask for a change",
    responses={202: {"model": UndecidedChange, "description": "Taken in, but not decided yet"}}
    | errors(400, 404, 409, 503),
)
async def change(
    order_id: VisibleOrderId,
    body: Annotated[ChangeBody, Body(openapi_examples=CHANGES)],
    response: Response,
    changing: ChangingDep,
    links: LinksDep,
    agent: Agent,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=100)] = None,
    dry_run: Annotated[bool, Query(alias="dryRun")] = False,
) -> ChangeResponse | UndecidedChange | PreviewResponse:
    """Amend, reschedule or cancel an order or items of it, hold or release it, replace what is broken, settle fallout.

    Or promise another date, and say why.

    With `dryRun=true` nothing is changed: the answer tells what the change would do, at what fee, and its digest.

    200 with the verdict, which may be `rejected` with its reasons: the request was dealt with, the answer is no. 202
    while it is assessed, or where the verdict takes longer than two seconds: it stands in the order's log at `href`,
    and the same request with the same `requestId` asks for it again. 409 once the order has ended.
    """
    asking = {"requester": agent.requester(body.requester), "channel": agent.channel_for(body.channel)}
    body = body.model_copy(update=asking)
    request = to_change(body, body.request_id or idempotency_key or str(uuid.uuid4()))
    if dry_run:
        return PreviewResponse.model_validate(await changing.preview(order_id, request))
    log.info("change asked for", order=order_id, change=request.request_id, kind=request.kind.value)
    verdict = await changing.change(order_id, request)
    if is_decided(verdict):
        return ChangeResponse.model_validate(verdict)
    response.status_code = 202
    return UndecidedChange(request_id=request.request_id, href=links.change(order_id, request.request_id))


@router.get("/{order_id}/changes", summary="An order's log of changes", responses=errors(404, 503))
async def changes(order_id: VisibleOrderId, asking: AskingDep) -> ChangesResponse:
    """Every change ever asked for: who, when, why, and what was decided."""
    view = await asking.view(order_id)
    return ChangesResponse.model_validate(view)


@router.get("/{order_id}/changes/{request_id:path}", summary="One change of an order", responses=errors(404, 503))
async def change_of(order_id: VisibleOrderId, request_id: str, asking: AskingDep) -> ChangeResponse:
    """What became of a change, by the id of its request."""
    view = await asking.view(order_id)
    verdict = view.verdict_on(request_id)
    if verdict is None:
        raise UnknownChange(f"Order {order_id} has no change {request_id}")
    return ChangeResponse.model_validate(verdict)


def to_change(body: ChangeBody, request_id: str) -> ChangeRequest:
    """What a body asks for, in the core's words.

    Raises:
        Malformed: naming the JSON path of everything that is wrong.
    """
    found: list[Detail] = []
    added = read_items(body.add, "add", found, into_order=True)
    found += [
        problem(f"add[{n}].action", "what a change adds has action add; see update and remove for the rest")
        for n, item in enumerate(body.add)
        if item.action is not Action.ADD
    ]
    updates = [_update(item, f"update[{n}]", found) for n, item in enumerate(body.update)]
    appointments = [
        appointment
        for n, made in enumerate(body.appointments)
        for appointment in _appointment(made, f"appointments[{n}]", found)
    ]
    if found:
        raise Malformed(found)
    fields: dict[str, object] = {
        "requester": body.requester,
        "channel": body.channel,
        "reason": body.reason,
        "expected_revision": body.expected_revision,
        "add": tuple(added),
        "update": tuple(updates),
        "remove": body.remove,
        "items": body.items,
        "requested_start": body.requested_start_date,
        "requested_completion": body.requested_completion_date,
        "appointments": tuple(appointments),
        "priority": body.priority,
        "promised_at": body.promised_at,
        "cascade": body.cascade,
        "accept_fee": body.accept_fee,
        "digest": body.digest,
        "task": body.task,
        "silo": body.silo,
        "resolution": body.resolution,
        "inputs": body.inputs,
        "outputs": body.outputs,
    }
    unfit = [problem(_path(field), message) for field, message in misfits(body.kind, fields)]
    if unfit:
        raise Malformed(unfit)
    return fitting(ChangeRequest, request_id=request_id, kind=body.kind, **fields)


_OTHER_NAMES = {"requested_start": "requestedStartDate", "requested_completion": "requestedCompletionDate"}


def _path(field: str | None) -> str:
    return "body" if field is None else _OTHER_NAMES.get(field, to_camel(field))


def _appointment(body: AppointmentBody, path: str, found: list[Detail]) -> Iterator[Appointment]:
    try:
        yield fitting(Appointment, path, **dict(body))
    except Malformed as malformed:
        found += malformed.details


def _update(item: ChangedItem, path: str, found: list[Detail]) -> ItemUpdate:
    if item.place is not None:
        site = site_at(item.place, f"{path}.place", found)
    else:
        site = site_of(item.product.place, f"{path}.product.place", found)
    return fitting(
        ItemUpdate,
        path,
        id=item.id,
        offering=item.offering,
        characteristics={**characteristics_of(item.product, f"{path}.product", found), **item.characteristics},
        quantity=item.quantity,
        drop=item.drop,
        site=site,
        wishes=wishes_of_update(item.product, f"{path}.product", found),
    )


def order_response(view: OrderView, links: Links) -> OrderResponse:
    """A view with the addresses of everything that belongs to it."""
    href = links.care(view.id)
    addresses = {
        "href": href,
        "tasks": f"{href}/tasks",
        "product_order": links.tmf622(view.id),
        "web_ui": links.web_ui_of(view.id),
    }
    return OrderResponse.model_validate({**dict(view), "slack_s": view.slack_s, **addresses})
