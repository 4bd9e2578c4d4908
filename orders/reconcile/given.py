"""How much silos have given an order, and what there is room for of their next answer.

What a silo gives is carried with the order for as long as it holds the thing. An answer is never refused for its size:
it is recorded, without what is too large in it.
"""

from __future__ import annotations

from dataclasses import replace

from orders.model.budget import GIVEN, MILESTONES, OUTPUTS, cut, size_of
from orders.reconcile.ledger import Ledger, Refusal
from orders.reconcile.outcome import Outcome


def fitting(outcome: Outcome, room: int = OUTPUTS) -> Outcome:
    """An outcome without outputs or milestones that are too large, or for which there is no room. It says so."""
    most = max(min(OUTPUTS, room), 0)
    size = size_of(outcome.outputs) if outcome.outputs else 0
    reason = outcome.reason if size <= most else f"its outputs have {size} bytes, at most {most} are taken"
    return replace(
        outcome,
        outputs=outcome.outputs if size <= most else {},
        milestones=outcome.milestones if size_of(outcome.milestones) <= min(MILESTONES, most) else {},
        code=cut(outcome.code, 100),
        reason=cut(reason),
    )


class Given:
    """Counts what silos gave for the facts of one ledger, in bytes. Never less than there is."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._of_task: dict[str, int] = {}
        self.total = 0
        for task in {**ledger.facts, **ledger.refused}:
            self.note(task)

    def note(self, task: str) -> None:
        """Count a task anew: something was recorded about it."""
        given = 0
        for fact in self._ledger.facts.get(task, {}).values():
            given += size_of(fact.outputs) + size_of(fact.milestones) + _size_of(fact.refusal)
            given += size_of(fact.asks) if fact.asks else 0
        if task in self._ledger.refused:
            given += _size_of(self._ledger.refused[task].refusal)
        self.total += given - self._of_task.pop(task, 0)
        if given:
            self._of_task[task] = given

    def fitting(self, outcome: Outcome) -> Outcome:
        """An outcome, without what there is no room for in its order."""
        return fitting(outcome, GIVEN - self.total)


def _size_of(refusal: Refusal | None) -> int:
    return len(refusal.code) + len(refusal.reason) if refusal is not None else 0
