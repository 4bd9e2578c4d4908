"""What people do with a silo by hand: pause and resume it, slow it down, plan, open and close maintenance windows."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from orders.model.values import Frozen
from orders.model.writing.wording import BECAUSE, BY, NOTHING_SAID, Wording


class By(Frozen):
    """Who has done something, why and when."""

    by: str
    reason: str
    at: datetime

    @property
    def words(self) -> str:
        """To be added to what was done, in English."""
        return str(self.added_to(NOTHING_SAID))

    def added_to(self, what: Wording) -> Wording:
        """What was done, by whom and why."""
        if self.by:
            what = BY(what=what, who=self.by)
        return BECAUSE(what=what, why=self.reason) if self.reason else what


class Throttle(By):
    """Calls a second, instead of what is granted."""

    rate_per_second: float


class Window(By):
    """A maintenance window: planned, or open until somebody closes it where it has no `end`."""

    id: str
    start: datetime
    end: datetime | None = None

    def is_on(self, now: datetime) -> bool:
        """True from its start, and before its end."""
        return self.start <= now and (self.end is None or now < self.end)


class Steer(StrEnum):
    """What is done with a silo."""

    PAUSE = "pause"
    RESUME = "resume"
    THROTTLE = "throttle"
    OPEN_WINDOW = "openWindow"
    CLOSE_WINDOW = "closeWindow"


class SiloCommand(Frozen):
    """What somebody wants of a silo. A throttle without a rate is lifted, a window without a start begins at once."""

    steer: Steer
    by: str = ""
    reason: str = ""
    rate_per_second: float | None = None
    window: str = ""
    start: datetime | None = None
    end: datetime | None = None
