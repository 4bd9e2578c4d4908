"""What customers were told, word for word, and what became of it; and what people do about a message that failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, select, update

from orders.model.messaging import Medium, Topic
from orders.news.message import MessageState
from register.engine import Database
from register.searching.query import Visibility
from register.searching.search import has_customer
from register.tables.messages import MESSAGES, TO_SEE_TO

_TOLD: Final = (
    "id",
    "order_id",
    "topic",
    "state",
    "created_at",
    "due_at",
    "settled_at",
    "attempts",
    "medium",
    "recipient",
    "language",
    "title",
    "text",
    "fate",
)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message with its words, once it has any, and its fate."""

    id: str
    order_id: str
    topic: Topic
    state: MessageState
    created_at: datetime
    due_at: datetime
    settled_at: datetime | None
    attempts: int
    medium: Medium | None
    recipient: str | None
    language: str | None
    title: str | None
    text: str | None
    fate: str


class Told:
    """The messages to customers. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_order(self, order_id: str) -> list[StoredMessage]:
        """All of an order, the first one first."""
        return self._found(MESSAGES.c.order_id == order_id, by=MESSAGES.c.place)

    def of_customer(self, customer_id: str, sight: Visibility | None, most: int) -> list[StoredMessage]:
        """Those of a customer's orders that are seen, the latest first."""
        seen = _seen(sight)
        return self._found(MESSAGES.c.customer_id == customer_id, *seen, by=MESSAGES.c.created_at.desc(), most=most)

    def failed(self, sight: Visibility | None, offset: int, most: int) -> list[StoredMessage]:
        """Those that could not be delivered, of orders that are seen, the latest first."""
        by = MESSAGES.c.settled_at.desc()
        return self._found(TO_SEE_TO, *_seen(sight), by=by, offset=offset, most=most)

    def again(self, message_id: str, now: datetime) -> StoredMessage | None:
        """Send one again that has failed, under the same key, written anew to where the customer is reached now.

        None where there is no such message, or it has not failed.
        """
        nothing = dict.fromkeys(("medium", "recipient", "language", "title", "text", "calendars", "settled_at"))
        again = {**nothing, "state": MessageState.SENDING, "due_at": now, "next_at": now, "fate": "Sent again"}
        return self._altered(message_id, (MessageState.FAILED,), again)

    def bounced(self, message_id: str, now: datetime, why: str) -> StoredMessage | None:
        """Note that one that was sent has come back. None where there is none that was."""
        failed = {"state": MessageState.FAILED, "settled_at": now, "fate": why}
        return self._altered(message_id, (MessageState.SENT, MessageState.FAILED), failed)

    def find(self, message_id: str, sight: Visibility | None = None) -> StoredMessage | None:
        """One message, if its order is seen."""
        found = self._found(MESSAGES.c.id == message_id, *_seen(sight), by=MESSAGES.c.place)
        return found[0] if found else None

    def _altered(
        self, message_id: str, states: tuple[MessageState, ...], values: dict[str, Any]
    ) -> StoredMessage | None:
        of_it = MESSAGES.c.id == message_id, MESSAGES.c.state.in_(states)
        with self._database.writing() as connection:
            altered = connection.execute(update(MESSAGES).where(*of_it).values({**values, "lease": None})).rowcount
        return self.find(message_id) if altered else None

    def _found(
        self, *conditions: Any, by: ColumnElement[Any], offset: int = 0, most: int = 1000
    ) -> list[StoredMessage]:
        columns = [MESSAGES.c[name] for name in _TOLD]
        wanted = select(*columns).where(*conditions).order_by(by, MESSAGES.c.id).offset(offset).limit(most)
        with self._database.reading() as connection:
            return [_stored(row) for row in connection.execute(wanted).mappings()]


def _seen(sight: Visibility | None) -> Iterator[ColumnElement[bool]]:
    if sight is None:
        return
    if sight.customer is not None:
        yield MESSAGES.c.customer_id == sight.customer
    elif sight.channel is not None:
        own = MESSAGES.c.channel == sight.channel
        yield own | has_customer(sight.channel, MESSAGES.c.customer_id) if sight.all_of_customers else own


def _stored(row: Any) -> StoredMessage:
    values = dict(row)
    medium = values.pop("medium")
    return StoredMessage(
        **values
        | {
            "topic": Topic(values["topic"]),
            "state": MessageState(values["state"]),
            "medium": Medium(medium) if medium is not None else None,
        }
    )
