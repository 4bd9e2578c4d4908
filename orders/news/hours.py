"""When customers are told: after a while in which news may change again, and not while they sleep."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orders.model.messaging import Messaging, QuietHours, Topic
from orders.news.message import Precision, Visit
from orders.read_model.views import OrderView


def told_as(at: datetime, precision: Precision, zone: ZoneInfo) -> datetime:
    """The end of the day, or of the hour, that is named to people: what is done by then is in time for them."""
    local = at.astimezone(zone)
    if precision is Precision.DAY:
        return _midnight(local.date() + timedelta(days=1), zone)
    # Hours are told in full: up to the next one, unless it is on the hour.
    full = local.replace(minute=0, second=0, microsecond=0)
    return full if full == local else full + timedelta(hours=1)


def day_of(visit: Visit) -> date:
    """The day of a visit, by the clock at its site."""
    return visit.slot.start.astimezone(zone_of(visit)).date()


def zone_of(visit: Visit) -> ZoneInfo:
    """The time zone of a visit's site."""
    return _zone(visit.slot.time_zone)


def clock_of(order: OrderView, rules: Messaging) -> ZoneInfo:
    """The clock that the customer of an order goes by: that at its site as far as it is known."""
    return _zone(order.appointments[0].time_zone if order.appointments else rules.time_zone)


def reminder_due(visit: Visit, rules: Messaging) -> datetime:
    """When to remind of a visit: the day before."""
    return datetime.combine(day_of(visit) - timedelta(days=1), rules.reminder_at, zone_of(visit))


def due(
    topic: Topic, rules: Messaging, zone: ZoneInfo, now: datetime, *, at_latest: datetime | None = None
) -> datetime:
    """When news that came up now is told: once it was held back, and not in quiet hours.

    `at_latest` is when it would come too late: it goes before, whatever the hour.
    """
    held = now + rules.folds.get(topic, rules.fold)
    polite = _after(rules.quiet, held.astimezone(zone)) if rules.quiet is not None else held
    if at_latest is None or polite < at_latest:
        return polite
    return held if held < at_latest else now


def _after(quiet: QuietHours, local: datetime) -> datetime:
    """The same, or the end of the quiet hours that it lies in."""
    clock, zone = local.time(), local.tzinfo
    over_midnight = quiet.begin > quiet.end
    if not (quiet.begin <= clock or clock < quiet.end if over_midnight else quiet.begin <= clock < quiet.end):
        return local
    day = local.date() + timedelta(days=1) if over_midnight and clock >= quiet.begin else local.date()
    return datetime.combine(day, quiet.end, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _zone(name: str) -> ZoneInfo:
    """UTC where it is none that is known."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
