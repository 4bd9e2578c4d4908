"""Works out what orders have to tell their customers, and sends what is due: once, whatever is killed when.

The register holds what is on its way. Any number of API processes may send: each takes a message for a time, so that
one is not sent by two. It is written down before it is handed over, and settled while the connection still stands. Only
a process that is killed between those two leaves a message of which nobody knows whether it has gone out: it is sent
again then, with the same words under the same key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from api.background import Turns
from api.blocking import run_blocking
from api.errors import Unavailable
from api.messages.calendars import calendars_of
from api.messages.handing_over import Handed, Taken, Way
from api.messages.recipients import Nobody, recipient_of
from catalog_loader.messages.book import MessageBook, Unspeakable
from orders.model.messaging import Medium
from orders.news.message import Message
from orders.news.news import news_of
from orders.news.telling import Moves, moves
from orders.read_model.records import OrderEvent
from orders.read_model.views import OrderView
from register import Register
from register.messages.sending import Outgoing, Written

log = structlog.get_logger()

AT_ONCE: Final = 10
"""Messages that one process sends at a time."""

HEARD_AT_ONCE: Final = 20
"""Orders whose news is worked out in one transaction."""

LEASE: Final = timedelta(minutes=2)
"""Longer than it takes to hand a message over, or to give up."""

TO_THE_END_S: Final = 10.0
"""How long a message that is being handed over keeps the process from ending."""

_WITHOUT_REGISTER_S: Final = 5.0

Titles = Callable[[OrderView], Mapping[str, str]]
"""The titles of offerings, by name, as an order was sold."""


class Courier:
    """Tells customers until it is stopped. What is cut short is taken up again."""

    def __init__(
        self,
        register: Register,
        book: MessageBook,
        ways: Mapping[Medium, Way],
        titles: Titles,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        poll_every_s: float = 0.5,
    ) -> None:
        self._register = register
        self._book = book
        self._ways = ways
        self._titles = titles
        self._now = now
        self._poll_every_s = poll_every_s
        self._turns = Turns(self._begin, at_once=AT_ONCE, poll_every_s=poll_every_s, waiting="messages to customers")

    async def run(self) -> None:
        """Work out what is news, and send what is due, until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._listen())
            both.create_task(self._turns.run())

    async def _listen(self) -> None:
        while True:
            pause_s = self._poll_every_s
            try:
                if await self.hear() == HEARD_AT_ONCE:
                    pause_s = 0
            except Exception as error:
                log.error("news waits: the register cannot be used now", exc_info=error)
                pause_s = _WITHOUT_REGISTER_S
            await asyncio.sleep(pause_s)

    async def hear(self) -> int:
        """Work out what some orders have to tell. Gives how many they were."""
        now = self._now()

        def decide(order: OrderView, reached: Sequence[OrderEvent], messages: Sequence[Message]) -> Moves:
            return moves(news_of(order, reached, messages, self._book.rules, now), messages)

        return await run_blocking(self._register.news.hear, decide, now, HEARD_AT_ONCE)

    async def _begin(self, free: int) -> list[Coroutine[None, None, None]]:
        now = self._now()
        taken = await run_blocking(self._register.sending.take, now, now + LEASE, free)
        return [self._turn(outgoing) for outgoing in taken]

    async def _turn(self, outgoing: Outgoing) -> None:
        sending = asyncio.create_task(self._send(outgoing))
        try:
            await asyncio.shield(sending)
        except asyncio.CancelledError:
            # What is handed over already is settled first: else nobody would know.
            await asyncio.wait([sending], timeout=TO_THE_END_S)
            raise
        except Unavailable as error:
            log.warning("a message waits: the register cannot be used now", error=error.message)
        except Exception as error:
            # It is left until its time is up: a pause, for whatever it is that does not work.
            log.error("a message cannot be sent", message=outgoing.id, exc_info=error)

    async def _send(self, outgoing: Outgoing) -> None:
        sending = self._register.sending
        try:
            written = outgoing.written or self._written(outgoing)
        except Nobody as error:
            await run_blocking(sending.unwanted, outgoing, self._now(), str(error))
            return
        except Unspeakable as error:
            log.error("a message cannot be put into words", message=outgoing.id, why=str(error))
            await run_blocking(sending.failed, outgoing, self._now(), f"It cannot be put into words: {error}")
            return
        way = self._ways.get(written.medium)
        if way is None:  # It was written when there was one.
            await run_blocking(sending.failed, outgoing, self._now(), f"There is no way by {written.medium} any more")
            return
        if not await run_blocking(sending.write, outgoing, written, self._now() + LEASE):
            return
        async with way.handing_over(outgoing, written) as handed:
            await self._settle(outgoing, handed)

    async def _settle(self, outgoing: Outgoing, handed: Handed) -> None:
        sending, now = self._register.sending, self._now()
        match handed.taken:
            case Taken.YES:
                await run_blocking(sending.sent, outgoing, now, handed.note)
                return
            case Taken.REFUSED:
                await run_blocking(sending.failed, outgoing, now, handed.note)
            case Taken.NOT_NOW:
                await run_blocking(sending.not_now, outgoing, now, handed.note, may_be_out=False)
            case Taken.UNKNOWN:
                await run_blocking(sending.not_now, outgoing, now, handed.note, may_be_out=True)
        log.warning("a message was not sent", message=outgoing.id, outcome=handed.taken.value, note=handed.note)

    def _written(self, outgoing: Outgoing) -> Written:
        order, message, rules = outgoing.order, outgoing.message, self._book.rules
        recipient = recipient_of(order, message.topic, outgoing.preferences, self._book, self._ways.keys())
        said = self._book.say(message, order, self._titles(order), recipient.name, recipient.language, recipient.medium)
        calendars = calendars_of(message, order.id, said.title, rules.sender, outgoing.sequences, outgoing.created_at)
        return Written(
            medium=recipient.medium,
            recipient=recipient.address,
            language=recipient.language,
            title=said.title,
            text=said.text,
            calendars=calendars if recipient.medium is not Medium.SMS else (),
        )
