"""When an order is promised for: the end of the longest chain of work, by which it is done nine times in ten."""

from __future__ import annotations

from datetime import datetime

from orders.model.order import Revision
from orders.model.plan import Plan
from orders.promising.forecast import forecast


def promised_at(revision: Revision, plan: Plan, now: datetime) -> datetime:
    """What a customer is promised: what can safely be kept, or the later date asked for."""
    begin = max(now, revision.requested_start or now)
    _, safe = forecast(plan, begin, lambda task: False).whole(begin)
    return max(safe, revision.requested_completion or safe)


def chooses_dates(before: Revision, after: Revision) -> bool:
    """True where a revision differs in what is the customer's own choice of time: requested dates and appointments."""
    names = ("requested_start", "requested_completion", "appointments")
    return any(getattr(before, name) != getattr(after, name) for name in names)
