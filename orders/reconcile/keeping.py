"""What identifies a thing, such as a telephone number: kept while it may be wanted again, and asked for by its value.

Why: docs/decisions/0012-what-was-drawn-stays-drawn.md.
"""

from __future__ import annotations

from collections.abc import Collection

from pydantic import JsonValue

from orders.model.plan import Task
from orders.model.values import Inputs
from orders.reconcile.dependencies import Dependencies
from orders.reconcile.ledger import Fact, FactId
from orders.reconcile.target import Target


class Keeping:
    """Which facts that nobody wants are kept until nothing else is left to do, and what is asked for again."""

    def __init__(self, standing: Dependencies, target: Target) -> None:
        self._dependencies = standing
        self._ledger = standing.ledger
        self._target = target

    def keeps(self, fact: Fact) -> bool:
        """True where an unwanted fact is not to be compensated for now: it may be wanted again.

        What somebody waits for that can exist only once goes, and so does what stands on it.
        """
        going = self._dependencies.is_going(fact)
        if self._target.plan.final or self._target.releases or going or not self._ledger.is_worth_keeping(fact):
            return False
        exclusives = self._dependencies.exclusives
        if exclusives.some_wait and any(exclusives.waiting_for(base) for base in self._below(fact.id)):
            return False
        self._target.kept.add(fact.id)
        return True

    def see_what_is_left(self) -> bool:
        """Have what was kept go as soon as nothing else is left to do. True where that has just come about."""
        before, self._target.releases = self._target.releases, self._nothing_else_is_left()
        if before or not self._target.releases:
            return False
        self._dependencies.agenda |= self._target.kept
        return True

    def _nothing_else_is_left(self) -> bool:
        kept, placed = self._target.kept, self._target.placed
        if not kept or len(placed) != len(self._target.plan.tasks) or not self._dependencies.calls.keys() <= kept:
            return False
        held = {(task, generation) for task, (generation, _) in placed.items()}
        below = {base for fact in kept for base in self._below(fact)}
        return all(fact.id in held or fact.id in below for fact in self._ledger.all_facts())

    def _below(self, fact: FactId) -> set[FactId]:
        """A fact, and all that it stands on."""
        seen: set[FactId] = set()
        rest = [fact]
        while rest:
            base = rest.pop()
            if base not in seen:
                seen.add(base)
                rest += self._dependencies.bases_of(base)
        return seen

    # Asking for it again

    def comes_back(self, task: Task, inputs: Inputs, facts: Collection[Fact]) -> bool:
        """True while the very thing that a task wants is being given back: only then can it be asked for."""
        operation = self._target.plan.operation(task)
        return any(
            self._ledger.is_what_was_found(fact) and operation.is_same_thing(fact.inputs, inputs)
            for fact in facts
            if self._dependencies.is_going(fact)
        )

    def asks(self, task: Task, inputs: Inputs) -> Inputs:
        """By what values a task asks for the thing that the order found, and that is wanted again as it was.

        Where another task is to have what exists only once, it does not.
        """
        gone, operation = self._ledger.gone.get(task.key), self._target.plan.operation(task)
        if gone is None or not operation.is_same_thing(gone.inputs, inputs):
            return {}
        asked = operation.asking_for(gone.outputs)
        return {
            name: value
            for name, value in asked.items()
            if inputs.get(name) is None and not (name in operation.exclusive and self._is_anothers(task, name, value))
        }

    def _is_anothers(self, task: Task, name: str, value: JsonValue) -> bool:
        plan, operation = self._target.plan, self._target.plan.operation(task)
        return any(
            other.key != task.key
            and other.inputs.get(name) == value
            and (it := plan.operation(other)).silo == operation.silo
            and it.operation == operation.operation
            for other in plan.tasks.values()
        )
