"""How things are written for whoever is looking: in their language, and by the clock on their wall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_datetime, format_time, format_timedelta, get_timezone_name
from babel.numbers import format_currency, format_decimal
from markupsafe import Markup, escape
from starlette.requests import Request

from api.console.words import ENGLISH, language_of, locale_of, translations
from orders.model.instants import MOMENT
from orders.model.values import Money
from orders.model.writing.wording import PLACE, SUM, Wording, Words, has_words

ZONE: Final = "orderpipe-zone"
"""The cookie in which the browser says where it is."""
THEME: Final = "orderpipe-theme"
THEMES: Final = ("auto", "light", "dark")
_DASH: Final = "\u2013"
_DAY: Final = timedelta(days=1)
_KEPT: Final = 10_000
_OF_OTHERS: Final = frozenset({"title", "reason", "error", "text"})
"""Where in sentences stand the words of the catalog, and of silos."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody's language, time zone and colours, and the present instant."""

    language: str
    zone: ZoneInfo
    theme: str
    now: datetime

    @classmethod
    def of(cls, request: Request) -> Viewer:
        """Whoever sends a request."""
        theme = request.cookies.get(THEME, "auto")
        return cls(language_of(request), _zone(request), theme if theme in THEMES else "auto", datetime.now(UTC))

    def when(self, instant: datetime | str | None, zone: str | None = None) -> Markup:
        """An instant, as short as it is clear today; all of it when pointed at. `zone` is that of a place."""
        at = _instant(instant)
        if at is None:
            return Markup('<span class="none">{}</span>').format(_DASH)
        there = ZoneInfo(zone) if zone is not None else self.zone
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            at.isoformat(), self._in_full(at, there), self._short(at, there)
        )

    def said(self, text: str) -> Markup:
        """What the core says in words, with the instants in it as this viewer reads them."""
        parts: list[str] = []
        place = 0
        for found in MOMENT.finditer(text):
            try:
                at = datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00")
            except ValueError:  # Words of a silo that only look like one.
                continue
            parts += [escape(text[place : found.start()]), self.when(at)]
            place = found.end()
        return Markup("").join([*parts, escape(text[place:])])

    def told(self, wording: Words) -> Markup:
        """A sentence of the core in the viewer's language, or in English where it has no other.

        What others have said, and what the catalog calls things, is as it is: nobody has said it in another language.
        """
        if isinstance(wording, str):
            return self.said(wording)
        if self.language == ENGLISH:
            return self.said(str(wording))
        if wording.template == SUM.template:
            return escape(self._sum(wording))
        template = translations(self.language).gettext(wording.template) if has_words(wording.template) else ""
        if template == wording.template:
            return Markup('<span lang="{}">{}</span>').format(ENGLISH, self.said(str(wording)))
        template = template or wording.template
        parts: list[str] = []
        place = 0
        for found in PLACE.finditer(template):
            value = self.told(wording.values[found[1]])
            if found[1] in _OF_OTHERS and isinstance(wording.values[found[1]], str):
                value = Markup('<span lang="{}">{}</span>').format(ENGLISH, value)
            parts += [escape(template[place : found.start()]), value]
            place = found.end()
        return Markup("").join([*parts, escape(template[place:])])

    def _sum(self, wording: Wording) -> str:
        amount, currency = (str(wording.values[name]) for name in ("amount", "currency"))
        return format_currency(Decimal(amount), currency, locale=locale_of(self.language))

    def visit(self, start: datetime, end: datetime | None, zone: str) -> Markup:
        """A visit, by the clock at its site."""
        there, locale = ZoneInfo(zone), locale_of(self.language)
        began = start.astimezone(there)
        day = format_date(began, "EEE d MMM", locale=locale)
        until = f"{_DASH}{format_time(end.astimezone(there), 'short', locale=locale)}" if end is not None else ""
        shown = f"{day}, {format_time(began, 'short', locale=locale)}{until}"
        elsewhere = f" ({self._zone_name(began, there)})" if self._differs(began, there) else ""
        return Markup('<time datetime="{}">{}</time>').format(start.isoformat(), shown + elsewhere)

    def ago(self, instant: datetime | str | None) -> Markup:
        """How long ago or how far ahead an instant is."""
        at = _instant(instant)
        if at is None:
            return escape(_DASH)
        away = format_timedelta(at - self.now, add_direction=True, threshold=1.2, locale=locale_of(self.language))
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            at.isoformat(), self._in_full(at, self.zone), away
        )

    def lasting(self, length: timedelta | float) -> str:
        """How long something takes."""
        took = length if isinstance(length, timedelta) else timedelta(seconds=length)
        if took < timedelta(seconds=1):
            return f"{max(round(took.total_seconds() * 1000), 0)} ms"
        return format_timedelta(took, threshold=1.2, format="short", locale=locale_of(self.language))

    def date(self, day: date) -> str:
        """A day."""
        return format_date(day, "EEE d MMM", locale=locale_of(self.language))

    def clock(self, instant: datetime) -> str:
        """The time of day."""
        return format_time(instant.astimezone(self.zone), "short", locale=locale_of(self.language))

    def money(self, amount: Money) -> str:
        """A sum."""
        return format_currency(amount.amount, amount.currency, locale=locale_of(self.language))

    def number(self, number: int | float | Decimal) -> str:
        """A number."""
        return format_decimal(number, locale=locale_of(self.language))

    def _short(self, at: datetime, there: ZoneInfo) -> str:
        local = at.astimezone(there).replace(second=0, microsecond=0)
        return _in_short(local.replace(tzinfo=None), self.now.astimezone(there).date(), self.language)

    def _in_full(self, at: datetime, there: ZoneInfo) -> str:
        return _in_full(at.astimezone(there).replace(microsecond=0), there.key, self.language)

    def _zone_name(self, at: datetime, there: ZoneInfo) -> str:
        return get_timezone_name(at, width="short", locale=locale_of(self.language)) or str(there)

    def _differs(self, at: datetime, there: ZoneInfo) -> bool:
        return at.astimezone(there).utcoffset() != at.astimezone(self.zone).utcoffset()


# The pages of a large order have thousands of instants, and few that differ in what is shown of them.


@lru_cache(maxsize=_KEPT)
def _in_short(local: datetime, today: date, language: str) -> str:
    locale = locale_of(language)
    clock = format_time(local, "short", locale=locale)
    if local.date() == today:
        return clock
    if abs(local.date() - today) < 300 * _DAY:
        return f"{format_date(local, 'EEE d MMM', locale=locale)}, {clock}"
    return f"{format_date(local, 'd MMM y', locale=locale)}, {clock}"


@lru_cache(maxsize=_KEPT)
def _in_full(local: datetime, zone: str, language: str) -> str:
    assert str(local.tzinfo) == zone, "equal instants of two zones are told in two ways"
    return f"{format_datetime(local, 'full', locale=locale_of(language))}"


def _instant(given: datetime | str | None) -> datetime | None:
    """An instant of ours, or one that a record has as text; empty text is none."""
    if isinstance(given, str):
        return datetime.fromisoformat(given) if given else None
    return given


def _zone(request: Request) -> ZoneInfo:
    try:
        return ZoneInfo(unquote(request.cookies.get(ZONE, "UTC"))[:64])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
