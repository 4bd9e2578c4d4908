"""How well promises are kept: a month of orders on the core's own plans and dates, with silos that take their time.

Nothing runs here but the core, and chance with a seed. It is learned from as workers do, for two weeks before.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from statistics import median
from typing import Final, TypeAlias

from api.tmf.tmf622.request import to_request
from bench.kinds import Kind as OrderKind
from bench.kinds import new_body, triple_play
from bench.section import Part, Plan, table
from bench.stack import Benched
from catalog_loader.catalog_files import read_catalog
from orders.fulfilment.starting import prepare
from orders.model.catalog import Catalog
from orders.model.plan import Plan as OrderPlan
from orders.model.plan import Task
from orders.model.silos.working_hours import Hours
from orders.model.values import Verb
from orders.planning.scheduling.promise import promised_at
from orders.promising.figures import USUAL, Figures, Work, with_figures
from orders.promising.forecast import Z_SAFE
from orders.promising.sketch import Sketch
from settings import ROOT

ORDERS: Final = 2000
BEFORE: Final = timedelta(days=14)
MONTH: Final = timedelta(days=30)
FIRST: Final = datetime(2026, 3, 2, tzinfo=UTC)
OUTAGE: Final = (FIRST + timedelta(days=9, hours=10), FIRST + timedelta(days=9, hours=16))
STRIKE: Final = (FIRST + timedelta(days=16), FIRST + timedelta(days=21))
NORTH: Final = 0.2
"""The share of the region whose technicians go on strike."""
HOURS: Final = Hours(since=time(8), until=time(17), time_zone="Europe/Berlin", region="DE")
TECHNICIANS, LINES = "field-service", "access-network"
Truth: TypeAlias = Mapping[str, tuple[float, float]]
TRUTHS: Final[Mapping[str, Truth]] = {
    "as the catalog says": {TECHNICIANS: (14.0, 2.2), "shipping": (40.0, 1.8), LINES: (1.5, 3.0)},
    "slower": {TECHNICIANS: (25.0, 2.2), "shipping": (60.0, 1.8), LINES: (4.0, 3.0)},
    "faster": {TECHNICIANS: (6.0, 2.2), "shipping": (20.0, 1.8), LINES: (0.5, 3.0)},
}
"""Hours that a silo really takes as a rule, and how many times that nine times in ten. All others take two minutes."""
OTHERS: Final = (2 / 60, 2.0)
TRIALS: Final = 200
ASKED_OF_THE_ORACLE: Final = 60
KIND: Final = OrderKind("triple", "triple play", triple_play, orders=1, in_flight=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """How many first promises were kept, and how long they were: in days, and beside the oracle's best."""

    kept: float
    days: float
    of_best: float


@cache
def _catalog() -> Catalog:
    catalog = read_catalog(ROOT / "catalog")
    silo = catalog.silos[TECHNICIANS].model_copy(update={"hours": HOURS})
    return catalog.model_copy(update={"silos": {**catalog.silos, TECHNICIANS: silo}})


def month(truth: Truth, orders: int = ORDERS, seed: int = 7) -> dict[str, Kept]:
    """The month, promised by what was learned, and by the catalog's fixed durations."""
    dice, catalog = random.Random(seed), _catalog()
    start = prepare(catalog, to_request(new_body(KIND)), FIRST)
    usual = with_figures(start.plan, start.revision, catalog, USUAL, FIRST)
    sketches: dict[Work, Sketch] = {}
    ended: list[tuple[datetime, int, list[tuple[Work, float, datetime]]]] = []
    found: dict[str, list[tuple[bool, float, float | None]]] = {"learned": [], "fixed": []}
    figures, figures_of = USUAL, date.min
    begin = FIRST - BEFORE
    for number in range(int(orders * (BEFORE + MONTH) / MONTH)):
        at = begin + (BEFORE + MONTH) * (number / (orders * (BEFORE + MONTH) / MONTH))
        while ended and ended[0][0] <= at:
            for work, seconds, when in heapq.heappop(ended)[2]:
                sketches[work] = sketches.get(work, Sketch()).seen(seconds, when)
        if at.date() != figures_of:
            figures_of = at.date()
            told = {work: sketch.takes(at) for work, sketch in sketches.items()}
            figures = Figures({work: takes for work, takes in told.items() if takes is not None})
        north = dice.random() < NORTH
        done, seen = _carried_out(truth, usual, at, dice, north=north)
        heapq.heappush(ended, (done, number, seen))
        hit = north and at < STRIKE[1] and done > STRIKE[0]
        if at < FIRST or hit:
            continue
        plan = with_figures(start.plan, start.revision, catalog, figures, at)
        every = max(orders // ASKED_OF_THE_ORACLE, 1)
        best = _best(truth, usual, at, seed + number) if number % every == 0 else None
        for name, by in (("learned", plan), ("fixed", start.plan)):
            promised = promised_at(start.revision, by, at)
            days, share = (promised - at) / timedelta(days=1), (promised - at) / best if best else None
            found[name].append((done <= promised, days, share))
    return {
        name: Kept(
            kept=sum(kept for kept, _, _ in told) / len(told),
            days=median(days for _, days, _ in told),
            of_best=median(share for _, _, share in told if share is not None),
        )
        for name, told in found.items()
    }


def _carried_out(
    truth: Truth, plan: OrderPlan, at: datetime, dice: random.Random, *, north: bool = False, troubles: bool = True
) -> tuple[datetime, list[tuple[Work, float, datetime]]]:
    """When an order is done that is submitted at an instant, and how long each task of it took."""
    ends: dict[str, datetime] = {}
    seen: list[tuple[Work, float, datetime]] = []
    for key, task in plan.tasks.items():
        begun = max((ends[other] for other in task.depends_on), default=at)
        end = plan.after(task, begun, _seconds(truth, plan, task, dice))
        silo = plan.operation(task).silo
        if troubles and silo == LINES and begun < OUTAGE[1] and end > OUTAGE[0]:
            end += OUTAGE[1] - max(begun, OUTAGE[0])
        if troubles and north and silo == TECHNICIANS and begun < STRIKE[1] and end > STRIKE[0]:
            left = plan.worked_s(task, max(begun, STRIKE[0]), end)
            end = plan.after(task, STRIKE[1], left)
        ends[key] = end
        seen.append((Work(silo, task.operation, Verb.PROVISION), plan.worked_s(task, begun, end), end))
    return max(ends.values()), seen


def _seconds(truth: Truth, plan: OrderPlan, task: Task, dice: random.Random) -> float:
    usual_h, tail = truth.get(plan.operation(task).silo, OTHERS)
    return 3600 * usual_h * math.exp(math.log(tail) / Z_SAFE * dice.gauss(0, 1))


def _best(truth: Truth, plan: OrderPlan, at: datetime, seed: int) -> timedelta:
    """The soonest date that is kept nine times in ten, for one who knows how chance works here, but for troubles."""
    dice = random.Random(seed)
    ends = sorted(_carried_out(truth, plan, at, dice, troubles=False)[0] for _ in range(TRIALS))
    return ends[TRIALS * 9 // 10] - at


async def run(_: Benched, plan: Plan) -> Part:
    """The month, as a part of the report."""
    months = {name: month(truth, ORDERS // 10 if plan.quick else ORDERS) for name, truth in TRUTHS.items()}
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
