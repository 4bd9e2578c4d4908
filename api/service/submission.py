"""From a request to what its workflow is started with: worked out here, since workflow code reads no file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import JsonValue, ValidationError

from api.errors import Malformed, problems
from orders.fulfilment.snapshot import OrderStart
from orders.model.catalog import Catalog
from orders.model.order import OrderRequest
from orders.planning.baseline import baseline_of
from orders.planning.capture import capture
from orders.planning.decompose import decompose
from orders.planning.installed import InstalledProduct
from orders.planning.promise import promised_at

SUMMARY_BYTES = 200
"""What Temporal takes as a workflow's summary."""


def prepare(
    catalog: Catalog,
    request: OrderRequest,
    body: dict[str, JsonValue],
    now: datetime,
    installed: Iterable[InstalledProduct] = (),
) -> OrderStart:
    """The order captured and planned under a catalog on the customer's installed products, and promised for a date.

    Raises:
        Rejection: with every reason why it can not be fulfilled.
        Malformed: if an id is too long to make others of it.
    """
    found = baseline_of(catalog, request, installed)
    try:
        revision = capture(catalog, request, baseline=found)
    except ValidationError as error:
        raise Malformed(problems(error)) from error
    plan = decompose(catalog, request.order_id, revision, found.revision, found.plan)
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
        body=body,
    )


def summary(start: OrderStart) -> str:
    """`triple-play-1000 · web · 4 items`: what Temporal's Web UI lists the order by."""
    count = len(start.revision.ordered())
    rest = f" · {start.revision.channel} · {count} {'item' if count == 1 else 'items'}"
    offerings = ", ".join(start.revision.offerings())
    room = SUMMARY_BYTES - len(rest.encode())
    if len(offerings) > room:  # Names of offerings are ASCII.
        offerings = offerings[: room - 3] + "..."
    return offerings + rest


def details(order_id: str, tmf622: str, care: str) -> str:
    """Markdown beside the order in the Web UI: where else it can be looked at."""
    return (
        f"Order `{order_id}`: [TMF622 resource]({tmf622}), [care view]({care}), [tasks]({care}/tasks).\n\n"
        "To change it, use the care API or the signal `request_change`."
    )
