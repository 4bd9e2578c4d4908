"""What breaks on one message stays with that message: it is rejected, logged and counted, and the order goes on.

Only decisions of the core are guarded, never what waits for Temporal. Each is whole or not done at all (`whole` in
`orders/fulfilment/`), so there is an order to go on with. A defect elsewhere fails the workflow task: nobody could say
how the order stands. That is seen, and goes on when it is mended, or by `orderpipe order rescue`.
"""

from __future__ import annotations

import hashlib
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Final, TypeVar

from temporalio import workflow
from temporalio.exceptions import TemporalError

from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.whole import whole_for
from orders.model.order import Reason

INTERNAL_ERROR: Final = "internal_error"
COUNTER: Final = "orderpipe_internal_errors"
FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(hours=1)
"""How long what is done anew each turn is left alone after a defect: twice as long each time."""

_FRAMES: Final = 8
_Answer = TypeVar("_Answer")


class Guard:
    """Guards one order."""

    def __init__(self, order: Fulfilment) -> None:
        self._order = order
        self._attempts = Counter[str]()
        self._pauses: dict[str, tuple[datetime, timedelta]] = {}

    def attempt(self, message: str, act: Callable[[], _Answer], otherwise: Callable[[Reason], _Answer]) -> _Answer:
        """Do what a message asks for; `otherwise` with the reason, where a defect of ours is in the way.

        What was rejected stays rejected when history is replayed, though the defect was mended since: a marker in it
        says so. And what was done once is never rejected at replay.
        """
        self._attempts[message] += 1
        replayed = workflow.unsafe.is_replaying()
        if replayed and workflow.patched(_marker(self._reference(message))):
            return otherwise(self._reason(message))
        try:
            return act()
        except TemporalError:
            raise
        except Exception as error:
            if replayed:
                raise
            reference = self._reference(message)
            workflow.patched(_marker(reference))
            # Neither the exception's text nor any value: there may be personal data in them.
            workflow.logger.error("%s %s: %s", INTERNAL_ERROR, reference, " < ".join(_told(message, error)))
            workflow.metric_meter().create_counter(COUNTER, "Messages rejected for a defect of ours.").add(1)
            return otherwise(self._reason(message))

    def attempt_on(
        self, task: str, message: str, act: Callable[[], _Answer], otherwise: Callable[[Reason], _Answer]
    ) -> _Answer:
        """The same with what is recorded of one task, whole or not at all. The defect is a problem while it lasts."""

        def wholly() -> _Answer:
            with whole_for(self._order, task):
                return act()

        def noted(defect: Reason) -> _Answer:
            self._order.problems[task] = defect
            return otherwise(defect)

        self._order.problems.pop(task, None)
        return self.attempt(f"{message} {task}", wholly, noted)

    def keep_trying(
        self, what: str, act: Callable[[], None], otherwise: Callable[[], None] | None = None, *, at_once: bool = False
    ) -> None:
        """Do what is done anew each turn. After a defect it is left alone for a while, a problem until it is done.

        At the end of an order, after which nobody would do it, it is tried `at_once`.
        """
        pending = self._pauses.get(what)
        if pending is not None and pending[0] > workflow.now() and not at_once:
            return

        def undone(defect: Reason) -> None:
            pause = FIRST_PAUSE if pending is None else min(pending[1] * 2, LONGEST_PAUSE)
            self._pauses[what] = workflow.now() + pause, pause
            self._order.problems[what] = defect
            if otherwise is not None:
                otherwise()

        self._pauses.pop(what, None)
        self._order.problems.pop(what, None)
        self.attempt(what, act, undone)

    @property
    def tries_again_at(self) -> datetime | None:
        """When to try again what was left alone. None if there is no such thing."""
        return min((due for due, _ in self._pauses.values()), default=None)

    def is_undone(self, what: str) -> bool:
        """True while something is left alone."""
        return what in self._pauses

    def _reason(self, message: str) -> Reason:
        told = (
            f"a defect of ours is in the way of this {message.split(' ', 1)[0]} (reference {self._reference(message)})"
        )
        return Reason(code=INTERNAL_ERROR, message=told)

    def _reference(self, message: str) -> str:
        """What log, marker and reason have in common. A replay comes to the same, and so does a run after a reset."""
        attempt = f"{self._order.start.order_id} {message} {self._attempts[message]}"
        return hashlib.sha256(attempt.encode(errors="replace")).hexdigest()[:12]


def _marker(reference: str) -> str:
    return f"{INTERNAL_ERROR}-{reference}"


def _told(message: str, error: Exception) -> tuple[str, ...]:
    """A defect for the log: what it was about, its kind, and where it came up, innermost first."""
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    places = (f"{PurePath(code.co_filename).stem}:{line} {code.co_name}" for code, line in frames[: -_FRAMES - 1 : -1])
    return message.split(" ", 1)[0], type(error).__name__, *places
