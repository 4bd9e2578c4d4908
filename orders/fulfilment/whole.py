"""What is done to an order is done whole or not at all: where an exception is in the way, the order is as it was.

That guards an order against defects of ours: half a change would be a state that no rule foresees. What stood before is
copied first, at the cost of one more look at the impact of a change; the indexes are only made anew where they have to.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from orders.fulfilment.order_in_flight import Fulfilment
from orders.reconcile.reconciler import Early


@contextmanager
def whole(order: Fulfilment) -> Generator[None]:
    """Whatever is done to an order within, or nothing."""
    start, carried = order.start, order.carried.copy()
    journal = order.journal.copy(carried.journal)
    calls, early = dict(order.reconciler.calls), _copied(order.reconciler.early)
    status = dict(order.reconciler.status)
    try:
        yield
    except Exception:
        order.go_back(start, carried, journal)
        order.restart(calls.values(), early, status)
        raise


@contextmanager
def whole_for(order: Fulfilment, task: str) -> Generator[None]:
    """Whatever is recorded within of one task, or nothing. It costs what the task has, not what the order has."""
    ledger, carried = order.reconciler.ledger, order.carried
    held, stint = ledger.copy_of(task), carried.course.get(task)
    charges, cause = [replace(charge) for charge in carried.charges], carried.journal.cause
    journal = order.journal.copy(carried.journal)
    calls, early = dict(order.reconciler.calls), _copied(order.reconciler.early)
    try:
        yield
    except Exception:
        ledger.put_back(task, held)
        carried.course.pop(task, None)
        if stint is not None:
            carried.course[task] = stint
        carried.charges, carried.journal.cause = charges, cause
        order.go_back(order.start, carried, journal)
        order.restart(calls.values(), early, order.reconciler.status)
        raise


def _copied(early: Early) -> Early:
    return {fact: list(answers) for fact, answers in early.items()}
