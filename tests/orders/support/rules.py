"""The loop's rules, worked out anew for each call from target, ledger and calls under way, without the loop's indexes.

"The loop" of docs/concepts.md in its plainest form: slow, and written without a look at how the loop does it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from pydantic import JsonValue

from orders.model.catalog import OnChange, Replacement, Undo
from orders.model.plan import Plan, Task
from orders.model.values import Inputs, Verb
from orders.reconcile.ledger import Fact, FactId, Step, service_id
from orders.reconcile.reconciler import Reconciler


def without(plan: Plan, waived: Collection[str]) -> Plan:
    """A plan without the tasks that a person does without."""
    if not waived:
        return plan

    def left(keys: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(key for key in keys if key not in waived)

    tasks = {
        key: replace(
            task, builds_on=left(task.builds_on), after=left(task.after), release_after=left(task.release_after)
        )
        for key, task in plan.tasks.items()
        if key not in waived
    }
    return replace(plan, tasks=tasks)


class Rules:
    """What the rules say at the moment at which a batch of calls starts."""

    def __init__(self, reconciler: Reconciler, batch: list[Step]) -> None:
        self.ledger = reconciler.ledger
        self.plan = without(reconciler.plan, self.ledger.waived)
        self.calls = reconciler.calls
        self.earlier = {fact: call for fact, call in self.calls.items() if call not in batch}
        self.going: set[FactId] = set()
        self.batch = batch
        self.facts = {fact.id: fact for fact in self.ledger.all_facts()}
        self.placed: dict[str, Fact] = {}
        """The fact of each task that is in place."""
        self.wanted: dict[str, Inputs] = {}
        """What the inputs of each task are now that its dependencies are in place."""
        for task in self.plan.tasks.values():
            if all(other in self.placed for other in task.depends_on):
                self.wanted[task.key] = self._resolved(task)
                fact = self._equal(task)
                if fact is not None:
                    self.placed[task.key] = fact

    def check(self, step: Step, *, repeated: bool) -> None:
        """A call must be one that the rules allow. A repeated one has an unknown outcome to be made known."""
        match step.verb:
            case Verb.COMPENSATE:
                self._may_go(step, repeated=repeated)
                self.going.add(step.fact)
            case Verb.AMEND:
                self._is_as_wanted(step, repeated=repeated)
                self._may_be_amended(step, repeated=repeated)
            case _:
                self._is_as_wanted(step, repeated=repeated)
                self._may_be_made(step, repeated=repeated)

    # Provision and amend

    def _is_as_wanted(self, step: Step, *, repeated: bool) -> None:
        task = self.plan.tasks.get(step.task)
        assert task is not None, f"{step.key} is not in the target"
        missing = [other for other in task.depends_on if other not in self.placed]
        assert not missing, f"{step.key} starts before {missing}"
        on_change = self.plan.operations[step.operation].on_change
        wrong = _differing(on_change, step.inputs, self.wanted[step.task]) - ({OnChange.KEEP} if repeated else set())
        assert not wrong, f"{step.key} carries {step.inputs}, not {self.wanted[step.task]}"
        built_on = {other: self.placed[other].generation for other in task.builds_on}
        assert step.built_on == built_on, f"{step.key} is built on {step.built_on}, not {built_on}"

    def _may_be_made(self, step: Step, *, repeated: bool) -> None:
        operation = self.plan.operations[step.operation]
        if repeated:
            return
        self._asks_for_what_was(step)
        live = [fact for fact in self._live(step.task) if fact.id not in self.going]
        if not live:
            left = [fact for fact in self.facts if fact[0] == step.task]
            assert not left, f"{step.key} is made while {left} is still there"
            return
        newest = max(live, key=lambda fact: fact.generation)
        equal = [fact for fact in live if fact.inputs == step.inputs and not fact.waiting and not fact.to_be_replaced]
        assert not equal, f"{step.key} is held already"
        kept = [fact for fact in live if self._identifies(fact)]
        spared = [fact.id for fact in kept if OnChange.REPLACE not in self._meanings(fact, step.inputs)]
        assert not spared, f"{step.key} is made, though {spared} could be amended"
        assert newest.established, f"{step.key} replaces what may never have been there"
        assert operation.replacement is Replacement.MAKE_BEFORE_BREAK, f"{step.key} would exist twice"
        assert OnChange.REPLACE in self._meanings(newest, step.inputs), f"{step.key} replaces for nothing"
        self._nothing_starts_on(newest.id, step)

    def _asks_for_what_was(self, step: Step) -> None:
        """What the order found, and wants again as it was, is asked for by its value where its silo can be asked."""
        operation, gone = self.plan.operations[step.operation], self.ledger.gone.get(step.task)
        asks: Inputs = {}
        if gone is not None and OnChange.REPLACE not in _differing(operation.on_change, gone.inputs, step.inputs):
            for name, identity in operation.identities.items():
                if identity.asked_by is not None:
                    asks[identity.asked_by] = gone.outputs[name]
        asked = {name: value for name, value in step.asks.items() if name not in operation.by_hand}
        assert asked == asks, f"{step.key} asks for {step.asks}, not {asks}"

    def _may_be_amended(self, step: Step, *, repeated: bool) -> None:
        fact = self.facts.get(step.fact)
        assert fact is not None and not fact.being_compensated, f"{step.key} amends what is not there"
        if repeated:
            return
        assert fact is not self.placed.get(step.task), f"{step.key} amends what is in place"
        meanings = self._meanings(fact, step.inputs)
        assert OnChange.REPLACE not in meanings, f"{step.key} amends what must be replaced"
        assert OnChange.AMEND in meanings, f"{step.key} amends nothing"
        operation = self.plan.operations[step.operation]
        assert fact.established or operation.amend_while_waiting, f"{step.key} amends what is still to come"
        self._nothing_starts_on(fact.id, step)

    def _nothing_starts_on(self, fact: FactId, step: Step) -> None:
        waiting = [call.key for call in self.calls.values() if call is not step and fact in call.built_on.items()]
        assert not waiting, f"{step.verb} {step.key} while {waiting} builds on {service_id(fact)}"

    # Compensate

    def _may_go(self, step: Step, *, repeated: bool) -> None:
        fact = self.facts.get(step.fact)
        assert fact is not None, f"{step.key} compensates what is not held"
        self._nothing_starts_on(fact.id, step)
        standing = [other for other in self.facts if other != fact.id and fact.id in self._bases(self.facts[other])]
        assert not standing, f"{step.key} is compensated under {standing}"
        if repeated:
            return
        undo = self.ledger.operations[fact.operation].undo
        spent = undo is Undo.NEVER or (undo is Undo.UNTIL_DONE and fact.established and fact.waiting is None)
        assert not spent, f"{step.key} is compensated though it is spent"
        kept = self._identifies(fact) and not self.plan.final
        if kept and not self._is_last() and not self._is_waited_for(fact):
            late = f"{step.key} is let go of, which may be wanted again, before all else is done"
            assert fact.id in set[FactId]().union(*self._falling()), late
        task = self.plan.tasks.get(step.task)
        if task is None or step.task in self.plan.suspended:
            return
        if step.task in self.placed and self.placed[step.task] is not fact:
            late = [other for other in task.release_after if other in self.plan.tasks and other not in self.placed]
            if not late:
                return
        # What another task waits for breaks only where they wait for each other in a circle, which is not worked out
        # here: else it moves by itself. So what must break anyway goes with it or without it.
        apart = self._falling(contested=self._is_contested(fact))
        groups = apart if any(fact.id in group for group in apart) else self._falling()
        group = next((group for group in groups if fact.id in group), None)
        assert group is not None, f"{step.key} is compensated though it is neither unwanted nor doomed"
        broken = {task for group in self._falling() for task, _ in group}
        self._is_late(step, group, broken | self._spent() | self._waiting_for(self.facts))

    def _identifies(self, fact: Fact) -> bool:
        """True for what is not the same as another one of its kind, and may be wanted again."""
        identities = self.ledger.operations[fact.operation].identities
        gone = self.ledger.gone.get(fact.task)
        again = gone is not None and all(gone.outputs.get(name) == fact.outputs.get(name) for name in identities)
        worth = fact.found or again or any(identity.keep for identity in identities.values())
        return bool(identities) and worth and fact.established and not fact.to_be_replaced

    def _is_last(self) -> bool:
        """True where all tasks are in place, and nothing has to go but what was kept, and what that stands on."""
        if len(self.placed) != len(self.plan.tasks):
            return False
        placed = {fact.id for fact in self.placed.values()}
        kept = {fact.id for fact in self.facts.values() if fact.id not in placed and self._identifies(fact)}
        below = {base for other in kept for base in self._below(other)}
        return all(fact in placed | kept | below for fact in self.facts) and self.earlier.keys() <= kept

    def _is_waited_for(self, fact: Fact) -> bool:
        return bool(self._waiting_for(self._below(fact.id)))

    def _below(self, fact: FactId) -> set[FactId]:
        """A fact, with all that it stands on."""
        found = {fact}
        while (
            more := {base for each in found for base in self._bases_to_be(self.facts[each])} & set(self.facts) - found
        ):
            found |= more
        return found

    def _falling(self, *, contested: bool = True) -> list[set[FactId]]:
        """The doomed and what falls with them, in groups that stand on each other."""
        falling = {fact.id for fact in self.facts.values() if self._must_break(fact, contested=contested)}
        doomed = set(falling)
        grown = True
        while grown:
            more = {
                other
                for other, fact in self.facts.items()
                if other not in falling
                and self._bases_to_be(fact) & falling
                and not (self._escapes(fact, doomed) and fact.task not in self._waiting_for(falling))
            }
            falling |= more
            grown = bool(more)
        groups: list[set[FactId]] = []
        for fact_id in falling:
            group = {fact_id, *(self._bases_to_be(self.facts[fact_id]) & falling)}
            apart = [other for other in groups if not other & group]
            groups = [*apart, group.union(*(other for other in groups if other & group))]
        return groups

    def _spent(self) -> set[str]:
        """What may have been dropped without a call, and is to be made anew when there is room for it."""
        return {
            task.key
            for task in self.plan.tasks.values()
            if self.plan.operation(task).undo is not Undo.ALWAYS and self.ledger.next_generation.get(task.key)
        }

    def _is_contested(self, fact: Fact) -> bool:
        """True where it has what exists only once, and another task, or its own anew, is to have that."""
        return any(
            fact.inputs.get(name) == task.inputs.get(name)
            for task in self.plan.tasks.values()
            for name in set(self.plan.operations[task.operation].exclusive) & set(self._exclusive(fact))
            if task.key != fact.task or task.key not in self.placed
        )

    def _waiting_for(self, holders: Iterable[FactId]) -> set[str]:
        """The tasks that are to have what exists only once, while one of these still has it."""
        return {
            task.key
            for task in self.plan.tasks.values()
            for fact in map(self.facts.__getitem__, holders)
            for name in set(self.plan.operations[task.operation].exclusive) & set(self._exclusive(fact))
            if task.key not in self.placed and fact.inputs.get(name) == task.inputs.get(name)
        }

    def _exclusive(self, fact: Fact) -> tuple[str, ...]:
        return self.ledger.operations[fact.operation].exclusive

    def _must_break(self, fact: Fact, *, contested: bool) -> bool:
        if contested and self._is_contested(fact) and not fact.being_compensated:
            return True
        if fact.task not in self.wanted or fact.being_compensated:
            return False
        if fact.established and self._current(fact.task) is not fact:
            return False
        meanings = self._meanings(fact, self.wanted[fact.task])
        if meanings <= {OnChange.KEEP}:
            return False
        operation = self.plan.operations[fact.operation]
        replace = OnChange.REPLACE in meanings
        if not fact.established:
            return replace or fact.outcome_unknown or not operation.amend_while_waiting
        return replace and operation.replacement is Replacement.BREAK_BEFORE_MAKE

    def _escapes(self, fact: Fact, doomed: set[FactId]) -> bool:
        """What does not stand on it in the target only has to move off."""
        return fact.task in self.wanted and self._current(fact.task) is fact and fact.id not in doomed

    def _is_late(self, step: Step, group: set[FactId], broken: set[str]) -> None:
        """Everything that the group's replacement needs is in place, or is not because of what is broken."""
        seen: set[str] = set()
        rest = [key for key, _ in group if key in self.plan.tasks]
        while rest:
            key = rest.pop()
            if key in seen:
                continue
            seen.add(key)
            missing = [other for other in self.plan.tasks[key].depends_on if other not in self.placed]
            assert missing or key in broken, f"{step.key} breaks before {key} is in place"
            rest += missing
        staying = [
            other
            for other, fact in self.facts.items()
            if other not in group and other[0] in self.placed and self._bases(fact) & group
        ]
        assert not staying, f"{step.key} breaks before {staying} has moved off"

    # What there is

    def _resolved(self, task: Task) -> Inputs:
        inputs = dict(task.inputs)
        for name, ref in task.refs.items():
            values: list[JsonValue] = [self.placed[other].outputs.get(ref.output) for other in ref.tasks]
            inputs[name] = values if ref.many or len(values) > 1 else values[0]
        return inputs

    def _equal(self, task: Task) -> Fact | None:
        """The held fact that equals the target, else the newest if only inputs to keep differ."""
        live = self._live(task.key)
        held = [fact for fact in live if fact.established and not fact.waiting and fact.id not in self.earlier]
        equal = [fact for fact in held if fact.inputs == self.wanted[task.key] and not fact.to_be_replaced]
        meant = self._meant(task.key)
        near = [
            fact for fact in held if fact is meant and self._meanings(fact, self.wanted[task.key]) <= {OnChange.KEEP}
        ]
        return next(iter(equal + near), None)

    def _current(self, key: str) -> Fact | None:
        return self.placed.get(key) or self._meant(key)

    def _meant(self, key: str) -> Fact | None:
        """The newest fact of a task, unless that must be replaced and an older one that is kept need not be."""
        live = sorted(self._live(key), key=lambda fact: fact.generation)
        kept = [fact for fact in live if self._identifies(fact)]
        near = [fact for fact in kept if key in self.wanted and not self._is_replaced(fact, self.wanted[key])]
        newest = live[-1] if live else None
        if newest is None or not near or not self._is_replaced(newest, self.wanted[key]):
            return newest
        return near[0]

    def _is_replaced(self, fact: Fact, inputs: Inputs) -> bool:
        return OnChange.REPLACE in self._meanings(fact, inputs)

    def _live(self, key: str) -> list[Fact]:
        """What is held of a task, or will be, and is not about to go."""
        leaving = {call.fact for call in self.earlier.values() if call.verb is Verb.COMPENSATE}
        facts = self.ledger.facts.get(key, {}).values()
        return [fact for fact in facts if not fact.being_compensated and fact.id not in leaving]

    def _meanings(self, fact: Fact, inputs: Inputs) -> set[OnChange]:
        anew = {OnChange.REPLACE} if fact.to_be_replaced else set[OnChange]()
        return anew | _differing(self.ledger.operations[fact.operation].on_change, fact.desired_inputs, inputs)

    def _bases_to_be(self, fact: Fact) -> set[FactId]:
        """What it stands on, or will when the call under way on it is done."""
        call = self.earlier.get(fact.id)
        return self._bases(fact) | (set(call.built_on.items()) if call is not None else set())

    def _bases(self, fact: Fact) -> set[FactId]:
        """What it stands on, and will when what is awaited is done."""
        bases = set[FactId]()
        waiting = fact.waiting
        while waiting is not None:
            bases |= set(waiting.built_on.items())
            if waiting.verb is Verb.AMEND and not waiting.unknown:
                # Only that is still to come of what was awaited, also where it is being undone by now.
                return bases | (set(fact.built_on.items()) if fact.established else set())
            waiting = waiting.resume
        return bases | set(fact.built_on.items())


def _differing(on_change: dict[str, OnChange], before: Inputs, after: Inputs) -> set[OnChange]:
    """What the differences between two sets of inputs mean."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {on_change.get(name, OnChange.AMEND) for name in names}
