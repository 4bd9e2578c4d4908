"""Demand in figures: by silo, operation, place, kind and day, beside what there is, and when that runs out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from orders.model.catalog import Catalog
from orders.model.silos.capacity import Capacity, Per
from orders.model.values import Frozen


@dataclass(frozen=True, slots=True)
class Count:
    """How many things of a kind are asked for at a place on a day: likely, safely, and asked for on that day already.

    `drawn` are those of the likely ones that were asked for already: they count for visits of that day, but are no more
    to be had from what is in stock.
    """

    silo: str
    operation: str
    place: str
    kind: str
    day: date
    likely: int = 0
    safe: int = 0
    asked: int = 0
    drawn: int = 0


class DemandLine(Frozen):
    """One day of one kind of thing at one place. `capacity` and `left` are None where nobody knows what there is.

    `left` is what is left at the end of that day, by the likely days: of visits that day's, of stock of all until then.
    """

    silo: str
    operation: str
    title: str
    place: str
    kind: str
    day: date
    likely: int
    safe: int
    asked: int
    capacity: int | None
    left: int | None


class Shortage(Frozen):
    """The first day on which more is asked for than there is, and by how much."""

    silo: str
    operation: str
    title: str
    place: str
    kind: str
    runs_out: date
    short_of: int


class Demand(Frozen):
    """What is asked for, and what runs out."""

    lines: tuple[DemandLine, ...]
    shortages: tuple[Shortage, ...]


def demand_of(counts: Iterable[Count], catalog: Catalog, stated: Mapping[str, Capacity], today: date) -> Demand:
    """The figures of some counts. `stated` are capacities as they were told since the catalog was written."""
    lines: list[DemandLine] = []
    shortages: list[Shortage] = []
    for key, days in groupby(sorted(counts, key=_by_day), key=_what):
        silo, operation, place, kind = key
        known = catalog.capacity_of(silo, operation)
        capacity = stated.get(known.name, known) if known is not None else None
        title = capacity.title if capacity is not None and capacity.title else f"{silo} {operation}"
        before, short = 0, None
        for count in days:
            there = capacity.there_on(place, kind, count.day) if capacity is not None else None
            left = None
            if there is not None and capacity is not None and count.day >= today:
                stock = capacity.per is Per.STOCK
                before = before + count.likely - count.drawn if stock else count.likely
                left = there - before
                if left < 0 and short is None:
                    short = Shortage(
                        silo=silo,
                        operation=operation,
                        title=title,
                        place=place,
                        kind=kind,
                        runs_out=count.day,
                        short_of=-left,
                    )
            lines.append(
                DemandLine(
                    silo=silo,
                    operation=operation,
                    title=title,
                    place=place,
                    kind=kind,
                    day=count.day,
                    likely=count.likely,
                    safe=count.safe,
                    asked=count.asked,
                    capacity=there,
                    left=left,
                )
            )
        shortages += [short] if short is not None else []
    return Demand(lines=tuple(lines), shortages=tuple(sorted(shortages, key=lambda each: each.runs_out)))


def together(counts: Iterable[Count]) -> list[Count]:
    """Counts of the same day of the same thing as one."""
    summed: dict[tuple[tuple[str, str, str, str], date], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for count in counts:
        for n, value in enumerate((count.likely, count.safe, count.asked, count.drawn)):
            summed[_what(count), count.day][n] += value
    return [Count(*what, day, *values) for (what, day), values in summed.items()]


def _what(count: Count) -> tuple[str, str, str, str]:
    return count.silo, count.operation, count.place, count.kind


def _by_day(count: Count) -> tuple[tuple[str, str, str, str], date]:
    return _what(count), count.day
