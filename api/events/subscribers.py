"""Those who subscribe to events, and what each may do with its subscriptions."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import httpx2
from pydantic import SecretStr

from api.access.principal import Principal, Scope
from api.blocking import run_blocking
from api.errors import Forbidden, Malformed, SubscriptionRefused, UnknownSubscription, problem
from api.events.callback_url import wrong_with
from api.events.event_query import read_query
from api.events.guarded_network import InternalAddress, Resolve, look_up, outside_addresses
from api.events.webhook_secret import new_secret
from api.tmf.links import Links
from orders.read_model.subscription import EventFilter
from register.events.subscriptions import (
    AlreadySubscribed,
    ParkedEvent,
    Subscription,
    SubscriptionEnded,
    Subscriptions,
    SubscriptionStatus,
    TooManySubscriptions,
)

_RESOLVE_WITHIN_S: Final = 2.0


class Subscribers:
    """Subscriptions by their owners. Every method may raise `Unavailable`, if the register cannot be asked now."""

    def __init__(
        self, subscriptions: Subscriptions, links: Links, *, allow_internal: bool, resolve: Resolve = look_up
    ) -> None:
        self._subscriptions = subscriptions
        self._links = links
        self._allow_internal = allow_internal
        self._resolve = resolve

    def href(self, subscription_id: str) -> str:
        """The address of a subscription."""
        return self._links.subscription(subscription_id)

    async def subscribe(
        self, principal: Principal, callback: str, query: str, secret: SecretStr | None
    ) -> Subscription:
        """Begin to tell a principal of the events that fit a query, as far as it sees the orders that they are about.

        Raises:
            Malformed: if nothing can be sent to the callback, or the query cannot be understood.
            Forbidden: if it sees no orders at all.
            SubscriptionRefused: if it has this subscription already, or too many.
        """
        if not principal.sees_every_order and principal.channel is None and principal.customer is None:
            raise Forbidden(
                "The token speaks for no channel and no customer", "It needs the claim `channel` or `customer`"
            )
        wanted = _bounded(principal, read_query(query))
        await self._check(callback)
        subscription = Subscription(
            id=str(uuid4()),
            callback=callback,
            query=query,
            filter=wanted,
            owner=principal.name,
            channel=None if principal.sees_every_order else principal.channel,
            customer_id=principal.customer,
            secret=secret or new_secret(),
            created_at=datetime.now(UTC),
        )
        try:
            await run_blocking(self._subscriptions.add, subscription)
        except AlreadySubscribed as error:
            raise SubscriptionRefused(
                "This callback is subscribed with this query", f"As subscription {error}"
            ) from error
        except TooManySubscriptions as error:
            raise SubscriptionRefused("There are too many subscriptions", "End one that is not needed") from error
        return subscription

    async def _check(self, callback: str) -> None:
        """Refuse what could never be delivered to. A name that nobody knows may be known later."""
        found = wrong_with(callback, allow_internal=self._allow_internal)
        if found is not None:
            raise Malformed([problem("callback", found)])
        if self._allow_internal:
            return
        url = httpx2.URL(callback)
        try:
            async with asyncio.timeout(_RESOLVE_WITHIN_S):
                await outside_addresses(url.host, url.port or 443, self._resolve)
        except InternalAddress as error:
            raise Malformed([problem("callback", str(error))]) from error
        except (OSError, UnicodeError):
            return

    async def end(self, principal: Principal, subscription_id: str) -> None:
        """End a subscription.

        Raises:
            UnknownSubscription: if it has none of that id.
        """
        await self._own(principal, subscription_id)
        await run_blocking(self._subscriptions.end, subscription_id, datetime.now(UTC))

    async def listed(self, principal: Principal) -> list[SubscriptionStatus]:
        """How its subscriptions fare; an operator's are everybody's."""
        owner = None if principal.may(Scope.OPERATE) else principal.name
        return await run_blocking(self._subscriptions.listed, owner)

    async def parked(self, principal: Principal, subscription_id: str, offset: int, limit: int) -> list[ParkedEvent]:
        """A page of the events that did not get through.

        Raises:
            UnknownSubscription: if it has none of that id.
        """
        await self._own(principal, subscription_id)
        return await run_blocking(self._subscriptions.parked, subscription_id, offset, limit)

    async def retry(self, principal: Principal, subscription_id: str) -> SubscriptionStatus:
        """Have what was parked delivered after all, and what is pending tried at once.

        Raises:
            UnknownSubscription: if it has none of that id.
            SubscriptionRefused: if the subscription has ended.
        """
        await self._own(principal, subscription_id)
        try:
            await run_blocking(self._subscriptions.retry, subscription_id, datetime.now(UTC))
        except SubscriptionEnded as error:
            raise SubscriptionRefused("The subscription has ended", str(error)) from error
        return await self._own(principal, subscription_id)

    async def _own(self, principal: Principal, subscription_id: str) -> SubscriptionStatus:
        found = await run_blocking(self._subscriptions.find, subscription_id)
        if found is None or not (found.owner == principal.name or principal.may(Scope.OPERATE)):
            raise UnknownSubscription(f"There is no subscription {subscription_id}")
        return found


def _bounded(principal: Principal, wanted: EventFilter) -> EventFilter:
    """What a principal asks for, as far as it may hear of it: a channel of its own orders, unless it sees more.

    Raises:
        Malformed: if there is nothing of what it asks for.
    """
    channel = principal.channel
    if principal.sees_every_order or principal.customer is not None or principal.of_customers or channel is None:
        return wanted
    if wanted.channels and channel not in wanted.channels:
        raise Malformed([problem("query", f"channel: the token hears of the orders of {channel}")])
    return wanted.model_copy(update={"channels": (channel,)})
