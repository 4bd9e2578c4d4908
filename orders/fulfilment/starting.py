"""What an order starts with: captured on what is installed, or as it was asked for while it has to wait."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from orders.fulfilment.snapshot import OrderStart
from orders.model.catalog import Catalog
from orders.model.order import Item, OrderRequest, Reason, Revision
from orders.model.plan import Plan
from orders.planning.capture import baseline_of, capture
from orders.planning.decompose import decompose
from orders.planning.installed import InstalledProduct
from orders.planning.scheduling.appointments import appointments_of, require_visits
from orders.planning.scheduling.dates import require_possible_appointments
from orders.promising.figures import Figures, with_figures
from orders.promising.forecast import promised_at


def prepare(
    catalog: Catalog, request: OrderRequest, now: datetime, installed: Iterable[InstalledProduct] = ()
) -> OrderStart:
    """The order captured and planned under a catalog on the customer's installed products, and promised for a date.

    Raises:
        Rejection: with every reason why it cannot be fulfilled.
    """
    require_possible_appointments(request.items, now)
    found = baseline_of(catalog, request, installed)
    revision = capture(catalog, request, baseline=found)
    plan = decompose(catalog, request.order_id, revision, found.revision, found.plan)
    require_visits(catalog, revision, plan, appointments_of(request.items, revision))
    return OrderStart(
        order_id=request.order_id,
        external_id=request.external_id,
        ordered_at=now,
        catalog=catalog.digest,
        revision=revision,
        plan=plan,
        promised_at=promised_at(revision, plan, now),
        baseline=found.revision,
        baseline_plan=found.plan,
        baseline_ledger=found.ledger,
        installed=found.products,
    )


def as_asked(
    catalog: Catalog,
    request: OrderRequest,
    now: datetime,
    installed: Collection[InstalledProduct],
    waits_for: tuple[Reason, ...],
) -> OrderStart:
    """An order that has to wait: what it asks for is looked at when it has its turn."""
    offerings = {product.id: product.offering for product in installed}
    items = tuple(
        Item(
            id=item.id,
            action=item.action,
            offering=item.offering or offerings.get(item.product or "", ""),
            specification=None,
            characteristics=item.characteristics,
            products=(),
            site=item.site,
            parent=item.parent,
            relies_on=item.relies_on,
        )
        for item in request.items
    )
    revision = Revision(
        number=1,
        items=items,
        requested_start=request.requested_start,
        requested_completion=request.requested_completion,
        priority=request.priority,
        customer_id=request.customer_id,
        channel=request.channel,
    )
    return OrderStart(
        order_id=request.order_id,
        external_id=request.external_id,
        ordered_at=now,
        catalog=catalog.digest,
        revision=revision,
        plan=Plan(),
        promised_at=None,
        baseline=Revision(number=0, customer_id=request.customer_id, channel=request.channel, items=()),
        request=request,
        waits_for=waits_for,
    )


def promised(start: OrderStart, catalog: Catalog, figures: Figures) -> OrderStart:
    """The same order with those figures frozen in its plan, and the date promised by them."""
    plan = with_figures(start.plan, start.revision, catalog, figures, start.ordered_at)
    if plan is start.plan or start.waits_for:
        return start
    at = promised_at(start.revision, plan, start.ordered_at)
    return start.model_copy(update={"plan": plan, "promised_at": at})
