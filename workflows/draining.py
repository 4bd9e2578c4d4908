"""When a run has grown long, and begins nothing new so that the order can go on in another one."""

from __future__ import annotations

from datetime import datetime, timedelta

PATIENCE = timedelta(seconds=5)
"""How long nothing new is begun while the calls under way come to their end. One may be repeated for days."""
AGAIN_AFTER = 500
"""Events until the next attempt."""
MOST_EVENTS, MOST_BYTES = 40_000, 40 * 2**20
"""From here on nothing new is begun at all: Temporal ends a run at some 51,000 events or 50 MiB."""


class Drain:
    """Whether to begin nothing new now. `look` at each turn of the loop, before anything is begun."""

    def __init__(self) -> None:
        self.until: datetime | None = None
        """While it is on: when work goes on unless the run has ended by then. None where there is no such time."""
        self.on = False
        self._next_at = 0

    def look(self, suggested: bool, events: int, size: int, now: datetime) -> None:
        """Take in how long the history is (`events`, and `size` in bytes), and whether Temporal suggests a new run."""
        if events >= MOST_EVENTS or size >= MOST_BYTES:
            self.on, self.until = True, None
        elif not suggested:
            self.call_off()
        elif self.until is None and events >= self._next_at:
            self.on, self.until = True, now + PATIENCE
        elif self.until is not None and now >= self.until:
            self.call_off()
            self._next_at = events + AGAIN_AFTER

    def call_off(self) -> None:
        """Go on for now, since something has to be begun first. A deadline that nobody keeps would hide later ones."""
        self.on, self.until = False, None
