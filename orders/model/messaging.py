"""How customers are told: of what, when, by which medium and in which language. The folder of the catalog says it."""

from __future__ import annotations

from datetime import time, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from orders.model.order import TimeZone
from orders.model.values import Frozen, Name
from orders.model.writing.text import Line

Language = Annotated[str, Field(pattern=r"^[a-z]{2}(_[A-Z]{2})?$")]
"""A language, and a country where that matters: `de`, `de_CH`."""


class Topic(StrEnum):
    """What customers can be told of."""

    RECEIVED = "received"
    DATE = "date"
    """The promised date has moved, either way."""
    VISIT = "visit"
    """A visit is made, moved, or called off."""
    VISIT_REMINDER = "visit-reminder"
    SHIPPED = "shipped"
    ACTIVE = "active"
    NEEDS_YOU = "needs-you"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    DONE = "done"


OF_MILESTONES = (Topic.SHIPPED, Topic.ACTIVE)
"""The topics that are about something that was reached."""


class Medium(StrEnum):
    """By what a message goes."""

    EMAIL = "email"
    SMS = "sms"
    SYSTEM = "system"
    """The operator's own system for messages (TMF681), which knows how to reach its customers."""
    NONE = "none"


class QuietHours(Frozen):
    """When nobody is to be disturbed, by the clock at the site. They may go past midnight."""

    begin: time
    end: time


class Defaults(Frozen):
    """How customers are told of whom nothing else is known."""

    language: Language = "en"
    medium: Medium = Medium.EMAIL


class Messaging(Frozen):
    """The rules. `folds` has the time for which news of a topic is held back where it is not `fold`.

    `milestones` names the topic of each milestone that customers hear of. `visit_over` are those after which a visit
    has taken place. `channels` has the defaults of sales channels that have their own.
    """

    sender: Line
    provider: Line
    time_zone: TimeZone = "UTC"
    fold: timedelta = timedelta(minutes=3)
    folds: dict[Topic, timedelta] = Field(default_factory=dict)
    quiet: QuietHours | None = None
    reminder_at: time = time(17)
    milestones: dict[Name, Topic] = Field(default_factory=dict)
    visit_over: tuple[Name, ...] = ()
    default: Defaults = Defaults()
    channels: dict[Name, Defaults] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _milestones_are_of_their_topics(self) -> Messaging:
        wrong = sorted(name for name, topic in self.milestones.items() if topic not in OF_MILESTONES)
        if wrong:
            raise ValueError(f"milestones are told under {' or '.join(OF_MILESTONES)}, not so {', '.join(wrong)}")
        return self

    def of_channel(self, channel: str) -> Defaults:
        """The defaults for orders from a sales channel."""
        return self.channels.get(channel, self.default)
