"""What Temporal's Web UI shows of an order from its start."""

from __future__ import annotations

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


def details(order_id: str, tmf622: str, care: str) -> str:
    """Markdown beside the order in the Web UI: where else it can be looked at."""
    return (
        f"Order `{order_id}`: [TMF622 resource]({tmf622}), [care view]({care}), [tasks]({care}/tasks).\n\n"
        "To change it, use the care API or the signal `request_change`."
    )
