"""What Temporal's Web UI shows of an order from its start."""

from __future__ import annotations

from api.tmf.links import Links
from orders.fulfilment.snapshot import OrderStart

SUMMARY_BYTES = 200
"""What Temporal takes as a workflow's summary."""


def summary(start: OrderStart) -> str:
    """`triple-play-1000 · web · 4 items`: what Temporal's Web UI lists the order by."""
    count = len(start.revision.ordered())
    rest = f" · {start.revision.channel} · {count} {'item' if count == 1 else 'items'}"
    offerings = ", ".join(start.revision.offerings())
    room = SUMMARY_BYTES - len(rest.encode())
    if len(offerings) > room:  # Names of offerings are ASCII.
        offerings = offerings[: room - 3] + "..."
    return offerings + rest


def details(start: OrderStart, links: Links) -> str:
    """Markdown beside the order in the Web UI: where else it can be looked at. Links are such as a browser can open."""
    order_id, care = start.order_id, links.care(start.order_id)
    of_customer = f"[All orders of this customer]({links.web_ui_of_customer(start.revision.customer_id)})"
    by_api = [f"[TMF622]({links.tmf622(order_id)})", f"[Care view]({care})", f"[Tasks]({care}/tasks)"]
    return (
        f"Order `{order_id}`. In a terminal: `orderpipe order {order_id}`\n\n"
        f"{' · '.join([of_customer, *(by_api if links.api_is_open else [])])}\n\n"
        "Where it is, and how to change it, stands in the current details."
    )
