"""Impact: what another target would do, worked out to settlement on a copy of the order's facts. Touches nothing.

The same reconcile loop that would carry the change out is run on the copy, each call answered as done. What only an
output decides is told as `KNOWN_AFTER_APPLY`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum

from pydantic import JsonValue

from orders.change.identities import lost_identities
from orders.model.budget import MOST_NAMED
from orders.model.catalog import Undo
from orders.model.plan import Operation, Plan, Task
from orders.model.values import Frozen, Inputs, Money, Verb
from orders.reconcile.ledger import Fact, FactId, Ledger, Step, operation_name
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.reconcile.reconciler import Reconciler

KNOWN_AFTER_APPLY = "(known after apply)"
_PLACEHOLDER = "\u0000known-after-apply "


class Effect(StrEnum):
    """What becomes of a task."""

    KEPT = "kept"
    PLANNED = "planned"
    """It is asked for otherwise, and nothing was called for it yet: no silo hears of the difference."""
    ADDED = "added"
    AMENDED = "amended"
    REPLACED = "replaced"
    COMPENSATED = "compensated"
    DROPPED = "dropped"
    """It was planned, or is spent, and no silo is told."""


class TaskImpact(Frozen):
    """What becomes of one task: its effect and, for what differs, the values before and after."""

    task: str
    silo: str
    items: tuple[str, ...]
    effect: Effect
    title: str = ""
    before: dict[str, JsonValue] = {}
    after: dict[str, JsonValue] = {}


class Obstacle(Frozen):
    """A point of no return that was passed and that the impact touches. A fee makes it soft.

    `identity` is what cannot be had again, such as `imsi 262990000000001`: it was given back, and the silo cannot be
    asked for it.

    It is about the fact of that `generation`.

    `accepted`: an earlier change causes this very undo, which is still to come, at a fee that it has accepted or for
    nothing. This one owes nothing for it.
    """

    task: str
    silo: str
    items: tuple[str, ...]
    effect: Effect
    since: str
    generation: int = 0
    fee: Money | None = None
    accepted: bool = False
    identity: str = ""
    title: str = ""


class Spared(Frozen):
    """A fee that an earlier change has accepted and that is not owed with this one: nothing is undone for it."""

    change: str
    fee: Money


class Impact(Frozen):
    """What another target would do to an order, task by task, and the points of no return in its way.

    `asks` are awaited tasks that would be undone and may pass a hard point of no return at any moment: their silos are
    asked to let go before anything else is undone.
    """

    tasks: tuple[TaskImpact, ...]
    obstacles: tuple[Obstacle, ...] = ()
    asks: tuple[str, ...] = ()
    spared: tuple[Spared, ...] = ()

    def summary(self) -> ImpactSummary:
        """What is kept of it in the log of changes."""
        effects: dict[str, Counter[Effect]] = {}
        for task in self.tasks:
            if task.effect is not Effect.KEPT:
                effects.setdefault(task.silo, Counter())[task.effect] += 1
        return ImpactSummary(
            effects={silo: dict(counts) for silo, counts in sorted(effects.items())},
            fees=tuple(self.fees),
            obstacles=tuple(
                obstacle.model_copy(update={"items": obstacle.items[:MOST_NAMED]})
                for obstacle in self.obstacles[:MOST_NAMED]
            ),
            asks=self.asks[:MOST_NAMED],
            spared=self.spared[:MOST_NAMED],
            digest=self.digest,
        )

    def for_item(self, item: str) -> Impact:
        """The part of it that is about one item."""
        tasks = tuple(task for task in self.tasks if item in task.items)
        return Impact(
            tasks=tasks,
            obstacles=tuple(obstacle for obstacle in self.obstacles if item in obstacle.items),
            asks=tuple(task.task for task in tasks if task.task in self.asks),
        )

    @property
    def hard(self) -> list[Obstacle]:
        """What refuses the change."""
        return [obstacle for obstacle in self.obstacles if obstacle.fee is None]

    @property
    def charged(self) -> list[Obstacle]:
        """What it costs a fee for."""
        return [obstacle for obstacle in self.obstacles if obstacle.fee is not None and not obstacle.accepted]

    @property
    def fees(self) -> list[Money]:
        """What the change costs: one sum for each currency."""
        sums: defaultdict[str, Money | None] = defaultdict(lambda: None)
        for obstacle in self.charged:
            if obstacle.fee is not None:
                before = sums[obstacle.fee.currency]
                amount = obstacle.fee.amount + (before.amount if before else 0)
                sums[obstacle.fee.currency] = Money(amount=amount, currency=obstacle.fee.currency)
        return [money for money in sums.values() if money is not None]

    @property
    def digest(self) -> str:
        """Equal as long as verdict, fees, and what would be undone or replaced are; dates and progress do not count."""
        undone = sorted(
            f"{task.task} {task.effect}" for task in self.tasks if task.effect in (Effect.COMPENSATED, Effect.REPLACED)
        )
        met = sorted(f"{obstacle.task} {obstacle.fee} {obstacle.accepted}" for obstacle in self.obstacles)
        return hashlib.sha256(json.dumps([undone, met]).encode()).hexdigest()[:16]


class ImpactSummary(Frozen):
    """An impact in short: by silo how many tasks meet which effect, the fees, and the first of what it names.

    Its size does not grow with the order, so that every entry of the log of changes can have one.
    """

    effects: dict[str, dict[Effect, int]] = {}
    fees: tuple[Money, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    asks: tuple[str, ...] = ()
    spared: tuple[Spared, ...] = ()
    digest: str = ""


def impact_of(
    plan: Plan,
    ledger: Ledger,
    calls: Iterable[Step],
    target: Plan,
    replaced_task: str | None = None,
    decided: Plan | None = None,
    *,
    goes_back: bool = False,
) -> Impact:
    """What `target` would do, in place of `plan`, to an order with this ledger and these calls under way.

    `replaced_task` is a task to be made anew though nothing about it differs. `decided` is what was decided last, where
    the present `plan` already goes towards a change that is not. `goes_back`: all is to be as the order found it.
    """
    calls = list(calls)
    fork = _fork(target, ledger, calls)
    if replaced_task is not None:
        fork.mark_for_replacement(replaced_task)
    made, amended = _settle(fork)
    several = [facts for facts in ledger.facts.values() if len(facts) > 1]
    without = settled(decided or plan, ledger, calls) if several else None
    held = _held(ledger, without or ledger, fork.ledger)
    effects = [
        _effect(plan, ledger, fork, key, held.get(key), made, amended)
        for key in dict.fromkeys([*target.tasks, *plan.tasks, *ledger.facts])
    ]
    tasks = [effect for effect in effects if effect is not None]
    obstacles = [obstacle for task in tasks if (obstacle := _obstacle(ledger, task, held.get(task.task))) is not None]
    if any(obstacle.fee is not None for obstacle in obstacles):
        without = without or settled(decided or plan, ledger, calls)
        obstacles = _caused_before(obstacles, held, without, fork.ledger)
    of_task = {task.task: task for task in tasks}
    for lost in lost_identities(plan, target, ledger, calls, fork.ledger, goes_back=goes_back):
        task = of_task[lost.task]
        obstacles.append(
            Obstacle(
                task=lost.task,
                silo=task.silo,
                items=task.items,
                effect=task.effect,
                since=lost.since,
                identity=lost.identity,
                title=task.title,
            )
        )
    asks = tuple(task.task for task in tasks if _to_be_asked(ledger, task, held.get(task.task)))
    return Impact(tasks=tuple(tasks), obstacles=tuple(obstacles), asks=asks)


def _held(ledger: Ledger, without: Ledger, after: Ledger) -> dict[str, Fact]:
    """By task, the fact that a change is about: of several the one that it undoes, and that stays without it.

    Where there is no such one it is the newest: those before it are on their way out whatever is decided now.
    """
    held: dict[str, Fact] = {}
    for task, facts in ledger.facts.items():
        newest = facts[max(facts)]
        undone = (each for each in facts.values() if without.fact(each.id) and after.fact(each.id) is None)
        held[task] = next(undone, newest) if len(facts) > 1 else newest
    return held


def _caused_before(
    obstacles: list[Obstacle], held: Mapping[str, Fact], without: Ledger, after: Ledger
) -> list[Obstacle]:
    """Those obstacles marked as accepted that the order would step over without the change as well."""
    return [
        obstacle.model_copy(update={"accepted": True})
        if obstacle.fee is not None and _undone_alike(held[obstacle.task], without, after)
        else obstacle
        for obstacle in obstacles
    ]


def _undone_alike(now: Fact, one: Ledger, other: Ledger) -> bool:
    """True where a fact that is undone or amended on the way to one end is so on the way to another."""
    first, second = one.fact(now.id), other.fact(now.id)
    if first is None or second is None:
        return first is second
    return first.desired_inputs == second.desired_inputs != now.desired_inputs


def settled(plan: Plan, ledger: Ledger, calls: Iterable[Step], replaced_task: str | None = None) -> Ledger:
    """The facts of an order that has gone on to its end as planned: a copy."""
    fork = _fork(plan, ledger, calls)
    if replaced_task is not None:
        fork.mark_for_replacement(replaced_task)
    _settle(fork)
    return fork.ledger


def _fork(target: Plan, ledger: Ledger, calls: Iterable[Step]) -> Reconciler:
    fork = Reconciler(target, ledger.copy(), list(calls))
    for task in sorted({*ledger.refused, *(fact.task for fact in ledger.all_facts() if fact.refusal)}):
        fork.retry(task)  # To settlement: as if a person had resolved what waits for one.
    return fork


def _settle(fork: Reconciler) -> tuple[set[str], set[str]]:
    """Run the copy to its end. Tells the tasks that were provisioned and those that were amended on the way."""
    made: set[str] = set()
    amended: set[str] = set()
    wanted = _referred_outputs(fork.plan)
    for call in list(fork.calls.values()):
        fork.record(call, _done(fork, call, wanted), "")
    while True:
        steps = fork.next_steps(most=1_000_000)
        for step in steps:
            if step.verb is Verb.PROVISION:
                made.add(step.task)
            elif step.verb is Verb.AMEND:
                amended.add(step.task)
            fork.record(step, _done(fork, step, wanted), "")
        if steps:
            continue
        waiting = sorted(fork.waiting)
        if not waiting:
            return made, amended
        for fact_id in waiting:
            fact = fork.ledger.fact(fact_id)
            if fact is not None and fact.waiting is not None:
                outputs = _outputs(fork, fact_id, fact.operation, fact.waiting.sent, wanted)
                fork.answer(fact_id, fact.waiting.n, Outcome(OutcomeKind.DONE, outputs), "")


def _referred_outputs(plan: Plan) -> defaultdict[str, set[str]]:
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for task in plan.tasks.values():
        for ref in task.refs.values():
            for other in ref.tasks:
                wanted[other].add(ref.output)
    return wanted


def _done(fork: Reconciler, step: Step, wanted: defaultdict[str, set[str]]) -> Outcome:
    if step.verb is Verb.COMPENSATE:
        return Outcome(OutcomeKind.DONE)
    return Outcome(OutcomeKind.DONE, _outputs(fork, step.fact, step.operation, step.sent, wanted))


def _outputs(fork: Reconciler, fact_id: FactId, name: str, sent: Inputs, wanted: defaultdict[str, set[str]]) -> Inputs:
    """What a silo would give back: what it has given already, what it is asked for, and placeholders for the rest."""
    fact, operation = fork.ledger.fact(fact_id), fork.ledger.operations[name]
    held = fact.outputs if fact is not None else {}
    names = sorted({*wanted[fact_id[0]], *operation.outputs})
    drawn = {name: f"{_PLACEHOLDER}{fact_id[0]}/{fact_id[1]}.{name}" for name in names}
    return {**drawn, **held, **operation.asked_outputs(sent)}


def _effect(
    plan: Plan, ledger: Ledger, fork: Reconciler, key: str, held: Fact | None, made: set[str], amended: set[str]
) -> TaskImpact | None:
    wanted, planned = fork.plan.tasks.get(key), plan.tasks.get(key)
    if wanted is None and held is None and planned is None:
        return None
    task = wanted or planned
    operation = ledger.operations.get(operation_name(key)) or _operation(fork.plan, wanted)
    gone = held is not None and fork.ledger.fact(held.id) is None
    effect = _kind(operation, wanted, held, key in made or gone, key in amended)
    before, after = _values(fork, key, wanted, held) if effect in _SHOWN else ({}, {})
    if held is None and planned is not None and wanted is not None:
        effect, before, after = as_planned(planned, wanted)
    if held is not None and wanted is None:
        before, after = held.desired_inputs, {}
    return TaskImpact(
        task=key,
        silo=operation.silo,
        items=task.items if task else held.items if held else (),
        effect=effect,
        title=operation.words,
        before=before,
        after=after,
    )


_SHOWN = (Effect.ADDED, Effect.AMENDED, Effect.REPLACED)


def _operation(plan: Plan, task: Task | None) -> Operation:
    if task is None:
        raise KeyError("a task that neither plan nor ledger knows")
    return plan.operation(task)


def _newest(ledger: Ledger, key: str) -> Fact | None:
    facts = ledger.facts.get(key)
    return facts[max(facts)] if facts else None


def _kind(operation: Operation, wanted: Task | None, held: Fact | None, made: bool, amended: bool) -> Effect:
    if wanted is None:
        if held is None:
            return Effect.DROPPED
        spent = operation.undo is Undo.NEVER
        return Effect.DROPPED if spent else Effect.COMPENSATED
    if held is not None:
        return Effect.REPLACED if made else Effect.AMENDED if amended else Effect.KEPT
    return Effect.ADDED


def as_planned(planned: Task, wanted: Task) -> tuple[Effect, Inputs, Inputs]:
    """The effect on a task that nothing was called for, and what differs of it, but for what another task gives."""
    if (planned.inputs, planned.refs) == (wanted.inputs, wanted.refs):
        return Effect.KEPT, {}, {}
    differing = [
        name
        for name in {**planned.inputs, **wanted.inputs}
        if planned.inputs.get(name) != wanted.inputs.get(name) and name not in planned.refs and name not in wanted.refs
    ]
    before, after = ({name: task.inputs.get(name) for name in differing} for task in (planned, wanted))
    return Effect.PLANNED, before, after


def _values(fork: Reconciler, key: str, wanted: Task | None, held: Fact | None) -> tuple[Inputs, Inputs]:
    after = _newest(fork.ledger, key)
    if wanted is None or after is None:
        return {}, {}
    then = {name: _shown(value) for name, value in after.inputs.items()}
    if held is None:
        return {}, then
    now = held.desired_inputs
    differing = [name for name in then if now.get(name) != then[name]]
    return {name: now.get(name) for name in differing}, {name: then[name] for name in differing}


def _shown(value: JsonValue) -> JsonValue:
    if isinstance(value, str) and value.startswith(_PLACEHOLDER):
        return KNOWN_AFTER_APPLY
    if isinstance(value, list):
        return [_shown(part) for part in value]
    return value


_VERB_OF = {Effect.AMENDED: "amend", Effect.REPLACED: "replace", Effect.COMPENSATED: "compensate"}


def _obstacle(ledger: Ledger, task: TaskImpact, fact: Fact | None) -> Obstacle | None:
    verb = _VERB_OF.get(task.effect)
    if fact is None or verb is None:
        return None
    point = ledger.operations[fact.operation].point_of_no_return
    if point is None or verb not in point.verbs or not has_passed(ledger, fact):
        return None
    if point.fee is not None and task.effect is not Effect.AMENDED and is_spent(ledger, fact):
        return None  # It is forgotten without a call: there is no undo to pay for.
    since = fact.milestones.get(point.milestone or "", fact.since)
    return Obstacle(
        task=task.task,
        silo=task.silo,
        items=task.items,
        effect=task.effect,
        since=since,
        generation=fact.generation,
        fee=point.fee,
        title=task.title,
    )


def is_spent(ledger: Ledger, fact: Fact) -> bool:
    """True when a fact cannot be undone any more: a visit that took place."""
    undo, done = ledger.operations[fact.operation].undo, fact.established and fact.waiting is None
    return undo is Undo.NEVER or (undo is Undo.UNTIL_DONE and done)


def has_passed(ledger: Ledger, fact: Fact) -> bool:
    """True when a fact is past its point of no return: its milestone was reported, or it was done, by this order."""
    point = ledger.operations[fact.operation].point_of_no_return
    if point is None:
        return False
    done = fact.established and not fact.installed
    return done or (point.milestone is not None and point.milestone in fact.milestones)


def _to_be_asked(ledger: Ledger, task: TaskImpact, fact: Fact | None) -> bool:
    """True where the silo still works on what would be undone, and may pass a hard point of no return meanwhile.

    An installed one is not asked: it would be taken down when only its amendment is awaited.
    """
    if (
        fact is None
        or fact.waiting is None
        or fact.installed
        or task.effect not in (Effect.COMPENSATED, Effect.REPLACED)
    ):
        return False
    point = ledger.operations[fact.operation].point_of_no_return
    return point is not None and point.kind == "hard" and not has_passed(ledger, fact)
