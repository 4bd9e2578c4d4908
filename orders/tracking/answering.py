"""From an order in flight to the answer: what goes on, what decides, what follows. It costs what is under way."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Final, NamedTuple

from pydantic import JsonValue

from orders.change.request import ChangeKind, ChangeState
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.catalog import Awaited
from orders.model.instants import moment
from orders.model.values import Verb
from orders.model.writing.wording import (
    BECAUSE,
    BY,
    ONE_BY_ONE,
    Sentence,
    Wording,
    Words,
    joined,
    of_money,
    verbatim,
    wording_of,
)
from orders.read_model.answer import Answer, NextView, NowView, WaitsFor, WaitView
from orders.read_model.answer_words import at_site, refused_in_words, slot
from orders.read_model.states import LifecycleState
from orders.reconcile.ledger import Fact, Refusal
from orders.reconcile.target import TaskStatus

MOST_NOW: Final = 10
MOST_NEXT: Final = 5
MOST_NAMED: Final = 5
"""Items, numbers and titles that one line names."""

_AWAITED = {Awaited.SILO: WaitsFor.SILO, Awaited.VISIT: WaitsFor.VISIT, Awaited.PARCEL: WaitsFor.PARCEL}


class Open(NamedTuple):
    """Something that goes on, or needs somebody: enough to choose what is told in full."""

    task: str
    verb: Verb
    kind: WaitsFor
    since: str
    called: bool
    fact: Fact | None = None
    refusal: Refusal | None = None


def answer(order: Fulfilment, decides: str, *, ended: bool) -> Answer:
    """The answer as of now, given the task that decides. What has `ended` is told by how."""
    if ended or order.ending or order.carried.rejected:
        return Answer(summary_wording=_how_it_ended(order) if ended else _NEARLY())
    found = sorted(open_work(order), key=lambda each: _rank(each, decides))
    now = tuple(_now_view(order, each) for each in found[:MOST_NOW])
    follows, more = _next(order, found)
    chosen = _deciding(now, decides)
    waits_for = _standing_still(order) or _waits_for(chosen)
    journal = order.journal.carried
    return Answer(
        summary_wording=_summary(waits_for, chosen, len(found)),
        waits_for=waits_for,
        decides=chosen.task if chosen is not None else decides or None,
        late_because_wording=wording_of(journal.late_because) if journal.late_because else None,
        late_since=journal.late_since,
        now=now,
        more_now=len(found) - len(now),
        next=follows,
        more_next=more,
    )


_TOOK_LONG: Final = Sentence("What was done took longer than usual")


def why_late(order: Fulfilment, decides: str) -> Wording:
    """Why an order is expected later than promised, in words."""
    told = answer(order, decides, ended=False)
    return told.waits_for.what_wording if told.waits_for is not None else _TOOK_LONG()


# What goes on now


def open_work(order: Fulfilment) -> Iterator[Open]:
    """Everything that goes on, and after that what needs somebody."""
    reconciler, ledger = order.reconciler, order.reconciler.ledger
    fallout = reconciler.fallout
    for step in reconciler.calls.values():
        yield Open(step.task, step.verb, WaitsFor.SILO, order.begun.get(step.key, ""), True, ledger.fact(step.fact))
    for fact_id in sorted(reconciler.waiting):
        fact, called = ledger.fact(fact_id), fact_id in reconciler.calls
        if fact is not None and fact.waiting is not None and not called and fact.task not in fallout:
            verb, awaits = fact.waiting.verb, ledger.operations[fact.operation].awaits
            # A visit that is called off is no visit to wait for.
            kind = WaitsFor.SILO if verb is Verb.COMPENSATE else _AWAITED[awaits]
            yield Open(fact.task, verb, kind, fact.waiting.since, False, fact)
    for task, refusal in reconciler.tried_again():
        if task not in fallout:
            yield Open(task, refusal.verb, WaitsFor.TRY, refusal.at, False, refusal=refusal)
    for task in sorted(fallout):
        for refusal in ledger.refusals_of(task)[-1:]:
            yield Open(task, refusal.verb, WaitsFor.PERSON, refusal.at, False, refusal=refusal)


def _rank(each: Open, decides: str) -> tuple[bool, bool, bool, str, str]:
    """What needs somebody first, then what decides, then what is awaited, and what has begun first."""
    return (each.kind is not WaitsFor.PERSON, each.task != decides, each.called, each.since, each.task)


def _now_view(order: Fulfilment, each: Open) -> NowView:
    operation = order.reconciler.ledger.operation_of(each.task)
    items, site = order.progress.items_of(each.task), site_of(order, each.task)
    comes, refusal = each.kind is WaitsFor.VISIT, each.refusal
    tried = refusal is not None and refusal.is_tried
    rule = order.rule_about(each.task, refusal) if refusal is not None else None
    return NowView(
        task=each.task,
        title=operation.words,
        verb=each.verb,
        waits_for=each.kind,
        silo=operation.silo,
        items=items[:MOST_NAMED],
        more_items=max(len(items) - MOST_NAMED, 0),
        site=site,
        since=_instant(each.since),
        expected=expected_end(order, each),
        appointment=next((made for made in order.revision.appointments if comes and made.site == site), None),
        attempts=refusal.tries + 1 if refusal is not None and tried else None,
        next_try=_instant(refusal.again_at) if refusal is not None and tried else None,
        last_error_wording=refused_in_words(operation.silo, refusal.code, refusal.reason)
        if refusal is not None
        else None,
        milestones=dict(each.fact.milestones) if each.fact is not None else {},
        numbers=_numbers(order, each),
        for_agents=rule.for_agents if rule is not None else {},
        for_customers=rule.for_customers if rule is not None else {},
    )


def expected_end(order: Fulfilment, each: Open) -> datetime | None:
    """When a task is usually done, counted from when it began: it holds still. Of an undo nobody knows."""
    since, planned = _instant(each.since), order.plan.tasks.get(each.task)
    if since is None or planned is None or each.kind is WaitsFor.PERSON or each.verb is Verb.COMPENSATE:
        return None
    begins = _instant(each.refusal.again_at) if each.refusal is not None else None
    usual = order.plan.after(planned, begins or since, order.plan.takes(planned).likely_s)
    return max(usual, planned.appointed_until or usual)


def _numbers(order: Fulfilment, each: Open) -> dict[str, tuple[JsonValue, ...]]:
    """What silos have given out for a task, and the serial numbers and the like of what goes into it."""
    ledger, planned = order.reconciler.ledger, order.plan.tasks.get(each.task)
    found: dict[str, list[JsonValue]] = {}
    if each.fact is not None:
        given = ledger.operations[each.fact.operation].outputs
        found |= {name: [each.fact.outputs[name]] for name in given if each.fact.outputs.get(name) is not None}
    for ref in planned.refs.values() if planned is not None else ():
        for other in ref.tasks[:MOST_NAMED]:
            facts = ledger.facts.get(other)
            if facts and ref.output in ledger.operation_of(other).identities:
                value = facts[max(facts)].outputs.get(ref.output)
                found.setdefault(ref.output, []).extend([] if value is None else [value])
    return {name: tuple(values) for name, values in found.items() if values}


# What the order waits for


def _deciding(now: Collection[NowView], decides: str) -> NowView | None:
    """What needs a person, else what decides. Where that has not begun: what is awaited longest."""
    first = next(iter(now), None)
    if first is None or first.waits_for is WaitsFor.PERSON or first.task == decides:
        return first
    dated = [each for each in now if each.expected is not None]
    return max(dated, key=lambda each: (each.expected, each.task), default=first)


_WAITS_FOR_PRODUCTS: Final = Sentence("Waits for products: {why}")
_BEGINS: Final = Sentence("Begins on {start}, as asked for")
_ON_HOLD: Final = Sentence("On hold")
_SINCE: Final = Sentence("{what} since {at}")


def _standing_still(order: Fulfilment) -> WaitView | None:
    """What keeps the whole order from going on, whatever goes on of it."""
    carried = order.carried
    if order.waits:
        what = _WAITS_FOR_PRODUCTS(why=_reasons(order))
        return WaitView(kind=WaitsFor.PRODUCT, what_wording=what, since=order.start.ordered_at)
    if carried.on_hold:
        return _on_hold(order)
    if not carried.started and order.not_before is not None:
        what = _BEGINS(start=moment(order.not_before))
        return WaitView(kind=WaitsFor.DATE, what_wording=what, since=order.start.ordered_at, until=order.not_before)
    return None


def _on_hold(order: Fulfilment) -> WaitView:
    held = [
        verdict
        for verdict in order.log
        if verdict.kind is ChangeKind.HOLD and verdict.state in (ChangeState.ACCEPTED, ChangeState.APPLIED)
    ]
    if not held:
        return WaitView(kind=WaitsFor.HOLD, what_wording=_ON_HOLD())
    what, since = _ON_HOLD(), _instant(held[-1].decided_at)
    if since is not None:
        what = _SINCE(what=what, at=moment(since))
    if held[-1].requester:
        what = BY(what=what, who=held[-1].requester)
    if held[-1].reason:
        what = BECAUSE(what=what, why=held[-1].reason)
    return WaitView(kind=WaitsFor.HOLD, what_wording=what, since=since)


def _reasons(order: Fulfilment) -> Words:
    return joined(verbatim(reason.message) for reason in order.reasons[:MOST_NAMED])


def _waits_for(line: NowView | None) -> WaitView | None:
    if line is None:
        return None
    return WaitView(
        kind=line.waits_for,
        what_wording=_what(line),
        task=line.task,
        silo=line.silo,
        since=line.since,
        until=line.expected,
    )


_UNDER_WAY: Final = Sentence("Under way: {title}")
_DOING: Final = {
    Verb.AMEND: Sentence("Being changed: {title}"),
    Verb.COMPENSATE: Sentence("Being undone: {title}"),
}
_CALLED: Final = Sentence("{what}, {silo} was called at {at}")
_OF_SILO: Final = Sentence("{what} ({silo})")
_NEEDS_A_PERSON: Final = Sentence("Needs a person: {title}: {error}")
_TRIED_AGAIN: Final = Sentence("Tried again: {title}: {error}")
_TRIED_AGAIN_AT: Final = Sentence("Tried again at {at}: {title}: {error}")
_WAITS: Final = Sentence("Waits for: {title}")
_WAITS_UNTIL: Final = Sentence("Waits for: {title}, expected by {at}")
_WAITS_FOR_A_VISIT: Final = Sentence("Waits for: {title}, appointment {slot}")


def _what(line: NowView) -> Wording:
    title, error = at_site(line.title, line.site), line.last_error_wording or ""
    if line.waits_for is WaitsFor.PERSON:
        return _NEEDS_A_PERSON(title=title, error=error)
    if line.waits_for is WaitsFor.TRY:
        if line.next_try is None:
            return _TRIED_AGAIN(title=title, error=error)
        return _TRIED_AGAIN_AT(at=moment(line.next_try), title=title, error=error)
    if line.verb is Verb.COMPENSATE or line.waits_for is WaitsFor.SILO:
        doing = _DOING.get(line.verb, _UNDER_WAY)(title=title)
        if line.since is None:
            return _OF_SILO(what=doing, silo=line.silo)
        return _CALLED(what=doing, silo=line.silo, at=moment(line.since))
    if line.appointment is not None:
        return _WAITS_FOR_A_VISIT(title=title, slot=slot(line.appointment))
    if line.expected is not None:
        return _WAITS_UNTIL(title=title, at=moment(line.expected))
    return _WAITS(title=title)


_NOT_BEGUN: Final = Sentence("Nothing has begun yet")
_AND_MORE: Final = Sentence("{what} (and {number} more)")


def _summary(waits_for: WaitView | None, chosen: NowView | None, number: int) -> Wording:
    if waits_for is None:
        return _NOT_BEGUN()
    what = waits_for.what_wording
    others = number - 1 if chosen is not None and waits_for.task == chosen.task else number
    return _AND_MORE(what=what, number=str(others)) if others > 0 else what


# What follows


def _next(order: Fulfilment, found: list[Open]) -> tuple[tuple[NextView, ...], int]:
    going_on = {each.task: each for each in found}
    undone, fees = list(_to_be_undone(order, going_on)), list(_fees(order))
    told = chain(
        (_next_view(order, key, going_on) for key in _following(order, going_on)),
        (_undo_view(order, key) for key in undone),
        fees,
    )
    first = tuple(islice(told, MOST_NEXT))
    blocked = 0 if _begins_nothing(order) else sum(counts[TaskStatus.BLOCKED] for counts in order.tally().values())
    return first, max(blocked + len(undone) + len(fees) - len(first), 0)


def _begins_nothing(order: Fulfilment) -> bool:
    return order.cancelled or order.waits


def _following(order: Fulfilment, going_on: Collection[str]) -> Iterator[str]:
    """Tasks of the target that come after what goes on, each once; where nothing does, those that could begin."""
    reconciler, told = order.reconciler, set[str]()
    if _begins_nothing(order):
        return
    if going_on:
        for key in (key for task in going_on for key in reconciler.following(task)):
            if reconciler.status[key] is TaskStatus.BLOCKED and key not in going_on and key not in told:
                told.add(key)
                yield key
        return
    for key, task in order.plan.tasks.items():
        if reconciler.status[key] is TaskStatus.BLOCKED and all(map(order.is_in_place, task.depends_on)):
            yield key


def _next_view(order: Fulfilment, key: str, going_on: dict[str, Open]) -> NextView:
    task = order.plan.tasks[key]
    before = [other for other in task.depends_on if not order.is_in_place(other)]
    words = dict.fromkeys(order.plan.operation(order.plan.tasks[other]).words for other in before)
    ends = [expected_end(order, going_on[other]) if other in going_on else None for other in before]
    known = [end for end in ends if end is not None]
    expected = None
    if known and len(known) == len(ends) and not order.carried.on_hold:
        expected = order.plan.after(task, max(known), order.plan.takes(task).likely_s)
    return NextView(
        task=key,
        title_wording=verbatim(order.plan.operation(task).words),
        site=site_of(order, key),
        after=tuple(islice(words, MOST_NAMED)),
        expected=expected,
    )


def _to_be_undone(order: Fulfilment, going_on: Collection[str]) -> Iterator[str]:
    tasks = order.plan.tasks
    yield from sorted({task for task, _ in order.reconciler.unwanted} - tasks.keys() - set(going_on))


def _undo_view(order: Fulfilment, key: str) -> NextView:
    title = verbatim(order.reconciler.ledger.operation_of(key).words)
    return NextView(task=key, title_wording=title, verb=Verb.COMPENSATE, site=site_of(order, key))


_FEE_TO_COME: Final = Sentence("Billing of a fee of {fee}")


def _fees(order: Fulfilment) -> Iterator[NextView]:
    """Fees that are billed once what they pay for is undone."""
    for charge in order.carried.charges:
        if not charge.due and not charge.forgone:
            after = order.reconciler.ledger.operation_of(charge.fact[0]).words
            yield NextView(task=charge.task, title_wording=_FEE_TO_COME(fee=of_money(charge.money)), after=(after,))


# How it ended

_NEARLY: Final = Sentence("Everything is done: the register has yet to write that down")
_REJECTED: Final = Sentence("Rejected")
_CANCELLED: Final = Sentence("Cancelled")
_COMPLETED: Final = Sentence("Completed")
_ON: Final = Sentence("{what} on {at}")
_FEE_BILLED: Final = Sentence("fee of {fee} billed")
_FEE_NOT_OWED: Final = Sentence("fee of {fee} not owed")


def _how_it_ended(order: Fulfilment) -> Wording:
    carried = order.carried

    def on(what: Sentence) -> Wording:
        at = carried.completed_at
        return _ON(what=what(), at=moment(at)) if at is not None else what()

    match order.state:
        case LifecycleState.REJECTED:
            return BECAUSE(what=on(_REJECTED), why=_reasons(order))
        case LifecycleState.CANCELLED:
            told = on(_CANCELLED)
            for charge in carried.charges[:MOST_NAMED]:
                fee = (_FEE_NOT_OWED if charge.forgone else _FEE_BILLED)(fee=of_money(charge.money))
                told = ONE_BY_ONE(first=told, then=fee)
            return told
        case _:
            return on(_COMPLETED)


# Words


def site_of(order: Fulfilment, task: str) -> str | None:
    """Where a task is done, if all of its items are at one site."""
    items = order.progress.items
    sites = {
        site.id for item in order.progress.items_of(task) if item in items and (site := items[item].site) is not None
    }
    return sites.pop() if len(sites) == 1 else None


def _instant(written: str) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
