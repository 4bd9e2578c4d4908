"""TMF622 v4 `CancelProductOrder`: the resource by which a cancellation is asked for, and what has become of it.

It is `done` when the order is cancelled, that is when everything has been taken back, and `terminatedWithError` when
the order could not be cancelled. Until then it is `acknowledged`, and from the first look at it on `inProgress`.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Annotated
from urllib.parse import quote

from pydantic import Field

from api.tmf.json_body import Json
from api.tmf.money import fees_out
from api.tmf.tmf622.bodies import MoneyBody
from api.tmf.tmf622.request import BASE_PATH, order_href
from api.tmf.tmf622.shapes import Extensible, Reference
from orders.change.request import ChangeState, Verdict
from orders.model.instants import Instant, instant
from orders.model.writing.text import Text
from orders.read_model.journal import CancellationState
from orders.read_model.views import OrderView
from register.cancellations import Cancellation, CancellationStatus, asked_of, state_of


class ProductOrderRef(Reference):
    """Names an order."""

    id: Annotated[str, Field(min_length=1, max_length=200)]


class CancelProductOrder(Extensible):
    """`CancelProductOrder_Create`. `acceptFee` is an extension: the fee that the customer agreed to pay for it."""

    product_order: ProductOrderRef
    cancellation_reason: Text = ""
    requested_cancellation_date: Instant | None = None
    accept_fee: MoneyBody | None = None


def cancel_href(base_url: str, cancellation_id: str) -> str:
    """The address of a cancellation's resource."""
    return f"{base_url}{BASE_PATH}/cancelProductOrder/{quote(cancellation_id, safe='')}"


def standing(cancellation: Cancellation, order: OrderView) -> CancellationStatus:
    """What has become of a cancellation, by what its order says itself."""
    verdict = order.verdict_on(cancellation.request_id)
    state = state_of(verdict.state if verdict else None, order.state)
    effective_at = order.completed_at if state is CancellationState.DONE else None
    return CancellationStatus(cancellation, state, verdict, effective_at)


def asked_elsewhere(order: OrderView, request_id: str) -> Cancellation | None:
    """A cancellation that the care API, a signal or Temporal's Web UI asked for, and the register may not hold yet.

    None where the order has no such change.
    """
    return next((asked for asked in asked_of(order) if asked.request_id == request_id), None)


def to_cancel_resource(found: CancellationStatus, base_url: str) -> Json:
    """The body as submitted, plus id, href, state and when it took effect; its fee; or why it did not (`errors_of`)."""
    cancellation = found.cancellation
    resource: Json = {
        "id": cancellation.id,
        "href": cancel_href(base_url, cancellation.id),
        "@type": "CancelProductOrder",
        **deepcopy(cancellation.body),
    }
    resource |= {"id": cancellation.id, "href": cancel_href(base_url, cancellation.id), "state": found.state}
    for ours in ("effectiveCancellationDate", "fee", "errorMessage"):
        resource.pop(ours, None)
    if found.effective_at is not None:
        resource["effectiveCancellationDate"] = instant(found.effective_at)
    order = resource["productOrder"]
    if isinstance(order, dict):
        order["href"] = order_href(base_url, cancellation.order_id)
    if found.verdict is not None:
        resource |= errors_of(found.verdict)
    return resource


def errors_of(verdict: Verdict) -> Json:
    """What is told of a verdict in extensions of ours: the `fee` that it is about, and why it is a refusal."""
    told: Json = {}
    if verdict.impact is not None and verdict.impact.fees:
        told["fee"] = fees_out(verdict.impact.fees)
    if verdict.state in (ChangeState.REJECTED, ChangeState.SUPERSEDED):
        told["errorMessage"] = [
            {"@type": "ErrorMessage", "code": reason.code, "reason": reason.message} for reason in verdict.reasons
        ]
    return told
