"""How long work has really taken, from what the timeline of an order tells that has ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from orders.model.catalog import Catalog, Silo
from orders.model.values import Verb
from orders.planning.scheduling.appointments import by_appointment
from orders.promising.calendars import calendar_of
from orders.promising.figures import Work, kind_of, template_of
from orders.read_model.course import End
from orders.read_model.timeline import TimelineEntry
from orders.read_model.views import ItemView, OrderView


class Measured(NamedTuple):
    """Work that took so many seconds of its silo's working time, and when it was done."""

    work: Work
    seconds: float
    at: datetime


def measured(catalog: Catalog, view: OrderView, timeline: Iterable[TimelineEntry]) -> Iterator[Measured]:
    """All work that an order has seen to its end. What is done by appointment tells of that alone, and is left out."""
    items = {item.id: item for item in view.items}
    visited = {appointment.site for appointment in view.appointments}
    for entry in timeline:
        yield from _of_task(catalog, entry, items, visited)


def _of_task(
    catalog: Catalog, entry: TimelineEntry, items: Mapping[str, ItemView], visited: Collection[str]
) -> Iterator[Measured]:
    silo, operation = catalog.silos.get(entry.silo), entry.task.partition("/")[2]
    template = template_of(catalog, operation)
    if silo is None:
        return
    told: list[tuple[Verb, datetime, datetime]] = []
    if entry.begun and entry.ended and entry.end in (End.DONE, End.UNDONE):
        told.append((Verb.AMEND if entry.amended else Verb.PROVISION, entry.begun, entry.ended))
    if entry.undo_begun and entry.undo_ended and entry.end is End.UNDONE:
        told.append((Verb.COMPENSATE, entry.undo_begun, entry.undo_ended))
    if template is not None and by_appointment(template) and entry.site in visited:
        return
    first = next((items[item] for item in entry.items if item in items), None)
    by = template.duration_by if template is not None else None
    of = kind_of(by, first.offering, first.site) if by is not None and first is not None else ""
    for verb, begun, ended in told:
        seconds = _worked_s(silo, begun, ended)
        for kind in dict.fromkeys(("", of)):
            yield Measured(Work(entry.silo, operation, verb, kind), seconds, ended)


def _worked_s(silo: Silo, begun: datetime, ended: datetime) -> float:
    if silo.hours is None:
        return (ended - begun).total_seconds()
    return calendar_of(silo.hours, begun).between(begun, ended)
