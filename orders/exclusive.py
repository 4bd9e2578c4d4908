"""What exists only once, such as a telephone number: who has it, and who waits for whom to let go of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import TypeAlias

from orders.base import Inputs
from orders.ledger import FactId
from orders.plan import Operation

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
        """A task can not be provisioned before that fact is gone."""
        self._waits[task] = holder
        self._waited_for[holder].add(task)

    def nobody_waits(self) -> None:
        """There is another target: who waits for whom is to be seen anew."""
        self._waits.clear()
        self._waited_for.clear()

    def go_on(self, task: str) -> None:
        """A task is judged anew: whether it still waits is to be seen."""
        holder = self._waits.pop(task, None)
        if holder is not None:
            self._waited_for[holder].discard(task)

    def waiting_for(self, holder: FactId) -> frozenset[str]:
        """The tasks that wait for a fact to be gone."""
        return frozenset(self._waited_for.get(holder, ()))

    def circle(self, task: str) -> dict[str, FactId]:
        """The tasks that wait for each other in a circle through this one, each with its own fact that is waited for.

        Empty where there is no circle. A task waits for one fact, so there is one way to follow.
        """
        found: dict[str, FactId] = {}
        follow = task
        while follow in self._waits:
            holder = self._waits[follow]
            follow = holder[0]
            if follow in found:
                return {}
            found[follow] = holder
            if follow == task:
                return found
        return {}
