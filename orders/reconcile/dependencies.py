"""What stands on what: the facts and the calls under way, and the indexes over them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from orders.model.values import Verb
from orders.reconcile.exclusive import Exclusives, claims
from orders.reconcile.ledger import Fact, FactId, Ledger, Step

_Member = TypeVar("_Member")


def keep(members: set[_Member], member: _Member, belongs: bool) -> None:
    """Have a set hold a member, or not."""
    if belongs:
        members.add(member)
    else:
        members.discard(member)


class Dependencies:
    """An order's facts and calls under way, with what each stands on. Whoever changes one has it indexed anew.

    A call under way counts as built on its dependencies.
    """

    def __init__(self, ledger: Ledger, calls: Iterable[Step]) -> None:
        self.ledger = ledger
        self.calls: dict[FactId, Step] = {step.fact: step for step in calls}
        self.exclusives = Exclusives()
        self.moved: set[str] = set()
        """Tasks whose status, facts or calls have changed since someone last looked and cleared the set."""
        self.waiting: set[FactId] = set()
        """Facts whose effect is to come: what to expect callbacks for, and to poll."""
        self.refused_compensations: set[FactId] = set()
        """Facts whose compensation was refused, and is not tried again by a rule."""
        self.tried_again: set[FactId] = set()
        """Facts of which a call was refused that a rule has tried again later."""
        self.agenda: set[FactId] = set()
        """Facts that may have to go, and now can: nothing stands on them any more, or nobody wants them any more."""
        self._bases: dict[FactId, frozenset[FactId]] = {}
        self._holders: defaultdict[FactId, set[FactId]] = defaultdict(set)
        for holder in {*self.calls, *(fact.id for fact in ledger.all_facts())}:
            self.index(holder)

    def bases_of(self, holder: FactId) -> frozenset[FactId]:
        """What a fact, with the call under way on it, stands on."""
        return self._bases.get(holder, frozenset())

    def standing_on(self, base: FactId) -> set[FactId]:
        """What stands on a fact."""
        return self._holders[base]

    def is_called(self, task: str) -> bool:
        """True while a call for any generation of the task is under way."""
        return any((task, generation) in self.calls for generation in range(self.ledger.next_generation.get(task, 0)))

    def is_provisioned(self, task: str) -> bool:
        """True while the newest generation of the task is being provisioned."""
        newest = (task, self.ledger.next_generation.get(task, 0) - 1)
        return newest in self.calls and self.calls[newest].verb is Verb.PROVISION

    def is_going(self, fact: Fact) -> bool:
        """True for a fact that is being compensated: it cannot be counted on any more."""
        call = self.calls.get(fact.id)
        return fact.being_compensated or (call is not None and call.verb is Verb.COMPENSATE)

    def begin(self, step: Step) -> None:
        """Have a call count as under way."""
        self.calls[step.fact] = step
        fact = self.ledger.fact(step.fact)
        if fact is not None:
            fact.n = max(fact.n, step.n)
        self.index(step.fact)

    def index(self, holder: FactId) -> None:
        """Note anew what a fact, with the call under way on it, stands on, and whether anyone must look after it."""
        fact, call = self.ledger.fact(holder), self.calls.get(holder)
        self.moved.add(holder[0])
        keep(self.waiting, holder, fact is not None and fact.waiting is not None and not fact.outcome_unknown)
        refusal = fact.refusal if fact is not None else None
        tried = refusal is not None and refusal.is_tried
        keep(self.tried_again, holder, tried)
        keep(self.refused_compensations, holder, fact is not None and fact.compensation_refused and not tried)
        self._index_exclusives(holder, fact, call)
        before, after = self.bases_of(holder), _stands_on(fact, call)
        for base in before - after:
            self._holders[base].discard(holder)
            if not self._holders[base]:
                self.agenda.add(base)
        for base in after - before:
            self._holders[base].add(holder)
        if after:
            self._bases[holder] = after
        else:
            self._bases.pop(holder, None)

    def _index_exclusives(self, holder: FactId, fact: Fact | None, call: Step | None) -> None:
        about = fact or call
        operation = self.ledger.operations[about.operation] if about is not None else None
        if operation is None or not operation.exclusive:
            return self.exclusives.note(holder, frozenset())
        values = [call.sent] if call is not None else []
        if fact is not None:
            values += [fact.inputs, fact.waiting.sent if fact.waiting is not None else {}, fact.outputs]
        return self.exclusives.note(holder, frozenset(claims(operation, *values)))


def _stands_on(fact: Fact | None, call: Step | None) -> frozenset[FactId]:
    bases: set[FactId] = set()
    if fact is not None:
        waiting, taken_over = fact.waiting, False
        while waiting is not None and not taken_over:
            bases.update(waiting.built_on.items())
            # An acknowledged amendment takes over what was awaited before: only that is still to come.
            taken_over = waiting.verb is Verb.AMEND and not waiting.unknown
            waiting = waiting.resume
        if fact.established or not taken_over:
            bases.update(fact.built_on.items())
    if call is not None:
        bases.update(call.built_on.items())
    return frozenset(bases)
