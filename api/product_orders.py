"""The TMF622 v4 routes of product orders."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from api.dependencies import GatewayDep, OrderId, Reader, Submitter, errors
from api.listing import FIELDS
from api.sight import require_sight
from api.tmf622 import BASE_PATH, to_request
from api.tmf622_bodies import ProductOrder
from api.tmf622_resource import Json, to_resource
from api.tmf630 import selected

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


@router.get("/productOrder/{order_id}", summary="An order as it stands", responses=errors(404, 503))
async def retrieve(
    order_id: OrderId, gateway: GatewayDep, principal: Reader, fields: Annotated[str | None, FIELDS] = None
) -> Json:
    """What was submitted, with states, dates, and what amendments made of it."""
    view = await gateway.view(order_id, with_body=True)
    await require_sight(principal, view.customer_id, view.channel, order_id, gateway)
    return selected(to_resource(view.body or {}, view, gateway.links.api), fields)
