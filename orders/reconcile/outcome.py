"""What a silo's answer means for the ledger. Answers come from a call itself, or later by callback or polling."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import TypeAdapter, ValidationError

from orders.model.instants import InstantText, instant
from orders.model.values import Inputs, Verb
from orders.model.writing.json_values import misfits_of_json
from orders.model.writing.text import printable
from orders.reconcile.ledger import Fact, FactId, Ledger, Refusal, RefusedProvision, Step, Waiting

OUTPUT_MISSING: Final = "output_missing"
"""The code of a call that is done, without all outputs that the catalog declares."""
RETRY_BUDGET_SPENT: Final = "retry_budget_spent"
"""The code of a call that has had no usable answer, however often it was made."""
OTHER_GIVEN: Final = "other_given"
"""The code of a call that is done, but what was asked for by its value is another thing."""
NOT_AS_ASKED: Final = (OUTPUT_MISSING, OTHER_GIVEN)
"""The codes of calls that are done, and not as they were asked for."""


LONGEST_CODE: Final = 200
LONGEST_REASON: Final = 500

_INSTANT: TypeAdapter[str] = TypeAdapter(InstantText)


class OutcomeKind(StrEnum):
    """How a call ended, as far as is known."""

    DONE = "done"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    LOST = "lost"
    UNKNOWN = "unknown"

    @property
    def went_wrong(self) -> bool:
        """True where a silo has answered, and what it was asked for is neither done nor to come."""
        return self not in (OutcomeKind.DONE, OutcomeKind.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: with outputs where it is done, with code and reason where it is refused or unknown.

    The reason of one that is done says why it comes without its outputs.

    `milestones` are those that the silo has reached with it, on the way or at its end: by name the instant (ISO 8601),
    empty where it tells none. `tried` is how often the call was made to come to this; it says nothing of what it means.
    Of a refusal, `status` is that of HTTP, and `retry_after_s` when the silo wants to be asked again, if it says so.
    """

    kind: OutcomeKind
    outputs: Inputs = field(default_factory=dict)
    code: str = ""
    reason: str = ""
    milestones: dict[str, str] = field(default_factory=dict)
    tried: int = field(default=0, compare=False)
    status: int = field(default=0, compare=False)
    retry_after_s: float = field(default=0.0, compare=False)

    @property
    def says_something(self) -> bool:
        """False for what is known of any acknowledged call: that its effect is to come."""
        return self.kind is not OutcomeKind.ACKNOWLEDGED or bool(self.milestones)


def kept_of(outcome: Outcome) -> Outcome:
    """What can be kept of what a silo answered: no answer may be a failure that comes anew with each attempt.

    An output that no store would take counts as not told, as does the date of a milestone that lies nowhere.
    """
    told = outcome.milestones.items()
    return replace(
        outcome,
        outputs={name: value for name, value in outcome.outputs.items() if not any(misfits_of_json({name: value}))},
        code=printable(outcome.code, LONGEST_CODE),
        reason=printable(outcome.reason, LONGEST_REASON),
        milestones={name: _date(since) for name, since in told if printable(name, LONGEST_CODE) == name},
    )


def _date(since: str) -> str:
    try:
        return _INSTANT.validate_python(since)
    except ValidationError:
        return ""


def record(ledger: Ledger, step: Step, items: tuple[str, ...], outcome: Outcome, at: str) -> None:
    """Record how a step's own call ended, at the instant `at` (ISO 8601)."""
    outcome = _as_asked(ledger, step.verb, step.fact, step.operation, step.sent, outcome)
    match step.verb:
        case Verb.PROVISION:
            _provisioned(ledger, step, items, outcome, at)
        case Verb.AMEND:
            _amended(ledger, step, outcome, at)
        case Verb.COMPENSATE:
            _compensated(ledger, step, outcome, at)
        case Verb.INSPECT:
            raise ValueError("an inspection is no step: it changes nothing")
    fact = ledger.fact(step.fact)
    if fact is not None:
        _reached(fact, step.n, outcome, at)


def record_answer(ledger: Ledger, fact_id: FactId, n: int, outcome: Outcome, at: str) -> bool:
    """Record what came by callback or polling: an answer to call `n`, or a loss, which is about the thing itself.

    The milestones that it tells of are reached, whatever else it says. False where it says nothing new (a duplicate).
    """
    fact = ledger.fact(fact_id)
    reached = fact is not None and _reached(fact, n, outcome, at)
    if outcome.kind is OutcomeKind.ACKNOWLEDGED:
        return reached
    return _answered(ledger, fact, n, outcome, at) or reached


def _as_asked(ledger: Ledger, verb: Verb, fact_id: FactId, name: str, sent: Inputs, outcome: Outcome) -> Outcome:
    """The outcome, or unknown in place of done where a declared output has not come: no task may go on from null.

    So too where the silo was asked for a thing by its value, and gave another. The silo holds something, so it does not
    count as refused. As with any unknown outcome, a person has the call repeated, or says what the outputs are; should
    an answer with the right outputs come after all, all is well.
    """
    if outcome.kind is not OutcomeKind.DONE or verb is Verb.COMPENSATE:
        return outcome
    fact = ledger.fact(fact_id)
    # An amendment need not repeat what the thing was given when it was made.
    held = fact.outputs if fact is not None and verb is Verb.AMEND else {}
    operation, given = ledger.operations[name], {**held, **outcome.outputs}
    missing, asked = operation.missing(given), operation.asked_outputs(sent)
    other = [f"{name} {given.get(name)}, not {value}" for name, value in asked.items() if given.get(name) != value]
    if not missing and not other:
        return outcome
    code, reason = OTHER_GIVEN, f"done, but the silo gave {', '.join(other)}"
    if missing:
        code, reason = OUTPUT_MISSING, f"done, but without the output {', '.join(missing)}"
    reason += f": {outcome.reason}" if outcome.reason else ""
    told = printable(reason, LONGEST_REASON)
    return replace(outcome, kind=OutcomeKind.UNKNOWN, outputs={}, code=code, reason=told)


def _reached(fact: Fact, n: int, outcome: Outcome, at: str) -> bool:
    """Note the milestones of call `n`, each once for each thing. Those of its undoing are none of the thing's own."""
    if not outcome.milestones or n in _undoing(fact):
        return False
    new = {name: since or at for name, since in outcome.milestones.items() if name not in fact.milestones}
    fact.milestones |= new
    return bool(new)


def _undoing(fact: Fact) -> set[int]:
    """The numbers of the compensations that are awaited, or were refused."""
    refusal, waiting = fact.refusal, fact.waiting
    found = {refusal.n} if refusal is not None and refusal.verb is Verb.COMPENSATE else set[int]()
    while waiting is not None:
        if waiting.verb is Verb.COMPENSATE:
            found.add(waiting.n)
        waiting = waiting.resume
    return found


def _answered(ledger: Ledger, fact: Fact | None, n: int, outcome: Outcome, at: str) -> bool:
    if fact is not None and outcome.kind is OutcomeKind.LOST:
        ledger.lose(fact.id, at)
        return True
    if fact is None or fact.waiting is None:
        return False
    waiting = fact.waiting
    if n != waiting.n:
        return _older_answer(ledger, fact, waiting, n, outcome, at)
    outcome = _as_asked(ledger, waiting.verb, fact.id, fact.operation, waiting.sent, outcome)
    if outcome.code in NOT_AS_ASKED:
        news = not (waiting.unknown and fact.refusal is not None and fact.refusal.code == outcome.code)
        waiting.unknown = True
        if news:
            fact.refusal = _refusal(ledger, fact.operation, waiting, outcome, at)
        return news
    if outcome.kind is OutcomeKind.DONE:
        if waiting.verb is Verb.COMPENSATE:
            ledger.give_back(fact.id, at)
        else:
            put_in_force(fact, waiting, outcome.outputs, at)
            fact.waiting = None
            if fact.refusal is not None and fact.refusal.n <= n:
                fact.refusal = None
        return True
    if outcome.kind is OutcomeKind.REFUSED:
        fact.waiting = None if waiting.verb is Verb.PROVISION else waiting.resume
        refusal = _refusal(ledger, fact.operation, waiting, outcome, at)
        if fact.refusal is None or fact.refusal.n <= refusal.n:
            fact.refusal = refusal
        _drop_if_never_there(ledger, fact, refusal)
        return True
    return False


def _drop_if_never_there(ledger: Ledger, fact: Fact, refusal: Refusal) -> None:
    """Where the provision was refused, and all that was asked for after it too, there is nothing."""
    if fact.waiting is not None or fact.established:
        return
    ledger.drop(fact.id)
    if refusal.verb is Verb.AMEND and fact.refusal is not None:
        refusal = fact.refusal
    newest = ledger.refused.get(fact.task)
    if refusal.verb is not Verb.COMPENSATE and (newest is None or newest.generation <= fact.generation):
        # Numbers are used once: a new attempt comes after everything that was ever asked for.
        ledger.refused[fact.task] = RefusedProvision(fact.generation, replace(refusal, n=fact.n))


def _older_answer(ledger: Ledger, fact: Fact, waiting: Waiting, n: int, outcome: Outcome, at: str) -> bool:
    """An answer to an older call records what was done then; the newer call is still waited for."""
    newer, older = waiting, waiting.resume
    while older is not None and older.n != n:
        newer, older = older, older.resume
    if older is None:
        return False
    if outcome.kind is not OutcomeKind.DONE:
        newer.resume = older.resume
        return True
    if _as_asked(ledger, older.verb, fact.id, fact.operation, older.sent, outcome).code in NOT_AS_ASKED:
        # Should the newer call be refused, a person must look at this one.
        older.unknown, older.resume = True, None
        return True
    newer.resume = None  # What was asked for even earlier will not come any more.
    if older.verb is not Verb.COMPENSATE:
        put_in_force(fact, older, outcome.outputs, at)
    return True


def put_in_force(fact: Fact, waiting: Waiting, outputs: Inputs, at: str) -> None:
    """Note that what was asked for is done. An amendment need not repeat the outputs that there are."""
    fact.established = True
    fact.installed = False
    fact.inputs = waiting.inputs
    fact.asks = waiting.asks
    fact.outputs = {**fact.outputs, **outputs}
    fact.built_on = waiting.built_on
    fact.since = at


def _waiting(step: Step, at: str, resume: Waiting | None, *, unknown: bool) -> Waiting:
    if resume is not None and resume.n == step.n:
        resume = resume.resume
    return Waiting(step.verb, step.n, step.inputs, step.built_on, at, unknown, resume, step.asks, step.tries)


def _refusal(ledger: Ledger, operation: str, call: Step | Waiting, outcome: Outcome, at: str) -> Refusal:
    """A call is refused, or in doubt: a person is needed, unless a rule of its silo has it tried again first."""
    rule = ledger.rule_for(operation, outcome.code, outcome.status)
    again = rule.try_again if rule is not None else None
    again_at = ""
    if again is not None and call.tries < again.times:
        pause = again.pause(timedelta(seconds=outcome.retry_after_s))
        again_at = instant(datetime.fromisoformat(at) + pause)
    return Refusal(
        call.verb,
        call.n,
        call.inputs,
        outcome.code,
        outcome.reason,
        at,
        status=outcome.status,
        tries=call.tries,
        again_at=again_at,
    )


def _provisioned(ledger: Ledger, step: Step, items: tuple[str, ...], outcome: Outcome, at: str) -> None:
    before = ledger.fact(step.fact)
    fact = Fact(
        task=step.task,
        generation=step.generation,
        operation=step.operation,
        items=items,
        inputs=step.inputs,
        asks=step.asks,
        built_on=step.built_on,
        n=max(step.n, before.n if before else 0),
        since=at,
    )
    match outcome.kind:
        case OutcomeKind.DONE:
            fact.established = True
            fact.outputs = outcome.outputs
            ledger.put(fact)
        case OutcomeKind.ACKNOWLEDGED:
            fact.waiting = _waiting(step, at, None, unknown=False)
            ledger.put(fact)
        case OutcomeKind.UNKNOWN:
            fact.waiting = _waiting(step, at, None, unknown=True)
            fact.refusal = _refusal(ledger, step.operation, step, outcome, at)
            ledger.put(fact)
        case OutcomeKind.REFUSED | OutcomeKind.LOST:
            ledger.drop(step.fact)
            ledger.refused[step.task] = RefusedProvision(
                step.generation, replace(_refusal(ledger, step.operation, step, outcome, at), n=fact.n)
            )


def _amended(ledger: Ledger, step: Step, outcome: Outcome, at: str) -> None:
    fact = ledger.fact(step.fact)
    if fact is None:
        return
    match outcome.kind:
        case OutcomeKind.DONE:
            put_in_force(fact, _waiting(step, at, None, unknown=False), outcome.outputs, at)
            fact.waiting = None
            fact.refusal = None
        case OutcomeKind.ACKNOWLEDGED:
            fact.waiting = _waiting(step, at, fact.waiting, unknown=False)
            fact.refusal = None
        case OutcomeKind.UNKNOWN:
            fact.waiting = _waiting(step, at, fact.waiting, unknown=True)
            fact.refusal = _refusal(ledger, step.operation, step, outcome, at)
        case OutcomeKind.REFUSED:
            if fact.waiting is not None and fact.waiting.n == step.n:
                fact.waiting = fact.waiting.resume
            fact.refusal = _refusal(ledger, step.operation, step, outcome, at)
            _drop_if_never_there(ledger, fact, fact.refusal)
        case OutcomeKind.LOST:
            ledger.lose(step.fact, at)


def _compensated(ledger: Ledger, step: Step, outcome: Outcome, at: str) -> None:
    fact = ledger.fact(step.fact)
    if fact is None:
        return
    match outcome.kind:
        case OutcomeKind.DONE | OutcomeKind.LOST:
            ledger.give_back(step.fact, at)
        case OutcomeKind.ACKNOWLEDGED:
            fact.waiting = _waiting(step, at, fact.waiting, unknown=False)
            fact.refusal = None
        case OutcomeKind.UNKNOWN:
            fact.waiting = _waiting(step, at, fact.waiting, unknown=True)
            fact.refusal = _refusal(ledger, step.operation, step, outcome, at)
        case OutcomeKind.REFUSED:
            if fact.waiting is not None and fact.waiting.n == step.n:
                fact.waiting = fact.waiting.resume
            fact.refusal = _refusal(ledger, step.operation, step, outcome, at)
            _drop_if_never_there(ledger, fact, fact.refusal)
