"""What exists only once, such as a telephone number: who has it, and who waits for whom to let go of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from orders.model.plan import Operation
from orders.model.values import Inputs
from orders.reconcile.ledger import FactId

Needs: TypeAlias = Callable[[str | FactId], Iterable[str | FactId]]

Claim: TypeAlias = tuple[str, str, str, str]
"""Silo, its operation, the input's name, and the value as JSON: two things never have the same at once."""


def claims(operation: Operation, *values: Inputs) -> Iterator[Claim]:
    """What inputs, or outputs of the same names, have for themselves. Null claims nothing: the silo draws a value."""
    for name in operation.exclusive:
        for given in values:
            if given.get(name) is not None:
                yield operation.silo, operation.operation, name, json.dumps(given[name], sort_keys=True)


class Exclusives:
    """Who has which exclusive values, and which tasks wait for them."""

    def __init__(self) -> None:
        self._held: dict[FactId, frozenset[Claim]] = {}
        self._holders: defaultdict[Claim, set[FactId]] = defaultdict(set)
        self._waits: dict[str, FactId] = {}
        self._waited_for: defaultdict[FactId, set[str]] = defaultdict(set)

    def note(self, holder: FactId, held: frozenset[Claim]) -> None:
        """Note what a fact has, or will have by a call under way. Nothing once it is gone."""
        before = self._held.pop(holder, frozenset())
        for claim in before - held:
            self._holders[claim].discard(holder)
        for claim in held - before:
            self._holders[claim].add(holder)
        if held:
            self._held[holder] = held

    def holders(self, claim: Claim) -> list[FactId]:
        """The facts that have a value, oldest task key first."""
        return sorted(self._holders.get(claim, ()))

    def wait(self, task: str, holder: FactId) -> None:
        """A task cannot be provisioned before that fact is gone."""
        self._waits[task] = holder
        self._waited_for[holder].add(task)

    def clear_waits(self) -> None:
        """There is another target: who waits for whom is to be seen anew."""
        self._waits.clear()
        self._waited_for.clear()

    def stop_waiting(self, task: str) -> None:
        """A task is judged anew: whether it still waits is to be seen."""
        holder = self._waits.pop(task, None)
        if holder is not None:
            self._waited_for[holder].discard(task)

    def waits_for(self, task: str) -> FactId | None:
        """The fact that must be gone before a task can be provisioned."""
        return self._waits.get(task)

    def waiting_for(self, holder: FactId) -> frozenset[str]:
        """The tasks that wait for a fact to be gone."""
        return frozenset(self._waited_for.get(holder, ()))

    @property
    def some_wait(self) -> bool:
        """True where some task waits for a fact to be gone."""
        return bool(self._waits)

    def find_deadlocks(self, needs: Needs) -> tuple[set[FactId], set[str]]:
        """The facts that must break, and the tasks that wait for each other in circles until they do.

        In a circle, what waits for a fact is needed for the fact to go: two lines swap their numbers. `needs` tells
        what must be in place or gone before a task is in place, or a fact gone. Of the facts of a circle one breaks.
        """
        broken: set[FactId] = set()
        in_circles: set[str] = set()
        for task in sorted(self._waits, reverse=True):
            if self._comes_round(task, needs, set[FactId]()):
                in_circles.add(task)
                if self._comes_round(task, needs, broken):
                    broken.add(self._waits[task])
        return broken, in_circles

    def _comes_round(self, task: str, needs: Needs, broken: set[FactId]) -> bool:
        seen: set[str | FactId] = set()
        rest: list[str | FactId] = [self._waits[task]]
        while rest and task not in seen:
            node = rest.pop()
            if node not in seen and not (isinstance(node, tuple) and node in broken):
                seen.add(node)
                rest += needs(node)
                if isinstance(node, str) and node in self._waits:
                    rest.append(self._waits[node])
        return task in seen
