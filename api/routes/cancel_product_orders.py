"""The TMF622 v4 routes of cancellations: a resource of its own that asks for one, and tells what became of it."""

from __future__ import annotations

import re
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import JSONResponse

from api.blocking import run_blocking
from api.errors import (
    IdempotencyKeyReused,
    Malformed,
    OrderClosed,
    UnknownCancellation,
    UnknownOrder,
    UnknownOrderNamed,
    problem,
)
from api.http.dependencies import (
    AskingDep,
    ChangingDep,
    LinksDep,
    Reader,
    RegisterDep,
    Submitter,
    errors,
)
from api.http.listing import LISTED, FieldsDep, ListingDep
from api.http.visibility import changeable, readable, seen, visibility_of
from api.service.abandoned import closed, is_abandoned
from api.tmf.json_body import Json, require_sound
from api.tmf.tmf622.cancel import CancelProductOrder, asked_elsewhere, cancel_href, standing, to_cancel_resource
from api.tmf.tmf622.request import BASE_PATH, fitting
from api.tmf.tmf630 import FilterOperator, ListQuery, selected
from orders.change.request import ChangeKind, ChangeRequest
from orders.model.writing.text import NO_NUL
from orders.read_model.states import ENDS
from register.cancellations import Cancellation, CancellationQuery, cancellation_id

router = APIRouter(prefix=f"{BASE_PATH}/cancelProductOrder", tags=["TMF622 product ordering"])

_NAMED = re.compile(r"(?P<order>.+?-[0-9a-f]{12})\.(?P<request>.+)", re.DOTALL)
"""Order ids end like that. Request ids may hold anything."""
CancellationId: TypeAlias = Annotated[str, Path(max_length=400, pattern=NO_NUL)]
_CLOCKS_DIFFER = timedelta(minutes=5)


@router.post("", status_code=201, summary="Cancel an order", responses=errors(400, 409, 503))
async def cancel(
    cancellation: CancelProductOrder,
    request: Request,
    response: Response,
    asking: AskingDep,
    changing: ChangingDep,
    links: LinksDep,
    register: RegisterDep,
    principal: Submitter,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=256)] = None,
) -> Json:
    """Ask for a cancellation, decided like every other change, as a rule before the answer.

    `inProgress` while it is assessed or what was done is taken back, `done` when the order is cancelled,
    `terminatedWithError` when it was refused: `errorMessage` says why, and at what fee it can be had. An order that has
    ended gets 409. The same Idempotency-Key for the same order is the same cancellation. Only the channel that an order
    came from, agents and operators cancel it; without the scope `orders:read` the answer is but `id` and `href`.
    """
    body: Json = await request.json()
    require_sound(body)
    wish = cancellation.requested_cancellation_date
    if wish is not None and wish > datetime.now(UTC) + _CLOCKS_DIFFER:
        raise Malformed([problem("requestedCancellationDate", "an order is cancelled at once: ask for it then")])
    order_id = cancellation.product_order.id
    try:
        view = await changeable(principal, order_id, asking)
    except UnknownOrder as error:
        raise UnknownOrderNamed("productOrder.id", error) from error
    request_id = _request_id(order_id, idempotency_key)
    named = cancellation_id(order_id, request_id)
    known = await run_blocking(register.cancellations.find, named) if idempotency_key else None
    if known is not None and known.body != body:
        raise IdempotencyKeyReused(f"Idempotency-Key {idempotency_key} is taken", "It is that of another cancellation")
    if known is None and is_abandoned(view):
        raise closed(order_id, view)
    if known is None and view.state in ENDS:
        raise OrderClosed(f"Order {order_id} is {view.state}", "There is nothing to be cancelled")
    wanted = Cancellation(order_id, request_id, body, datetime.now(UTC))
    kept = known or await run_blocking(register.cancellations.add, wanted)
    change = fitting(
        ChangeRequest,
        request_id=kept.request_id,
        kind=ChangeKind.CANCEL,
        requester=principal.requester(""),
        channel=principal.channel or "",
        reason=cancellation.cancellation_reason,
        accept_fee=cancellation.accept_fee.money if cancellation.accept_fee else None,
    )
    with suppress(OrderClosed):  # If it has ended meanwhile, the resource tells so.
        await changing.change(order_id, change)
    response.headers["Location"] = cancel_href(links.api, kept.id)
    found = standing(kept, await asking.view(order_id))
    return readable(principal, to_cancel_resource(found, links.api))


@router.get("", summary="Cancellations", response_model=list[Json], responses=LISTED | errors(503))
async def cancellations(listing: ListingDep, links: LinksDep, register: RegisterDep, principal: Reader) -> JSONResponse:
    """The latest first, wherever they were asked for. They are found by `id`, `state` and `productOrder.id`."""
    asked = _query(listing.query)
    sight, offset, limit = visibility_of(principal), listing.query.offset, listing.query.limit
    query = CancellationQuery(**asked, visible_to=sight, offset=offset, limit=limit)

    def answer() -> JSONResponse:
        found, total = register.cancellations.page(query)
        return listing.answer((to_cancel_resource(one, links.api) for one in found), total, links.api)

    return await run_blocking(answer)


@router.get("/{cancellation_id:path}", summary="A cancellation", responses=errors(400, 404, 503))
async def cancellation(
    cancellation_id: CancellationId,
    asking: AskingDep,
    links: LinksDep,
    register: RegisterDep,
    principal: Reader,
    fields: FieldsDep,
) -> Json:
    """What became of it by now, wherever it was asked for: its id is `<order id>.<id of the change request>`."""
    unknown = UnknownCancellation(f"There is no cancellation {cancellation_id}")
    named = _NAMED.fullmatch(cancellation_id)
    if named is None:
        raise unknown
    try:
        view = await seen(principal, named["order"], asking)
    except UnknownOrder:
        raise unknown from None
    kept = await run_blocking(register.cancellations.find, cancellation_id) or asked_elsewhere(view, named["request"])
    if kept is None:
        raise unknown
    return selected(to_cancel_resource(standing(kept, view), links.api), fields)


def _request_id(order_id: str, key: str | None) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{order_id}\n{key}") if key else uuid.uuid4())


_FILTERS = {"id": "ids", "state": "states", "productOrder.id": "orders"}


def _query(query: ListQuery) -> dict[str, tuple[str, ...]]:
    found = [
        problem(f"query.{one.path}", f"cancellations are found by {', '.join(_FILTERS)}, compared by .eq")
        for one in query.filters
        if one.path not in _FILTERS or one.operator is not FilterOperator.EQ
    ]
    if query.sort:
        found.append(problem("query.sort", "cancellations come with the latest first"))
    if found:
        raise Malformed(found)
    return {_FILTERS[one.path]: one.values for one in query.filters}
