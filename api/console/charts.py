"""Pictures of demand: a column a day, what there is as a line, in a square of 100 by 100, without any markup."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from api.care.silos.demand_bodies import DemandLineResponse, DemandResponse, ShortageResponse

_SIDE = 100.0
_GAP = 0.15
"""Of a day's width: what is left free between two columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """What is asked for on a day. `short` where there is less by then."""

    day: date
    number: int
    short: bool
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The demand for one kind of thing at one place; for all places and kinds of an operation where both are None.

    `most` is the highest number of the scale. `line` is how far down the capacity of a day is drawn, if it is known.
    """

    silo: str
    operation: str
    title: str
    place: str | None
    kind: str | None
    columns: tuple[Column, ...]
    total: int
    peak: int
    most: int
    capacity: int | None
    line: float | None
    shortage: ShortageResponse | None


def by_operation(demand: DemandResponse, begin: date, before: date) -> list[Chart]:
    """A chart for each operation of each silo, those that run out the soonest first."""
    groups: dict[tuple[str, str], list[DemandLineResponse]] = defaultdict(list)
    for line in demand.lines:
        groups[line.silo, line.operation].append(line)
    short: dict[tuple[str, str], ShortageResponse] = {}
    for each in demand.shortages:
        short.setdefault((each.silo, each.operation), each)
    return _sorted(_chart(lines, begin, before, None, short.get(key), (None, None)) for key, lines in groups.items())


def by_place(demand: DemandResponse, begin: date, before: date, a_day: Mapping[tuple[str, str], bool]) -> list[Chart]:
    """A chart for each kind of thing at each place. `a_day`: whether an operation's capacity is had anew each day."""
    groups: dict[tuple[str, str, str, str], list[DemandLineResponse]] = defaultdict(list)
    for line in demand.lines:
        groups[line.silo, line.operation, line.place, line.kind].append(line)
    short = {(each.silo, each.operation, each.place, each.kind): each for each in demand.shortages}
    charts: list[Chart] = []
    for key, lines in groups.items():
        daily = a_day.get(key[:2], False)
        capacity = lines[-1].capacity if daily else None
        charts.append(_chart(lines, begin, before, capacity, short.get(key), key[2:]))
    return _sorted(charts)


def _sorted(charts: Iterable[Chart]) -> list[Chart]:
    def urgent(chart: Chart) -> tuple[date, int]:
        return (chart.shortage.runs_out if chart.shortage is not None else date.max, -chart.total)

    return sorted(charts, key=urgent)


def _chart(
    lines: Sequence[DemandLineResponse],
    begin: date,
    before: date,
    capacity: int | None,
    shortage: ShortageResponse | None,
    where: tuple[str | None, str | None],
) -> Chart:
    numbers: dict[date, int] = defaultdict(int)
    short: set[date] = set()
    for line in lines:
        numbers[line.day] += line.likely
        if line.left is not None and line.left < 0:
            short.add(line.day)
    peak = max(numbers.values(), default=0)
    most = max(peak, capacity or 0, 1)
    a_day = _SIDE / max((before - begin).days, 1)
    columns = tuple(
        Column(
            day=day,
            number=number,
            short=day in short,
            x=round(((day - begin).days + _GAP / 2) * a_day, 3),
            width=round(a_day * (1 - _GAP), 3),
            y=round(_SIDE - _SIDE * number / most, 3),
            height=round(_SIDE * number / most, 3),
        )
        for day, number in sorted(numbers.items())
        if number
    )
    first = lines[0]
    return Chart(
        silo=first.silo,
        operation=first.operation,
        title=first.title,
        place=where[0],
        kind=where[1],
        columns=columns,
        total=sum(numbers.values()),
        peak=peak,
        most=most,
        capacity=capacity,
        line=round(_SIDE - _SIDE * capacity / most, 3) if capacity is not None else None,
        shortage=shortage,
    )
