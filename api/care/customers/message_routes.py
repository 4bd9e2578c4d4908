"""The care API's view of messages to customers: what was sent, what failed, and how customers want to be told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Body, Query

from api.access.principal import Principal, Scope
from api.blocking import run_blocking
from api.care.customers.message_bodies import (
    BounceBody,
    MessageResponse,
    MessagesResponse,
    PreferencesBody,
    PreferencesResponse,
    told,
)
from api.errors import MessageNotSo, UnknownCustomer, UnknownMessage, UnknownOrder
from api.http.dependencies import Agent, Id, Offset, RegisterDep, errors, needs
from api.http.visibility import VisibleOrderId, visibility_of
from orders.news.preferences import Preferences
from register import Register
from register.messages.reading import StoredMessage
from register.searching.query import Comparison, OrderField, OrderQuery, Predicate

log = structlog.get_logger()
router = APIRouter(prefix="/care/v1", tags=["care"])


@router.get(
    "/orders/{order_id}/messages",
    summary="What the customer was told of an order",
    responses=errors(404, 503),
    dependencies=[needs(Scope.READ)],
)
async def of_order(order_id: VisibleOrderId, register: RegisterDep) -> MessagesResponse:
    """Word for word, and what became of each message; those that are still to go out, too.

    Whoever sees the order sees them, as in the view of its customer.
    """
    found = await run_blocking(register.told.of_order, order_id)
    if not found and await run_blocking(register.records.find, order_id) is None:
        raise UnknownOrder(f"There is no order {order_id}")
    return MessagesResponse(messages=tuple(told(message) for message in found))


@router.get("/messages/failed", summary="Messages that could not be delivered", responses=errors(400, 503))
async def failed(
    register: RegisterDep,
    agent: Agent,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> MessagesResponse:
    """The latest first, of the orders that one sees."""
    found = await run_blocking(register.told.failed, visibility_of(agent), offset, limit)
    return MessagesResponse(messages=tuple(told(message) for message in found))


@router.post("/messages/{message_id}/resend", summary="Send a failed message again", responses=errors(404, 409, 503))
async def resend(message_id: Id, register: RegisterDep, agent: Agent) -> MessageResponse:
    """Written anew, to where the customer is reached by now. 409 where it has not failed."""
    return await _act(message_id, register, agent, lambda at: register.told.again(message_id, at))


@router.post("/messages/{message_id}/bounce", summary="A message has come back", responses=errors(400, 404, 409, 503))
async def bounce(
    message_id: Id, register: RegisterDep, agent: Agent, body: Annotated[BounceBody, Body()]
) -> MessageResponse:
    """It counts as failed then. 409 where it was not sent. The order goes on as it was."""
    return await _act(message_id, register, agent, lambda at: register.told.bounced(message_id, at, body.reason))


@router.get(
    "/customers/{customer_id:path}/preferences", summary="How a customer wants to be told", responses=errors(404, 503)
)
async def preferences(customer_id: Id, register: RegisterDep, agent: Agent) -> PreferencesResponse:
    """Where nothing was said, all is null."""
    await _know(customer_id, register, agent)
    return _preferences(customer_id, await run_blocking(register.preferences.of, customer_id))


@router.put(
    "/customers/{customer_id:path}/preferences",
    summary="Say how a customer wants to be told",
    responses=errors(400, 404, 503),
)
async def prefer(
    customer_id: Id, register: RegisterDep, agent: Agent, body: Annotated[PreferencesBody, Body()]
) -> PreferencesResponse:
    """In place of what was said before. It counts for each message that goes out from now on."""
    await _know(customer_id, register, agent)
    wanted = body.preferences()
    await run_blocking(register.preferences.put, customer_id, wanted, agent.name, datetime.now(UTC))
    return _preferences(customer_id, wanted)


async def _know(customer_id: str, register: Register, agent: Principal) -> None:
    theirs = Predicate(OrderField.CUSTOMER_ID, Comparison.EQ, customer_id)
    page = await run_blocking(register.search.orders, OrderQuery((theirs,), visibility_of(agent), limit=1))
    if not page.orders:
        raise UnknownCustomer(f"There is no customer {customer_id}, or none that one may see")


async def _act(
    message_id: str, register: Register, agent: Principal, do: Callable[[datetime], StoredMessage | None]
) -> MessageResponse:
    found = await run_blocking(register.told.find, message_id, visibility_of(agent))
    if found is None:
        raise UnknownMessage(f"There is no message {message_id}, or none that one may see")
    altered = await run_blocking(do, datetime.now(UTC))
    if altered is None:
        raise MessageNotSo(f"The message is {found.state}", found.fate)
    log.info("somebody saw to a message", message=message_id, state=altered.state.value, by=agent.name)
    return told(altered)


def _preferences(customer_id: str, preferences: Preferences) -> PreferencesResponse:
    return PreferencesResponse(customer_id=customer_id, **dict(preferences))
