"""Where a work item is: what people are asked to do for an order."""

from __future__ import annotations

from enum import StrEnum


class WorkState(StrEnum):
    """Where a work item is. `open`: somebody is to do it. `fallenAway`: it is wanted no more, and was never begun."""

    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"
    FALLEN_AWAY = "fallenAway"
