"""What an order has asked of silos, and will still ask: by operation, place and kind, with the likely and the safe day.

A record tells how many tasks of each silo and of each item are done, and names those under way. Which ones are done
follows from that and the order of the plan, but for tasks of one silo that are as good as each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from orders.demand.days import days_ahead
from orders.model.catalog import Awaited, Catalog
from orders.model.order import OrderRequest, RequestedItem, Revision, Site
from orders.model.plan import Operation, Plan, Task
from orders.model.silos.capacity import Capacity, told
from orders.model.values import Action
from orders.planning.capture import Baseline, baseline_of
from orders.planning.decompose import decompose
from orders.planning.installed import InstalledProduct
from orders.planning.scheduling.visits import template_of
from orders.promising.figures import Figures, with_figures
from orders.read_model.states import LifecycleState
from orders.read_model.timeline import TimelineEntry
from orders.read_model.views import OrderView

IN_FLIGHT = (
    LifecycleState.ACKNOWLEDGED,
    LifecycleState.IN_PROGRESS,
    LifecycleState.HELD,
    LifecycleState.PENDING,
    LifecycleState.ASSESSING_CANCELLATION,
)
"""The states of orders that may still ask something of silos."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that an order asks for. `asked` is the day on which it was, None while it is still to be.

    The days are those on which it is had: of a visit when somebody comes, of anything else when it is asked for. They
    are days of the clock at the place. `starts` is when the appointment of a visit begins.
    """

    task: str
    silo: str
    operation: str
    place: str
    kind: str
    likely: date
    safe: date
    asked: date | None = None
    starts: datetime | None = None


def needs_in_flight(
    sold_from: Catalog,
    capacities: Catalog,
    view: OrderView,
    revision: Revision,
    installed: Iterable[InstalledProduct],
    figures: Figures,
    now: datetime,
) -> list[Need]:
    """What an order in flight has asked for, and will still ask for if nothing is changed.

    What is left as it was found, or only amended, draws nothing. The days go by what was learned of durations.

    Raises:
        Rejection: if it cannot be planned as it was, since what it found installed is gone.
    """
    baseline = _baseline(sold_from, view, revision, installed)
    plan = decompose(sold_from, view.id, revision, baseline.revision, baseline.plan)
    plan = with_figures(plan, revision, sold_from, figures, now)
    done, under_way = done_tasks(plan, view), {line.task: line for line in view.answer.now}
    since = {key: line.since for key, line in under_way.items() if line.since is not None}
    days = days_ahead(plan, max(now, revision.requested_start or now), done, since)
    appointed = {made.site: made.start for made in revision.appointments}
    found: list[Need] = []
    for key, task in plan.tasks.items():
        operation, site, before = plan.operation(task), _site_of(task, revision), baseline.plan.tasks.get(key)
        if before is not None and operation.is_same_thing(before.inputs, task.inputs):
            continue
        visit = operation.awaits is Awaited.VISIT
        starts = appointed.get(site.id) if visit and site is not None else None
        asked = now if key in done else since.get(key)
        # Whatever it usually takes, an appointment says when a visit is.
        at = starts or (now if key in done else days[key].likely)
        found.append(
            _need(
                capacities.capacity_of(operation.silo, operation.operation),
                operation,
                task,
                site,
                at if asked is None or visit else asked,
                days[key].safe if asked is None and starts is None else at,
                asked,
                starts,
            )
        )
    return found


def needs_of_ended(
    sold_from: Catalog,
    capacities: Catalog,
    view: OrderView,
    timeline: Iterable[TimelineEntry],
    known: Mapping[str, Need],
) -> Iterator[Need]:
    """What an order that has ended has asked for, by its timeline; `known` is what was worked out in flight."""
    sites = {item.site.id: item.site for item in view.items if item.site is not None}
    for entry in timeline:
        template = template_of(sold_from, "/".join(entry.task.rsplit("/", 2)[-2:]))
        if entry.begun is None or entry.found or template is None:
            continue
        capacity = capacities.capacity_of(entry.silo, template.operation)
        site = sites.get(entry.site or "")
        before = known.get(entry.task)
        visit = template.awaits is Awaited.VISIT
        place = told(capacity.place, site.address, {}) if capacity is not None and site is not None else ""
        place = place or (before.place if before is not None else "")
        zone = zone_of(capacity, place)
        had = entry.ended if visit and entry.ended is not None else entry.begun
        day = had.astimezone(zone).date()
        yield Need(
            task=entry.task,
            silo=entry.silo,
            operation=template.operation,
            place=place,
            kind=before.kind if before is not None else "",
            likely=day,
            safe=day,
            asked=entry.begun.astimezone(zone).date(),
        )


def done_tasks(plan: Plan, view: OrderView) -> set[str]:
    """The tasks of a plan that are done, by what a record tells."""
    is_open = {line.task for line in view.answer.now} | {each.task for each in view.fallout}
    is_open |= {line.task for line in view.answer.next}
    left = Counter({silo.silo: silo.done for silo in view.silos})
    of_items = Counter({item.id: item.tasks_done for item in view.items})
    done: set[str] = set()
    for by_items in (True, False):
        for key, task in plan.tasks.items():
            silo = plan.operation(task).silo
            if key in done or key in is_open or not left[silo] or not done.issuperset(task.depends_on):
                continue
            if by_items and any(of_items[item] <= 0 for item in task.items):
                continue
            done.add(key)
            left[silo] -= 1
            of_items.subtract(task.items)
    return done


def zone_of(capacity: Capacity | None, place: str) -> ZoneInfo:
    """The clock by which days are counted at a place."""
    slots = capacity.slots if capacity is not None else None
    return ZoneInfo(slots.zone_of(place) if slots is not None else "UTC")


def _need(
    capacity: Capacity | None,
    operation: Operation,
    task: Task,
    site: Site | None,
    likely: datetime,
    safe: datetime,
    asked: datetime | None,
    starts: datetime | None,
) -> Need:
    address = site.address if site is not None else {}
    place = told(capacity.place, address, task.inputs) if capacity is not None else ""
    zone = zone_of(capacity, place)
    return Need(
        task=task.key,
        silo=operation.silo,
        operation=operation.operation,
        place=place,
        kind=told(capacity.kind, address, task.inputs) if capacity is not None else "",
        likely=likely.astimezone(zone).date(),
        safe=max(safe, likely).astimezone(zone).date(),
        asked=asked.astimezone(zone).date() if asked is not None else None,
        starts=starts,
    )


def _site_of(task: Task, revision: Revision) -> Site | None:
    items = revision.by_id() if task.items else {}
    return next((site for item in task.items if item in items and (site := items[item].site) is not None), None)


def _baseline(
    sold_from: Catalog, view: OrderView, revision: Revision, installed: Iterable[InstalledProduct]
) -> Baseline:
    """What the order found installed, by the products that its revision names."""
    named = [
        RequestedItem(id=f"{item.id}-{n}", action=Action.NO_CHANGE, product=product)
        for item in revision.items
        if item.action is not Action.ADD
        for n, product in enumerate(item.products)
    ]
    named = named or [RequestedItem(id="none")]
    request = OrderRequest(
        external_id=view.external_id, channel=view.channel, customer_id=view.customer_id, items=tuple(named)
    )
    return baseline_of(sold_from, request, installed)
