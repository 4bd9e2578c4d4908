"""Orders that are rejected when they are submitted: recorded, and without a workflow."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from orders.model.catalog import Catalog
from orders.model.order import OrderRequest, Reason
from orders.read_model.journal import Journal, Journalled
from orders.read_model.records import OrderRecord
from orders.read_model.states import LifecycleState
from orders.read_model.views import ItemView, OrderView
from orders.reconcile.ledger import Ledger
from register.submissions import CLAIM


def rejection(
    catalog: Catalog, request: OrderRequest, document: str, reasons: Iterable[Reason], now: datetime
) -> OrderRecord:
    """What is recorded of an order that cannot be fulfilled: that it was submitted, turned down at once, and why.

    `document` is the digest of what was submitted.
    """
    view = _rejected(catalog, request, document, tuple(reasons), now)
    journal = Journal(Journalled())
    journal.opened(view.revision, (item.id for item in view.items), Ledger(), now)
    journal.because(f"rejected: {', '.join(dict.fromkeys(reason.code for reason in view.reasons))}")
    journal.moved(view.state, {item.id: item.state for item in view.items}, now)
    told = journal.carried
    return OrderRecord(version=CLAIM, view=view, transitions=tuple(told.transitions), events=tuple(told.events))


def _rejected(
    catalog: Catalog, request: OrderRequest, document: str, reasons: tuple[Reason, ...], now: datetime
) -> OrderView:
    items = tuple(
        ItemView(
            id=item.id,
            offering=item.offering or "",
            action=item.action,
            state=LifecycleState.REJECTED,
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
        state=LifecycleState.REJECTED,
        revision=1,
        catalog=catalog.digest,
        ordered_at=now,
        requested_start=request.requested_start,
        requested_completion=request.requested_completion,
        promised_at=None,
        expected_at=None,
        completed_at=now,
        in_jeopardy=False,
        items=items,
        silos=(),
        fallout=(),
        changes=(),
        priority=request.priority,
        reasons=reasons,
        document=document,
        submitted=document,
    )
