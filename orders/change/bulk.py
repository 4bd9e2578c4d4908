"""What many orders are asked for at once: the same change of each, under a request id of its own."""

from __future__ import annotations

from typing import Final

from pydantic import model_validator

from orders.change.request import ChangeKind, ChangeRequest, misfits
from orders.model.instants import Instant
from orders.model.order import require_order
from orders.model.values import Frozen, Priority
from orders.model.writing.text import Line, Name, Text

FOR_MANY: Final = (
    ChangeKind.RETRY,
    ChangeKind.HOLD,
    ChangeKind.RELEASE,
    ChangeKind.CHANGE_PRIORITY,
    ChangeKind.CANCEL,
    ChangeKind.RESCHEDULE,
)
"""The kinds that many orders can be asked for. What needs somebody to look at the order, or to agree to a fee, is for
one order at a time."""


class BulkAction(Frozen):
    """What each of many orders is asked for. `silo` is whose refused calls are tried again."""

    kind: ChangeKind
    silo: Line | None = None
    priority: Priority | None = None
    requested_start: Instant | None = None
    requested_completion: Instant | None = None

    @model_validator(mode="after")
    def _is_for_many(self) -> BulkAction:
        if self.kind not in FOR_MANY:
            raise ValueError(f"many orders are asked for {', '.join(FOR_MANY)}")
        found = misfits(self.kind, dict(self))
        if found:
            raise ValueError("; ".join(problem for _, problem in found))
        require_order(self.requested_start, self.requested_completion)
        return self

    def asked_of(self, order_id: str, job_id: str, requester: Name, channel: Name, reason: Text) -> ChangeRequest:
        """The change that one order is asked for: the same each time, so that it is never made twice."""
        return ChangeRequest(
            request_id=request_id(job_id, order_id),
            requester=requester,
            channel=channel,
            reason=reason,
            **{name: value for name, value in dict(self).items() if value is not None},
        )


def request_id(job_id: str, order_id: str) -> str:
    """The id of the request by which a job asks an order."""
    return f"{job_id}.{order_id}"
