"""What a person settles of what silos have refused: tried again, done by hand, waived, or written off.

None of it calls a silo: it changes what the loop finds in the ledger, and the loop goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from orders.model.values import Inputs, Verb
from orders.reconcile.dependencies import Dependencies
from orders.reconcile.ledger import Fact, FactId, Refusal, Waiting
from orders.reconcile.outcome import put_in_force
from orders.reconcile.target import Target, TaskStatus


class Settling:
    """Settles what was refused of one target. `changed` is told of each fact that is another one then."""

    def __init__(self, standing: Dependencies, target: Target, changed: Callable[[FactId], None]) -> None:
        self._dependencies = standing
        self._ledger = standing.ledger
        self._target = target
        self._tasks = target.plan.tasks
        self._changed = changed

    # Tried again

    def retry(self, task: str, given: Inputs) -> bool:
        """Have what was refused of a task, or waived, tried again. False where nothing was."""
        waived = self._ledger.waived.pop(task, None) is not None
        refusals = list(self._refusals(task))
        for refusal in refusals:
            refusal.retry, refusal.given, refusal.tries = True, given, 0
        self._look_again(task)
        return bool(refusals) or waived

    def _look_again(self, task: str) -> None:
        for generation in self._ledger.facts.get(task, {}):
            self._dependencies.index((task, generation))
            self._dependencies.agenda.add((task, generation))
        self._target.touch(task)

    def try_again(self, now: datetime) -> list[str]:
        """Have everything tried again whose time has come by a rule. The tasks."""
        due = [(task, refusal) for task, refusal in self.tried_again() if refusal.is_due(now)]
        for _, refusal in due:
            refusal.retry, refusal.tries = True, refusal.tries + 1
        tasks = sorted({task for task, _ in due})
        for task in tasks:
            self._look_again(task)
        return tasks

    def tried_again(self) -> Iterator[tuple[str, Refusal]]:
        """What a rule has tried again later, with its task."""
        for fact_id in sorted(self._dependencies.tried_again):
            fact = self._ledger.fact(fact_id)
            if fact is not None and fact.refusal is not None:
                yield fact.task, fact.refusal
        for task, refused in self._ledger.refused.items():
            if task in self._tasks and refused.refusal.is_tried:
                yield task, refused.refusal

    def takes_other_inputs(self, task: str) -> bool:
        """True where the next call for a task may carry other inputs: the last one is known to have done nothing."""
        refusals = [refusal for refusal in self._refusals(task) if refusal.verb is not Verb.COMPENSATE]
        in_doubt = any(fact.outcome_unknown for fact in self._ledger.facts.get(task, {}).values())
        return bool(refusals) and not in_doubt

    def _refusals(self, task: str) -> Iterator[Refusal]:
        yield from (fact.refusal for fact in self._ledger.facts.get(task, {}).values() if fact.refusal)
        if task in self._tasks and task in self._ledger.refused:
            yield self._ledger.refused[task].refusal

    # Done by hand

    def done_by_hand(self, task: str, outputs: Inputs, at: str) -> bool:
        """A person has done what was refused, or knows that it is done, and tells the outputs."""
        if self._is_told(task, outputs, at):
            return True
        wanted = self._tasks.get(task)
        if wanted is None or self._target.status[task] is not TaskStatus.FALLOUT:
            return False
        if not self._target.has_placed(wanted.depends_on):
            return False
        built_on = {other: self._target.placed[other][0] for other in wanted.builds_on}
        amended = self._target.current.get(task)
        if amended is not None and self._is_amended(amended, Waiting(Verb.AMEND, 0, {}, built_on, at), outputs, at):
            return True
        refused = self._ledger.refused.get(task)
        if refused is None:
            return False
        del self._ledger.refused[task]
        self._ledger.put(
            Fact(
                task=task,
                generation=refused.generation,
                operation=wanted.operation,
                items=wanted.items,
                inputs=refused.refusal.inputs,
                outputs=outputs,
                built_on=built_on,
                n=refused.refusal.n,
                established=True,
                since=at,
            )
        )
        self._changed((task, refused.generation))
        return True

    def _is_told(self, task: str, outputs: Inputs, at: str) -> bool:
        """A call of unknown outcome is done, as a person knows."""
        for fact in self._ledger.facts.get(task, {}).values():
            waiting, refusal = fact.waiting, fact.refusal
            if fact.id in self._dependencies.calls or waiting is None or waiting.verb is Verb.COMPENSATE:
                continue
            # One that is to be tried again waits for nobody any more.
            if waiting.unknown and refusal is not None and not refusal.retry:
                put_in_force(fact, waiting, outputs, at)
                fact.waiting = fact.refusal = None
                self._changed(fact.id)
                return True
        return False

    def _is_amended(self, fact_id: FactId, waiting: Waiting, outputs: Inputs, at: str) -> bool:
        """What a silo refused to amend is as it should be, and nothing more is to come of it."""
        fact = self._ledger.fact(fact_id)
        if fact is None or fact.waiting is not None or fact.refusal is None or fact.refusal.verb is not Verb.AMEND:
            return False
        waiting.inputs, waiting.asks = fact.refusal.inputs, fact.asks
        put_in_force(fact, waiting, outputs, at)
        fact.refusal = None
        self._changed(fact_id)
        return True

    # Done without

    def waive(self, task: str) -> bool:
        """A person does without what was refused. False where it was not, or where something of it is in force.

        What may be held of it all the same is let go of.
        """
        wanted = self._tasks.get(task)
        if wanted is None or self._target.status[task] is not TaskStatus.FALLOUT:
            return False
        facts = self._ledger.facts.get(task, {}).values()
        refused = next((each for each in self._refusals(task) if each.verb is Verb.PROVISION), None)
        if refused is None or any(fact.established for fact in facts):
            return False
        self._ledger.waived[task] = refused.inputs
        self._ledger.refused.pop(task, None)
        for fact in facts:
            self._changed(fact.id)
        self._target.touch(task)
        return True

    def write_off(self, fact: FactId, at: str) -> bool:
        """A person settles a residue: whatever the silo still holds of it is no matter of the order any more."""
        if fact not in self._dependencies.refused_compensations or fact in self._dependencies.calls:
            return False
        self._ledger.give_back(fact, at)
        self._changed(fact)
        return True
