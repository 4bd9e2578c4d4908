"""Which calls of an order a person is needed for, followed from when each came up until it is over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.instants import instant
from orders.model.values import Verb
from orders.read_model.fallout import FalloutEnd, FalloutRecord, FalloutState, fallout_id
from orders.reconcile.ledger import Refusal, service_id
from orders.reconcile.target import TaskStatus

MOST_NAMED: Final = 5
"""Items, offerings and titles that one fallout names."""


class Refused(NamedTuple):
    """A call that waits for a person. `slot` tells it from others of its task: one that leaves is one for itself."""

    slot: str
    task: str
    generation: int
    refusal: Refusal

    @property
    def key(self) -> str:
        """The idempotency key of the call."""
        return f"{self.task}/{self.generation}/{self.refusal.n}"


def refused_calls(order: Fulfilment, task: str) -> list[Refused]:
    """The calls of a task in fallout that wait for a person: the last on the way to what is wanted, each residue."""
    ledger = order.reconciler.ledger
    found = [(fact.generation, fact.refusal) for fact in ledger.facts.get(task, {}).values() if fact.refusal]
    if task in ledger.refused:
        found.append((ledger.refused[task].generation, ledger.refused[task].refusal))
    slots: dict[str, Refused] = {}
    for generation, refusal in (each for each in found if not each[1].is_tried):
        slot = service_id((task, generation)) if refusal.verb is Verb.COMPENSATE else task
        slots[slot] = Refused(slot, task, generation, refusal)
    return list(slots.values())


def id_of(order: Fulfilment, refused: Refused) -> str:
    """The id of a call that waits for a person, also where nobody has followed it yet."""
    known = order.journal.carried.kept.open.get(refused.slot)
    return known.id if known is not None else fallout_id(order.start.order_id, refused.slot, refused.refusal.at)


def follow_fallout(order: Fulfilment, moved: Iterable[str], now: datetime) -> None:
    """See what has come to wait for a person, and what came of that which did. It costs what has moved.

    Before the tasks were looked at nothing is known of where they stand; then, and at the end, all of them are.
    """
    reconciler, journal = order.reconciler, order.journal
    kept = journal.carried.kept
    if not reconciler.judged:
        journal.look_at_all_fallout = True
        return
    known = defaultdict[str, list[str]](list)
    for slot, record in kept.open.items():
        known[record.task].append(slot)
    fallout = reconciler.fallout
    looked_at = [task for task in moved if task in fallout or task in known]
    if journal.look_at_all_fallout or order.settled:
        looked_at = list(dict.fromkeys((*looked_at, *sorted(fallout), *known)))
        journal.look_at_all_fallout = False
    before = dict(kept.open) if looked_at else kept.open
    for task in looked_at:
        waiting = {refused.slot: refused for refused in refused_calls(order, task)} if task in fallout else {}
        for refused in waiting.values():
            kept.open[refused.slot] = _waiting(order, refused, kept.open.get(refused.slot))
        for slot in known[task]:
            if slot not in waiting:
                _went_on(order, slot, instant(now))
    journal.hands.clear()
    if kept.open != before:
        journal.note(now)


def _waiting(order: Fulfilment, refused: Refused, known: FalloutRecord | None) -> FalloutRecord:
    """What needs a person, for the first time, still, or again."""
    task, refusal = refused.task, refused.refusal
    operation = order.reconciler.ledger.operation_of(task)
    ids, items = order.progress.items_of(task), order.progress.items
    served = [items[item] for item in ids if item in items]
    sites = {item.site.id for item in served if item.site is not None}
    behind = [other for other in order.reconciler.following(task) if not order.is_in_place(other)]
    titles = [order.reconciler.ledger.operation_of(other).words for other in behind[:MOST_NAMED]]
    # What a silo says later of the same call is no other one; nor is a refusal that counts again, without a call.
    again = known is not None and (
        known.key != refused.key or (known.state is not FalloutState.WAITING and known.refused_at != refusal.at)
    )
    rule = order.rule_about(task, refusal)
    found = FalloutRecord(
        id=id_of(order, refused),
        task=task,
        key=refused.key,
        title=operation.words,
        silo=operation.silo,
        operation=operation.operation,
        verb=refusal.verb,
        items=ids[:MOST_NAMED],
        more_items=max(len(ids) - MOST_NAMED, 0),
        offerings=tuple(dict.fromkeys(item.offering for item in served[:MOST_NAMED])),
        site=sites.pop() if len(sites) == 1 else None,
        code=refusal.code,
        reason=refusal.reason,
        group=rule.group if rule is not None else None,
        severity=rule.severity if rule is not None else None,
        for_agents=rule.for_agents if rule is not None else {},
        for_customers=rule.for_customers if rule is not None else {},
        attempts=1 + refusal.tries,
        since=refusal.at,
        refused_at=refusal.at,
        revision=order.revision.number,
        behind=tuple(titles),
        more_behind=len(behind) - len(titles),
    )
    if known is None:
        return found
    attempts = known.attempts + (found.attempts if again else 0)
    told = {"since": known.since, "attempts": attempts, "hand": known.hand, "revision": known.revision}
    return found.model_copy(update=told)


def _went_on(order: Fulfilment, slot: str, at: str) -> None:
    """What needs nobody for now: it is over, or what was done about it is under way."""
    journal, reconciler = order.journal, order.reconciler
    kept = journal.carried.kept
    known = kept.open[slot]
    of_all, of_task = journal.hands.get(""), journal.hands.get(known.task)
    hand = of_task or (known.hand if known.state is not FalloutState.WAITING else of_all)
    if slot != known.task:
        over = not _is_leaving(order, slot)
    elif known.task not in reconciler.plan.tasks:
        hand, over = of_all or hand, True
    else:
        over = reconciler.status[known.task] is TaskStatus.IN_PLACE
    if not over:
        kept.open[slot] = known.model_copy(update={"state": FalloutState.UNDER_WAY, "hand": hand or known.hand})
        return
    del kept.open[slot]
    ended = hand.what if hand is not None else FalloutEnd.ANSWERED
    told = {"state": FalloutState.OVER, "over_at": at, "ended": ended, "hand": hand or known.hand}
    kept.over.append(known.model_copy(update=told))


def _is_leaving(order: Fulfilment, slot: str) -> bool:
    """True while what was on its way out still is."""
    task, _, generation = slot.rpartition("/")
    fact = order.reconciler.ledger.fact((task, int(generation)))
    return fact is not None and (
        fact.refusal is not None or fact.being_compensated or fact.id in order.reconciler.calls
    )
