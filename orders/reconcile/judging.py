"""Judge one task of the target: compare what it wants with the facts, and begin the call that brings them nearer.

The cases are those of "The loop" in docs/concepts.md. Looked at are the task and what stands next to it, nothing else.
"""

from __future__ import annotations

from itertools import chain

from pydantic import JsonValue

from orders.model.catalog import OnChange, Replacement
from orders.model.plan import Task
from orders.model.values import Inputs, Verb
from orders.reconcile.dependencies import Dependencies, keep
from orders.reconcile.exclusive import claims
from orders.reconcile.keeping import Keeping
from orders.reconcile.ledger import BuiltOn, Fact, FactId, Refusal, Step, Waiting
from orders.reconcile.target import Target, TaskStatus


class Judge:
    """Judges tasks of one target."""

    def __init__(self, standing: Dependencies, target: Target) -> None:
        self._dependencies = standing
        self._target = target
        self._keeping = Keeping(standing, target)
        self._ledger = standing.ledger
        self._calls = standing.calls
        self._tasks = target.plan.tasks
        self._placed = target.placed
        self.begins = True
        """False while nothing new may begin: then a task for which a call could is blocked, and `skipped_on_hold`."""
        self.skipped_on_hold: set[str] = set()

    def judge(self, task: Task) -> None:
        """See where a task stands. Re-bases, values noted and spent facts are settled in the ledger, without a call."""
        before = self._placed.get(task.key)
        status = self._status_of(task)
        if status is not TaskStatus.IN_PLACE:
            self._placed.pop(task.key, None)
            self._target.done_without.discard(task.key)
        if self._target.status[task.key] is not status:
            self._target.status[task.key] = status
            self._dependencies.moved.add(task.key)
        keep(self._target.refused, task.key, status is TaskStatus.FALLOUT)
        if self._placed.get(task.key) != before:
            for other in self._target.neighbours[task.key]:
                self._target.touch(other)

    def _status_of(self, task: Task) -> TaskStatus:
        key = task.key
        facts = self._ledger.facts.get(key, {})
        for generation, fact in facts.items():
            self._target.doomed.discard((key, generation))
            self._target.unwanted.discard((key, generation))
            self._target.kept.discard((key, generation))
            if fact.being_compensated and fact.outcome_unknown:
                self._let_go({fact.id})
        self._target.current.pop(key, None)
        self._dependencies.exclusives.stop_waiting(key)
        if key in self._target.suspended:
            self._let_go({(key, generation) for generation in facts})
            return self._standstill(key)
        if not self._target.has_placed(task.depends_on):
            return self._standstill(key)
        inputs = self._resolve(task)
        if key in self._ledger.waived:
            if self._ledger.waived[key] == inputs and not self._target.needing(key):
                return self._without(task, facts)
            del self._ledger.waived[key]  # Something else is wanted now.
        self._target.done_without.discard(key)
        built_on = {other: self._placed[other][0] for other in task.builds_on}
        current = self._choose(task, facts, inputs)
        if current is None:
            return self._first(task, inputs, built_on)
        self._target.current[key] = current.id
        differs = current.desired_inputs != inputs or current.to_be_replaced
        if current.id in self._calls or (differs and self._dependencies.is_provisioned(key)):
            return TaskStatus.UNDER_WAY
        if differs:
            status = self._differs(task, current, inputs, built_on)
            if status is not None:
                return status
        if current.outcome_unknown:
            return self._again(task, current, built_on)
        if current.waiting is not None:
            self._await(current, current.waiting, built_on)
            return TaskStatus.AWAITING
        return self._in_place(task, current, facts, built_on)

    def _standstill(self, key: str) -> TaskStatus:
        """The status of a task whose dependencies are not in place: nothing can be decided about it yet."""
        return TaskStatus.UNDER_WAY if self._dependencies.is_called(key) else TaskStatus.BLOCKED

    def _without(self, task: Task, facts: dict[int, Fact]) -> TaskStatus:
        """A person does without it: it counts as in place, and what may be held of it all the same goes."""
        self._let_go({(task.key, generation) for generation in facts})
        self._target.done_without.add(task.key)
        self._placed[task.key] = (-1, {})
        return TaskStatus.IN_PLACE

    def _choose(self, task: Task, facts: dict[int, Fact], inputs: Inputs) -> Fact | None:
        """The current fact: the held generation that equals the target or is being amended to, else the newest.

        Leaving ones do not count. Rather than replace the newest, one is taken of which nothing has to be changed but a
        note, or one that is worth keeping is amended.
        """
        live = [fact for fact in facts.values() if not self._dependencies.is_going(fact)]
        for fact in live:
            if (
                fact.waiting is None
                and fact.inputs == inputs
                and not fact.to_be_replaced
                and fact.id not in self._calls
            ):
                return fact
        for fact in live:
            # Called or awaited: should a newer one turn out to stay, this one is on its way all the same.
            amendment = self._calls.get(fact.id) or fact.waiting
            if amendment is None or amendment.verb is not Verb.AMEND or fact.to_be_replaced:
                continue
            if amendment.inputs == inputs:
                return fact
        newest = max(live, key=lambda fact: fact.generation, default=None)
        if newest is None or OnChange.REPLACE not in self._meanings(task, newest, inputs):
            return newest
        others = [(fact, self._meanings(task, fact, inputs)) for fact in live if fact is not newest]
        as_wanted = (
            fact
            for fact, meanings in others
            if meanings <= {OnChange.KEEP} and fact.waiting is None and fact.id not in self._calls
        )
        kept = (
            fact
            for fact, meanings in others
            if OnChange.REPLACE not in meanings and self._ledger.is_worth_keeping(fact)
        )
        return next(chain(as_wanted, kept), newest)

    def _meanings(self, task: Task, fact: Fact, inputs: Inputs) -> set[OnChange]:
        """What it means that a fact is not as the target wants it. Asked for by its value, a thing stays what it is."""
        operation, now = self._target.plan.operation(task), fact.desired_inputs
        asked = operation.asking_for(fact.outputs)
        found = {
            OnChange.KEEP
            if inputs.get(name) is not None and asked.get(name) == inputs[name]
            else operation.meaning(name)
            for name in {**now, **inputs}
            if now.get(name) != inputs.get(name)
        }
        return found | {OnChange.REPLACE} if fact.to_be_replaced else found

    def _first(self, task: Task, inputs: Inputs, built_on: BuiltOn) -> TaskStatus:
        """Nothing of the task is held: provision it, once what is leaving has gone."""
        leaving = self._ledger.facts.get(task.key, {})
        refusals = [fact.refusal for fact in leaving.values() if fact.being_compensated and fact.refusal]
        refused = self._refused(*refusals)
        if refused is not None:
            return refused
        if leaving or self._dependencies.is_provisioned(task.key):
            return self._standstill(task.key)
        return self._provision(task, inputs, built_on)

    def _provision(self, task: Task, inputs: Inputs, built_on: BuiltOn) -> TaskStatus:
        refused = self._ledger.refused.get(task.key)
        again = refused is not None and refused.refusal.inputs == inputs
        asks = {**self._keeping.asks(task, inputs), **(refused.refusal.given if refused is not None and again else {})}
        coming_back = self._keeping.comes_back(task, inputs, self._ledger.facts.get(task.key, {}).values())
        if coming_back or self._taken(task, {**inputs, **asks}):
            return TaskStatus.BLOCKED
        status = self._provision_refused(task.key, inputs)
        if status is not None:
            return status
        if not self.begins:
            return self._skip_on_hold(task.key)
        generation, n = self._ledger.next_generation.get(task.key, 0), 0
        if refused is not None and again:
            generation, n = refused.generation, refused.refusal.n + 1
        if refused is not None:
            del self._ledger.refused[task.key]
        self._ledger.next_generation[task.key] = max(generation + 1, self._ledger.next_generation.get(task.key, 0))
        tries = refused.refusal.tries if refused is not None and again else 0
        self._dependencies.begin(
            Step(Verb.PROVISION, task.key, generation, n, task.operation, inputs, built_on, asks, tries)
        )
        return TaskStatus.UNDER_WAY

    def _taken(self, task: Task, inputs: Inputs) -> bool:
        """True while another thing, or an older generation of this one, has what it is to have and will let go of it.

        Where the other is to keep what it has, the silo decides.
        """
        for claim in claims(self._target.plan.operations[task.operation], inputs):
            for holder in self._dependencies.exclusives.holders(claim):
                if holder[0] == task.key or self._lets_go(holder, claim[2], inputs[claim[2]]):
                    self._dependencies.exclusives.wait(task.key, holder)
                    self._dependencies.agenda |= self._target.kept
                    return True
        return False

    def _lets_go(self, holder: FactId, name: str, value: JsonValue) -> bool:
        task, fact = self._tasks.get(holder[0]), self._ledger.fact(holder)
        if task is None:
            return True
        if task.inputs.get(name) is None:
            # It is to have whatever the silo draws: what was drawn already stays, what was asked for does not.
            return name in task.inputs and fact is not None and fact.desired_inputs.get(name) == value
        return task.inputs[name] != value

    def _differs(self, task: Task, fact: Fact, inputs: Inputs, built_on: BuiltOn) -> TaskStatus | None:
        """The current fact is not what the target wants. None where a note in the ledger was all that it took."""
        operation = self._target.plan.operations[task.operation]
        meanings = self._meanings(task, fact, inputs)
        if meanings <= {OnChange.KEEP}:
            if fact.outcome_unknown:
                return None
            if fact.waiting is not None:
                fact.waiting.inputs = inputs
            if fact.waiting is None or not fact.established:
                fact.inputs = inputs
            return None
        replace = OnChange.REPLACE in meanings
        if not fact.established and (replace or fact.outcome_unknown or not operation.amend_while_waiting):
            return self._doomed(fact)
        if replace and operation.replacement is Replacement.BREAK_BEFORE_MAKE:
            return self._doomed(fact)
        refused = self._provision_refused(task.key, inputs) if replace else self._amendment_refused(fact, inputs)
        if refused is not None:
            return refused
        if any(holder in self._calls for holder in self._dependencies.standing_on(fact.id)):
            self._target.held_up.add(task.key)
            return TaskStatus.BLOCKED
        if not replace:
            return self._amend(fact, inputs, built_on)
        return self._provision(task, inputs, built_on)

    def _doomed(self, fact: Fact) -> TaskStatus:
        """It must break first."""
        self._target.doomed.add(fact.id)
        refusal = fact.refusal if fact.compensation_refused else None
        return (self._refused(refusal) if refusal is not None else None) or TaskStatus.BLOCKED

    def _provision_refused(self, key: str, inputs: Inputs) -> TaskStatus | None:
        refused = self._ledger.refused.get(key)
        return self._refused(refused.refusal) if refused is not None and refused.refusal.inputs == inputs else None

    def _amendment_refused(self, fact: Fact, inputs: Inputs) -> TaskStatus | None:
        refusal = fact.refusal
        if refusal is None or refusal.verb is not Verb.AMEND or refusal.inputs != inputs:
            return None
        return self._refused(refusal)

    @staticmethod
    def _refused(*refusals: Refusal) -> TaskStatus | None:
        """Whether a person is needed, or a rule has it tried again later. None where nothing is in the way."""
        left = [refusal for refusal in refusals if not refusal.retry]
        if not left:
            return None
        return TaskStatus.TRIED_AGAIN if all(refusal.is_tried for refusal in left) else TaskStatus.FALLOUT

    def _skip_on_hold(self, task: str) -> TaskStatus:
        self.skipped_on_hold.add(task)
        return TaskStatus.BLOCKED

    def _amend(self, fact: Fact, inputs: Inputs, built_on: BuiltOn) -> TaskStatus:
        if not self.begins:
            return self._skip_on_hold(fact.task)
        now, refusal = fact.desired_inputs, fact.refusal
        # What somebody gave for it, or it was asked for by, stands as long as the same is planned for that input.
        asks = {name: value for name, value in fact.desired_asks.items() if now.get(name) == inputs.get(name)}
        tries = 0
        if refusal is not None and refusal.verb is Verb.AMEND and refusal.inputs == inputs:
            asks, tries = {**asks, **refusal.given}, refusal.tries
        self._dependencies.begin(
            Step(Verb.AMEND, fact.task, fact.generation, fact.n + 1, fact.operation, inputs, built_on, asks, tries)
        )
        return TaskStatus.UNDER_WAY

    def _again(self, task: Task, fact: Fact, built_on: BuiltOn) -> TaskStatus:
        """A call of unknown outcome that the target still wants: repeated, under its own key, when somebody asks."""
        waiting, refusal = fact.waiting, fact.refusal
        if waiting is None or refusal is None:
            return TaskStatus.FALLOUT
        refused = self._refused(refusal)
        if refused is not None:
            return refused
        if not self.begins:
            return self._skip_on_hold(task.key)
        verb, inputs, n, asks = waiting.verb, waiting.inputs, waiting.n, waiting.asks
        self._dependencies.begin(
            Step(verb, task.key, fact.generation, n, task.operation, inputs, built_on, asks, refusal.tries)
        )
        return TaskStatus.UNDER_WAY

    def _await(self, fact: Fact, waiting: Waiting, built_on: BuiltOn) -> None:
        """What is to come is as the target wants it: note what it will stand on, as for what is in place."""
        if waiting.built_on != built_on:
            waiting.built_on = built_on
            if not fact.established:
                fact.built_on = built_on
            self._dependencies.index(fact.id)

    def _in_place(self, task: Task, fact: Fact, facts: dict[int, Fact], built_on: BuiltOn) -> TaskStatus:
        if fact.built_on != built_on or fact.refusal is not None:
            fact.built_on = built_on
            fact.refusal = None
            self._dependencies.index(fact.id)
        fact.items = task.items
        self._placed[task.key] = (fact.generation, fact.outputs)
        needed = (other for other in task.release_after if other in self._tasks)
        if len(facts) > 1 and self._target.has_placed(needed):
            self._let_go({other.id for other in facts.values() if other is not fact})
        return TaskStatus.IN_PLACE

    def _let_go(self, facts: set[FactId]) -> None:
        self._target.unwanted |= facts
        self._dependencies.agenda |= facts

    def _resolve(self, task: Task) -> Inputs:
        if not task.refs:
            return task.inputs
        inputs = dict(task.inputs)
        for name, ref in task.refs.items():
            values: list[JsonValue] = [self._placed[other][1].get(ref.output) for other in ref.tasks]
            inputs[name] = values if ref.many or len(values) > 1 else values[0]
        return inputs
