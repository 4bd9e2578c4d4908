"""Capture: a request becomes revision 1 of its order."""

from __future__ import annotations

from orders.change.request import ChangeKind, ChangeRequest
from orders.model.catalog import Catalog
from orders.model.order import OrderRequest, Revision
from orders.planning.amend import Amendment
from orders.planning.baseline import Baseline, baseline_of


def capture(
    catalog: Catalog, request: OrderRequest, order: str | None = None, baseline: Baseline | None = None
) -> Revision:
    """Revision 1 of a request, under the order id given (the request's own by default).

    It is the first amendment of the baseline: of the customer's products that the request names, or of nothing.

    Raises:
        Rejection: with all reasons, if the request cannot be fulfilled under this catalog.
    """
    found = (baseline or baseline_of(catalog, request)).revision
    first = ChangeRequest(
        request_id="capture",
        kind=ChangeKind.AMEND,
        add=request.items,
        requested_start=request.requested_start,
        requested_completion=request.requested_completion,
        priority=request.priority,
    )
    return Amendment(catalog, order or request.order_id, found, first, baseline=found).revise()
