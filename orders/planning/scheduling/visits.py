"""The visits that an order calls for, and those that an offering would: where, by whom, and the appointment made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from orders.model.catalog import Catalog, TaskTemplate
from orders.model.order import Appointment, Reason, Rejection, Revision, Site, TimeSlot
from orders.model.plan import Plan
from orders.model.silos.capacity import Capacity, Weekday, told
from orders.model.writing.wording import Sentence, joined
from orders.planning.items import with_defaults
from orders.planning.scheduling.appointments import by_appointment
from orders.planning.shared_tasks import applies_when

MOST_NAMED = 3
"""How many slots are named in place of one that is taken."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit: what is asked of which silo, at what site, and the appointment there if one is made.

    `task` is its key, empty before there is an order. `inputs` are those of its call that are known beforehand.
    """

    silo: str
    operation: str
    title: str
    site: Site
    task: str = ""
    inputs: Mapping[str, JsonValue] | None = None
    appointment: Appointment | None = None

    def place(self, capacity: Capacity) -> str:
        """Where it is, as capacities are told apart."""
        return told(capacity.place, self.site.address, self.inputs or {})

    def kind(self, capacity: Capacity) -> str:
        """Of what kind it is, likewise."""
        return told(capacity.kind, self.site.address, self.inputs or {})


class FreeSlot(TimeSlot):
    """A slot that somebody can have, by its `id` among those of its place, and how many could, where that is known."""

    id: str
    left: int | None = None

    @property
    def over(self) -> datetime:
        """When it is over."""
        return self.end or self.start

    def covers(self, made: TimeSlot) -> bool:
        """True where an appointment begins in it, and does not outlast it."""
        return self.start <= made.start < self.over and (made.end is None or made.end <= self.over)


def visits_of(catalog: Catalog, revision: Revision, plan: Plan) -> Iterator[Visit]:
    """The visits of a plan, which is of an order sold from this catalog."""
    items = revision.by_id()
    made = {appointment.site: appointment for appointment in revision.appointments}
    for task in plan.tasks.values():
        template = template_of(catalog, task.operation)
        sites = (items[item].site for item in task.items if item in items)
        site = next((site for site in sites if site is not None), None)
        if template is None or site is None or not by_appointment(template):
            continue
        operation = plan.operation(task)
        yield Visit(
            silo=operation.silo,
            operation=operation.operation,
            title=operation.words,
            site=site,
            task=task.key,
            inputs=task.inputs,
            appointment=made.get(site.id),
        )


def chosen_anew(catalog: Catalog, revision: Revision, plan: Plan, before: Collection[Appointment] = ()) -> list[Visit]:
    """The visits of a plan at appointments that were not made before."""
    visits = visits_of(catalog, revision, plan)
    return [visit for visit in visits if visit.appointment is not None and visit.appointment not in before]


def visits_for(catalog: Catalog, name: str, given: Mapping[str, JsonValue], site: Site) -> list[Visit]:
    """The visits that an offering calls for at a site, each once.

    Raises:
        Rejection: if nothing of that name is sold.
    """
    offering = catalog.offerings.get(name)
    if offering is None:
        raise Rejection([Reason(code="unknown_offering", message=f"there is no offering {name}")])
    parts = [component.default for component in offering.bundle.values()] if offering.bundle else [name]
    found: dict[tuple[str, str], Visit] = {}
    for sold in (catalog.offerings[part] for part in parts if part is not None):
        if sold.specification is None:
            continue
        values = with_defaults(catalog, sold, given)
        for _, template in catalog.templates(sold.specification):
            if by_appointment(template) and applies_when(template, values):
                visit = Visit(template.silo, template.operation, template.title or template.name, site)
                found.setdefault((template.silo, template.operation), visit)
    return list(found.values())


def template_of(catalog: Catalog, operation: str) -> TaskTemplate | None:
    """The template of an operation of a plan, `specification/task`, where the catalog has it."""
    specification, _, name = operation.rpartition("/")
    known = catalog.specifications.get(specification)
    return known.tasks.get(name) if known is not None else None


def windows_left(
    capacity: Capacity, place: str, begin: datetime, end: datetime, had: Collection[tuple[date, datetime | None]]
) -> Iterator[FreeSlot]:
    """The windows between two instants in which somebody can come, where the silo offers no slots of its own.

    `had` are the visits that there are, by day, with when their appointments begin. One without takes its day's
    capacity, in whatever window.
    """
    slots, number = capacity.slots, capacity.number_of(place)
    if slots is None or number is None or not slots.windows:
        return
    name = slots.zone_of(place)
    zone, days, starts = ZoneInfo(name), Counter(day for day, _ in had), [at for _, at in had if at is not None]
    share, rest = divmod(number, len(slots.windows))
    day = begin.astimezone(zone).date()
    while day <= end.astimezone(zone).date():
        open_ = tuple(Weekday)[day.weekday()] in slots.days
        for n, window in enumerate(slots.windows if open_ else ()):
            start, over = datetime.combine(day, window.start, zone), datetime.combine(day, window.end, zone)
            taken = sum(start <= at < over for at in starts)
            left = min(share + (n < rest) - taken, number - days[day])
            if left > 0 and begin <= start < end:
                yield FreeSlot(id=f"{place}-{start:%Y%m%dT%H%M}", start=start, end=over, time_zone=name, left=left)
        day += timedelta(days=1)


_THE_NEXT_ARE: Final = Sentence("Nobody can come then any more. The next are {slots}")
_NONE_IS_FREE: Final = Sentence("Nobody can come then any more. None is free in the weeks after it")


def slot_taken(visit: Visit, wanted: TimeSlot, free: Iterable[FreeSlot]) -> Reason:
    """Why an appointment cannot be had, with the next ones that can."""
    following = [slot.wording for slot in sorted(free, key=lambda slot: slot.start)[:MOST_NAMED]]
    others = f"the next are {joined(following)}" if following else "none is free in the weeks after it"
    message = f"nobody can come to site {visit.site.id} at {wanted.words}: {others}"
    words = _THE_NEXT_ARE(slots=joined(following)) if following else _NONE_IS_FREE()
    return Reason(code="slot_taken", message=message, task=visit.task or None, words=words)


def not_before(plan: Plan, days: Mapping[str, datetime]) -> Plan:
    """The plan with visits that nobody has chosen a slot for expected no sooner than there is one: to promise by."""
    tasks = {
        key: replace(task, appointed_until=days[key]) if key in days and task.appointed_until is None else task
        for key, task in plan.tasks.items()
    }
    return replace(plan, tasks=tasks)
