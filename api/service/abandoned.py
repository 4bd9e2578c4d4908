"""Orders whose workflow was ended from outside, terminated in Temporal or deleted there: nobody works on them any more.

They could not write down an end. So that nobody takes them for being under way they are told as held, and why.
"""

from __future__ import annotations

from typing import Final

from api.errors import OrderClosed, OrderCompleted, Unavailable, UnknownOrder
from orders.change.objections import FOLLOW_ON, SUBMIT_AGAIN
from orders.model.order import Reason
from orders.model.writing.wording import Sentence
from orders.read_model.answer import Answer, WaitsFor, WaitView
from orders.read_model.records import OrderRecord
from orders.read_model.states import LifecycleState
from orders.read_model.views import OrderView
from register.submissions import CLAIM

_ABANDONED: Final = Sentence(
    "Nobody works on this order any more: its workflow was ended before it had settled. "
    "What the silos hold of it has to be seen to by hand"
)
ABANDONED: Final = Reason(code="workflow_ended", message=_ABANDONED.template)

_ENDS: Final = (LifecycleState.COMPLETED, LifecycleState.CANCELLED)


class WorkflowEnded(UnknownOrder):
    """The order's workflow is closed, and did not end by itself."""


def abandoned(view: OrderView) -> OrderView:
    """An order as its workflow has left it: with all that had not ended held, and nothing to be expected."""
    if view.completed_at is not None:
        return view
    items = tuple(
        item if item.state in _ENDS else item.model_copy(update={"state": LifecycleState.HELD}) for item in view.items
    )
    left = {
        "state": LifecycleState.HELD,
        "items": items,
        "expected_at": None,
        "reasons": (ABANDONED,),
        "answer": Answer(
            summary_wording=_ABANDONED(), waits_for=WaitView(kind=WaitsFor.PERSON, what_wording=_ABANDONED())
        ),
    }
    return view.model_copy(update=left)


def as_recorded(record: OrderRecord, why: Exception) -> OrderView:
    """An order as it is recorded, given why its workflow does not say how it stands.

    One that nothing but a claim is known of may still be started.
    """
    gone = isinstance(why, UnknownOrder) and record.version > CLAIM
    return abandoned(record.view) if gone or isinstance(why, WorkflowEnded) else record.view


def is_abandoned(view: OrderView) -> bool:
    """True for an order that is told as abandoned."""
    return ABANDONED in view.reasons


def closed(order_id: str, view: OrderView | None) -> OrderClosed:
    """Why an order takes no change any more, given how it stands, if that is known."""
    if view is not None and view.state is LifecycleState.COMPLETED:
        return OrderCompleted(f"Order {order_id} is completed", FOLLOW_ON)
    if view is not None and is_abandoned(view):
        return OrderClosed(f"Order {order_id} was abandoned", ABANDONED.message)
    if view is not None and view.state is LifecycleState.REJECTED:
        return OrderClosed(f"Order {order_id} was rejected", SUBMIT_AGAIN)
    if view is not None and view.state is LifecycleState.CANCELLED:
        return OrderClosed(f"Order {order_id} is cancelled", SUBMIT_AGAIN)
    return OrderClosed(f"Order {order_id} has ended", FOLLOW_ON)


def without_workflow(order_id: str, view: OrderView) -> OrderClosed | Unavailable:
    """Why there is nothing to be looked at: the order has ended, or was rejected at once, or is being started."""
    return closed(order_id, view) if view.completed_at or is_abandoned(view) else starting(order_id)


def starting(order_id: str) -> Unavailable:
    """An order that is known, and whose workflow is not there yet."""
    return Unavailable(f"Order {order_id} has been started this moment")
