"""The target: the plan that the silos are to hold, where each of its tasks stands, and which are to be judged anew."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum

from orders.model.plan import Plan, Task
from orders.model.values import Inputs
from orders.reconcile.ledger import FactId


class TaskStatus(StrEnum):
    """Where a task of the target stands."""

    BLOCKED = "blocked"
    """It waits for tasks that it depends on, or for an older generation to go."""
    UNDER_WAY = "underWay"
    """A silo call for it is under way."""
    AWAITING = "awaiting"
    """A silo has acknowledged, the effect is to come."""
    FALLOUT = "fallout"
    """Refused for good, or the retry budget is spent: it waits for a person."""
    TRIED_AGAIN = "triedAgain"
    """Refused, and a rule of its silo has it tried again later."""
    IN_PLACE = "inPlace"
    """Held as the target wants it, and so is everything it depends on."""


class Target:
    """A plan as the target. At first no task counts as in place, and each is to be judged, in the order of the plan."""

    def __init__(self, plan: Plan, held: Iterable[FactId], before: Target | None = None) -> None:
        self.plan = plan
        # Until it is judged anew, a task stands where it stood.
        status = before.status if before is not None else {}
        self.status: dict[str, TaskStatus] = {key: status.get(key, TaskStatus.BLOCKED) for key in plan.tasks}
        self.refused: set[str] = before.refused & plan.tasks.keys() if before is not None else set()
        """Tasks that stand in fallout."""
        self.suspended = frozenset(plan.suspended)
        """Tasks that are not to be begun for now."""
        self.placed: dict[str, tuple[int, Inputs]] = {}
        """The generation and the outputs of each task in place."""
        self.done_without: set[str] = set()
        """Those of them that a person has waived: nothing is to be held of them."""
        self.current: dict[str, FactId] = {}
        """The current fact of each task that has one."""
        self.doomed: set[FactId] = set()
        """Facts that must break before they are made anew."""
        self.unwanted = {fact for fact in held if fact[0] not in plan.tasks}
        """Facts to be compensated as soon as nothing stands on them."""
        self.kept: set[FactId] = set()
        """Those of them that are kept for now: they identify something, and may be wanted again."""
        self.releases = False
        """True once nothing else is left to do: what was kept is let go of."""
        self.held_up: set[str] = set()
        """Tasks that wait for the calls under way on what stands on them."""
        self.neighbours: defaultdict[str, list[str]] = defaultdict(list)
        """The tasks to be judged anew when a task comes into its place, or leaves it."""
        for task in plan.tasks.values():
            for other in (*task.depends_on, *task.release_after):
                self.neighbours[other].append(task.key)
        self._keys = list(plan.tasks)
        self._rank = {key: rank for rank, key in enumerate(plan.tasks)}
        self._dirty = list(range(len(self._keys)))
        self._queued = set(self._dirty)

    @property
    def all_judged(self) -> bool:
        """True when no task is to be judged anew."""
        return not self._queued

    def touch(self, key: str) -> None:
        """Have a task judged anew, if it is one of the target's."""
        rank = self._rank.get(key)
        if rank is not None and rank not in self._queued:
            self._queued.add(rank)
            heapq.heappush(self._dirty, rank)

    def next_to_judge(self) -> Task | None:
        """Take the first task that is to be judged anew."""
        if not self._dirty:
            return None
        rank = heapq.heappop(self._dirty)
        self._queued.discard(rank)
        return self.plan.tasks[self._keys[rank]]

    def needing(self, key: str) -> list[str]:
        """The tasks that build on one of them, or take an output of it: none of them does without it."""
        tasks = self.plan.tasks
        return [
            other
            for other in self.neighbours.get(key, ())
            if key in tasks[other].builds_on or any(key in ref.tasks for ref in tasks[other].refs.values())
        ]

    def has_placed(self, tasks: Iterable[str]) -> bool:
        """True when all these tasks are in place."""
        return all(task in self.placed for task in tasks)
