"""Orders without a workflow, as they are told and recorded: those that are rejected, and those that have to wait."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import JsonValue

from orders.change.request import ChangeState, Verdict
from orders.model.catalog import Catalog
from orders.model.order import OrderRequest, Reason
from orders.read_model.journal import Journal, Journalled
from orders.read_model.records import OrderRecord
from orders.read_model.states import LifecycleState
from orders.read_model.views import ItemView, OrderView
from orders.reconcile.ledger import Ledger
from register.submissions import CLAIM


def rejected(
    catalog: Catalog, request: OrderRequest, body: dict[str, JsonValue], reasons: Iterable[Reason], now: datetime
) -> OrderView:
    """An order that can not be fulfilled: nothing is done for it, and it says why."""
    return turned_down(waiting(catalog, request, body, reasons, now), reasons, now)


def waiting(
    catalog: Catalog, request: OrderRequest, body: dict[str, JsonValue], reasons: Iterable[Reason], now: datetime
) -> OrderView:
    """An order that can not begin yet, and says why. What it asks for is looked at when it has its turn."""
    items = tuple(
        ItemView(
            id=item.id,
            offering=item.offering or "",
            action=item.action,
            state=LifecycleState.ACKNOWLEDGED,
            quantity=item.quantity,
            products=(),
            characteristics=item.characteristics,
            site=item.site,
            parent=item.parent,
            relies_on=item.relies_on,
        )
        for item in request.items
    )
    return OrderView(
        id=request.order_id,
        external_id=request.external_id,
        customer_id=request.customer_id,
        channel=request.channel,
        state=LifecycleState.PENDING,
        revision=1,
        catalog=catalog.digest,
        ordered_at=now,
        requested_start=request.requested_start,
        requested_completion=request.requested_completion,
        promised_at=None,
        expected_at=None,
        completed_at=None,
        in_jeopardy=False,
        items=items,
        silos=(),
        fallout=(),
        changes=(),
        priority=request.priority,
        reasons=tuple(reasons),
        body=body,
    )


def turned_down(view: OrderView, reasons: Iterable[Reason], now: datetime) -> OrderView:
    """An order that has not begun, and never will: it is rejected."""
    return ended(view, LifecycleState.REJECTED, now).model_copy(update={"reasons": tuple(reasons)})


def ended(view: OrderView, state: LifecycleState, now: datetime) -> OrderView:
    """An order that has not begun, at its end."""
    items = tuple(item.model_copy(update={"state": state}) for item in view.items)
    return view.model_copy(update={"state": state, "items": items, "completed_at": now, "reasons": ()})


def rejection(view: OrderView) -> OrderRecord:
    """What is recorded of a rejected order: that it was submitted, and turned down at once."""
    return recorded_rejection(view, submitted(view), view.ordered_at)


def recorded_rejection(view: OrderView, journal: Journal, now: datetime) -> OrderRecord:
    """What is recorded of an order that was rejected, with its journal until then."""
    journal.because(f"rejected: {', '.join(dict.fromkeys(reason.code for reason in view.reasons))}")
    journal.moved(view.state, {item.id: item.state for item in view.items}, now)
    return record_of(view, journal)


def recorded_waiting(view: OrderView) -> OrderRecord:
    """What is recorded of an order that waits: that it was submitted, and can not begin yet."""
    return record_of(view, waited(view))


def recorded_cancellation(view: OrderView, verdict: Verdict, now: datetime) -> OrderRecord:
    """What is recorded of an order that was cancelled while it waited."""
    journal = waited(view)
    journal.cancellation_requested(verdict.request_id, now)
    journal.because(f"change {verdict.request_id}: {verdict.kind} {ChangeState.ACCEPTED}")
    cancelled = ended(view, LifecycleState.CANCELLED, now).model_copy(update={"changes": (verdict,)})
    journal.moved(cancelled.state, {item.id: item.state for item in cancelled.items}, now)
    journal.decided(verdict, None, now)
    return record_of(cancelled, journal)


def submitted(view: OrderView) -> Journal:
    """The journal of an order that was submitted, and no more."""
    journal = Journal(Journalled())
    journal.opened(view.revision, (item.id for item in view.items), Ledger(), view.ordered_at)
    return journal


def waited(view: OrderView) -> Journal:
    """The journal of an order that waits, the same whenever it is asked for."""
    journal = submitted(view)
    journal.waits(view.ordered_at)
    return journal


def record_of(view: OrderView, journal: Journal) -> OrderRecord:
    """What is recorded of an order before it has a workflow."""
    told = journal.carried
    return OrderRecord(version=CLAIM, view=view, transitions=tuple(told.transitions), events=tuple(told.events))
