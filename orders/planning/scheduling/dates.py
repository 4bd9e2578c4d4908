"""Dates that a change asks for: appointments that somebody can keep, and requested dates in their order.

What an IANA time zone is known to be changes with the years, so this is asked once, when a change is planned or
previewed, and never of what an order carries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orders.change.request import ChangeRequest, ItemUpdate
from orders.model.order import Reason, Rejection, RequestedItem, Revision, TimeSlot, require_order

TODAY = timedelta(days=1)
"""How far back a requested date may lie: `now` has passed when it arrives, and `today` began this morning."""


def require_possible_dates(revision: Revision, change: ChangeRequest, now: datetime) -> None:
    """Return if the dates that a change of a revision asks for can be had.

    Raises:
        Rejection: with a reason for each that cannot.
    """
    reasons = _impossible(((f"at site {made.site}", made) for made in change.appointments), now)
    reasons += _impossible(_of_items((*change.add, *change.update)), now)
    asked = {"start": change.requested_start, "completion": change.requested_completion}
    reasons += [
        Reason(code="past_date", message=f"the requested {name} lies in the past")
        for name, date in asked.items()
        if date is not None and date < now - TODAY
    ]
    if asked["start"] or asked["completion"]:
        try:
            require_order(
                asked["start"] or revision.requested_start, asked["completion"] or revision.requested_completion
            )
        except ValueError as error:
            reasons.append(Reason(code="dates_in_disorder", message=str(error)))
    if reasons:
        raise Rejection(reasons)


def require_possible_appointments(asked: Iterable[RequestedItem], now: datetime) -> None:
    """Return if somebody can keep the appointments that items ask for, at hours that the clocks there show.

    Raises:
        Rejection: with a reason for each that nobody can.
    """
    reasons = _impossible(_of_items(asked), now)
    if reasons:
        raise Rejection(reasons)


def _of_items(asked: Iterable[RequestedItem | ItemUpdate]) -> Iterator[tuple[str, TimeSlot]]:
    for each in asked:
        if each.wishes.appointment is not None:
            yield f"of item {each.id}", each.wishes.appointment


def _impossible(appointments: Iterable[tuple[str, TimeSlot]], now: datetime) -> list[Reason]:
    return [
        Reason(code="impossible_appointment", message=f"the appointment {whose} {problem}")
        for whose, made in appointments
        for problem in _problems(made, now)
    ]


def _problems(made: TimeSlot, now: datetime) -> Iterator[str]:
    """What is wrong with an appointment: if its offset is right and its hour exists, the zone's clock shows it then."""
    if made.start <= now:
        yield "lies in the past"
    try:
        zone = ZoneInfo(made.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: part of a name, such as `Europe`.
        yield f"names {made.time_zone}, which is no time zone of the IANA database"
        return
    for what, told in (("starts", made.start), ("ends", made.end)):
        if told is not None and told.astimezone(zone).replace(tzinfo=None) != told.replace(tzinfo=None):
            yield f"{what} at {told.isoformat()}, which is no hour on the clocks of {made.time_zone}"


def chooses_dates(before: Revision, after: Revision) -> bool:
    """True where a revision differs in what is the customer's own choice of time: requested dates and appointments."""
    names = ("requested_start", "requested_completion", "appointments")
    return any(getattr(before, name) != getattr(after, name) for name in names)
