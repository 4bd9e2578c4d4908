"""The timeline of an order: what was done when, what is still to come, and what decides when all is done.

In flight the order tells it; once it has ended, the register does, for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from orders.model.values import Frozen, Money, Verb
from orders.model.writing.wording import Wording, told_before_as
from orders.read_model.answer import WaitsFor
from orders.read_model.course import End
from orders.read_model.states import TaskState


class NoReturn(Frozen):
    """A task's point of no return: past a hard one, changes to it are refused, past a soft one they cost the fee.

    It is passed at the `milestone`, or once the task is done. `expected` is when that usually comes about.
    """

    kind: Literal["hard", "soft"]
    fee: Money | None = None
    milestone: str | None = None
    passed: bool = False
    passed_at: datetime | None = None
    expected: datetime | None = None


class TimelineEntry(Frozen):
    """One task: of the target, still held, or done or undone on the way.

    `begun` and `ended` are about making it, or about changing it since, if it was `amended`, `undo_begun` and
    `undo_ended` about taking it back; `end` tells how the work has ended. `found` is what the order found
    installed and has not touched.

    `expected_begin` is when all that it comes after has ended, or should; `expected_end` when it is usually done,
    `safe_end` when it is nine times in ten.
    Neither is told where nobody can know: somebody has to act first. It may be late by `slack_s` seconds before the
    order is; what is `critical` may not. `tried` counts attempts, `refused` calls that were refused. `waits_for` is
    told while it is under way, and before that the tasks that it is still to come `after`; `next_try` while it is tried
    again by a rule.
    """

    task: str
    title: str
    silo: str
    state: TaskState
    items: tuple[str, ...] = ()
    more_items: int = 0
    site: str | None = None
    verb: Verb | None = None
    generation: int | None = None
    begun: datetime | None = None
    ended: datetime | None = None
    undo_begun: datetime | None = None
    undo_ended: datetime | None = None
    end: End | None = None
    amended: bool = False
    found: bool = False
    expected_begin: datetime | None = None
    expected_end: datetime | None = None
    safe_end: datetime | None = None
    slack_s: int | None = None
    critical: bool = False
    no_return: NoReturn | None = None
    tried: int = 0
    refused: int = 0
    last_error_wording: Wording | None = told_before_as("last_error")
    next_try: datetime | None = None
    waits_for: WaitsFor | None = None
    after: tuple[str, ...] = ()
    more_after: int = 0
    milestones: dict[str, str] = {}

    @property
    def last_error(self) -> str | None:
        """In English."""
        return str(self.last_error_wording) if self.last_error_wording is not None else None


class TimelinePage(Frozen):
    """A page of a timeline: what began first comes first, what is still to come last. `next_offset` as in plans."""

    tasks: tuple[TimelineEntry, ...] = ()
    total: int = 0
    next_offset: int | None = None

    @classmethod
    def of(cls, page: Sequence[TimelineEntry], offset: int, total: int) -> TimelinePage:
        """The page of so many entries that begins at an offset."""
        following = offset + len(page)
        return cls(tasks=tuple(page), total=total, next_offset=following if following < total else None)
