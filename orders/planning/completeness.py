"""What a request lacks to be carried out at all, whatever is sold and whatever is installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orders.model.order import OrderRequest, Reason, Rejection, RequestedItem, require_order
from orders.model.values import Action


def require_fit(request: OrderRequest) -> None:
    """Return if an order says who it is for, and of each item what it is about, and nothing contradicts itself.

    Raises:
        Rejection: with everything that is missing, or contradictory.
    """
    reasons: list[Reason] = []
    if not request.customer_id:
        message = "the order is for nobody: the customer is to be named in relatedParty"
        reasons.append(Reason(code="no_customer", message=message))
    try:
        require_order(request.requested_start, request.requested_completion)
    except ValueError as error:
        reasons.append(Reason(code="dates_in_disorder", message=str(error)))
    reasons += [*request.contradictions, *_lacking(request.items)]
    if reasons:
        raise Rejection(reasons)


def require_complete(items: Iterable[RequestedItem]) -> None:
    """Return if it is said of each item what it is about.

    Raises:
        Rejection: naming those of which it is not.
    """
    reasons = list(_lacking(items))
    if reasons:
        raise Rejection(reasons)


def _lacking(items: Iterable[RequestedItem]) -> Iterator[Reason]:
    for item in items:
        if item.action is Action.ADD and not item.offering:
            message = f"item {item.id}: says nothing of what to add, which takes the id of a productOffering"
            yield Reason(code="no_offering", item=item.id, message=message)
        elif item.action is not Action.ADD and not item.product:
            message = f"item {item.id}: names no installed product for {item.action}, which takes the id of a product"
            yield Reason(code="no_product", item=item.id, message=message)
