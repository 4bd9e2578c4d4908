"""Reconcile the facts to the target: which silo calls can start now (DESIGN section 2).

One loop provisions, amends, cancels and recovers:

    steps = reconciler.next_steps()      # every call that is startable now; each counts as under way from here on
    run them, reconciler.record(...) each outcome, and repeat until reconciler.settled

Every rule looks at one task and what stands next to it, so that only tasks touched by an outcome are judged again:
the cost of a completed task grows with its neighbours, not with the plan.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from enum import StrEnum
from typing import TypeVar

from pydantic import JsonValue

from orders.base import Inputs, Verb
from orders.catalog import OnChange, Replacement, Undo
from orders.exclusive import Exclusives, claims
from orders.ledger import BuiltOn, Fact, FactId, Ledger, Step, Waiting
from orders.outcome import Outcome, record, record_answer
from orders.plan import Plan, Task

_Member = TypeVar("_Member")


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
    IN_PLACE = "inPlace"
    """Held as the target wants it, and so is everything it depends on."""


class Reconciler:
    """Works out steps for one order, from its target, its ledger and the calls under way.

    It owns the ledger: every outcome is recorded through it, so that its indexes stay true.
    """

    def __init__(self, plan: Plan, ledger: Ledger, calls: Iterable[Step] = ()) -> None:
        self.ledger = ledger
        self.calls: dict[FactId, Step] = {step.fact: step for step in calls}
        self.early: dict[FactId, list[tuple[int, Outcome]]] = {}
        self._stands_on: dict[FactId, frozenset[FactId]] = {}
        self._standing_on: defaultdict[FactId, set[FactId]] = defaultdict(set)
        self.moved: set[str] = set()
        """Tasks whose status, facts or calls have changed since someone last looked and cleared the set."""
        self.status: dict[str, TaskStatus] = {}
        self.judged = False
        """False until the tasks were first looked at: before that they all count as blocked."""
        self.waiting: set[FactId] = set()
        """Facts whose effect is to come: what to expect callbacks for, and to poll."""
        self.residues: set[FactId] = set()
        """Facts whose compensation was refused."""
        self._refused: set[str] = set()
        self._held_up: set[str] = set()
        self._exclusives = Exclusives()
        self._items: dict[str, tuple[str, ...]] = {}
        self._steps: list[Step] = []
        self._room = 0
        self.retarget(plan)
        for holder in {*self.calls, *(fact.id for fact in ledger.all_facts())}:
            self._reindex(holder)

    # The target

    def retarget(self, plan: Plan) -> None:
        """Make another plan the target. Facts and calls under way stay what they are."""
        self.plan = plan
        self.ledger.operations.update(plan.operations)
        self.ledger.silos.update(plan.silos)
        self._items.update((task.key, task.items) for task in plan.tasks.values())
        # Until it is judged anew, a task stands where it stood.
        self.status = {key: self.status.get(key, TaskStatus.BLOCKED) for key in plan.tasks}
        self._suspended = frozenset(plan.suspended)
        self._rank = {key: rank for rank, key in enumerate(plan.tasks)}
        self._keys = list(plan.tasks)
        self._placed: dict[str, tuple[int, Inputs]] = {}
        self._current: dict[str, FactId] = {}
        self._doomed: set[FactId] = set()
        self._refused &= plan.tasks.keys()
        self._exclusives.nobody_waits()
        self._neighbours: defaultdict[str, list[str]] = defaultdict(list)
        for task in plan.tasks.values():
            for other in task.depends_on:
                self._neighbours[other].append(task.key)
            for other in task.release_after:
                self._neighbours[other].append(task.key)
        self._unwanted = {fact.id for fact in self.ledger.all_facts() if fact.task not in plan.tasks}
        self._agenda = set(self._unwanted)
        self._dirty = list(range(len(self._keys)))
        self._queued = set(self._dirty)

    @property
    def settled(self) -> bool:
        """True when the silos hold the target and nothing else, and no call is under way."""
        if self.calls or self._queued or len(self._placed) != len(self.plan.tasks):
            return False
        return sum(map(len, self.ledger.facts.values())) == len(self.plan.tasks)

    @property
    def fallout(self) -> set[str]:
        """The tasks that wait for a person."""
        return self._refused | {task for task, _ in self.residues}

    def is_suspended(self, task: str) -> bool:
        """True for a task of the target that is not to be begun for now."""
        return task in self._suspended

    def items_of(self, task: str) -> tuple[str, ...]:
        """The items that a task serves, or last served, of a target since this reconciler was made."""
        return self._items.get(task, ())

    def is_called(self, task: str) -> bool:
        """True while a call for any generation of the task is under way."""
        return any((task, generation) in self.calls for generation in range(self.ledger.next_generation.get(task, 0)))

    # The loop

    def next_steps(self, most: int = 500) -> list[Step]:
        """Every call that can start now, as long as no more than `most` are under way in all.

        Re-bases, values noted and spent facts are settled in the ledger on the way, without a call.
        """
        self._steps = []
        self._room = most - len(self.calls)
        self.judged = True
        postponed: set[str] = set()
        while True:
            while self._dirty:
                rank = heapq.heappop(self._dirty)
                self._queued.discard(rank)
                task = self.plan.tasks[self._keys[rank]]
                if self._room <= 0:
                    postponed.add(task.key)
                else:
                    self._judge(task)
            self._release()
            if (self._doomed or self._exclusives.some_wait) and self._room > 0:
                self._fell()
            if not self._dirty and (not self._agenda or self._room <= 0):
                break
        for key in postponed:
            self._touch(key)
        return self._steps

    def record(self, step: Step, outcome: Outcome, at: str) -> None:
        """Record how a call that `next_steps` started has ended."""
        del self.calls[step.fact]
        stood_on = self._stands_on.get(step.fact, frozenset())
        record(self.ledger, step, self.items_of(step.task), outcome, at)
        for n, answer in self.early.pop(step.fact, []):
            record_answer(self.ledger, step.fact, n, answer, at)
        self._changed(step.fact)
        for base, _ in stood_on:
            if base in self._held_up:
                self._held_up.discard(base)
                self._touch(base)

    def answer(self, fact: FactId, n: int, outcome: Outcome, at: str) -> bool:
        """Record what a silo reported by callback or polling. False where it says nothing new.

        An answer that overtakes the outcome of its own call is kept until that outcome is recorded.
        """
        if fact in self.calls:
            self.early.setdefault(fact, []).append((n, outcome))
            return True
        news = record_answer(self.ledger, fact, n, outcome, at)
        if news:
            self._changed(fact)
        return news

    def retry(self, task: str) -> bool:
        """A person asks for a refused call to be tried again. False where the task has nothing refused."""
        refusals = [fact.refusal for fact in self.ledger.facts.get(task, {}).values() if fact.refusal]
        if task in self.plan.tasks and task in self.ledger.refused:
            refusals.append(self.ledger.refused[task].refusal)
        for refusal in refusals:
            refusal.retry = True
        for generation in self.ledger.facts.get(task, {}):
            self._reindex((task, generation))
            self._agenda.add((task, generation))
        self._touch(task)
        return bool(refusals)

    def spoil(self, task: str) -> bool:
        """A person asks for the same thing anew, though nothing about it differs. False where nothing of it is held."""
        live = [fact for fact in self.ledger.facts.get(task, {}).values() if not self._going(fact)]
        if not live or task not in self._rank:
            return False
        max(live, key=lambda fact: fact.generation).spoiled = True
        self._touch(task)
        return True

    def forgive(self, fact_id: FactId) -> None:
        """Forget that a compensation was refused: it is not asked for any more. One in doubt has still to be known."""
        fact = self.ledger.fact(fact_id)
        if fact is not None and fact.residue and not fact.in_doubt:
            fact.refusal = None
            self._changed(fact_id)

    def let_go(self, fact: FactId) -> bool:
        """A person settles a residue: whatever the silo still holds of it is no matter of the order any more."""
        if fact not in self.residues or fact in self.calls:
            return False
        self.ledger.drop(fact)
        self._changed(fact)
        return True

    def done_by_hand(self, task: str, outputs: Inputs, at: str) -> bool:
        """A person has done what a silo refused to provision. False where there is no such refusal."""
        refused = self.ledger.refused.get(task)
        wanted = self.plan.tasks.get(task)
        if refused is None or wanted is None or self.status[task] is not TaskStatus.FALLOUT:
            return False
        if any(other not in self._placed for other in wanted.depends_on):
            return False
        del self.ledger.refused[task]
        self.ledger.put(
            Fact(
                task=task,
                generation=refused.generation,
                operation=wanted.operation,
                items=wanted.items,
                inputs=refused.refusal.inputs,
                outputs=outputs,
                built_on={other: self._placed[other][0] for other in wanted.builds_on},
                n=refused.refusal.n,
                established=True,
                since=at,
            )
        )
        self._changed((task, refused.generation))
        return True

    # Judging one task of the target

    def _judge(self, task: Task) -> None:
        before = self._placed.get(task.key)
        status = self._status_of(task)
        if status is not TaskStatus.IN_PLACE:
            self._placed.pop(task.key, None)
        if self.status[task.key] is not status:
            self.status[task.key] = status
            self.moved.add(task.key)
        _keep(self._refused, task.key, status is TaskStatus.FALLOUT)
        if self._placed.get(task.key) != before:
            for other in self._neighbours[task.key]:
                self._touch(other)

    def _status_of(self, task: Task) -> TaskStatus:
        key = task.key
        facts = self.ledger.facts.get(key, {})
        for generation, fact in facts.items():
            self._doomed.discard((key, generation))
            self._unwanted.discard((key, generation))
            if fact.leaving and fact.in_doubt:
                self._unwanted.add(fact.id)
                self._agenda.add(fact.id)
        self._current.pop(key, None)
        self._exclusives.go_on(key)
        if key in self._suspended:
            held = {(key, generation) for generation in facts}
            self._unwanted |= held
            self._agenda |= held
            return self._standstill(key)
        for other in task.depends_on:
            if other not in self._placed:
                return self._standstill(key)
        inputs = self._resolve(task)
        built_on = {other: self._placed[other][0] for other in task.builds_on}
        current = self._choose(key, facts, inputs)
        if current is None:
            return self._first(task, inputs, built_on)
        self._current[key] = current.id
        differs = current.heading != inputs or current.spoiled
        if current.id in self.calls or (differs and self._provisioning(key)):
            return TaskStatus.UNDER_WAY
        if differs:
            status = self._differs(task, current, inputs, built_on)
            if status is not None:
                return status
        if current.in_doubt:
            return self._again(task, current, built_on)
        if current.waiting is not None:
            self._await(current, current.waiting, built_on)
            return TaskStatus.AWAITING
        return self._in_place(task, current, facts, built_on)

    def _standstill(self, key: str) -> TaskStatus:
        """The status of a task whose dependencies are not in place: nothing can be decided about it yet."""
        return TaskStatus.UNDER_WAY if self.is_called(key) else TaskStatus.BLOCKED

    def _choose(self, key: str, facts: dict[int, Fact], inputs: Inputs) -> Fact | None:
        """The current fact: the held generation that equals the target or is being amended to, else the newest.

        Leaving ones do not count.
        """
        live = [fact for fact in facts.values() if not self._going(fact)]
        for fact in live:
            if fact.waiting is None and fact.inputs == inputs and not fact.spoiled and fact.id not in self.calls:
                return fact
        for fact in live:
            call = self.calls.get(fact.id)
            if call is not None and call.verb is Verb.AMEND and call.inputs == inputs and not fact.spoiled:
                return fact
        return max(live, key=lambda fact: fact.generation) if live else None

    def _going(self, fact: Fact) -> bool:
        call = self.calls.get(fact.id)
        return fact.leaving or (call is not None and call.verb is Verb.COMPENSATE)

    def _first(self, task: Task, inputs: Inputs, built_on: BuiltOn) -> TaskStatus:
        """Nothing of the task is held: provision it, once what is leaving has gone."""
        leaving = self.ledger.facts.get(task.key, {})
        if any(fact.refusal and not fact.refusal.retry for fact in leaving.values() if fact.leaving):
            return TaskStatus.FALLOUT
        if leaving or self._provisioning(task.key):
            return self._standstill(task.key)
        return self._provision(task, inputs, built_on)

    def _provisioning(self, key: str) -> bool:
        newest = (key, self.ledger.next_generation.get(key, 0) - 1)
        return newest in self.calls and self.calls[newest].verb is Verb.PROVISION

    def _provision(self, task: Task, inputs: Inputs, built_on: BuiltOn) -> TaskStatus:
        if self._taken(task, inputs):
            return TaskStatus.BLOCKED
        generation, n = self.ledger.next_generation.get(task.key, 0), 0
        refused = self.ledger.refused.get(task.key)
        if refused is not None and refused.refusal.inputs == inputs:
            if not refused.refusal.retry:
                return TaskStatus.FALLOUT
            generation, n = refused.generation, refused.refusal.n + 1
        if refused is not None:
            del self.ledger.refused[task.key]
        self.ledger.next_generation[task.key] = max(generation + 1, self.ledger.next_generation.get(task.key, 0))
        self._begin(Step(Verb.PROVISION, task.key, generation, n, task.operation, inputs, built_on))
        return TaskStatus.UNDER_WAY

    def _taken(self, task: Task, inputs: Inputs) -> bool:
        """True while another thing, or an older generation of this one, has what it is to have and will let go of it.

        Where the other is to keep what it has, the silo decides.
        """
        for claim in claims(self.plan.operations[task.operation], inputs):
            for holder in self._exclusives.holders(claim):
                if holder[0] == task.key or self._lets_go(holder, claim[2], inputs[claim[2]]):
                    self._exclusives.wait(task.key, holder)
                    return True
        return False

    def _lets_go(self, holder: FactId, name: str, value: JsonValue) -> bool:
        task, fact = self.plan.tasks.get(holder[0]), self.ledger.fact(holder)
        if task is None:
            return True
        if task.inputs.get(name) is None:
            # It is to have whatever the silo draws: what was drawn already stays, what was asked for does not.
            return name in task.inputs and fact is not None and fact.heading.get(name) == value
        return task.inputs[name] != value

    def _differs(self, task: Task, fact: Fact, inputs: Inputs, built_on: BuiltOn) -> TaskStatus | None:
        """The current fact is not what the target wants. None where a note in the ledger was all that it took."""
        operation = self.plan.operations[task.operation]
        heading = fact.heading
        differing = [name for name in {**heading, **inputs} if heading.get(name) != inputs.get(name)]
        meanings = {operation.on_change.get(name, OnChange.AMEND) for name in differing}
        if meanings <= {OnChange.KEEP} and not fact.spoiled:
            if fact.in_doubt:
                return None
            if fact.waiting is not None:
                fact.waiting.inputs = inputs
            if fact.waiting is None or not fact.established:
                fact.inputs = inputs
            return None
        replace = fact.spoiled or OnChange.REPLACE in meanings
        if not fact.established and (replace or fact.in_doubt or not operation.amend_while_waiting):
            self._doomed.add(fact.id)
            return TaskStatus.FALLOUT if fact.residue else TaskStatus.BLOCKED
        if replace and operation.replacement is Replacement.BREAK_BEFORE_MAKE:
            self._doomed.add(fact.id)
            return TaskStatus.FALLOUT if fact.residue else TaskStatus.BLOCKED
        if not replace and self._amendment_refused(fact, inputs):
            return TaskStatus.FALLOUT
        if any(holder in self.calls for holder in self._standing_on[fact.id]):
            self._held_up.add(task.key)
            return TaskStatus.BLOCKED
        if not replace:
            return self._amend(fact, inputs, built_on)
        return self._provision(task, inputs, built_on)

    @staticmethod
    def _amendment_refused(fact: Fact, inputs: Inputs) -> bool:
        refusal = fact.refusal
        return refusal is not None and refusal.verb is Verb.AMEND and refusal.inputs == inputs and not refusal.retry

    def _amend(self, fact: Fact, inputs: Inputs, built_on: BuiltOn) -> TaskStatus:
        self._begin(Step(Verb.AMEND, fact.task, fact.generation, fact.n + 1, fact.operation, inputs, built_on))
        return TaskStatus.UNDER_WAY

    def _again(self, task: Task, fact: Fact, built_on: BuiltOn) -> TaskStatus:
        """A call of unknown outcome that the target still wants: repeated, under its own key, when a person asks."""
        waiting = fact.waiting
        if waiting is None or fact.refusal is None or not fact.refusal.retry:
            return TaskStatus.FALLOUT
        self._begin(Step(waiting.verb, task.key, fact.generation, waiting.n, task.operation, waiting.inputs, built_on))
        return TaskStatus.UNDER_WAY

    def _await(self, fact: Fact, waiting: Waiting, built_on: BuiltOn) -> None:
        """What is to come is as the target wants it: note what it will stand on, as for what is in place."""
        if waiting.built_on != built_on:
            waiting.built_on = built_on
            if not fact.established:
                fact.built_on = built_on
            self._reindex(fact.id)

    def _in_place(self, task: Task, fact: Fact, facts: dict[int, Fact], built_on: BuiltOn) -> TaskStatus:
        if fact.built_on != built_on or fact.refusal is not None:
            fact.built_on = built_on
            fact.refusal = None
            self._reindex(fact.id)
        fact.items = task.items
        self._placed[task.key] = (fact.generation, fact.outputs)
        if len(facts) > 1 and all(other in self._placed for other in task.release_after if other in self._rank):
            superseded = {other.id for other in facts.values() if other is not fact}
            self._unwanted |= superseded
            self._agenda |= superseded
        return TaskStatus.IN_PLACE

    def _resolve(self, task: Task) -> Inputs:
        if not task.refs:
            return task.inputs
        inputs = dict(task.inputs)
        for name, ref in task.refs.items():
            values: list[JsonValue] = [self._placed[other][1].get(ref.output) for other in ref.tasks]
            inputs[name] = values if ref.many or len(values) > 1 else values[0]
        return inputs

    # Letting go

    def _release(self) -> None:
        """Compensate what is unwanted, as far as nothing stands on it any more."""
        for fact_id in sorted(self._agenda):
            if self._room <= 0:
                return
            self._agenda.discard(fact_id)
            fact = self.ledger.fact(fact_id)
            if fact is not None and fact_id in self._unwanted:
                self._compensate(fact)

    def _compensate(self, fact: Fact) -> None:
        if fact.id in self.calls or self._standing_on[fact.id] or fact.residue:
            return
        if fact.leaving and not (fact.in_doubt and fact.refusal and fact.refusal.retry):
            return
        operation = self.ledger.operations[fact.operation]
        done = fact.established and fact.waiting is None
        if operation.undo is Undo.NEVER or (operation.undo is Undo.UNTIL_DONE and done):
            self.ledger.drop(fact.id)
            self._changed(fact.id)
            return
        repeated = fact.waiting if fact.leaving else None
        n, inputs = (repeated.n, repeated.inputs) if repeated else (fact.n + 1, fact.inputs)
        self._begin(Step(Verb.COMPENSATE, fact.task, fact.generation, n, fact.operation, inputs, {}))
        self._touch(fact.task)

    def _fell(self) -> None:
        """Break what is doomed, and what stands on it: late, when everything that the replacement needs is in place."""
        contested, waiting_in_circles = self._exclusives.circles(self._needs)
        falling = self._doomed | contested
        rest = list(falling)
        while rest:
            fact_id = rest.pop()
            waiting = [self._current.get(task, fact_id) for task in self._exclusives.waiting_for(fact_id)]
            for other in [*waiting, *self._standing_on[fact_id]]:
                if other not in falling and self._falls_along(other, falling):
                    falling.add(other)
                    rest.append(other)
        broken = {task for fact in falling for task in (fact[0], *self._exclusives.waiting_for(fact))}
        broken |= waiting_in_circles
        readiness = _Readiness(self.plan, self._placed, broken)
        for group in self._falling_together(falling):
            if not self._moving_off(group, falling) and all(readiness.of_replacement(task) for task, _ in group):
                for fact_id in group:
                    fact = self.ledger.fact(fact_id)
                    if fact is not None and self._room > 0:
                        self._compensate(fact)

    def _needs(self, node: str | FactId) -> Iterator[str | FactId]:
        """What a task needs, before it is in place, to be in place or gone; what a fact needs before it can go."""
        if isinstance(node, str):
            if node not in self._placed and node in self._rank:
                yield from self.plan.tasks[node].depends_on
                yield from ((node, generation) for generation in self.ledger.facts.get(node, ()))
            return
        fact, task = self.ledger.fact(node), self.plan.tasks.get(node[0])
        if fact is None or self._going(fact):
            return
        for other in self._standing_on[node]:
            yield other[0]
            if self._current.get(other[0]) != other:
                yield other
        if task is not None:
            yield task.key
            yield from task.release_after

    def _falling_together(self, falling: set[FactId]) -> list[list[FactId]]:
        """What falls, in groups: of what stands on one thing, none is back before all have gone."""
        groups: list[list[FactId]] = []
        seen: set[FactId] = set()
        for first in sorted(falling):
            group: list[FactId] = []
            rest = [first]
            while rest:
                fact_id = rest.pop()
                if fact_id in falling and fact_id not in seen:
                    seen.add(fact_id)
                    group.append(fact_id)
                    rest += [*self._standing_on[fact_id], *self._stands_on.get(fact_id, ())]
            if group:
                groups.append(sorted(group))
        return groups

    def _moving_off(self, group: list[FactId], falling: set[FactId]) -> bool:
        """True while something still stands on the group that is to stay: it has to move first."""
        return any(
            other not in falling and self.ledger.fact(other) is not None
            for fact_id in group
            for other in self._standing_on[fact_id]
        )

    def _falls_along(self, fact_id: FactId, falling: set[FactId]) -> bool:
        """True where a fact stands on a falling one, and can not be moved off it before that is gone."""
        if self.ledger.fact(fact_id) is None or not falling.intersection(self._stands_on.get(fact_id, ())):
            return False
        return not self._escapes(fact_id) or self._exclusives.waits_for(fact_id[0]) in falling

    def _escapes(self, fact_id: FactId) -> bool:
        """True where a fact stands on a falling one, but not in the target: it only has to be moved off it."""
        task = self.plan.tasks.get(fact_id[0])
        if task is None or self._current.get(fact_id[0]) != fact_id or fact_id in self._doomed:
            return False
        return all(other in self._placed for other in task.depends_on)

    # Indexes

    def _begin(self, step: Step) -> None:
        self.calls[step.fact] = step
        fact = self.ledger.fact(step.fact)
        if fact is not None:
            fact.n = max(fact.n, step.n)
        self._reindex(step.fact)
        self._steps.append(step)
        self._room -= 1

    def _changed(self, fact: FactId) -> None:
        self._reindex(fact)
        if self.ledger.fact(fact) is None:
            self._doomed.discard(fact)
            for waiting in self._exclusives.waiting_for(fact):
                self._touch(waiting)
        if fact[0] in self._rank:
            self._touch(fact[0])
        elif self.ledger.fact(fact) is not None:
            self._unwanted.add(fact)
            self._agenda.add(fact)
        else:
            self._unwanted.discard(fact)

    def _touch(self, key: str) -> None:
        rank = self._rank.get(key)
        if rank is not None and rank not in self._queued:
            self._queued.add(rank)
            heapq.heappush(self._dirty, rank)

    def _reindex(self, holder: FactId) -> None:
        """Note anew what a fact, with the call under way on it, stands on, and whether anyone must look after it."""
        stands_on: set[FactId] = set()
        fact, call = self.ledger.fact(holder), self.calls.get(holder)
        self.moved.add(holder[0])
        _keep(self.waiting, holder, fact is not None and fact.waiting is not None and not fact.in_doubt)
        _keep(self.residues, holder, fact is not None and fact.residue)
        if fact is not None:
            waiting, taken_over = fact.waiting, False
            while waiting is not None and not taken_over:
                stands_on.update(waiting.built_on.items())
                # An acknowledged amendment takes over what was awaited before: only that is still to come.
                taken_over = waiting.verb is Verb.AMEND and not waiting.unknown
                waiting = waiting.resume
            if fact.established or not taken_over:
                stands_on.update(fact.built_on.items())
        if call is not None:
            stands_on.update(call.built_on.items())
        self._note_exclusives(holder, fact, call)
        before = self._stands_on.get(holder, frozenset())
        for base in before - stands_on:
            self._standing_on[base].discard(holder)
            if not self._standing_on[base]:
                self._agenda.add(base)
        for base in stands_on - before:
            self._standing_on[base].add(holder)
        if stands_on:
            self._stands_on[holder] = frozenset(stands_on)
        else:
            self._stands_on.pop(holder, None)

    def _note_exclusives(self, holder: FactId, fact: Fact | None, call: Step | None) -> None:
        about = fact or call
        if about is None or not self.ledger.operations[about.operation].exclusive:
            return self._exclusives.note(holder, frozenset())
        values = [call.inputs] if call is not None else []
        if fact is not None:
            values += [fact.inputs, fact.heading, fact.outputs]
        self._exclusives.note(holder, frozenset(claims(self.ledger.operations[about.operation], *values)))
        return None


def _keep(members: set[_Member], member: _Member, belongs: bool) -> None:
    if belongs:
        members.add(member)
    else:
        members.discard(member)


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
