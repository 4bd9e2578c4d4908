"""What the customer of an order knows by the messages that went out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from orders.model.messaging import Topic
from orders.news.message import Message, Precision, Visit


@dataclass
class Known:
    """What a customer was told so far; `date` by when all would be done, as exactly as that was said."""

    topics: set[tuple[Topic, str]] = field(default_factory=set)
    date: datetime | None = None
    precision: Precision = Precision.DAY
    visits: dict[str, Visit] = field(default_factory=dict)
    reminded: dict[str, Visit] = field(default_factory=dict)
    things: set[int] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    fees: set[str] = field(default_factory=set)

    def was_told(self, topic: Topic, subject: str = "") -> bool:
        """True if there was a message of that topic about that."""
        return (topic, subject) in self.topics


def known_by(messages: Iterable[Message]) -> Known:
    """What is known by the messages that count as told."""
    known = Known()
    for message in _told(messages):
        content = message.content
        known.topics.add((message.topic, message.subject))
        if content.date is not None:
            known.date, known.precision = content.date, content.precision
        if message.topic is Topic.VISIT_REMINDER:
            known.reminded.update((visit.site, visit) for visit in content.visits)
        for visit in content.called_off:
            known.visits.pop(visit.site, None)
        known.visits.update((visit.site, visit) for visit in content.visits)
        known.things.update(thing.event for thing in content.things)
        if message.topic is Topic.CANCELLED:
            known.cancelled.update(content.items)
            known.fees.update(fee.change for fee in content.fees)
    return known


def calendar_sequence(earlier: Iterable[Message], site: str) -> int:
    """How often a visit to a site was put into calendars by earlier messages: the SEQUENCE of its entry (RFC 5545)."""
    return sum(
        any(visit.site == site for visit in (*message.content.visits, *message.content.called_off))
        for message in _told(earlier)
        if message.topic is not Topic.VISIT_REMINDER
    )


def _told(messages: Iterable[Message]) -> Iterator[Message]:
    return (message for message in messages if message.settled)
