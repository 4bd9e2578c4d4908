"""What an order waits for, as it can be found by: told once it lasts, since telling it is an event in its history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.catalog import Awaited
from orders.model.values import Verb
from orders.read_model.answer import Answer
from orders.reconcile.ledger import Fact

LASTING: Final = timedelta(seconds=5)
"""How long a silo may take before its work counts as something to wait for."""


class Waits(NamedTuple):
    """What is waited for: the kind of what the order as a whole waits for, then the silos, of anything that lasts.

    `lasts_at` is when the next call that is under way will have lasted.
    """

    told: tuple[str, ...] = ()
    lasts_at: datetime | None = None


def waits_of(order: Fulfilment, answer: Callable[[], Answer], now: datetime) -> Waits:
    """What an order waits for. Its answer, which costs more, is asked for where there is something to tell."""
    ends = {step.task: _since(order.begun.get(step.key), now) + LASTING for step in order.reconciler.calls.values()}
    tasks = {task for task, end in ends.items() if end <= now} | order.reconciler.fallout | _awaited(order, now)
    tasks |= {task for task, _ in order.reconciler.tried_again()}
    silos = sorted({order.silo_of(task) for task in tasks})
    stands_still = order.waits or order.carried.on_hold or not order.carried.started
    waits_for = answer().waits_for if silos or stands_still else None
    whole = [waits_for.kind.value] if waits_for is not None else []
    return Waits((*whole, *silos), min((end for end in ends.values() if end > now), default=None))


def _awaited(order: Fulfilment, now: datetime) -> set[str]:
    facts = filter(None, map(order.reconciler.ledger.fact, order.reconciler.waiting))
    return {fact.task for fact in facts if _lasts(order, fact, now)}


def _lasts(order: Fulfilment, fact: Fact, now: datetime) -> bool:
    """True of a visit and a parcel from the start."""
    if fact.waiting is None:
        return False
    comes = order.reconciler.ledger.operations[fact.operation].awaits is not Awaited.SILO
    if comes and fact.waiting.verb is not Verb.COMPENSATE:
        return True
    return _since(fact.waiting.since, now) + LASTING <= now


def _since(written: str | None, now: datetime) -> datetime:
    return datetime.fromisoformat(written) if written else now
