"""The budget of one order: how much of everything it may have, so that a workflow can carry it and a worker turn it.

Temporal takes no payload beyond 2 MB, and gives up on a worker that computes for two seconds on end. An order meets
neither: what would lead there is refused, wherever it comes in, by a reason that names the limit and the size. Together
the limits in bytes leave room in a payload for all that a run of a workflow hands to the next, also where nothing of it
can be compressed.
"""

from __future__ import annotations

import json
import zlib
from typing import Final, NamedTuple

from pydantic import BaseModel

from orders.model.order import Reason

TOO_LARGE: Final = "order_too_large"
"""The code of whatever is refused for its size."""


class Limit(NamedTuple):
    """At most so much of something."""

    most: int
    what: str

    def exceeded_by(self, size: int) -> Reason | None:
        """Why that much is refused, or None where it fits."""
        if size <= self.most:
            return None
        return Reason(code=TOO_LARGE, message=f"{size} {self.what}: at most {self.most} are taken")


ITEMS: Final = Limit(1_000, "items in one order")
PRODUCTS: Final = Limit(2_000, "products in one order")
TASKS: Final = Limit(5_000, "tasks in one order")
"""That many take a worker up to half a second of CPU on end. Temporal gives it two, on the clock."""

START: Final = Limit(300_000, "compressed bytes in one order, all that is read of it and its plan")
PLAN: Final = Limit(300_000, "compressed bytes in one revision and its plan")

CHANGE: Final = Limit(500_000, "bytes in one change")
DOCUMENT: Final = Limit(2_000_000, "bytes in one order as it is sent, with all that its patches bring")
"""It is kept in the register. A workflow carries its digest alone."""
BY_HAND: Final = Limit(4_000, "bytes of what is told by hand")
NAMED: Final = Limit(2 * ITEMS.most, "items that one order has ever had")
BEHIND: Final = Limit(4 * ITEMS.most, "items in revisions of one order that the register does not have yet")

LOG: Final = 150_000
"""Bytes of the log of changes. Its oldest entries go when it grows beyond."""
LONGEST_TEXT: Final = 1_000
"""Characters of a text that somebody gives for people to read. What is longer is cut."""
MOST_NAMED: Final = 20
"""How many of many things are named one by one in an entry of the log."""
MOST_REASONS: Final = 50
"""How many reasons are told of a refusal. Nobody reads further."""
MOST_WAITING: Final = 100
"""How many changes still to be decided are told of."""
INBOX: Final = 500
"""Changes that wait to be decided, before others are turned away."""

OUTPUTS: Final = 4_000
"""Bytes of outputs in one answer of a silo."""
MILESTONES: Final = 1_000
"""Bytes of milestones in one answer of a silo."""
MILESTONES_TOLD: Final = 50_000
"""Bytes of milestones in the timeline of one order that has ended."""
GIVEN: Final = 200 * TASKS.most
"""Bytes of everything that silos gave for one order: its tasks have room for what a silo usually gives for each."""


def size_of(value: object) -> int:
    """The bytes of a JSON value, as they count for limits."""
    return len(json.dumps(value, separators=(",", ":")))


def compressed_beyond(limit: Limit, value: BaseModel) -> Reason | None:
    """Why a value is refused for its size as Temporal keeps it. Not for workflow code: that size is not for ever."""
    plain = value.model_dump_json().encode()
    return limit.exceeded_by(len(zlib.compress(plain))) if len(plain) > limit.most else None


def cut(text: str, most: int = LONGEST_TEXT) -> str:
    """A text, or as much of it as is kept."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
