"""Subscribing to events: TMF622 v4's hub, and in the care API what became of what was sent."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from api.events.webhook_secret import WebhookSecret
from api.http.dependencies import Reader, SubscribersDep, errors
from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from api.tmf.tmf622.request import BASE_PATH
from api.tmf.tmf622.shapes import TmfBody

router = APIRouter()

SubscriptionId: TypeAlias = Annotated[str, Path(max_length=100)]


class EventSubscriptionInput(TmfBody):
    """TMF622 v4 `EventSubscriptionInput`. Events are sent to `<callback>/listener/<event>`.

    `query` is `name=value,value&name=value`, of `eventType`, `state`, `productOrder.id`, `customer` (the related
    party's id), `channel` and `offering`. `secret`, an extension, is what events are signed with (`whsec_` and 24 to 64
    bytes in base64), else one is made.
    """

    callback: Annotated[str, Field(min_length=1, max_length=1000)]
    query: Annotated[str, Field(max_length=1000)] = ""
    secret: WebhookSecret | None = None


class EventSubscription(TmfBody):
    """TMF622 v4 `EventSubscription`. The `secret`, an extension, is told this once."""

    id: str
    callback: str
    query: str
    secret: str


class SubscriptionResponse(ResponseModel):
    """How a subscription fares: the events `pending` for it and those `parked` that did not get through."""

    id: str
    callback: str
    query: str
    owner: str
    created_at: InstantOut
    ended_at: InstantOut | None
    note: str | None
    pending: int
    parked: int
    failing_since: InstantOut | None
    retry_at: InstantOut | None
    last_error: str | None


class ParkedEventResponse(ResponseModel):
    """An event that was refused, or not taken for a day: its `eventId`, and what the subscriber last said to it."""

    event: str
    attempts: int
    queued_at: InstantOut
    settled_at: InstantOut
    error: str


@router.post(
    f"{BASE_PATH}/hub",
    status_code=201,
    summary="Subscribe to events",
    tags=["TMF622 product ordering"],
    responses=errors(400, 409, 503),
)
async def subscribe(
    wanted: EventSubscriptionInput, response: Response, reader: Reader, subscribers: SubscribersDep
) -> EventSubscription:
    """Hear, from now on, of the orders that one may read. The answer holds the secret that events are signed with."""
    made = await subscribers.subscribe(reader, wanted.callback, wanted.query, wanted.secret)
    response.headers["Location"] = subscribers.href(made.id)
    return EventSubscription(
        id=made.id, callback=made.callback, query=made.query, secret=made.secret.get_secret_value()
    )


@router.delete(
    f"{BASE_PATH}/hub/{{subscription_id}}",
    status_code=204,
    summary="End a subscription",
    tags=["TMF622 product ordering"],
    responses=errors(404, 503),
)
async def unsubscribe(subscription_id: SubscriptionId, reader: Reader, subscribers: SubscribersDep) -> None:
    """Hear of nothing any more. What was on its way is dropped."""
    await subscribers.end(reader, subscription_id)


@router.get("/care/v1/subscriptions", summary="How subscriptions fare", tags=["care"], responses=errors(503))
async def listed(reader: Reader, subscribers: SubscribersDep) -> list[SubscriptionResponse]:
    """One's own, oldest first; an operator sees everybody's."""
    return [SubscriptionResponse.model_validate(status) for status in await subscribers.listed(reader)]


@router.get(
    "/care/v1/subscriptions/{subscription_id}/parked",
    summary="Events that did not get through",
    tags=["care"],
    responses=errors(404, 503),
)
async def parked(
    subscription_id: SubscriptionId,
    reader: Reader,
    subscribers: SubscribersDep,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[ParkedEventResponse]:
    """A page of them, oldest first."""
    page = await subscribers.parked(reader, subscription_id, offset, limit)
    return [ParkedEventResponse.model_validate(event) for event in page]


@router.post(
    "/care/v1/subscriptions/{subscription_id}/parked/retry",
    summary="Deliver what was parked after all",
    tags=["care"],
    responses=errors(404, 409, 503),
)
async def retry(subscription_id: SubscriptionId, reader: Reader, subscribers: SubscribersDep) -> SubscriptionResponse:
    """Parked events are pending again, before all that came later, and the subscriber is tried now."""
    return SubscriptionResponse.model_validate(await subscribers.retry(reader, subscription_id))
