"""Visits as entries for the customer's calendar (RFC 5545): a visit that moves or is called off alters its entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from icalendar import Calendar, Event, vCalAddress

from orders.model.messaging import Topic
from orders.news.hours import zone_of
from orders.news.message import Message, Visit

_USUALLY: Final = timedelta(hours=1)
"""How long a visit is shown whose end is not known."""


def calendars_of(
    message: Message, order_id: str, title: str, organizer: str, sequences: Mapping[str, int], made_at: datetime
) -> tuple[str, ...]:
    """The entries of a message, each in a calendar of its own. A reminder has none: the visit stands there already."""
    if message.topic is Topic.VISIT_REMINDER:
        return ()
    content = message.content
    made = [("REQUEST", visit) for visit in content.visits]
    off = [("CANCEL", visit) for visit in content.called_off]
    return tuple(
        _calendar(method, visit, order_id, title, organizer, sequences.get(visit.site, 0), made_at)
        for method, visit in (*made, *off)
    )


def method_of(calendar: str) -> str:
    """What a calendar is for: its METHOD."""
    return str(Calendar.from_ical(calendar)["method"])


def _calendar(
    method: str, visit: Visit, order_id: str, title: str, organizer: str, sequence: int, made_at: datetime
) -> str:
    zone = zone_of(visit)
    entry = Event()
    entry.add("uid", f"{order_id}/{visit.site}/visit")
    entry.add("sequence", sequence)
    entry.add("dtstamp", made_at)
    entry.add("dtstart", visit.slot.start.astimezone(zone))
    entry.add("dtend", (visit.slot.end or visit.slot.start + _USUALLY).astimezone(zone))
    entry.add("summary", title)
    entry.add("location", ", ".join(visit.address))
    entry.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    entry["organizer"] = vCalAddress(f"mailto:{organizer}")
    calendar = Calendar()
    calendar.add("prodid", "-//orderpipe//orderpipe//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(entry)
    calendar.add_missing_timezones()
    return calendar.to_ical().decode()
