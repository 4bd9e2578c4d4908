"""A world of silos in miniature: keeps what is held, answers as real silos do, and holds the loop to its rules.

Every choice comes from one `random.Random`, so that hypothesis can shrink a failing history and a seed can repeat it.
`tests.orders.support.rules` says what the rules are, `tests.orders.support.driving` leads an order through a history.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Protocol
from zlib import crc32

from pydantic import JsonValue

from orders.model.values import Inputs, Verb
from orders.reconcile.ledger import FactId, Ledger, Step, service_id
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.reconcile.reconciler import Reconciler
from tests.orders.support.rules import Rules

AT = "2026-01-01T00:00:00.000Z"
MILESTONE = "on-the-way"
"""What an acknowledged call may report before its effect."""


class Hears(Protocol):
    """Who hears what silos say: a reconciler on its own, or an order that also bills by it."""

    def record(self, step: Step, outcome: Outcome, at: str, /) -> None: ...

    def answer(self, fact_id: FactId, n: int, outcome: Outcome, at: str, /) -> bool: ...


@dataclass
class InFlight:
    """A call that has left. `took` says that the silo has acknowledged it, though the answer is still on its way."""

    step: Step
    took: bool = False


@dataclass
class Pending:
    """An acknowledged call whose effect is to come; should it fail, what it took over is to come again."""

    step: Step
    fails: bool
    before: Pending | None = None


@dataclass
class World:
    """One order's silos, and the chances of things going wrong in them."""

    choose: Random
    refuse_rate: float = 0.0
    doubt_rate: float = 0.0
    asynchronous: frozenset[str] = frozenset()
    """Operations that are acknowledged, and have their effect later."""
    changing_outputs: frozenset[str] = frozenset()
    """Operations whose outputs differ when their inputs do."""
    identifying: frozenset[str] = frozenset()
    """Operations whose output identifies what they make: it stays, whatever is amended."""
    given: dict[FactId, JsonValue] = field(default_factory=dict)
    """The output by which each thing held is known, where that is what it was asked for."""
    asked_as: dict[FactId, Inputs] = field(default_factory=dict)
    """By what value each thing was asked for when it was made, if it was."""
    undone: set[FactId] = field(default_factory=set)
    """What was held, or was to come, and is not any more because it was compensated."""
    amended: dict[FactId, list[Inputs]] = field(default_factory=dict)
    """The inputs of all amendments that had their effect."""
    lost: set[str] = field(default_factory=set)
    """Tasks of which something got lost."""
    let_be: set[FactId] = field(default_factory=set)
    """What a person has written off: whether a silo has undone it all the same, the order never learns."""
    held: dict[FactId, Inputs] = field(default_factory=dict)
    in_flight: list[InFlight] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    letters: list[tuple[FactId, int, Outcome]] = field(default_factory=list)
    """Callbacks on their way."""
    strays: list[Step] = field(default_factory=list)
    """Calls given up on that may still arrive."""
    calls: dict[str, tuple[Verb, Inputs]] = field(default_factory=dict)
    """Every call ever made, by key."""
    effects: dict[str, Inputs] = field(default_factory=dict)
    """The outputs of every call that took effect, by key: a repeated one is answered with them and does nothing."""
    newest: dict[FactId, int] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    """Keys whose outcome the order does not know."""
    begun: set[str] = field(default_factory=set)
    refused: dict[FactId, tuple[Verb, Inputs]] = field(default_factory=dict)
    """What was refused for good since the target moved or a person asked."""

    def hold(self, ledger: Ledger) -> None:
        """Have the silos hold what a ledger has."""
        for fact in ledger.all_facts():
            self.held[fact.id] = fact.inputs
            self.newest[fact.id] = fact.n
            self.asked_as[fact.id] = {name: value for name, value in fact.asks.items() if name == "out"}
            if fact.operation in self.identifying:
                self.given[fact.id] = fact.outputs["out"]

    # What leaves

    def begin(self, steps: list[Step], reconciler: Reconciler, most: int) -> None:
        """Calls leave. A silo may take one at once and answer late."""
        rules = Rules(reconciler, steps) if steps else None
        assert not steps or len(reconciler.calls) <= most, f"{len(reconciler.calls)} calls are under way, of {most}"
        for step in steps:
            busy = [other.step.key for other in self.in_flight if other.step.fact == step.fact]
            assert not busy, f"{step.key} starts while {busy} is under way"
            known = self.calls.setdefault(step.key, (step.verb, step.sent))
            repeated = step.key in self.doubtful
            assert known == (step.verb, step.sent), f"{step.key} was {known} before, now {step.verb} {step.sent}"
            self._is_given_back(step, reconciler)
            self._is_asked_for_as_before(step)
            assert repeated or f"{step.verb} {step.key}" not in self.begun, f"{step.key} is made twice"
            for fact, call in list(self.refused.items()):
                if fact == step.fact or (fact[0] == step.task and step.verb is Verb.PROVISION is call[0]):
                    assert call != (step.verb, step.inputs), f"{step.verb} {step.key} was refused, nobody asked again"
                    del self.refused[fact]
            if rules is not None:
                rules.check(step, repeated=repeated)
            if step.verb is Verb.PROVISION and not repeated:
                self._is_free(step, reconciler)
            self.begun.add(f"{step.verb} {step.key}")
            self.in_flight.append(InFlight(step, took=self._takes_at_once(step)))

    def _is_free(self, step: Step, reconciler: Reconciler) -> None:
        """What exists only once is not asked for while another thing has it, or is getting it."""
        operation = reconciler.plan.operations[step.operation]
        steps = [other.step for other in (*self.in_flight, *self.pending)]
        to_come = {other.fact: other.inputs for other in steps if other.verb is not Verb.COMPENSATE}
        for fact, inputs in {**to_come, **self.held}.items():
            other = reconciler.ledger.operations["/".join(fact[0].rsplit("/", 2)[1:])]
            for name in set(operation.exclusive) & set(other.exclusive):
                assert inputs.get(name) != step.inputs[name], f"{step.key} asks for what {fact} has: {inputs}"

    def _is_given_back(self, step: Step, reconciler: Reconciler) -> None:
        """What was given back is asked for again, not what another generation still has."""
        facts = reconciler.ledger.facts.get(step.task, {}).values()
        others = [fact for fact in facts if fact.id != step.fact and fact.id in self.held]
        asked = [fact.id for fact in others if "out" in step.asks and fact.outputs.get("out") == step.asks["out"]]
        assert not asked, f"{step.key} asks for what {asked} still has"

    def _is_asked_for_as_before(self, step: Step) -> None:
        """Whoever amends what was asked for by its value says so again: else the silo takes it for another wish."""
        asks: Inputs = {name: value for name, value in step.asks.items() if name == "out"}  # Else given by hand.
        if step.verb is Verb.PROVISION:
            self.asked_as[step.fact] = asks
        elif step.verb is Verb.AMEND:
            asked = self.asked_as.get(step.fact, {})
            assert asks == asked, f"{step.key} was asked for by {asked}, and is amended by {asks}"

    def _takes_at_once(self, step: Step) -> bool:
        lasts = step.operation in self.asynchronous and step.key not in self.doubtful and self._is_there(step)
        return lasts and self.choose.random() < 0.3 and self._take(step)

    def _is_there(self, step: Step) -> bool:
        there = step.fact in self.held or any(other.step.fact == step.fact for other in self.pending)
        return there or step.verb is Verb.PROVISION

    def _take(self, step: Step) -> bool:
        """The silo will do it in its own time, instead of what it had to do on that thing before."""
        before = next((other for other in self.pending if other.step.fact == step.fact), None)
        self._forget(step.fact)
        self.pending.append(Pending(step, self.choose.random() < self.refuse_rate, before))
        if self.choose.random() < 0.3:
            reached = Outcome(OutcomeKind.ACKNOWLEDGED, milestones={MILESTONE: ""})
            self.letters += [(step.fact, step.n, reached)] * self.choose.choice((1, 2))
        return True

    def _forget(self, fact: FactId) -> None:
        self.pending = [other for other in self.pending if other.step.fact != fact]

    # What comes back

    def answer_one(self, hears: Hears) -> bool:
        """One random call is answered, effect lands or callback arrives. False where nothing is on its way."""
        queues: list[list[InFlight] | list[Pending] | list[tuple[FactId, int, Outcome]] | list[Step]]
        queues = [self.in_flight, self.pending, self.letters, self.strays]
        waiting = sum(map(len, queues))
        if not waiting:
            return False
        index = self.choose.randrange(waiting)
        if index < len(self.in_flight):
            call = self.in_flight.pop(index)
            hears.record(call.step, self._outcome(call), AT)
            return True
        index -= len(self.in_flight)
        if index < len(self.pending):
            self._land(self.pending[index], hears)
            return True
        index -= len(self.pending)
        if index < len(self.letters):
            fact, n, outcome = self.letters.pop(index)
            if outcome.kind not in (OutcomeKind.DONE, OutcomeKind.ACKNOWLEDGED):
                self.noise()
            hears.answer(fact, n, outcome, AT)
            return True
        self._apply(self.strays.pop(index - len(self.letters)))
        return True

    def _outcome(self, call: InFlight) -> Outcome:
        """How a call ends: done, acknowledged, refused for good, lost or unknown."""
        step = call.step
        if call.took:
            return Outcome(OutcomeKind.ACKNOWLEDGED)
        if step.verb is Verb.AMEND and not self._is_there(step):
            self.noise()
            return Outcome(OutcomeKind.LOST)
        if step.key not in self.effects and self.choose.random() < self.refuse_rate:
            self.noise()
            self.doubtful.discard(step.key)
            self.strays = [stray for stray in self.strays if stray.key != step.key]
            self.refused[step.fact] = step.verb, step.inputs
            return Outcome(OutcomeKind.REFUSED, code="no", reason="said the silo")
        if self.choose.random() < self.doubt_rate:
            return self._doubt(step)
        again = step.key in self.doubtful
        self.doubtful.discard(step.key)
        if step.operation in self.asynchronous and not again and self.choose.random() < 0.8:
            self._take(step)
            return Outcome(OutcomeKind.ACKNOWLEDGED)
        return Outcome(OutcomeKind.DONE, outputs=self._apply(step))

    def _doubt(self, step: Step) -> Outcome:
        """Nobody knows: the call had its effect, will have it, or never arrives."""
        self.noise()
        self.doubtful.add(step.key)
        fate = self.choose.choice(("done", "stray", "nothing"))
        if fate == "done":
            self._apply(step)
        elif fate == "stray" and step.key not in self.effects:
            self.strays.append(step)
        return Outcome(OutcomeKind.UNKNOWN, code="retry_budget_spent", reason="nobody knows")

    def _apply(self, step: Step) -> Inputs:
        """The effect of a call, and the outputs that the silo answers with. Old and repeated ones have none."""
        to_come = [other.step.n for other in self.pending if other.step.fact == step.fact]
        if step.key in self.effects or step.n < max(self.newest.get(step.fact, 0), *to_come, 0):
            return self.effects.get(step.key, {})
        if step.verb is Verb.AMEND and not self._is_there(step):
            return {}
        self._forget(step.fact)
        self.newest[step.fact] = step.n
        outputs: Inputs = {}
        if step.verb is Verb.COMPENSATE:
            self.held.pop(step.fact, None)
            self.undone.add(step.fact)
        else:
            self.amended.setdefault(step.fact, []).append(step.inputs)
            if "out" in step.asks:
                self.given[step.fact] = step.asks["out"]
            out = self.given.get(step.fact, service_id(step.fact))
            if step.operation in self.changing_outputs - self.identifying:
                out = f"{out}#{crc32(json.dumps(step.inputs, sort_keys=True).encode())}"
            outputs["out"] = out
            self.held[step.fact] = step.inputs
        self.effects[step.key] = outputs
        return outputs

    def _land(self, pending: Pending, hears: Hears) -> None:
        """An acknowledged call takes effect, or fails; its callback may come late, and twice."""
        step = pending.step
        if pending.fails:
            self.pending.remove(pending)
            self.noise()
            outcome = Outcome(OutcomeKind.REFUSED, code="failed", reason="later")
            if pending.before is not None and step.fact not in self.held:
                pending.before.fails = False
            if pending.before is not None:
                self.pending.append(pending.before)
        else:
            outcome = Outcome(OutcomeKind.DONE, outputs=self._apply(step))
        for _ in range(self.choose.choice((1, 1, 2))):
            if self.choose.random() < 0.5:
                hears.answer(step.fact, step.n, outcome, AT)
            else:
                self.letters.append((step.fact, step.n, outcome))

    def done_by_hand(self, step: Step) -> Inputs:
        """A person has it done in the silo. The outputs."""
        self.doubtful.discard(step.key)
        self.strays = [stray for stray in self.strays if stray.key != step.key]
        if step.verb is Verb.PROVISION:
            self.asked_as[step.fact] = {}
        return self._apply(step)

    def written_off(self, fact: FactId) -> None:
        """Whatever the silo has of it is no matter of the order any more."""
        self.let_be.add(fact)
        self.held.pop(fact, None)
        self._forget(fact)

    def lose(self, hears: Hears) -> None:
        """A silo reports that something it held is gone."""
        made = {call.step.fact for call in self.in_flight if call.step.verb is Verb.PROVISION}
        candidates = sorted(set(self.held) - made)
        if candidates:
            self.noise()
            fact = self.choose.choice(candidates)
            self.lost.add(fact[0])
            del self.held[fact]
            self._forget(fact)
            hears.answer(fact, 0, Outcome(OutcomeKind.LOST), AT)

    # Minimal work

    def noise(self) -> None:
        """Something went wrong or changed: the counting rule starts anew."""
        self.begun.clear()

    def asked(self) -> None:
        """The target moved, or a person asked: what was refused may be tried again."""
        self.noise()
        self.refused.clear()

    def count(self) -> None:
        """While the target stands and nothing fails, no generation is both provisioned and compensated."""
        calls = [call.split(" ", 1) for call in self.begun]
        made = {key.rsplit("/", 1)[0] for verb, key in calls if verb == "provision"}
        undone = {key.rsplit("/", 1)[0] for verb, key in calls if verb == "compensate"}
        assert not made & undone, f"provisioned and compensated for nothing: {made & undone}"
