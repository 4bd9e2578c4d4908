"""The course of an order: when silos began their work on each task, when it ended and how, and how often it was tried.

The ledger knows what is held. This knows what came about, also of what is not held any more.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from orders.change.impact import has_passed
from orders.model.budget import TASKS
from orders.model.values import Verb
from orders.reconcile.ledger import Fact, FactId, Ledger, Step
from orders.reconcile.outcome import Outcome, OutcomeKind

MOST_STINTS: Final = 2 * TASKS.most


class End(StrEnum):
    """How the work on a task has ended."""

    DONE = "done"
    UNDONE = "undone"
    REFUSED = "refused"
    """It waits for a person, or nobody wants it any more."""
    LOST = "lost"
    """The silo had done it, and has told that it is gone."""
    WRITTEN_OFF = "writtenOff"
    """A person has settled that the silo keeps it."""


@dataclass(frozen=True, slots=True)
class Stint:
    """The work on the newest generation of a task. Instants are ISO 8601, empty as long as they have not come.

    `begun` and `ended` are about making it, or about changing it since, if it was `amended`; `undo_begun` and
    `undo_ended` about taking it back. `passed` is when its point of no return was passed. `tried` counts attempts,
    `refused` calls that were.
    """

    generation: int
    begun: str = ""
    ended: str = ""
    undo_begun: str = ""
    undo_ended: str = ""
    end: End | None = None
    passed: str = ""
    tried: int = 0
    refused: int = 0
    amended: bool = False


class Course:
    """Writes the stints of an order's tasks down, as they come about. Of very many tasks the oldest are forgotten."""

    def __init__(self, carried: dict[str, Stint]) -> None:
        self._stints = carried

    def begins(self, step: Step, at: str) -> None:
        """A call is under way. One on an older generation is told no more: the newest counts."""
        known = self._stints.get(step.task, Stint(step.generation))
        if known.generation > step.generation:
            return
        if step.verb is Verb.COMPENSATE:
            told = replace(known, generation=step.generation, undo_begun=known.undo_begun or at)
        elif known.generation < step.generation:
            told = Stint(step.generation, begun=at)
        else:  # A refused call that is made again goes on from when it was first made.
            again = known.begun if known.end is not End.DONE else ""
            amended = step.verb is Verb.AMEND
            told = replace(known, begun=again or at, ended="", end=None, amended=amended)
        self._put(step.task, told)

    def heard(
        self, fact_id: FactId, verb: Verb | None, outcome: Outcome, ledger: Ledger, busy: Container[FactId], at: str
    ) -> None:
        """A call has ended, or a silo has reported: the ledger knows it already."""
        known = self._of(fact_id)
        if known is None:
            return
        refused = outcome.kind in (OutcomeKind.REFUSED, OutcomeKind.UNKNOWN)
        known = replace(known, tried=known.tried + outcome.tried, refused=known.refused + refused)
        fact = ledger.fact(fact_id)
        if fact is not None:
            self._put(fact_id[0], _as_it_stands(known, fact, ledger, busy, at))
        elif verb is Verb.COMPENSATE and not refused:
            self._put(fact_id[0], replace(known, undo_ended=at, end=End.UNDONE))
        else:
            end = End.REFUSED if refused else End.LOST
            self._put(fact_id[0], replace(known, ended=at, end=end))

    def settled(self, task: str, ledger: Ledger, busy: Container[FactId], at: str) -> None:
        """A person has settled what waited for one."""
        known = self._stints.get(task)
        if known is None:
            return
        fact = ledger.fact((task, known.generation))
        if fact is not None:
            self._put(task, _as_it_stands(known, fact, ledger, busy, at))
        elif known.undo_begun and not known.undo_ended:
            self._put(task, replace(known, undo_ended=at, end=End.WRITTEN_OFF))

    def _of(self, fact_id: FactId) -> Stint | None:
        """What is known of a fact, if it is the newest of its task."""
        known = self._stints.get(fact_id[0], Stint(fact_id[1]))
        return known if known.generation == fact_id[1] else None

    def _put(self, task: str, stint: Stint) -> None:
        if task not in self._stints and len(self._stints) >= MOST_STINTS:
            del self._stints[next(iter(self._stints))]
        self._stints[task] = stint


def _as_it_stands(known: Stint, fact: Fact, ledger: Ledger, busy: Container[FactId], at: str) -> Stint:
    """A stint on something that is held, or will be."""
    if not known.passed and has_passed(ledger, fact):
        known = replace(known, passed=passed_at(ledger, fact))
    waiting, refusal = fact.waiting, fact.refusal
    leaving = fact.being_compensated or (refusal is not None and refusal.verb is Verb.COMPENSATE)
    if leaving or fact.id in busy:
        return known
    known = replace(known, undo_begun="")
    if refusal is not None and (waiting is None or waiting.unknown):
        end = End.REFUSED
    else:
        end = End.DONE if waiting is None else None
    return known if end is known.end else replace(known, end=end, ended=at if end is not None else "")


def passed_at(ledger: Ledger, fact: Fact) -> str:
    """When a fact has passed its point of no return."""
    point = ledger.operations[fact.operation].point_of_no_return
    return fact.milestones.get(point.milestone or "", fact.since) if point is not None else ""
