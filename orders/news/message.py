"""Messages to customers as far as deciding about them goes: what they say, and whether they have gone out."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from orders.model.messaging import Topic
from orders.model.order import TimeSlot
from orders.model.values import Frozen, Money


class MessageState(StrEnum):
    """Where a message is. One that is not `waiting` is never altered again."""

    WAITING = "waiting"
    """It is held back until it is due. Later news may replace it, or call it off."""
    SENDING = "sending"
    """It is written, and may have gone out already."""
    SENT = "sent"
    WITHDRAWN = "withdrawn"
    """It was not true, or not worth telling any more when it would have gone out."""
    UNWANTED = "unwanted"
    """The customer does not want it, or nobody knows how to reach them."""
    FAILED = "failed"
    """It cannot be delivered: somebody may see to the address, and send it again."""


SETTLED = (MessageState.SENDING, MessageState.SENT, MessageState.UNWANTED, MessageState.FAILED)
"""What counts as told: nothing takes it back, and it is not said again by itself."""


class Precision(StrEnum):
    """How exactly a date is told."""

    DAY = "day"
    HOUR = "hour"


class Visit(Frozen):
    """When somebody comes to a site. `address` are its lines."""

    site: str
    slot: TimeSlot
    address: tuple[str, ...] = ()


class Thing(Frozen):
    """Something that was reached: by the number of its event, which task it was, and for which items."""

    event: int
    milestone: str
    task: str
    items: tuple[str, ...]


class FeeTold(Frozen):
    """A fee, and the change that it is for."""

    change: str
    fee: Money


class Content(Frozen):
    """What a message says; each topic has its own part of it.

    `date` is by when all will be done, `date_before` what was said before. `visits` are to take place, and `called_off`
    are not any more. `items` are those that it is about, `whole` says that it is all of the order. `reasons` are words
    for customers. `change` is the request that was refused.
    """

    date: datetime | None = None
    date_before: datetime | None = None
    precision: Precision = Precision.DAY
    visits: tuple[Visit, ...] = ()
    called_off: tuple[Visit, ...] = ()
    items: tuple[str, ...] = ()
    things: tuple[Thing, ...] = ()
    fees: tuple[FeeTold, ...] = ()
    reasons: tuple[str, ...] = ()
    change: str = ""
    whole: bool = False


class Message(Frozen):
    """A message of an order. Those of one topic and subject are numbered; a list has them in order of telling."""

    topic: Topic
    subject: str = ""
    number: int
    state: MessageState
    due: datetime
    content: Content

    @property
    def settled(self) -> bool:
        """True where it counts as told."""
        return self.state in SETTLED


class News(Frozen):
    """What a customer should be told, and when at the earliest."""

    content: Content
    due: datetime
