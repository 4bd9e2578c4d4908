"""The TMF622 v4 routes of product orders."""

from __future__ import annotations

import json
from typing import Annotated

import structlog
from fastapi import APIRouter, Body, Header, Request, Response
from fastapi.responses import JSONResponse

from api.access.principal import Principal, Scope
from api.blocking import run_blocking
from api.http.dependencies import (
    AskingDep,
    ChangingDep,
    FindingDep,
    LargeBodies,
    LinksDep,
    Operator,
    OrderId,
    PatchingDep,
    Reader,
    Submitter,
    SubmittingDep,
    WorkshopDep,
    errors,
)
from api.http.entity_tags import require_match, tagged
from api.http.listing import LISTED, FieldsDep, Listing, ListingDep
from api.http.verdicts import is_decided, require_granted
from api.http.visibility import VisibleOrderId, changeable, readable, seen, visibility_of
from api.routes.order_examples import ORDERS
from api.service.intake.submitting import Submission, Submitting
from api.service.patching import NothingAsked, Patch
from api.tmf.json_body import Json
from api.tmf.links import Links
from api.tmf.tmf622.bodies import ProductOrder
from api.tmf.tmf622.patch import JSON_PATCH, PATCH_BODY, read_patch
from api.tmf.tmf622.query import order_query
from api.tmf.tmf622.request import BASE_PATH
from api.tmf.tmf622.resource import to_resource
from api.tmf.tmf630 import selected
from api.working import in_products
from orders.read_model.views import OrderView
from register.searching.query import OrderPage

log = structlog.get_logger()
router = APIRouter(prefix=BASE_PATH, tags=["TMF622 product ordering"], route_class=LargeBodies)


@router.post(
    "/productOrder",
    status_code=201,
    summary="Submit an order",
    response_model=Json,
    responses={200: {"description": "This very body was submitted before: the order that it made"}}
    | errors(400, 409, 503),
)
async def submit(
    order: Annotated[ProductOrder, Body(openapi_examples=ORDERS)],
    request: Request,
    submitting: SubmittingDep,
    links: LinksDep,
    principal: Submitter,
    idempotency_key: Annotated[str | None, Header(max_length=256)] = None,
) -> JSONResponse:
    """Start an order. Submitted again under the same `externalId` of a channel, the same body is the same order.

    One that cannot be fulfilled comes back with the state `rejected`, and is recorded like that: its notes, and for
    programs `productOrderErrorMessage` as in v5, give every reason and its items. So does one that names no customer,
    or does not say what to add. The token of a customer need not name that one.

    Without an `externalId` the header `Idempotency-Key` stands for it. A channel submits as itself only; it need not
    say so.
    """
    raw = await request.body()
    body: Json = json.loads(raw)  # As it came: what is not modelled is kept too.
    channel = order.channel[0].id if order.channel else None
    submission = await take(raw, body, channel, submitting, principal, idempotency_key)

    def answer() -> JSONResponse:
        resource = to_resource(body, submission.view, links.api)
        location = {"Location": links.tmf622(submission.view.id)}
        if submission.created:
            return JSONResponse(resource, 201, location)
        return JSONResponse(readable(principal, resource), 200, location)

    return await run_blocking(answer)


async def take(
    raw: bytes, body: Json, channel: str | None, submitting: Submitting, principal: Principal, key: str | None = None
) -> Submission:
    """Take in an order that somebody submits, `body` being what is written in `raw`, and `channel` the one it names.

    Raises:
        Forbidden: if whoever submits it does not speak for that channel, or may not order for that customer.
        Malformed: naming the JSON path of everything that is wrong with it.
    """
    wanted, digest = await submitting.read(raw, key, principal.channel_for(channel), principal.customer)
    principal.require_customer(wanted.customer_id)
    if principal.customer is not None:
        wanted = wanted.model_copy(update={"of_customer": True})
    submission = await submitting.submit(wanted, body, digest)
    _log_submission(submission)
    return submission


def _log_submission(submission: Submission) -> None:
    view = submission.view
    told = {"order": view.id, "external_id": view.external_id, "channel": view.channel, "state": view.state.value}
    if view.reasons:
        told["codes"] = ",".join(reason.code for reason in view.reasons)
    log.info("order submitted" if submission.created else "order submitted again", **told)


@router.get("/productOrder", summary="Orders", response_model=list[Json], responses=LISTED | errors(503))
async def find(
    listing: ListingDep, links: LinksDep, finding: FindingDep, workshop: WorkshopDep, principal: Reader
) -> JSONResponse:
    """Those that one may see, the latest first. Orders in flight show as they were a few seconds ago at most.

    Parameters beside the first four are attributes by their dotted path, such as `productOrderItem.state=held`:
    commas separate alternatives, and `.gt`, `.gte`, `.lt` and `.lte` at the end compare. `relatedParty.id` is that of
    the customer, unless `relatedParty.role` is asked for too.
    """
    page = await finding.orders(order_query(listing.query, visibility_of(principal)))
    return await workshop.run(in_products(page.length), _listed, listing, page, links.api)


def _listed(listing: Listing, page: OrderPage, api: str) -> JSONResponse:
    return listing.answer((to_resource(view.body, view, api) for view in page.orders), page.total, api)


@router.get(
    "/productOrder/{order_id}",
    summary="An order as it stands",
    response_model=Json,
    responses={304: {"description": "It is what If-None-Match names"}} | errors(400, 404, 503),
)
async def retrieve(
    order_id: OrderId,
    asking: AskingDep,
    links: LinksDep,
    principal: Reader,
    fields: FieldsDep,
    if_none_match: Annotated[str | None, Header(max_length=1000)] = None,
) -> Response:
    """What was submitted, with states, dates, and what amendments made of it.

    The header ETag stands for what is shown, and begins with the revision that a patch may depend on.
    """
    view = await asking.with_silos(await seen(principal, order_id, asking))

    def answer() -> Response:
        resource = selected(to_resource(view.body, view, links.api), fields)
        return tagged(resource, view, if_none_match=if_none_match)

    return await run_blocking(answer)


@router.patch(
    "/productOrder/{order_id}",
    summary="Amend an order",
    response_model=Json,
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
    asking: AskingDep,
    patching: PatchingDep,
    links: LinksDep,
    workshop: WorkshopDep,
    principal: Submitter,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=100)] = None,
    if_match: Annotated[str | None, Header(max_length=1000)] = None,
) -> Response:
    """Patch an order's resource. What differs then becomes an amendment, decided like every other change.

    `application/merge-patch+json`, or `application/json`, merges order items by their ids, and null takes an attribute
    away. `application/json-patch+json` applies to the resource as GET shows it. An item patched to the state
    `cancelled` is removed. 409 tells why the change was refused; a fee that it names is accepted by `acceptFee`.

    Only the channel that an order came from, agents and operators amend it. Without the scope `orders:read` the answer
    is but `id` and `href`.
    """
    raw = await request.body()
    content_type = request.headers.get("content-type", "")
    media_type, document = await workshop.run(in_products(len(raw)), read_patch, content_type, raw)
    if media_type == JSON_PATCH:  # Whose tests would tell what the order is like.
        principal.require(Scope.READ)
    view = await changeable(principal, order_id, asking)
    require_match(if_match, view)
    patch = Patch(
        media_type,
        document,
        requester=principal.requester(""),
        channel=principal.channel or "",
        key=idempotency_key,
        for_revision=if_match not in (None, "*"),
    )
    try:
        verdict = await patching.patch(view, patch)
    except NothingAsked:
        return _told(principal, view, links)
    require_granted(verdict)
    status = 200 if is_decided(verdict) else 202
    return _told(principal, await asking.view(order_id, with_body=True), links, status)


@router.delete("/productOrder/{order_id}", status_code=204, summary="Delete an order", responses=errors(404, 409, 503))
async def delete(operator: Operator, order_id: VisibleOrderId, changing: ChangingDep) -> None:
    """Have an order told of no more. It must hold nothing: cancelled, or rejected. Its external id stays taken."""
    await changing.delete(order_id)


def _told(principal: Principal, view: OrderView, links: Links, status: int = 200) -> Response:
    """An order to whoever asked for a change of it: with its tag, if it may be read."""
    resource = to_resource(view.body, view, links.api)
    if principal.may(Scope.READ):
        return tagged(resource, view, status)
    return JSONResponse(readable(principal, resource), status)
