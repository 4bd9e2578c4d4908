"""The ledger: what the silos are known to hold for an order, as facts. A fact is one generation of a task."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias, TypeVar

from orders.model.catalog import Silo
from orders.model.plan import Operation
from orders.model.silos.rules import Rule, rule_for
from orders.model.values import Inputs, Verb

FactId: TypeAlias = tuple[str, int]
"""A task key and a generation: the thing held, for life."""

BuiltOn: TypeAlias = dict[str, int]
"""Which generation of which task something stands on."""

_Entry = TypeVar("_Entry")


def service_id(fact: FactId) -> str:
    """`task key/generation`: the name under which the silo holds the thing."""
    return f"{fact[0]}/{fact[1]}"


def parse_key(key: str) -> tuple[FactId, int]:
    """An idempotency key `task key/generation/n`, taken apart.

    Raises:
        ValueError: if it is not of that form.
    """
    task, generation, number = key.rsplit("/", 2)
    return (task, int(generation)), int(number)


def parse_service_id(name: str) -> FactId:
    """A service id `task key/generation`, taken apart.

    Raises:
        ValueError: if it is not of that form.
    """
    task, generation = name.rsplit("/", 1)
    return task, int(generation)


def operation_name(task: str) -> str:
    """`specification/task`, by which the operation of a task is known: the end of its key."""
    return "/".join(task.rsplit("/", 2)[1:])


@dataclass(frozen=True, slots=True)
class Step:
    """One silo call that brings the facts nearer to the target. `n` numbers the calls on one generation.

    `asks` is for a thing by its value that was given back and is wanted again, and what a person gave for the call.
    `tries` is how often a rule of the silo has had it tried again.
    """

    verb: Verb
    task: str
    generation: int
    n: int
    operation: str
    inputs: Inputs
    built_on: BuiltOn
    asks: Inputs = field(default_factory=dict)
    tries: int = 0

    @property
    def sent(self) -> Inputs:
        """What the silo is sent: the inputs, and what is asked for by its value."""
        return {**self.inputs, **self.asks}

    @property
    def fact(self) -> FactId:
        """What the call is about."""
        return self.task, self.generation

    @property
    def key(self) -> str:
        """The idempotency key, the same for every automatic retry."""
        return f"{self.task}/{self.generation}/{self.n}"


@dataclass(slots=True)
class Refusal:
    """A call that a silo refused for good, or whose retry budget was spent: fallout, until a person acts.

    It is not tried again while the inputs are the same, unless `retry` says that it is to be: because a person asked
    for it, who may have `given` inputs in place of what is planned, or because a rule of the silo wants it, `again_at`
    that instant (empty: no rule does). `tries` is how often that was so. `status` is that of HTTP, 0 where none was
    told.
    """

    verb: Verb
    n: int
    inputs: Inputs
    code: str
    reason: str
    at: str
    retry: bool = False
    given: Inputs = field(default_factory=dict)
    status: int = 0
    tries: int = 0
    again_at: str = ""

    @property
    def is_tried(self) -> bool:
        """True while a rule has it wait to be tried again: nobody is needed for it yet."""
        return bool(self.again_at) and not self.retry

    def is_due(self, now: datetime) -> bool:
        """True once it is time to try it again."""
        return self.is_tried and datetime.fromisoformat(self.again_at) <= now


@dataclass(slots=True)
class Waiting:
    """A call that was acknowledged and whose effect is to come, or (`unknown`) one of which nobody knows the outcome.

    `resume` is what was waited for before, and is again should this call be refused. `asks` and `tries` as in the call.
    """

    verb: Verb
    n: int
    inputs: Inputs
    built_on: BuiltOn
    since: str
    unknown: bool = False
    resume: Waiting | None = None
    asks: Inputs = field(default_factory=dict)
    tries: int = 0

    @property
    def sent(self) -> Inputs:
        """What the silo was sent."""
        return {**self.inputs, **self.asks}

    def copy(self) -> Waiting:
        """A copy to work on."""
        return replace(self, resume=self.resume and self.resume.copy())


@dataclass(slots=True)
class Fact:
    """One generation of a task.

    `established`: its provision is known to have been done. While it waits for its first provision, `inputs` are what
    was submitted; after that, what is in force. `n` is the highest number of any call made on it. `milestones` are
    those that the silo reported, with the instant. `to_be_replaced`: a person asked for the same thing anew.
    `installed`: as the order found it, whose points of no return closed with the order that made it. `found`: the order
    found it, amended since or not: what identifies it is the customer's. `asks`: by what it was asked for as such, and
    what a person gave for it, as every call on it says again.
    """

    task: str
    generation: int
    operation: str
    items: tuple[str, ...]
    inputs: Inputs
    outputs: Inputs = field(default_factory=dict)
    built_on: BuiltOn = field(default_factory=dict)
    n: int = 0
    established: bool = False
    waiting: Waiting | None = None
    refusal: Refusal | None = None
    since: str = ""
    milestones: dict[str, str] = field(default_factory=dict)
    to_be_replaced: bool = False
    installed: bool = False
    found: bool = False
    asks: Inputs = field(default_factory=dict)

    def copy(self) -> Fact:
        """A copy to work on. Written out, as it is made for each fact whenever a change is weighed."""
        return Fact(
            self.task,
            self.generation,
            self.operation,
            self.items,
            self.inputs,
            self.outputs,
            self.built_on,
            self.n,
            self.established,
            self.waiting and self.waiting.copy(),
            self.refusal and replace(self.refusal),
            self.since,
            dict(self.milestones),
            self.to_be_replaced,
            self.installed,
            self.found,
            self.asks,
        )

    @property
    def id(self) -> FactId:
        """Task key and generation."""
        return self.task, self.generation

    @property
    def desired_inputs(self) -> Inputs:
        """The inputs that it has, or will have when what it waits for is done."""
        return self.waiting.inputs if self.waiting else self.inputs

    @property
    def desired_asks(self) -> Inputs:
        """What it was asked for by, or will be when what it waits for is done."""
        return self.waiting.asks if self.waiting else self.asks

    @property
    def being_compensated(self) -> bool:
        """True while a compensation has yet to take effect, or may have: it cannot be counted on any more."""
        return self.waiting is not None and self.waiting.verb is Verb.COMPENSATE

    @property
    def outcome_unknown(self) -> bool:
        """True where nobody knows the outcome of its last call."""
        return self.waiting is not None and self.waiting.unknown

    @property
    def compensation_refused(self) -> bool:
        """True where its compensation was refused: it is not tried again for now."""
        return self.refusal is not None and self.refusal.verb is Verb.COMPENSATE and not self.refusal.retry


@dataclass(slots=True)
class RefusedProvision:
    """A provision that was refused for good: nothing is held, and the generation's number is spent."""

    generation: int
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Gone:
    """A thing that the order found and that is gone: its inputs and outputs, and since when (ISO 8601)."""

    inputs: Inputs
    outputs: Inputs
    since: str


@dataclass(frozen=True, slots=True)
class Held:
    """What a ledger has of one task."""

    facts: dict[int, Fact]
    refused: RefusedProvision | None
    next_generation: int | None
    gone: Gone | None
    waived: Inputs | None


@dataclass(slots=True)
class Ledger:
    """All facts of an order by task and generation, refused provisions, and the next generation's number of each task.

    `operations` and `silos` are those of all facts ever held, so that a fact can be compensated when no plan names it
    any more. `gone` is what the order found, and has given back since, by task: where that identifies it. `waived` are
    tasks that a person does without, each until other inputs are wanted of it, or something is to build on it.
    """

    facts: dict[str, dict[int, Fact]] = field(default_factory=dict)
    refused: dict[str, RefusedProvision] = field(default_factory=dict)
    next_generation: dict[str, int] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    silos: dict[str, Silo] = field(default_factory=dict)
    gone: dict[str, Gone] = field(default_factory=dict)
    waived: dict[str, Inputs] = field(default_factory=dict)

    def copy(self) -> Ledger:
        """A copy to work on. What is never written into, such as inputs and outputs, is shared."""
        return Ledger(
            facts={task: {n: fact.copy() for n, fact in facts.items()} for task, facts in self.facts.items()},
            refused={task: replace(it, refusal=replace(it.refusal)) for task, it in self.refused.items()},
            next_generation=dict(self.next_generation),
            operations=dict(self.operations),
            silos=dict(self.silos),
            gone=dict(self.gone),
            waived=dict(self.waived),
        )

    def copy_of(self, task: str) -> Held:
        """A copy of what there is of one task."""
        facts, refused = self.facts.get(task, {}), self.refused.get(task)
        return Held(
            facts={n: fact.copy() for n, fact in facts.items()},
            refused=refused and replace(refused, refusal=replace(refused.refusal)),
            next_generation=self.next_generation.get(task),
            gone=self.gone.get(task),
            waived=self.waived.get(task),
        )

    def put_back(self, task: str, held: Held) -> None:
        """Have of one task what there was when that copy was made."""
        _put(self.facts, task, held.facts or None)
        _put(self.refused, task, held.refused)
        _put(self.next_generation, task, held.next_generation)
        _put(self.gone, task, held.gone)
        _put(self.waived, task, held.waived)

    def fact(self, fact: FactId) -> Fact | None:
        """The fact of that task and generation, or None."""
        return self.facts.get(fact[0], {}).get(fact[1])

    def operation_of(self, task: str) -> Operation:
        """The operation of a task that is held or was ever planned."""
        return self.operations[operation_name(task)]

    def refusals_of(self, task: str) -> list[Refusal]:
        """What of a task was refused, or is not known to have been done: what waits for a person."""
        refusals = [fact.refusal for fact in self.facts.get(task, {}).values() if fact.refusal]
        return [*refusals, self.refused[task].refusal] if task in self.refused else refusals

    def rule_for(self, operation: str, code: str, status: int) -> Rule | None:
        """What the silo of an operation says about a refusal, or None."""
        silo = self.silos.get(self.operations[operation].silo)
        return rule_for(silo.rules, code, status) if silo is not None else None

    def refused_by(self, silo: str) -> list[str]:
        """The tasks of which a silo has refused something, in order of their keys."""
        tasks = {fact.task for fact in self.all_facts() if fact.refusal} | self.refused.keys()
        return sorted(task for task in tasks if self.operation_of(task).silo == silo)

    def all_facts(self) -> list[Fact]:
        """Every fact, by task in order of appearance, oldest generation first."""
        return [fact for generations in self.facts.values() for fact in generations.values()]

    def put(self, fact: Fact) -> None:
        """Add a fact, or put it in place of the one with the same id."""
        self.facts.setdefault(fact.task, {})[fact.generation] = fact

    def give_back(self, fact_id: FactId, at: str) -> None:
        """Forget a fact that was let go of. If the order found it, what identifies it is remembered, to be asked for.

        Where a person wanted the same thing anew, it is not.
        """
        fact = self.fact(fact_id)
        if fact is not None and fact.found and self.operations[fact.operation].identities:
            _put(self.gone, fact.task, None if fact.to_be_replaced else Gone(fact.inputs, fact.outputs, at))
        self.drop(fact_id)

    def lose(self, fact_id: FactId, at: str) -> None:
        """Forget a fact that is lost. It is asked for again where its silo can be asked; else it is made anew."""
        fact = self.fact(fact_id)
        identities = self.operations[fact.operation].identities if fact is not None else {}
        if all(identity.asked_by is not None for identity in identities.values()):
            self.give_back(fact_id, at)
        self.drop(fact_id)

    def is_worth_keeping(self, fact: Fact) -> bool:
        """True for a thing that is not the same as another one of its kind, and may be wanted again.

        It was found, or asked for as such, or it is the order's own and the catalog says that it is worth it.
        """
        identities = self.operations[fact.operation].identities
        if not identities or not fact.established or fact.to_be_replaced or fact.being_compensated:
            return False
        return self.is_what_was_found(fact) or any(identity.keep for identity in identities.values())

    def is_what_was_found(self, fact: Fact) -> bool:
        """True for what the order found, or has asked for again: another one is not the same."""
        identities, gone = self.operations[fact.operation].identities, self.gone.get(fact.task)
        again = gone is not None and all(gone.outputs.get(name) == fact.outputs.get(name) for name in identities)
        return bool(identities) and not fact.to_be_replaced and (fact.found or again)

    def drop(self, fact: FactId) -> None:
        """Forget a fact: the silo is known not to hold it any more, or it is spent."""
        generations = self.facts.get(fact[0])
        if generations is not None and generations.pop(fact[1], None) is not None and not generations:
            del self.facts[fact[0]]


def _put(entries: dict[str, _Entry], task: str, entry: _Entry | None) -> None:
    if entry is not None:
        entries[task] = entry
    else:
        entries.pop(task, None)
