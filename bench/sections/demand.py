"""Demand foreseen a week ahead against what silos were then really asked for, in the simulated month.

Every midnight it is told for each of the seven days after it what the orders that are known by then will ask of each
silo. What is ordered later nobody can foresee from orders: how much of all that is asked for that is, is told too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from bench.month import FIRST, MONTH, ORDERS, TRUTHS, Ordered, Truth, ordered, planned, start
from bench.section import Part, Plan, table
from orders.demand.days import days_ahead
from orders.model.catalog import Awaited
from orders.model.plan import Plan as OrderPlan
from orders.promising.figures import USUAL, Figures

WEEK: Final = timedelta(days=7)
DATED: Final = 0.25
"""The share of orders that are for a later start."""


@dataclass(frozen=True, slots=True)
class Off:
    """How far the foreseen was off what was really asked for: in shares of that, of day by day and of whole weeks.

    `lean` is by how much more was foreseen than asked for in all, below nought where it was less. `known` is the share
    of all that silos were asked for which was asked by orders that were known a week before or less.
    """

    asked: int
    known: float
    by_day: float
    by_week: float
    lean: float


class _Tally:
    """Foreseen and really asked for, of one silo."""

    def __init__(self) -> None:
        self.asked = self.of_all = self.foreseen = self.off_days = self.off_weeks = 0

    def add(self, foreseen: Mapping[date, int], asked: Mapping[date, int], of_all: int) -> None:
        """What was told at one midnight."""
        ahead, then = sum(foreseen.values()), sum(asked.values())
        self.asked, self.of_all, self.foreseen = self.asked + then, self.of_all + of_all, self.foreseen + ahead
        self.off_days += sum(abs(foreseen.get(day, 0) - asked.get(day, 0)) for day in {*foreseen, *asked})
        self.off_weeks += abs(ahead - then)

    def off(self) -> Off:
        """How far off it was."""
        asked = self.asked or 1
        return Off(
            asked=self.asked,
            known=self.asked / (self.of_all or 1),
            by_day=self.off_days / asked,
            by_week=self.off_weeks / asked,
            lean=(self.foreseen - self.asked) / asked,
        )


def foreseen_in(truth: Truth, orders: int = ORDERS, seed: int = 7) -> dict[str, dict[str, Off]]:
    """By silo, how far off demand was: foreseen by what was learned, and by the catalog's fixed durations."""
    month = list(ordered(truth, orders, seed, DATED))
    learned: dict[date, Figures] = {order.at.date(): order.figures for order in month}
    found: dict[str, dict[str, _Tally]] = {"learned": defaultdict(_Tally), "fixed": defaultdict(_Tally)}
    midnight, figures = FIRST, USUAL
    while midnight + WEEK <= FIRST + MONTH:
        figures = learned.get(midnight.date(), figures)
        really = [list(_asked(order, midnight)) for order in month]
        known = [(order, asked) for order, asked in zip(month, really, strict=True) if order.at < midnight]
        of_all = Counter(silo for asked in really for silo, _ in asked)
        asked = _by_silo(each for _, asked in known for each in asked)
        for name, plan in (("learned", planned(figures, midnight)), ("fixed", start().plan)):
            ahead = _by_silo(each for order, _ in known for each in _foreseen(plan, order, midnight))
            for silo in plan.silos:
                found[name][silo].add(ahead[silo], asked[silo], of_all[silo])
        midnight += timedelta(days=1)
    return {name: {silo: tally.off() for silo, tally in silos.items()} for name, silos in found.items()}


def _foreseen(plan: OrderPlan, order: Ordered, midnight: datetime) -> Iterator[tuple[str, datetime]]:
    """What an order is expected to ask of silos in the week, by silo, and when."""
    if order.done <= midnight:
        return
    done = {key for key, ended in order.ends.items() if ended <= midnight}
    since = {key: begun for key, begun in order.begun.items() if begun < midnight and key not in done}
    for key, day in days_ahead(plan, max(midnight, order.begin), done, since).items():
        visit = _is_visit(plan, key)
        if key not in done and (visit or key not in since) and day.likely < midnight + WEEK:
            yield plan.operation(plan.tasks[key]).silo, day.likely


def _asked(order: Ordered, midnight: datetime) -> Iterator[tuple[str, datetime]]:
    """What it really asked of them in the week."""
    plan = start().plan
    for key, begun in order.begun.items():
        at = order.ends[key] if _is_visit(plan, key) else begun
        if midnight <= at < midnight + WEEK:
            yield plan.operation(plan.tasks[key]).silo, at


def _is_visit(plan: OrderPlan, key: str) -> bool:
    return plan.operation(plan.tasks[key]).awaits is Awaited.VISIT


def _by_silo(asked: Iterator[tuple[str, datetime]]) -> dict[str, Counter[date]]:
    days: dict[str, Counter[date]] = defaultdict(Counter)
    for silo, at in asked:
        days[silo][at.date()] += 1
    return days


def run(plan: Plan) -> Part:
    """The error by silo, as a part of the report."""
    months = {name: foreseen_in(truth, ORDERS // 10 if plan.quick else ORDERS) for name, truth in TRUTHS.items()}
    for name, found in months.items():
        plan.say(f"demand, silos {name}: {whole(found['learned']):.1%} off by week, fixed {whole(found['fixed']):.1%}")
    rows = [
        (
            silo,
            name,
            f"{off.asked / 24:.0f}",
            f"{100 * off.known:.0f}",
            *(f"{100 * each.by_day:.0f} / {100 * each.by_week:.0f} / {100 * each.lean:+.0f}" for each in (off, fixed)),
        )
        for name, found in months.items()
        for silo, off, fixed in ((silo, off, found["fixed"][silo]) for silo, off in found["learned"].items())
    ]
    figures = {
        name: {
            by: {
                silo: {"asked": off.asked, "known": off.known, "by_day": off.by_day}
                | {"by_week": off.by_week, "lean": off.lean}
                for silo, off in silos.items()
            }
            for by, silos in found.items()
        }
        for name, found in months.items()
    }
    text = (
        f"The same month of {ORDERS} triple plays with its outage and its strike, but that a quarter of them are for a "
        "start of one to fourteen days later. Every midnight it is foreseen what the orders known by then will ask of "
        "each silo on each of the next seven days, and held against what those orders then asked: by day, by week, and "
        "whether more was foreseen (+) or less, in per cent of what was asked. An order counts for its likely day "
        "alone, which says less of a day than of a week. `a week`: how much was asked. `known %`: its share of all "
        "that was asked in those weeks; the rest was ordered later."
    )
    head = ("silo", "silos are", "a week", "known %", "off, learned: day / week / lean", "off, fixed")
    return Part({"demand": figures}, "\n\n".join(["## Demand foreseen", text, table(head, rows)]))


def whole(silos: Mapping[str, Off]) -> float:
    """How far off whole weeks were, over all silos."""
    return sum(off.by_week * off.asked for off in silos.values()) / sum(off.asked for off in silos.values())
