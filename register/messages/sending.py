"""Messages on their way to customers, for the process that sends them.

A message is taken for a time. It is written down word for word before it goes out, and settled at once after. One that
was cut off in between is taken again when its time is up, with the same words under the same key: it may have gone out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import and_, exists, or_, select, update

from orders.model.messaging import Medium
from orders.news.knowing import calendar_sequence
from orders.news.message import Message, MessageState
from orders.news.preferences import Preferences
from orders.read_model.views import OrderView
from register.engine import Database
from register.events.deliveries import pause_after
from register.messages.news import message_of, messages_of
from register.messages.preferences import preferences_of
from register.recording.documents import OF_ORDER
from register.tables.messages import MESSAGES, UNDER_WAY
from register.tables.orders import DOCUMENTS, ORDERS

PATIENCE: Final = timedelta(days=1)
"""How long a message is tried that cannot be handed over, from when it was due."""


@dataclass(frozen=True, slots=True)
class Written:
    """A message word for word, with whom it goes to. `calendars` are entries for calendars (RFC 5545)."""

    medium: Medium
    recipient: str
    language: str
    title: str
    text: str
    calendars: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that was taken to be sent, and the order that it is about, as that is now.

    `written` are its words where it may have gone out before. `sequences` are those of its visits' calendar entries.
    """

    id: str
    lease: str
    message: Message
    order: OrderView
    preferences: Preferences
    attempts: int
    created_at: datetime
    written: Written | None
    sequences: dict[str, int]


class Sending:
    """What is on its way. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, now: datetime, until: datetime, most: int) -> list[Outgoing]:
        """Take messages that are due and that nobody else sends, those of one order one after the other.

        From here on they count as told: no later news replaces them.
        """
        earlier = MESSAGES.alias()
        due = and_(
            UNDER_WAY,
            MESSAGES.c.next_at <= now,
            ~exists().where(
                earlier.c.order_id == MESSAGES.c.order_id,
                earlier.c.place < MESSAGES.c.place,
                or_(
                    earlier.c.state == MessageState.SENDING,
                    and_(earlier.c.state == MessageState.WAITING, earlier.c.due_at <= now),
                ),
            ),
        )
        wanted = select(MESSAGES.c.id).where(due).order_by(MESSAGES.c.next_at).limit(most)
        with self._database.reading() as connection:  # While nothing is due, nobody is kept from writing.
            candidates = connection.scalars(wanted).all()
        if not candidates:
            return []
        taken: dict[str, str] = {}
        with self._database.writing() as connection:
            for message_id in candidates:
                token = uuid4().hex
                won = connection.execute(
                    update(MESSAGES)
                    .where(MESSAGES.c.id == message_id, due)
                    .values(lease=token, next_at=until, state=MessageState.SENDING)
                )
                if won.rowcount:
                    taken[message_id] = token
        return self._outgoing(taken)

    def write(self, outgoing: Outgoing, written: Written, until: datetime) -> bool:
        """Write a message down as it goes out now, and keep the lease. False if that was lost."""
        words: dict[str, Any] = {
            "medium": written.medium,
            "recipient": written.recipient,
            "language": written.language,
            "title": written.title,
            "text": written.text,
            "calendars": list(written.calendars),
        }
        return self._settle(outgoing, **words, attempts=MESSAGES.c.attempts + 1, next_at=until)

    def sent(self, outgoing: Outgoing, now: datetime, fate: str) -> bool:
        """It was handed over. False if the lease was lost: somebody else may send it, too."""
        return self._settle(outgoing, state=MessageState.SENT, settled_at=now, fate=fate, lease=None)

    def unwanted(self, outgoing: Outgoing, now: datetime, fate: str) -> bool:
        """Nobody is to get it."""
        return self._settle(outgoing, state=MessageState.UNWANTED, settled_at=now, fate=fate, lease=None)

    def failed(self, outgoing: Outgoing, now: datetime, fate: str) -> bool:
        """It cannot be delivered. Somebody may see to that."""
        return self._settle(outgoing, state=MessageState.FAILED, settled_at=now, fate=fate, lease=None)

    def not_now(self, outgoing: Outgoing, now: datetime, fate: str, *, may_be_out: bool) -> bool:
        """It is tried again after a pause, for a day: with the same words where it may have gone out already.

        Otherwise it waits again, and later news may replace it.
        """
        if now - outgoing.message.due > PATIENCE:
            return self.failed(outgoing, now, fate)
        again: dict[str, Any] = {"next_at": now + pause_after(outgoing.attempts + 1), "fate": fate, "lease": None}
        if may_be_out:
            return self._settle(outgoing, **again)
        nothing = dict.fromkeys(("medium", "recipient", "language", "title", "text", "calendars"))
        return self._settle(outgoing, **again, **nothing, state=MessageState.WAITING)

    def _settle(self, outgoing: Outgoing, **values: Any) -> bool:
        with self._database.writing() as connection:
            of_it = MESSAGES.c.id == outgoing.id, MESSAGES.c.lease == outgoing.lease
            return bool(connection.execute(update(MESSAGES).where(*of_it).values(values)).rowcount)

    def _outgoing(self, taken: dict[str, str]) -> list[Outgoing]:
        columns = (MESSAGES, ORDERS.c.view, DOCUMENTS.c.content.label("document"))
        found = (
            select(*columns)
            .join_from(MESSAGES, ORDERS, ORDERS.c.id == MESSAGES.c.order_id)
            .outerjoin(DOCUMENTS, OF_ORDER)
            .where(MESSAGES.c.id.in_(taken))
            .order_by(MESSAGES.c.due_at, MESSAGES.c.place)
        )
        with self._database.reading() as connection:
            rows = connection.execute(found).all()
            told = {row.order_id: messages_of(connection, row.order_id) for row in rows}
            theirs = preferences_of(connection, {row.customer_id for row in rows})
        return [
            _one(row, taken[row.id], told[row.order_id], theirs.get(row.customer_id, Preferences())) for row in rows
        ]


def _one(row: Any, lease: str, told: list[Message], preferences: Preferences) -> Outgoing:
    message = message_of(row)
    visits = (*message.content.visits, *message.content.called_off)
    return Outgoing(
        id=row.id,
        lease=lease,
        message=message,
        order=OrderView.model_validate({**row.view, "body": row.document}),
        preferences=preferences,
        attempts=row.attempts,
        created_at=row.created_at,
        written=_words(row),
        sequences={visit.site: calendar_sequence(told[: row.place - 1], visit.site) for visit in visits},
    )


def _words(row: Any) -> Written | None:
    if row.text is None:
        return None
    return Written(
        medium=Medium(row.medium),
        recipient=row.recipient or "",
        language=row.language or "",
        title=row.title or "",
        text=row.text,
        calendars=tuple(row.calendars or ()),
    )
