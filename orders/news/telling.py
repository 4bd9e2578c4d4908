"""From news to messages: what is written anew, what is replaced while it waits, and what is called off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from orders.model.messaging import Topic
from orders.news.message import Message, MessageState, News
from orders.news.news import About


@dataclass(frozen=True, slots=True)
class Moves:
    """What is to be done: messages to add, those that wait with what they are to say now, and those to withdraw."""

    added: tuple[Message, ...] = ()
    replaced: tuple[Message, ...] = ()
    withdrawn: tuple[Message, ...] = ()


def moves(news: Mapping[About, News], messages: Iterable[Message]) -> Moves:
    """How the messages of an order come to tell its news: each once.

    News that is replaced while it waits is told when the first was due: who hears of a date that moves on and on hears
    of it in the end.
    """
    last: dict[About, Message] = {}
    for message in messages:
        last[message.topic, message.subject] = message
    waiting = {about: message for about, message in last.items() if message.state is MessageState.WAITING}
    added = tuple(
        Message(
            topic=about[0],
            subject=about[1],
            number=last[about].number + 1 if about in last else 1,
            state=MessageState.WAITING,
            due=each.due,
            content=each.content,
        )
        for about, each in news.items()
        if about not in waiting
    )
    replaced = tuple(
        message.model_copy(update={"content": each.content, "due": _due(message, each)})
        for about, message in waiting.items()
        if (each := news.get(about)) is not None and _differs(message, each)
    )
    withdrawn = tuple(message for about, message in waiting.items() if about not in news)
    return Moves(added, replaced, withdrawn)


def _differs(message: Message, news: News) -> bool:
    return message.content != news.content or _due(message, news) != message.due


def _due(message: Message, news: News) -> datetime:
    """A reminder has a time of its own; all else is told when the first news of it was due."""
    return news.due if message.topic is Topic.VISIT_REMINDER else min(message.due, news.due)
