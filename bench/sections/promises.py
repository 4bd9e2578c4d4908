"""How well promises are kept in the simulated month, by what was learned and by the catalog's fixed durations."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from bench.month import FIRST, ORDERS, TRUTHS, Truth, carried_out, ordered, planned, start, usual
from bench.section import Part, Plan, table
from orders.promising.forecast import promised_at

TRIALS: Final = 200
ASKED_OF_THE_ORACLE: Final = 60


@dataclass(frozen=True, slots=True)
class Kept:
    """How many first promises were kept, and how long they were: in days, and beside the oracle's best."""

    kept: float
    days: float
    of_best: float


def kept_of(truth: Truth, orders: int = ORDERS, seed: int = 7) -> dict[str, Kept]:
    """The month, promised by what was learned, and by the catalog's fixed durations."""
    found: dict[str, list[tuple[bool, float, float | None]]] = {"learned": [], "fixed": []}
    every = max(orders // ASKED_OF_THE_ORACLE, 1)
    for order in ordered(truth, orders, seed):
        at = order.at
        if at < FIRST or order.hit:
            continue
        best = _best(truth, at, seed + order.number) if order.number % every == 0 else None
        for name, by in (("learned", planned(order.figures, at)), ("fixed", start().plan)):
            promised = promised_at(start().revision, by, at)
            days, share = (promised - at) / timedelta(days=1), (promised - at) / best if best else None
            found[name].append((order.done <= promised, days, share))
    return {
        name: Kept(
            kept=sum(kept for kept, _, _ in told) / len(told),
            days=median(days for _, days, _ in told),
            of_best=median(share for _, _, share in told if share is not None),
        )
        for name, told in found.items()
    }


def _best(truth: Truth, at: datetime, seed: int) -> timedelta:
    """The soonest date that is kept nine times in ten, for one who knows how chance works here, but for troubles."""
    dice, plan = random.Random(seed), usual()
    ends = (carried_out(truth, plan, at, dice, troubles=False)[1] for _ in range(TRIALS))
    return sorted(max(each.values()) for each in ends)[TRIALS * 9 // 10] - at


def run(plan: Plan) -> Part:
    """The month, as a part of the report."""
    months = {name: kept_of(truth, ORDERS // 10 if plan.quick else ORDERS) for name, truth in TRUTHS.items()}
    for name, found in months.items():
        learned = found["learned"]
        plan.say(f"promises, silos {name}: {learned.kept:.1%} kept, {learned.of_best:.2f} times the best")
    rows = [
        (name, by, f"{100 * each.kept:.1f}", f"{each.days:.1f}", f"{each.of_best:.2f}")
        for name, found in months.items()
        for by, each in found.items()
    ]
    figures = {
        name: {by: {"kept": each.kept, "days": each.days, "of_best": each.of_best} for by, each in found.items()}
        for name, found in months.items()
    }
    text = (
        f"A month of {ORDERS} triple plays on the core alone, with long tails, weekends, an outage of six hours and a "
        "strike of a region's technicians for five days, from two weeks of learning on; with silos that take as "
        "long as the catalog says, longer, and less. Promises in that region that "
        "the strike met are left out. `of the best`: the median promise beside the soonest that is kept nine times "
        "in ten, by the true "
        "distributions."
    )
    head = ("silos", "durations", "kept %", "median days", "of the best")
    return Part({"promises": figures}, "\n\n".join(["## Promises", text, table(head, rows)]))
