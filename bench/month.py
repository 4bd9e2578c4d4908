"""A simulated month of orders on the core's own plans and dates, with silos that take their time.

Nothing runs here but the core, and chance with a seed. It is learned from as workers do, for two weeks before.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final, TypeAlias

from api.tmf.tmf622.request import to_request
from bench.kinds import Kind as OrderKind
from bench.kinds import new_body, triple_play
from catalog_loader.catalog_files import read_catalog
from orders.fulfilment.snapshot import OrderStart
from orders.fulfilment.starting import prepare
from orders.model.catalog import Catalog
from orders.model.plan import Plan as OrderPlan
from orders.model.plan import Task
from orders.model.silos.working_hours import Hours
from orders.model.values import Verb
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
KIND: Final = OrderKind("triple", "triple play", triple_play, orders=1, in_flight=1)
AHEAD_DAYS: Final = 14
"""For how many days ahead an order may be for a later start."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """One order of the month: submitted `at` an instant, begun with at `begin`, and when each task began and ended.

    `hit` is one that the strike met. `figures` are what was known of durations that day.
    """

    number: int
    at: datetime
    begin: datetime
    hit: bool
    begun: Mapping[str, datetime]
    ends: Mapping[str, datetime]
    figures: Figures

    @property
    def done(self) -> datetime:
        """When all of it was done."""
        return max(self.ends.values())


@cache
def catalog() -> Catalog:
    """The shipped catalog, but that technicians alone have hours: they work by day, and have Sundays and holidays."""
    shipped = read_catalog(ROOT / "catalog")
    hours = {TECHNICIANS: HOURS}
    silos = {name: silo.model_copy(update={"hours": hours.get(name)}) for name, silo in shipped.silos.items()}
    return shipped.model_copy(update={"silos": silos})


@cache
def start() -> OrderStart:
    """The order that all of them are like, planned by the catalog's fixed durations."""
    return prepare(catalog(), to_request(new_body(KIND)), FIRST)


def usual() -> OrderPlan:
    """Its plan by the hours of the silos, which all know."""
    return planned(USUAL, FIRST)


def planned(figures: Figures, at: datetime) -> OrderPlan:
    """Its plan by what is known of durations and hours."""
    return with_figures(start().plan, start().revision, catalog(), figures, at)


def ordered(truth: Truth, orders: int = ORDERS, seed: int = 7, dated: float = 0.0) -> Iterator[Ordered]:
    """The orders of the month and of the two weeks before it; a share of them `dated`: for a later start."""
    dice, dates, plan = random.Random(seed), random.Random(f"dates of {seed}"), usual()
    sketches: dict[Work, Sketch] = {}
    ended: list[tuple[datetime, int, list[tuple[Work, float, datetime]]]] = []
    figures, figures_of = USUAL, date.min
    every = MONTH / orders
    for number in range(int((BEFORE + MONTH) / every)):
        at = FIRST - BEFORE + every * number
        while ended and ended[0][0] <= at:
            for work, seconds, when in heapq.heappop(ended)[2]:
                sketches[work] = sketches.get(work, Sketch()).seen(seconds, when)
        if at.date() != figures_of:
            figures_of = at.date()
            told = {work: sketch.takes(at) for work, sketch in sketches.items()}
            figures = Figures({work: takes for work, takes in told.items() if takes is not None})
        north, later = dice.random() < NORTH, dates.random() < dated
        begin = at + timedelta(days=dates.uniform(1, AHEAD_DAYS)) if later else at
        begun, ends = carried_out(truth, plan, begin, dice, north=north)
        order = Ordered(
            number=number,
            at=at,
            begin=begin,
            hit=north and at < STRIKE[1] and max(ends.values()) > STRIKE[0],
            begun=begun,
            ends=ends,
            figures=figures,
        )
        heapq.heappush(ended, (order.done, number, _seen(plan, begun, ends)))
        yield order


def carried_out(
    truth: Truth, plan: OrderPlan, at: datetime, dice: random.Random, *, north: bool = False, troubles: bool = True
) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """When each task of an order began and ended that is begun with at an instant."""
    starts: dict[str, datetime] = {}
    ends: dict[str, datetime] = {}
    for key, task in plan.tasks.items():
        begun = max((ends[other] for other in task.depends_on), default=at)
        end = plan.after(task, begun, _seconds(truth, plan, task, dice))
        silo = plan.operation(task).silo
        if troubles and silo == LINES and begun < OUTAGE[1] and end > OUTAGE[0]:
            end += OUTAGE[1] - max(begun, OUTAGE[0])
        if troubles and north and silo == TECHNICIANS and begun < STRIKE[1] and end > STRIKE[0]:
            left = plan.worked_s(task, max(begun, STRIKE[0]), end)
            end = plan.after(task, STRIKE[1], left)
        starts[key], ends[key] = begun, end
    return starts, ends


def _seen(
    plan: OrderPlan, begun: Mapping[str, datetime], ends: Mapping[str, datetime]
) -> list[tuple[Work, float, datetime]]:
    """How long each task of an order took, of its silo's working time."""
    return [
        (
            Work(plan.operation(task).silo, task.operation, Verb.PROVISION),
            plan.worked_s(task, begun[key], ends[key]),
            ends[key],
        )
        for key, task in plan.tasks.items()
    ]


def _seconds(truth: Truth, plan: OrderPlan, task: Task, dice: random.Random) -> float:
    usual_h, tail = truth.get(plan.operation(task).silo, OTHERS)
    return 3600 * usual_h * math.exp(math.log(tail) / Z_SAFE * dice.gauss(0, 1))
