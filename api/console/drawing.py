"""Where things stand in the picture of an order's timeline: in per cent of its width, without a line of markup.

Waits crush what happened within seconds to nothing. So by default the scale is that of the logarithm: each stretch
between two instants at which anything begins or ends is as wide as the logarithm of its length, and long ones say how
long they are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log1p
from typing import Final

from api.care.orders.care_bodies import TimelineEntryResponse
from orders.read_model.states import TaskState

MOST_ROWS: Final = 60
"""Of more tasks than these, those of a site share a row."""
_FOLDED_FROM: Final = timedelta(hours=1)
_FOLD_SHOWS_FROM: Final = 9.0
_TICKS_APART, _DAYS_APART = 14.0, 27.0
"""Per cent between two instants that are told: by the clock alone, and with their days."""
_BY_THE_CLOCK: Final = timedelta(hours=12)
_LEAST: Final = 0.5
"""Per cent that a bar has at least: what took milliseconds is to be seen too."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A long stretch in which nothing begins or ends."""

    x: float
    width: float
    length: timedelta


@dataclass(frozen=True, slots=True)
class Tick:
    """An instant that is told below the picture. Those that are `minor` are left out where it is narrow."""

    x: float
    at: datetime
    minor: bool
    anchor: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a row: `done`, `busy`, `next`, `undo` or `trouble`."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Row:
    """A task, or all of a site."""

    entry: TimelineEntryResponse
    bars: tuple[Bar, ...]
    gate: float | None
    """Where its point of no return is."""


@dataclass(frozen=True, slots=True)
class Group:
    """All tasks of a site, told together."""

    site: str
    count: int
    states: dict[TaskState, int]
    bars: tuple[Bar, ...]
    critical: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole picture: rows, or groups where there are too many of them."""

    rows: tuple[Row, ...]
    groups: tuple[Group, ...]
    now: float | None
    folds: tuple[Fold, ...]
    ticks: tuple[Tick, ...]


class Scale:
    """From instants to per cent."""

    def __init__(self, instants: Iterable[datetime], *, true: bool = False) -> None:
        self._at = sorted(set(instants))
        lengths = [(after - before).total_seconds() for before, after in zip(self._at, self._at[1:], strict=False)]
        weights = lengths if true else [log1p(each) for each in lengths]
        whole = sum(weights) or 1.0
        self._x = [0.0]
        for weight in weights:
            self._x.append(self._x[-1] + 100 * weight / whole)
        self._true = true

    def x(self, at: datetime) -> float:
        """Where an instant is. One between two that are known lies between them as its time does."""
        if not self._at:
            return 0.0
        place = bisect_right(self._at, at) - 1
        if place < 0:
            return 0.0
        if place >= len(self._at) - 1:
            return self._x[-1]
        length = (self._at[place + 1] - self._at[place]).total_seconds()
        share = (at - self._at[place]).total_seconds() / length if length else 0.0
        return self._x[place] + share * (self._x[place + 1] - self._x[place])

    def folds(self) -> tuple[Fold, ...]:
        """The long stretches, wide enough to say so."""
        if self._true:
            return ()
        return tuple(
            Fold(round(self._x[n], 3), round(self._x[n + 1] - self._x[n], 3), self._at[n + 1] - self._at[n])
            for n in range(len(self._at) - 1)
            if self._at[n + 1] - self._at[n] >= _FOLDED_FROM and self._x[n + 1] - self._x[n] >= _FOLD_SHOWS_FROM
        )

    def ticks(self, now: datetime) -> tuple[Tick, ...]:
        """Instants far enough from each other to be told: the first and the last, and some between but the present."""
        if len(self._at) < 2:
            return ()
        days = any(abs(at - now) > _BY_THE_CLOCK for at in (self._at[0], self._at[-1]))
        apart = _DAYS_APART if days else _TICKS_APART
        told = [Tick(0.0, self._at[0], minor=False, anchor="start")]
        for at, x in zip(self._at[1:-1], self._x[1:-1], strict=False):
            if at != now and x - told[-1].x >= apart and 100 - x >= apart:
                told.append(Tick(round(x, 3), at, minor=True, anchor="middle"))
        return (*told, Tick(100.0, self._at[-1], minor=False, anchor="end"))


def draw(
    entries: Sequence[TimelineEntryResponse], now: datetime, *, true: bool = False, site: str | None = None
) -> Timeline:
    """The timeline of an order, or that of one of its sites ("" is where there is none)."""
    shown = [entry for entry in entries if site is None or (entry.site or "") == site]
    grouped = site is None and len(shown) > MOST_ROWS
    spans = {id(entry): _spans(entry, now) for entry in shown}
    instants = {at for each in spans.values() for _, begin, end in each for at in (begin, end)}
    within = bool(instants) and min(instants) <= now <= max(instants)
    scale = Scale(instants | {now} if within else instants, true=true)
    return Timeline(
        rows=() if grouped else tuple(Row(each, _bars(spans[id(each)], scale), _gate(each, scale)) for each in shown),
        groups=_groups(shown, spans, scale) if grouped else (),
        now=round(scale.x(now), 3) if within else None,
        folds=scale.folds(),
        ticks=scale.ticks(now),
    )


_Span = tuple[str, datetime, datetime]


def _spans(entry: TimelineEntryResponse, now: datetime) -> list[_Span]:
    spans: list[_Span] = []
    if entry.begun is not None:
        if entry.ended is not None:
            spans.append(("done" if entry.state is not TaskState.FALLOUT else "trouble", entry.begun, entry.ended))
        else:
            kind = "trouble" if entry.state is TaskState.FALLOUT else "busy"
            spans.append((kind, entry.begun, max(now, entry.begun)))
            if entry.expected_end is not None and entry.expected_end > now:
                spans.append(("next", now, entry.expected_end))
    elif entry.state is TaskState.PENDING and entry.expected_begin is not None:
        spans.append(
            ("next", entry.expected_begin, max(entry.expected_end or entry.expected_begin, entry.expected_begin))
        )
    if entry.undo_begun is not None:
        spans.append(("undo", entry.undo_begun, entry.undo_ended or max(now, entry.undo_begun)))
    return spans


def _bars(spans: Iterable[_Span], scale: Scale) -> tuple[Bar, ...]:
    bars: list[Bar] = []
    for kind, begin, end in spans:
        x = scale.x(begin)
        width = max(scale.x(end) - x, _LEAST)
        bars.append(Bar(kind, round(min(x, 100 - width), 3), round(width, 3)))
    return tuple(bars)


def _gate(entry: TimelineEntryResponse, scale: Scale) -> float | None:
    gate = entry.no_return
    at = (gate.passed_at or gate.expected) if gate is not None else None
    return round(scale.x(at), 3) if at is not None else None


def _groups(entries: Iterable[TimelineEntryResponse], spans: dict[int, list[_Span]], scale: Scale) -> tuple[Group, ...]:
    sites: dict[str, list[TimelineEntryResponse]] = {}
    for entry in entries:
        sites.setdefault(entry.site or "", []).append(entry)
    return tuple(_group(site, theirs, spans, scale) for site, theirs in sites.items())


def _group(site: str, entries: list[TimelineEntryResponse], spans: dict[int, list[_Span]], scale: Scale) -> Group:
    states: dict[TaskState, int] = {}
    whole: dict[str, tuple[datetime, datetime]] = {}
    for entry in entries:
        states[entry.state] = states.get(entry.state, 0) + 1
        for kind, begin, end in spans[id(entry)]:
            known = whole.get(kind)
            whole[kind] = (min(begin, known[0]), max(end, known[1])) if known else (begin, end)
    # What is to come lies behind, what is in trouble before all.
    order = ("next", "done", "busy", "undo", "trouble")
    bars = _bars([(kind, *whole[kind]) for kind in order if kind in whole], scale)
    return Group(site, len(entries), states, bars, any(entry.critical for entry in entries))
