"""From what orders have written down to the messages that their customers are to get.

An order whose news is still to be worked out is known by its row: that is as sure as the order itself. What comes of it
is written with the note that it was done, in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

import structlog
from sqlalchemy import Connection, Row, insert, select, text, update

from orders.news.message import Message, MessageState
from orders.news.telling import Moves
from orders.read_model.records import EventKind, OrderEvent
from orders.read_model.views import OrderView
from register.engine import Database
from register.tables.events import EVENTS
from register.tables.messages import MESSAGES
from register.tables.orders import ORDERS

log = structlog.get_logger()

Decide: TypeAlias = Callable[[OrderView, Sequence[OrderEvent], Sequence[Message]], Moves]
"""What becomes of an order's messages, given its milestones and the messages so far."""

_UNHEARD: Final = text("heard < version")
_NOT_SO_ANY_MORE: Final = "It was not so any more"


class News:
    """What orders have to tell. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hear(self, decide: Decide, now: datetime, most: int) -> int:
        """Work out what some orders have to tell, and note it. Gives how many they were.

        Any number of processes may do so at once.
        """
        wanted = select(ORDERS.c.id).where(_UNHEARD).order_by(ORDERS.c.ordered_at).limit(most)
        with self._database.reading() as connection:  # While there is no news, nobody is kept from writing.
            unheard = connection.scalars(wanted).all()
        if not unheard:
            return 0
        with self._database.writing() as connection:
            return sum(self._hear_order(connection, order_id, decide, now) for order_id in unheard)

    def _hear_order(self, connection: Connection, order_id: str, decide: Decide, now: datetime) -> bool:
        """False where another process has done it, or is about to."""
        columns = (ORDERS.c.version, ORDERS.c.view, ORDERS.c.deleted_at)
        wanted = select(*columns).where(ORDERS.c.id == order_id, _UNHEARD).with_for_update(skip_locked=True)
        row = connection.execute(wanted).first()
        if row is None:
            return False
        if row.deleted_at is None:
            self._decide(connection, OrderView.model_validate(row.view), decide, now)
        connection.execute(update(ORDERS).where(ORDERS.c.id == order_id).values(heard=row.version))
        return True

    def _decide(self, connection: Connection, order: OrderView, decide: Decide, now: datetime) -> None:
        messages = messages_of(connection, order.id)
        try:
            decided = decide(order, _milestones(connection, order.id), messages)
        except Exception as error:
            # A defect of ours. The news of others must not wait for it, and this order may have better luck later.
            log.error("the news of an order cannot be worked out", order=order.id, exc_info=error)
            return
        for place, message in enumerate(decided.added, len(messages) + 1):
            connection.execute(insert(MESSAGES).values(_new_row(order, place, message, now)))
        for message in decided.replaced:
            of_it = _is(order.id, message)
            content = message.content.model_dump(mode="json", exclude_defaults=True)
            connection.execute(
                update(MESSAGES).where(*of_it).values(content=content, due_at=message.due, next_at=message.due)
            )
        for message in decided.withdrawn:
            settled = {"state": MessageState.WITHDRAWN, "settled_at": now, "fate": _NOT_SO_ANY_MORE}
            connection.execute(update(MESSAGES).where(*_is(order.id, message)).values(settled))


def messages_of(connection: Connection, order_id: str) -> list[Message]:
    """All messages of an order as deciding takes them, the first one first."""
    columns = [MESSAGES.c[name] for name in ("topic", "subject", "number", "state", "due_at", "content")]
    wanted = select(*columns).where(MESSAGES.c.order_id == order_id).order_by(MESSAGES.c.place)
    return [message_of(row) for row in connection.execute(wanted)]


def message_of(row: Row[Any]) -> Message:
    """The message of a row."""
    return Message(
        topic=row.topic,
        subject=row.subject,
        number=row.number,
        state=row.state,
        due=row.due_at,
        content=row.content,
    )


def forget_messages(connection: Connection, order_id: str) -> None:
    """Forget all that was told of an order, within a transaction."""
    connection.execute(MESSAGES.delete().where(MESSAGES.c.order_id == order_id))


def erase_words_of_messages(connection: Connection, customer_id: str) -> None:
    """Forget what a customer was told, and where, but not that they were: nothing is told again."""
    erased = dict.fromkeys(("recipient", "title", "text", "calendars"))
    connection.execute(update(MESSAGES).where(MESSAGES.c.customer_id == customer_id).values(erased))


def _milestones(connection: Connection, order_id: str) -> list[OrderEvent]:
    columns = (EVENTS.c.number, EVENTS.c.at, EVENTS.c.kind, EVENTS.c.data)
    wanted = select(*columns).where(EVENTS.c.order_id == order_id, EVENTS.c.kind == EventKind.MILESTONE)
    found = connection.execute(wanted.order_by(EVENTS.c.number)).mappings()
    return [OrderEvent.model_validate(dict(row)) for row in found]


def _is(order_id: str, message: Message) -> tuple[Any, ...]:
    return (
        MESSAGES.c.order_id == order_id,
        MESSAGES.c.topic == message.topic,
        MESSAGES.c.subject == message.subject,
        MESSAGES.c.number == message.number,
        MESSAGES.c.state == MessageState.WAITING,
    )


def _new_row(order: OrderView, place: int, message: Message, now: datetime) -> dict[str, Any]:
    return {
        "id": f"{order.id}-m{place}",
        "order_id": order.id,
        "place": place,
        "customer_id": order.customer_id,
        "channel": order.channel,
        "topic": message.topic,
        "subject": message.subject,
        "number": message.number,
        "state": message.state,
        "content": message.content.model_dump(mode="json", exclude_defaults=True),
        "created_at": now,
        "due_at": message.due,
        "next_at": message.due,
        "attempts": 0,
        "fate": "",
    }
