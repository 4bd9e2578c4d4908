"""Reconcile the facts to the target: which silo calls can start now ("The loop" in docs/concepts.md).

One loop provisions, amends, cancels and recovers:

    steps = reconciler.next_steps()      # every call that is startable now; each counts as under way from here on
    run them, reconciler.record(...) each outcome, and repeat until reconciler.settled

Every rule looks at one task and what stands next to it, so that only tasks touched by an outcome are judged again:
the cost of a completed task grows with its neighbours, not with the plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Self, TypeAlias

from orders.model.catalog import Undo
from orders.model.plan import Plan
from orders.model.values import Inputs, Verb
from orders.reconcile.breaking import ready_to_break
from orders.reconcile.dependencies import Dependencies
from orders.reconcile.judging import Judge
from orders.reconcile.keeping import Keeping
from orders.reconcile.ledger import Fact, FactId, Ledger, Refusal, Step
from orders.reconcile.outcome import Outcome, record, record_answer
from orders.reconcile.settling import Settling
from orders.reconcile.target import Target, TaskStatus

Early: TypeAlias = dict[FactId, list[tuple[int, Outcome]]]
"""Answers that have overtaken the outcomes of their own calls, with the numbers of those."""


class Reconciler:
    """Works out steps for one order, from its target, its ledger and the calls under way.

    It owns the ledger: every outcome is recorded through it, so that its indexes stay true.
    """

    def __init__(self, plan: Plan, ledger: Ledger, calls: Iterable[Step] = ()) -> None:
        self.ledger = ledger
        self.early: Early = {}
        self.judged = False
        """False until the tasks were first looked at: before that they all count as blocked."""
        self._items: dict[str, tuple[str, ...]] = {}
        self._dependencies = Dependencies(ledger, calls)
        self._target = Target(Plan(), ())
        self.retarget(plan)

    def anew(self, plan: Plan, ledger: Ledger, calls: Iterable[Step], early: Early) -> Self:
        """Another one, for the same order as it was before: each of its tasks is judged anew."""
        made = type(self)(plan, ledger, calls)
        made.early, made.judged = early, self.judged
        made._items = {**self._items, **made._items}
        return made

    # The target

    def retarget(self, plan: Plan) -> None:
        """Make another plan the target. Facts and calls under way stay what they are."""
        self.ledger.operations.update(plan.operations)
        self.ledger.silos.update(plan.silos)
        self._items.update((task.key, task.items) for task in plan.tasks.values())
        self._target = Target(plan, (fact.id for fact in self.ledger.all_facts()), self._target)
        self._judge = Judge(self._dependencies, self._target)
        self._keeping = Keeping(self._dependencies, self._target)
        self._settling = Settling(self._dependencies, self._target, self._changed)
        self._dependencies.exclusives.clear_waits()
        self._dependencies.agenda = set(self._target.unwanted)

    @property
    def plan(self) -> Plan:
        """The plan of the target."""
        return self._target.plan

    @property
    def status(self) -> dict[str, TaskStatus]:
        """Where each task of the target stands."""
        return self._target.status

    @property
    def settled(self) -> bool:
        """True when the silos hold the target and nothing else, and no call is under way."""
        tasks = len(self.plan.tasks)
        if self.calls or not self._target.all_judged or len(self._target.placed) != tasks:
            return False
        return sum(map(len, self.ledger.facts.values())) == tasks - len(self._target.done_without)

    @property
    def fallout(self) -> set[str]:
        """The tasks that wait for a person."""
        return self._target.refused | {task for task, _ in self.refused_compensations}

    @property
    def unwanted(self) -> set[FactId]:
        """Facts that go as soon as nothing stands on them, and nobody may want them again."""
        return self._target.unwanted

    def is_suspended(self, task: str) -> bool:
        """True for a task of the target of which nothing is to be held for now, or that a person does without."""
        return task in self._target.suspended or task in self._target.done_without

    def items_of(self, task: str) -> tuple[str, ...]:
        """The items that a task serves, or last served, of a target since this reconciler was made."""
        return self._items.get(task, ())

    # The facts and calls

    @property
    def calls(self) -> dict[FactId, Step]:
        """The calls under way, each by the fact that it is about, in the order in which they began."""
        return self._dependencies.calls

    @property
    def waiting(self) -> set[FactId]:
        """Facts whose effect is to come: what to expect callbacks for, and to poll."""
        return self._dependencies.waiting

    @property
    def refused_compensations(self) -> set[FactId]:
        """Facts whose compensation was refused."""
        return self._dependencies.refused_compensations

    @property
    def moved(self) -> set[str]:
        """Tasks whose status, facts or calls have changed since someone last looked and cleared the set."""
        return self._dependencies.moved

    def is_called(self, task: str) -> bool:
        """True while a call for any generation of the task is under way."""
        return self._dependencies.is_called(task)

    def following(self, task: str) -> list[str]:
        """The tasks of the target that wait for one of them."""
        tasks = self.plan.tasks
        return [other for other in self._target.neighbours.get(task, ()) if task in tasks[other].depends_on]

    # The loop

    def next_steps(self, most: int = 500) -> list[Step]:
        """Every call that can start now, as long as no more than `most` are under way in all.

        Re-bases, values noted and spent facts are settled in the ledger on the way, without a call.
        """
        before = len(self.calls)
        self.judged = True
        postponed: list[str] = []
        while True:
            while (task := self._target.next_to_judge()) is not None:
                if len(self.calls) < most:
                    self._judge.judge(task)
                else:
                    postponed.append(task.key)
            self._keeping.see_what_is_left()
            self._release(most)
            self._break(most)
            at_rest = self._target.all_judged and (not self._dependencies.agenda or len(self.calls) >= most)
            if at_rest and not self._keeping.see_what_is_left():
                break
        for key in postponed:
            self._target.touch(key)
        return list(self.calls.values())[before:]

    def look(self) -> None:
        """See where the tasks stand, and begin nothing: whatever could is looked at again by `next_steps`."""
        self.judged = True
        self._judge.begins = False
        while (task := self._target.next_to_judge()) is not None:
            self._judge.judge(task)
        self._judge.begins = True
        for key in self._judge.skipped_on_hold:
            self._target.touch(key)
        self._judge.skipped_on_hold.clear()

    def record(self, step: Step, outcome: Outcome, at: str) -> None:
        """Record how a call that `next_steps` started has ended."""
        del self.calls[step.fact]
        stood_on = self._dependencies.bases_of(step.fact)
        record(self.ledger, step, self.items_of(step.task), outcome, at)
        for n, answer in self.early.pop(step.fact, []):
            record_answer(self.ledger, step.fact, n, answer, at)
        self._changed(step.fact)
        for base, _ in stood_on:
            if base in self._target.held_up:
                self._target.held_up.discard(base)
                self._target.touch(base)

    def answer(self, fact: FactId, n: int, outcome: Outcome, at: str) -> bool:
        """Record what a silo reported by callback or polling. False where it says nothing new.

        An answer that overtakes the outcome of its own call is kept until that outcome is recorded.
        """
        if not outcome.says_something:
            return False
        if fact in self.calls:
            self.early.setdefault(fact, []).append((n, outcome))
            return True
        news = record_answer(self.ledger, fact, n, outcome, at)
        if news:
            self._changed(fact)
        return news

    # What a rule tries, and what a person settles

    def tried_again(self) -> list[tuple[str, Refusal]]:
        """What was refused and a rule has tried again later, with its task."""
        return list(self._settling.tried_again())

    def try_again(self, now: datetime) -> list[str]:
        """Have everything tried again whose time has come by a rule. The tasks."""
        return self._settling.try_again(now)

    def retry(self, task: str, given: Inputs | None = None) -> bool:
        """A person asks for a refused call to be tried again, with what is `given`. False where nothing was refused."""
        return self._settling.retry(task, given or {})

    def takes_other_inputs(self, task: str) -> bool:
        """True where a refused call may be tried again with other inputs."""
        return self._settling.takes_other_inputs(task)

    def mark_for_replacement(self, task: str) -> bool:
        """A person asks for the same thing anew, though nothing about it differs. False where nothing of it is held."""
        live = [fact for fact in self.ledger.facts.get(task, {}).values() if not self._dependencies.is_going(fact)]
        if not live or task not in self.plan.tasks:
            return False
        self.look()
        self.look()
        current = self._target.current.get(task)
        meant = [fact for fact in live if fact.id == current] or live
        max(meant, key=lambda fact: fact.generation).to_be_replaced = True
        self.ledger.gone.pop(task, None)
        self._target.touch(task)
        return True

    def clear_refused_compensation(self, fact_id: FactId) -> None:
        """Forget that a compensation was refused: it is not asked for any more. One in doubt has still to be known."""
        fact = self.ledger.fact(fact_id)
        if fact is not None and fact.compensation_refused and not fact.outcome_unknown:
            fact.refusal = None
            self._changed(fact_id)

    def write_off(self, fact: FactId, at: str) -> bool:
        """A person settles a residue: whatever the silo still holds of it is no matter of the order any more."""
        return self._settling.write_off(fact, at)

    def done_by_hand(self, task: str, outputs: Inputs, at: str) -> bool:
        """A person has done what a silo refused, or knows that it is done, and tells its outputs.

        False where nothing of the kind was refused.
        """
        return self._settling.done_by_hand(task, outputs, at)

    def waive(self, task: str) -> bool:
        """A person does without what a silo refused to provision. False where there is nothing to do without."""
        return self._settling.waive(task)

    def needing(self, task: str) -> list[str]:
        """The tasks of the target that build on one of them, or take an output of it."""
        return self._target.needing(task)

    def outputs_missing(self, task: str, outputs: Inputs) -> list[str]:
        """The outputs that a task has by the catalog, and that neither its silo nor a person has told."""
        known = {
            name: value for fact in self.ledger.facts.get(task, {}).values() for name, value in fact.outputs.items()
        }
        return self.ledger.operation_of(task).missing(known | outputs)

    # Letting go

    def _release(self, most: int) -> None:
        """Compensate what is unwanted, as far as nothing stands on it any more."""
        for fact_id in sorted(self._dependencies.agenda):
            if len(self.calls) >= most:
                return
            self._dependencies.agenda.discard(fact_id)
            fact = self.ledger.fact(fact_id)
            if fact is not None and fact_id in self._target.unwanted and not self._keeping.keeps(fact):
                self._compensate(fact)

    def _break(self, most: int) -> None:
        if len(self.calls) >= most:
            return
        for fact_id in ready_to_break(self._dependencies, self._target):
            fact = self.ledger.fact(fact_id)
            if fact is not None and len(self.calls) < most:
                self._compensate(fact)

    def _compensate(self, fact: Fact) -> None:
        if fact.id in self.calls or self._dependencies.standing_on(fact.id) or fact.compensation_refused:
            return
        if fact.being_compensated and not (fact.outcome_unknown and fact.refusal and fact.refusal.retry):
            return
        operation = self.ledger.operations[fact.operation]
        done = fact.established and fact.waiting is None
        if operation.undo is Undo.NEVER or (operation.undo is Undo.UNTIL_DONE and done):
            self.ledger.drop(fact.id)
            self._changed(fact.id)
            return
        repeated = fact.waiting if fact.being_compensated else None
        n, inputs = (repeated.n, repeated.inputs) if repeated else (fact.n + 1, fact.inputs)
        refusal = fact.refusal
        tries = refusal.tries if refusal is not None and refusal.verb is Verb.COMPENSATE else 0
        self._dependencies.begin(
            Step(Verb.COMPENSATE, fact.task, fact.generation, n, fact.operation, inputs, {}, tries=tries)
        )
        self._target.touch(fact.task)

    def _changed(self, fact: FactId) -> None:
        self._dependencies.index(fact)
        if self.ledger.fact(fact) is None:
            self._target.doomed.discard(fact)
            self._target.kept.discard(fact)
            for waiting in self._dependencies.exclusives.waiting_for(fact):
                self._target.touch(waiting)
        if fact[0] in self.plan.tasks:
            self._target.touch(fact[0])
        elif self.ledger.fact(fact) is not None:
            self._target.unwanted.add(fact)
            self._dependencies.agenda.add(fact)
        else:
            self._target.unwanted.discard(fact)
