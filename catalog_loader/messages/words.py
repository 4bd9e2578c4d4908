"""What a template is told of a message, in the customer's language: dates, times and money are words already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.numbers import format_currency

from orders.model.messaging import Language, Messaging
from orders.model.values import Money
from orders.news.hours import clock_of, told_as, zone_of
from orders.news.message import Content, Message, Precision, Visit
from orders.read_model.views import OrderView

Words: TypeAlias = Mapping[str, Any]
"""The names that a template has, and what stands for each."""

_LONG: Final = "full"
_SHORT: Final = "short"


def words_of(
    message: Message, order: OrderView, titles: Mapping[str, str], name: str, rules: Messaging, language: Language
) -> Words:
    """What a template is told. `titles` are those of offerings, `name` is the customer's if that is known.

    - `provider`, `name`, `order` (the number by which the channel knows it)
    - `date`, `date_before`: by when all is done, and what was said before; `later`: it takes longer than that
    - `visits`, `called_off`: each with `day`, `start`, `end` (may be empty), `address`
    - `items`: the titles of what it is about; `things`: each with `items` and `numbers`, such as that of a parcel
    - `fees`: each an amount; `reasons`; `whole`: it is about all of the order
    """
    content, zone = message.content, clock_of(order, rules)
    named = {item.id: titles.get(item.offering, item.offering) for item in order.items}
    return {
        "provider": rules.provider,
        "name": name,
        "order": order.external_id,
        "date": _promise(content.date, content.precision, zone, language),
        "date_before": _promise(content.date_before, content.precision, zone, language),
        "later": _is_later(content, zone),
        "visits": [_visit(visit, language) for visit in content.visits],
        "called_off": [_visit(visit, language) for visit in content.called_off],
        "items": _titles(content.items, named),
        "things": [
            {"items": _titles(thing.items, named), "numbers": _numbers(order, thing.task), "milestone": thing.milestone}
            for thing in content.things
        ],
        "fees": [_money(fee.fee, language) for fee in content.fees],
        "reasons": list(content.reasons),
        "whole": content.whole,
    }


def _promise(at: datetime | None, precision: Precision, zone: ZoneInfo, language: Language) -> str:
    if at is None:
        return ""
    if precision is Precision.DAY:
        return format_date(at.astimezone(zone).date(), _LONG, locale=language)
    hour = told_as(at, precision, zone)
    return f"{format_date(hour.date(), _LONG, locale=language)}, {_clock(hour, zone, language)}"


def _is_later(content: Content, zone: ZoneInfo) -> bool:
    at, before = content.date, content.date_before
    if at is None or before is None:
        return False
    return told_as(at, content.precision, zone) > told_as(before, content.precision, zone)


def _visit(visit: Visit, language: Language) -> Words:
    zone, slot = zone_of(visit), visit.slot
    return {
        "day": format_date(slot.start.astimezone(zone).date(), _LONG, locale=language),
        "start": _clock(slot.start, zone, language),
        "end": _clock(slot.end, zone, language) if slot.end is not None else "",
        "address": list(visit.address),
    }


def _clock(at: datetime, zone: ZoneInfo, language: Language) -> str:
    return format_time(at.astimezone(zone).time(), _SHORT, locale=language)


def _money(money: Money, language: Language) -> str:
    return format_currency(money.amount, money.currency, locale=language)


def _titles(items: Iterable[str], named: Mapping[str, str]) -> list[str]:
    """Each once: of five alike one hears once."""
    return list(dict.fromkeys(named.get(item, item) for item in items))


def _numbers(order: OrderView, task: str) -> list[str]:
    return [given.value for given in order.given if given.task == task]
