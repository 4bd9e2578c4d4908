"""Appointments of a revision: one for each of its sites at most, and none that nobody would keep."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from orders.change.request import ItemUpdate
from orders.model.catalog import Catalog, TaskTemplate
from orders.model.expressions import references
from orders.model.order import Appointment, Reason, Rejection, RequestedItem, Revision
from orders.model.plan import Plan


def with_appointments(revision: Revision, made: Iterable[Appointment]) -> tuple[Appointment, ...]:
    """The appointments of a revision with those made anew, which take the place of older ones."""
    return tuple({appointment.site: appointment for appointment in (*revision.appointments, *made)}.values())


def appointments_of(asked: Iterable[RequestedItem | ItemUpdate], revision: Revision) -> list[Appointment]:
    """The appointments that items ask for, at the sites where a revision has them.

    Raises:
        Rejection: where an item has no site, or others at its site ask for another hour.
    """
    made: dict[str, Appointment] = {}
    reasons: list[Reason] = []
    items = revision.by_id()
    for each in asked:
        slot, item = each.wishes.appointment, items.get(each.id)
        if slot is None or item is None:
            continue
        if item.site is None:
            message = f"item {each.id}: {item.offering} is installed at no site, where somebody could be expected"
            reasons.append(Reason(code="no_visit", item=each.id, message=message))
            continue
        appointment = Appointment(site=item.site.id, **dict(slot))
        if made.setdefault(item.site.id, appointment) != appointment:
            message = f"item {each.id}: another item at site {item.site.id} has another appointment"
            reasons.append(Reason(code="appointments_differ", item=each.id, message=message))
    if reasons:
        raise Rejection(reasons)
    return list(made.values())


def at_its_sites(revision: Revision) -> Revision:
    """The revision without appointments at sites that nothing of it is at any more."""
    sites = {item.site.id for item in revision.items if item.site}
    kept = tuple(appointment for appointment in revision.appointments if appointment.site in sites)
    return revision.model_copy(update={"appointments": kept})


def require_visits(catalog: Catalog, revision: Revision, plan: Plan, made: Collection[Appointment]) -> None:
    """See that a task of the plan asks for each appointment.

    Raises:
        Rejection: naming each site where nothing is done by appointment.
    """
    if made:
        visited = set(_visited(catalog, revision, plan))
        reasons = [
            Reason(code="no_visit", message=f"nothing of the order is done by appointment at a site {appointment.site}")
            for appointment in made
            if appointment.site not in visited
        ]
        if reasons:
            raise Rejection(reasons)


def by_appointment(template: TaskTemplate) -> bool:
    """True where a task asks for the appointment at its site."""
    return any(
        reference.namespace == "appointment" or reference.name.startswith("appointment.")
        for given in template.inputs.values()
        for reference in references(given.value)
    )


def _visited(catalog: Catalog, revision: Revision, plan: Plan) -> Iterator[str]:
    sites = {item.id: item.site.id for item in revision.items if item.site}
    for task in plan.tasks.values():
        specification, _, name = task.operation.rpartition("/")
        known = catalog.specifications.get(specification)
        template = known.tasks.get(name) if known else None
        if template is not None and by_appointment(template):
            yield from (sites[item] for item in task.items if item in sites)
