"""In what danger a promise is, why, and what would help."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from orders.model.values import Frozen
from orders.model.writing.wording import NOTHING_SAID, Wording, told_before_as

RATHER_SURE: Final = 0.526
"""How far between likely and safe lies what is kept three times in four."""


class JeopardyLevel(StrEnum):
    """How bad it is."""

    NONE = "none"
    AT_RISK = "atRisk"
    """The promise is kept less than three times in four."""
    IN_JEOPARDY = "inJeopardy"
    """It is likely to be broken."""
    MISSED = "missed"
    """Its time has passed."""

    @property
    def is_late(self) -> bool:
        """True where the order is expected later than promised."""
        return self in (JeopardyLevel.IN_JEOPARDY, JeopardyLevel.MISSED)


class JeopardyCause(StrEnum):
    """What puts a promise in danger."""

    FALLOUT = "fallout"
    """A call waits for a person."""
    HOLD = "hold"
    """The order is on hold."""
    APPOINTMENT = "appointment"
    """A visit is later than the promise allows."""
    OVERDUE = "overdue"
    """A task takes longer than it does nine times in ten."""
    DELAY = "delay"
    """What was done took longer than it usually does."""


class JeopardyView(Frozen):
    """The danger that a promise is in: because of which task, of which silo, since when, and what would help."""

    level: JeopardyLevel
    cause: JeopardyCause
    what_wording: Wording = told_before_as("what", ...)
    task: str | None = None
    silo: str | None = None
    helps_wording: Wording = told_before_as("helps", NOTHING_SAID)
    since: datetime | None = None

    @property
    def what(self) -> str:
        """Because of what, in English."""
        return str(self.what_wording)

    @property
    def helps(self) -> str:
        """What would help, in English."""
        return str(self.helps_wording)


def level_of(likely: datetime, safe: datetime, promised: datetime, now: datetime) -> JeopardyLevel:
    """In what danger a promise is, by when the order is done as a rule and nine times in ten."""
    if now > promised:
        return JeopardyLevel.MISSED
    if likely > promised:
        return JeopardyLevel.IN_JEOPARDY
    return JeopardyLevel.AT_RISK if likely + RATHER_SURE * (safe - likely) > promised else JeopardyLevel.NONE
