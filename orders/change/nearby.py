"""The impact of many changes on one order: what a change reaches is worked out, all else only once.

A change reaches the tasks that it plans otherwise, and what comes after them. The rest goes on to its end as it would
without the change. What is told is the same as when all of it is worked out anew (`orders.change.impact`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace

from pydantic import JsonValue

from orders.change.impact import Impact, Obstacle, TaskImpact, as_planned, impact_of, settled
from orders.model.plan import OutputRef, Plan, Task
from orders.model.values import Inputs
from orders.reconcile.ledger import Fact, Ledger, Step, operation_name


class Nearby:
    """An order with its plan, its facts and the calls under way, and how all of that ends if nothing is changed.

    `later` are the facts that it ends with, where those are known already.
    """

    worth_it = 2
    """How many times larger all of the order is than the part that is worked out by itself."""

    def __init__(self, plan: Plan, ledger: Ledger, calls: Iterable[Step], later: Ledger | None = None) -> None:
        self._plan = plan
        self._ledger = ledger
        self._calls = list(calls)
        self.later = later or settled(plan, ledger, self._calls)
        whole = impact_of(plan, ledger, self._calls, plan)
        self._effects = {task.task: task for task in whole.tasks}
        self._obstacles = whole.obstacles
        self._asks = set(whole.asks)
        self._following = _following(plan, ledger, self._calls)
        self._exclusive = {key for key in {**plan.tasks, **ledger.facts} if _is_exclusive(key, plan, ledger)}

    def impact(self, target: Plan, replaced_task: str | None = None) -> Impact:
        """What another target would do in place of the plan."""
        linked, asked = self._differing(target)
        linked |= self._ledger.waived.keys() & {**self._plan.tasks, **target.tasks}.keys()  # One may be needed now.
        reached = linked | self._reached(asked if replaced_task is None else {*asked, replaced_task}, target)
        keys = list(dict.fromkeys([*target.tasks, *self._plan.tasks, *self._ledger.facts]))
        if len(reached) * self.worth_it > len(keys):
            return impact_of(self._plan, self._ledger, self._calls, target, replaced_task)
        part = _Part(reached, self.later)
        before, after = part.of(self._plan), part.of(target)
        found = impact_of(
            before,
            part.ledger(self._ledger, [key for key in keys if key in reached]),
            [call for call in self._calls if call.task in reached],
            after,
            replaced_task,
        )
        effects = {key: effect for key, effect in self._effects.items() if key not in reached}
        effects |= {task.task: self._as_planned(task, target) for task in found.tasks if task.task in reached}
        asks = (self._asks - reached) | set(found.asks)
        obstacles = (each for each in self._obstacles if each.task not in reached)
        place = {key: index for index, key in enumerate(keys)}

        def order(obstacle: Obstacle) -> tuple[bool, int]:
            return bool(obstacle.identity), place[obstacle.task]

        return Impact(
            tasks=tuple(effects[key] for key in keys if key in effects),
            obstacles=tuple(sorted((*obstacles, *found.obstacles), key=order)),
            asks=tuple(key for key in keys if key in asks),
        )

    def _as_planned(self, effect: TaskImpact, target: Plan) -> TaskImpact:
        """The effect on a task, by the whole plans where nothing was called for: of a part, all refs are values."""
        planned, wanted = self._plan.tasks.get(effect.task), target.tasks.get(effect.task)
        if planned is None or wanted is None or effect.task in self._ledger.facts:
            return effect
        kind, before, after = as_planned(planned, wanted)
        return effect.model_copy(update={"effect": kind, "before": before, "after": after})

    def _differing(self, target: Plan) -> tuple[set[str], set[str]]:
        """The tasks that differ; those apart of which another thing is asked, so that it matters to what comes after.

        The others serve or wait for other tasks than before, and stay what they are.
        """
        before, after = self._plan.tasks, target.tasks
        operations = {name for name, one in self._plan.operations.items() if one != target.operations.get(name, one)}
        linked, asked = set[str](), set(before.keys() ^ after.keys())
        for key, task in before.items():
            other = after.get(key, task)
            if task.operation in operations or (task is not other and _asks_otherwise(task, other)):
                asked.add(key)
            elif task is not other and task != other:
                linked.add(key)
        return linked, asked

    def _reached(self, differing: set[str], target: Plan) -> set[str]:
        """The tasks that differ with all that comes after them. For what exists only once any other may wait."""
        reached, waiting = set(differing), list(differing)
        while waiting:
            for other in self._following.get(waiting.pop(), ()):
                if other not in reached:
                    reached.add(other)
                    waiting.append(other)
            if not waiting and any(_is_exclusive(key, target, self._ledger, self._plan) for key in reached):
                waiting = [*(self._exclusive - reached)]
                reached |= self._exclusive
        return reached


class _Part:
    """A part of an order. What its tasks take from others they have as those have it in the end."""

    def __init__(self, reached: Container[str], later: Ledger) -> None:
        self._reached = reached
        self._later = later
        self._givers: dict[str, Fact] = {}
        """What tasks of the part take outputs from beside others of it, which stands as it is."""

    def of(self, plan: Plan) -> Plan:
        """The part of a plan."""
        tasks = {key: self._alone(task) for key, task in plan.tasks.items() if key in self._reached}
        givers = {key: self._as_it_ends(plan.tasks[key]) for key in self._givers if key in plan.tasks}
        return replace(plan, tasks={**givers, **tasks})

    def ledger(self, ledger: Ledger, keys: list[str]) -> Ledger:
        """What is held of it."""
        facts = {key: {fact.generation: replace(fact, built_on={})} for key, fact in self._givers.items()}
        return Ledger(
            facts=facts | {key: ledger.facts[key] for key in keys if key in ledger.facts},
            refused={key: ledger.refused[key] for key in keys if key in ledger.refused},
            next_generation={
                **{key: fact.generation + 1 for key, fact in self._givers.items()},
                **{key: ledger.next_generation[key] for key in keys if key in ledger.next_generation},
            },
            operations=ledger.operations,
            silos=ledger.silos,
            gone={key: ledger.gone[key] for key in keys if key in ledger.gone},
            waived={key: ledger.waived[key] for key in keys if key in ledger.waived},
        )

    def _alone(self, task: Task) -> Task:
        inputs, refs = dict(task.inputs), dict[str, OutputRef]()
        for name, ref in task.refs.items():
            if any(other in self._reached for other in ref.tasks):
                refs[name] = ref
                self._givers |= {other: self._fact(other) for other in ref.tasks if other not in self._reached}
            else:
                values: list[JsonValue] = [self._fact(other).outputs.get(ref.output) for other in ref.tasks]
                inputs[name] = values if ref.many or len(values) > 1 else values[0]
        return replace(
            task,
            inputs=inputs,
            refs=refs,
            builds_on=tuple(self._there(task.builds_on)),
            after=tuple(self._there(task.after)),
            release_after=tuple(self._there(task.release_after)),
        )

    def _there(self, keys: Iterable[str]) -> Iterator[str]:
        return (key for key in keys if key in self._reached or key in self._givers)

    def _as_it_ends(self, task: Task) -> Task:
        inputs: Inputs = self._fact(task.key).inputs
        return replace(task, inputs=inputs, refs={}, builds_on=(), after=(), release_after=())

    def _fact(self, key: str) -> Fact:
        facts = self._later.facts[key]
        return facts[max(facts)]


def _asks_otherwise(task: Task, other: Task) -> bool:
    one = (task.operation, task.inputs, task.refs, task.builds_on)
    return one != (other.operation, other.inputs, other.refs, other.builds_on)


def _following(plan: Plan, ledger: Ledger, calls: Iterable[Step]) -> dict[str, list[str]]:
    """The tasks that each task has an effect on: those that wait for it, and those whose facts stand on it."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for task in plan.tasks.values():
        for other in (*task.depends_on, *task.release_after):
            found[other].append(task.key)
    for call in calls:
        for other in call.built_on:
            found[other].append(call.task)
    for fact in ledger.all_facts():
        waiting = fact.waiting
        for other in fact.built_on:
            found[other].append(fact.task)
        while waiting is not None:
            for other in waiting.built_on:
                found[other].append(fact.task)
            waiting = waiting.resume
    return dict(found)


def _is_exclusive(key: str, plan: Plan, ledger: Ledger, other: Plan | None = None) -> bool:
    name = operation_name(key)
    operation = plan.operations.get(name) or ledger.operations.get(name) or (other and other.operations.get(name))
    return bool(operation and operation.exclusive)
