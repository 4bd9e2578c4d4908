"""The TMF622 v4 routes of product orders."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from api.errors import ChangeRefused, IdempotencyKeyReused, Outdated
from api.http.dependencies import GatewayDep, Operator, OrderId, Reader, ReadingDep, Submitter, errors
from api.http.listing import FIELDS, LISTED, ListingDep
from api.http.visibility import seen, visibility_of
from api.tmf.json_body import Json
from api.tmf.tmf622_bodies import ProductOrder
from api.tmf.tmf622_patch import JSON_PATCH, PATCH_BODY, patched, read_patch, to_change
from api.tmf.tmf622_query import order_query
from api.tmf.tmf622_request import BASE_PATH, to_request
from api.tmf.tmf622_resource import to_resource
from api.tmf.tmf630 import selected
from orders.change.request import ChangeState
from orders.read_model.views import OrderView

router = APIRouter(prefix=BASE_PATH, tags=["TMF622 product ordering"])


@router.post(
    "/productOrder",
    status_code=201,
    summary="Submit an order",
    responses={200: {"description": "This very body was submitted before: the order that it made"}}
    | errors(400, 409, 503),
)
async def submit(
    order: ProductOrder,
    request: Request,
    response: Response,
    gateway: GatewayDep,
    principal: Submitter,
    idempotency_key: Annotated[str | None, Header(max_length=256)] = None,
) -> Json:
    """Start an order. Submitted again under the same `externalId` of a channel, the same body is the same order.

    One that cannot be fulfilled comes back with the state `rejected`, and is recorded like that: its notes, and for
    programs `productOrderErrorMessage` as in v5, give every reason and its items.

    Without an `externalId` the header `Idempotency-Key` stands for it. A channel submits as itself only; it need not
    say so.
    """
    body: Json = await request.json()  # As it came: what is not modelled is kept too.
    channel = principal.channel_for(order.channel[0].id if order.channel else None)
    wanted = to_request(order, idempotency_key, channel)
    principal.require_customer(wanted.customer_id)
    submission = await gateway.submit(wanted, body)
    response.headers["Location"] = gateway.links.tmf622(submission.view.id)
    response.status_code = 201 if submission.created else 200
    return to_resource(body, submission.view, gateway.links.api)


@router.get("/productOrder", summary="Orders", responses=LISTED | errors(503))
async def find(
    listing: ListingDep, response: Response, gateway: GatewayDep, reading: ReadingDep, principal: Reader
) -> list[Json]:
    """Those that one may see, the latest first. Orders in flight show as they were a few seconds ago at most.

    Parameters beside the first four are attributes by their dotted path, such as `productOrderItem.state=held`:
    commas separate alternatives, and `.gt`, `.gte`, `.lt` and `.lte` at the end compare. `relatedParty.id` is that of
    the customer, unless `relatedParty.role` is asked for too.
    """
    page = await reading.orders(order_query(listing.query, visibility_of(principal)))
    resources = (to_resource(view.body or {}, view, gateway.links.api) for view in page.orders)
    return listing.answer(response, resources, page.total, gateway.links.api)


@router.get("/productOrder/{order_id}", summary="An order as it stands", responses=errors(404, 503))
async def retrieve(
    order_id: OrderId,
    response: Response,
    gateway: GatewayDep,
    principal: Reader,
    fields: Annotated[str | None, FIELDS] = None,
) -> Json:
    """What was submitted, with states, dates, and what amendments made of it. The header ETag is its revision."""
    view = await seen(principal, order_id, gateway)
    response.headers["ETag"] = etag(view)
    return selected(to_resource(view.body or {}, view, gateway.links.api), fields)


@router.patch(
    "/productOrder/{order_id}",
    summary="Amend an order",
    responses={
        200: {"description": "The order as it is now, which is what was asked for"},
        202: {"description": "The order as it stands while the change is assessed, as a rule with state pending"},
    }
    | errors(400, 404, 409, 412, 503),
    openapi_extra=PATCH_BODY,
)
async def amend(
    order_id: OrderId,
    request: Request,
    response: Response,
    gateway: GatewayDep,
    principal: Submitter,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=100)] = None,
    if_match: Annotated[str | None, Header(max_length=200)] = None,
) -> Json:
    """Patch an order's resource. What differs then becomes an amendment, decided like every other change.

    `application/merge-patch+json`, or `application/json`, merges order items by their ids, and null takes an attribute
    away. `application/json-patch+json` applies to the resource as GET shows it. An item patched to the state
    `cancelled` is removed. 409 tells why the change was refused; a fee that it names is accepted by `acceptFee`.
    """
    media_type, document = await read_patch(request)
    view = await seen(principal, order_id, gateway)
    if if_match is not None and if_match != "*" and etag(view) not in (tag.strip() for tag in if_match.split(",")):
        raise Outdated(f"The order is at revision {view.revision}", f"If-Match names {if_match}")
    response.headers["ETag"] = etag(view)
    verdict = next((verdict for verdict in view.changes if verdict.request_id == idempotency_key), None)
    requester = principal.requester("")
    if verdict is None:
        before = to_resource(view.body or {}, view, gateway.links.api)
        after = patched(before, media_type, document)
        wanted = to_change(before, after, idempotency_key or str(uuid.uuid4()))
        if wanted is None:
            return before
        # The places in a JSON patch are those of one revision.
        bound = if_match is not None or media_type == JSON_PATCH
        asking = {
            "requester": requester,
            "channel": principal.channel or "",
            "expected_revision": view.revision if bound else None,
        }
        verdict = await gateway.change(order_id, wanted.model_copy(update=asking))
    if verdict is not None and verdict.requester != requester:
        raise IdempotencyKeyReused(
            f"Idempotency-Key {idempotency_key} is taken", "It is that of somebody else's change"
        )
    if verdict is not None and verdict.state is ChangeState.REJECTED:
        raise ChangeRefused(verdict.reasons)
    if verdict is None or verdict.state is ChangeState.ASSESSING:
        response.status_code = 202
    view = await gateway.view(order_id, with_body=True)
    response.headers["ETag"] = etag(view)
    return to_resource(view.body or {}, view, gateway.links.api)


@router.delete("/productOrder/{order_id}", status_code=204, summary="Delete an order", responses=errors(404, 409, 503))
async def delete(order_id: OrderId, gateway: GatewayDep, operator: Operator) -> None:
    """Have an order told of no more. It must hold nothing: cancelled, or rejected. Its external id stays taken."""
    await gateway.delete(order_id)


def etag(view: OrderView) -> str:
    """The order's revision, as the header ETag. What a patch depends on is what was asked for, not how far it is."""
    return f'"{view.revision}"'
