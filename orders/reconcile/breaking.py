"""Breaking late: what must break before it is made anew, what falls with it, and when.

Why: docs/decisions/0010-make-before-break.md.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from orders.model.plan import Plan
from orders.reconcile.dependencies import Dependencies
from orders.reconcile.ledger import FactId
from orders.reconcile.target import Target


def ready_to_break(standing: Dependencies, target: Target) -> list[FactId]:
    """What is doomed, and what stands on it, as far as everything that the replacement needs is in place, bar that."""
    if not target.doomed and not standing.exclusives.some_wait:
        return []
    return _Breaking(standing, target).ready()


class _Breaking:
    """What falls as the order stands now, and what cannot come back before that has gone."""

    def __init__(self, standing: Dependencies, target: Target) -> None:
        self._dependencies = standing
        self._target = target
        self._exclusives = standing.exclusives
        contested, deadlocked = self._exclusives.find_deadlocks(self._needs)
        self._falling = target.doomed | contested
        self._close()
        self._broken = {task for fact in self._falling for task in (fact[0], *self._exclusives.waiting_for(fact))}
        self._broken |= deadlocked

    def ready(self) -> list[FactId]:
        """The facts that can go now, group by group."""
        readiness = _Readiness(self._target.plan, self._target.placed, self._broken)
        return [
            fact
            for group in self._falling_together()
            if not self._is_moving_off(group) and all(readiness.of_replacement(task) for task, _ in group)
            for fact in group
        ]

    def _close(self) -> None:
        rest = list(self._falling)
        while rest:
            fact = rest.pop()
            waiting = [self._target.current.get(task, fact) for task in self._exclusives.waiting_for(fact)]
            for other in [*waiting, *self._dependencies.standing_on(fact)]:
                if other not in self._falling and self._falls_along(other):
                    self._falling.add(other)
                    rest.append(other)

    def _falls_along(self, fact: FactId) -> bool:
        """True where a fact stands on a falling one, and cannot be moved off it before that is gone."""
        held = self._dependencies.ledger.fact(fact) is not None
        if not held or not self._falling.intersection(self._dependencies.bases_of(fact)):
            return False
        return not self._escapes(fact) or self._exclusives.waits_for(fact[0]) in self._falling

    def _escapes(self, fact: FactId) -> bool:
        """True where a fact stands on a falling one, but not in the target: it only has to be moved off it."""
        task = self._target.plan.tasks.get(fact[0])
        if task is None or self._target.current.get(fact[0]) != fact or fact in self._target.doomed:
            return False
        return self._target.has_placed(task.depends_on)

    def _falling_together(self) -> list[list[FactId]]:
        """What falls, in groups: of what stands on one thing, none is back before all have gone."""
        groups: list[list[FactId]] = []
        seen: set[FactId] = set()
        for first in sorted(self._falling):
            group: list[FactId] = []
            rest = [first]
            while rest:
                fact = rest.pop()
                if fact in self._falling and fact not in seen:
                    seen.add(fact)
                    group.append(fact)
                    rest += [*self._dependencies.standing_on(fact), *self._dependencies.bases_of(fact)]
            if group:
                groups.append(sorted(group))
        return groups

    def _is_moving_off(self, group: list[FactId]) -> bool:
        """True while something still stands on the group that is to stay: it has to move first."""
        return any(
            other not in self._falling and self._dependencies.ledger.fact(other) is not None
            for fact in group
            for other in self._dependencies.standing_on(fact)
        )

    def _needs(self, node: str | FactId) -> Iterator[str | FactId]:
        """What a task needs, before it is in place, to be in place or gone; what a fact needs before it can go."""
        target, ledger = self._target, self._dependencies.ledger
        if isinstance(node, str):
            if node in target.plan.tasks and node not in target.placed:
                yield from target.plan.tasks[node].depends_on
                yield from ((node, generation) for generation in ledger.facts.get(node, ()))
            return
        fact, task = ledger.fact(node), target.plan.tasks.get(node[0])
        if fact is None or self._dependencies.is_going(fact):
            return
        for other in self._dependencies.standing_on(node):
            yield other[0]
            if target.current.get(other[0]) != other:
                yield other
        if task is not None:
            yield task.key
            yield from task.release_after


class _Readiness:
    """Whether a replacement could begin: everything it needs is in place, or is not only because of what is broken."""

    def __init__(self, plan: Plan, placed: Container[str], broken: Container[str]) -> None:
        self._plan = plan
        self._placed = placed
        self._broken = broken
        self._ready: dict[str, bool] = {}
        self._rests: dict[str, bool] = {}

    def of_replacement(self, key: str) -> bool:
        """True for a task that the target does not have: nothing replaces it."""
        task = self._plan.tasks.get(key)
        return task is None or all(self._is_ready(other) for other in task.depends_on)

    def _is_ready(self, key: str) -> bool:
        if key in self._placed:
            return True
        if key not in self._ready:
            self._ready[key] = self._rests_on_broken(key) and self.of_replacement(key)
        return self._ready[key]

    def _rests_on_broken(self, key: str) -> bool:
        if key in self._broken:
            return True
        if key not in self._rests:
            self._rests[key] = any(
                other not in self._placed and self._rests_on_broken(other) for other in self._plan.tasks[key].depends_on
            )
        return self._rests[key]
