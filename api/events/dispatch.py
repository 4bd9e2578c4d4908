"""Delivers events to subscribers: at least once, in order for each subscription, and no subscriber waits for another.

The register holds what is pending. Any number of API processes may deliver: each takes the lease of a subscription for
a turn, so that one event is not sent by two. What was delivered is forgotten after a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog

from api.background import Turns
from api.blocking import run_blocking
from api.errors import Unavailable
from api.events.event_sender import EventSender, Reception, Taken
from api.events.tmf622_events import listener_url, to_event
from api.tmf.links import Links
from register.events.deliveries import Deliveries, Delivery, Lease

log = structlog.get_logger()

AT_ONCE: Final = 50
"""Subscriptions that one process delivers to at a time."""

BATCH: Final = 50
"""Events of a subscription that are held in memory at a time."""

TURN_S: Final = 15.0
"""After this a subscription that takes its events slowly lets others go first."""

LEASE: Final = timedelta(seconds=30)
"""Prolonged with each event, none of which takes longer than `api.events.event_sender.ANSWER_WITHIN`."""

FORGET_EVERY_S: Final = 60.0
FORGOTTEN_AT_ONCE: Final = 1000
_BETWEEN_BATCHES_S: Final = 0.1
"""SQLite has one writer at a time: others get their turn."""


class Dispatcher:
    """Delivers until it is stopped. Whatever is cut short is delivered again."""

    def __init__(
        self,
        deliveries: Deliveries,
        sender: EventSender,
        links: Links,
        sent: Callable[[str], None] = lambda _: None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        poll_every_s: float = 0.5,
    ) -> None:
        self._deliveries = deliveries
        self._sender = sender
        self._links = links
        self._sent = sent
        self._now = now
        self._turns = Turns(self._begin, at_once=AT_ONCE, poll_every_s=poll_every_s, waiting="events")

    async def run(self) -> None:
        """Deliver whatever becomes due, until cancelled."""
        await self._turns.run()

    async def _begin(self, free: int) -> list[Coroutine[None, None, None]]:
        now = self._now()
        leases = await run_blocking(self._deliveries.lease, now, now + LEASE, free)
        return [self._turn(lease) for lease in leases]

    async def _turn(self, lease: Lease) -> None:
        """Deliver some of what is pending for a subscription, and give its lease back."""
        try:
            await self._deliver_some(lease)
        except asyncio.CancelledError:
            await self._release(lease)  # Another process need not wait until it has run out.
            raise
        except Unavailable as error:
            log.warning("events wait: the register cannot be used now", error=error.message)
        except Exception as error:
            # The lease is left to run out: a pause, for whatever it is that does not work.
            log.error("events cannot be delivered", subscription=lease.subscription_id, exc_info=error)
            return
        await self._release(lease)

    async def _deliver_some(self, lease: Lease) -> None:
        clock = asyncio.get_running_loop().time
        over = clock() + TURN_S
        for delivery in await run_blocking(self._deliveries.batch, lease, BATCH):
            if not await self._deliver(lease, delivery) or clock() > over:
                return

    async def _deliver(self, lease: Lease, delivery: Delivery) -> bool:
        """Deliver one event and note what came of it. False if the next one has to wait."""
        reception = await self._send(lease, delivery)
        self._sent(reception.taken.value)
        now = self._now()
        told = log.bind(subscription=lease.subscription_id, note=reception.note)
        match reception.taken:
            case Taken.YES:
                return await run_blocking(self._deliveries.delivered, lease, delivery, now, now + LEASE)
            case Taken.REFUSED:
                told.warning("an event was refused, and is parked", delivery=delivery.id)
                return await run_blocking(self._deliveries.park, lease, delivery, now, now + LEASE, reception.note)
            case Taken.GONE:
                told.warning("a subscriber is gone, and its subscription over")
                await run_blocking(self._deliveries.gone, lease, now, reception.note)
            case Taken.NOT_NOW:
                parked = await run_blocking(self._deliveries.failed, lease, delivery, now, reception.note)
                told.info("a subscriber does not take its events now", parked=parked)
        return False

    async def _send(self, lease: Lease, delivery: Delivery) -> Reception:
        if delivery.event is None or delivery.order is None:
            return Reception(Taken.REFUSED, "the register does not hold the event any more, or cannot read it")
        try:
            event = to_event(delivery.order, delivery.event, self._links)
            url = listener_url(lease.callback, event)
        except Exception as error:
            # A defect of ours. It must not keep what comes after it from being delivered.
            told = f"{delivery.order.id}-{delivery.event.number}"
            log.error("an event cannot be told", id=told, exc_info=error)
            return Reception(Taken.REFUSED, "orderpipe could not put the event into words")
        return await self._sender.send(url, lease.secret, event.id, event.body())

    async def _release(self, lease: Lease) -> None:
        with suppress(Unavailable):
            await run_blocking(self._deliveries.release, lease, self._now())


class Forgets(Protocol):
    """What becomes old in the register."""

    def forget(self, before: datetime, most: int) -> int:
        """Delete what is older than an instant, never more than `most`. Gives how much that was."""
        ...


class Forgetter:
    """Forgets what has become old a while ago, until it is stopped. Any number of processes may do so."""

    def __init__(
        self,
        old: Forgets,
        keep: timedelta,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        look_every_s: float = FORGET_EVERY_S,
    ) -> None:
        self._old = old
        self._keep = keep
        self._now = now
        self._look_every_s = look_every_s

    async def run(self) -> None:
        """Look now and then, and forget what has become old, a batch at a time, until cancelled."""
        while True:
            pause_s = self._look_every_s
            try:
                if await run_blocking(self._old.forget, self._now() - self._keep, FORGOTTEN_AT_ONCE):
                    pause_s = _BETWEEN_BATCHES_S
            except Exception as error:
                log.warning("what is old stays for now", error=type(error).__name__)
            await asyncio.sleep(pause_s)
