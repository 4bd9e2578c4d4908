"""What a plan is to go by: how long things take as was learned, and when their silos work, as all that is known now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple

from orders.model.catalog import Catalog, DurationBy, TaskTemplate
from orders.model.order import Revision, Site
from orders.model.plan import Plan, Takes
from orders.model.values import Verb
from orders.promising.calendars import calendar_of

CITY: Final = "city"
"""The field of a site's address that tells the place."""
LONGEST: Final = 100
"""Characters of a place or an offering."""


class Work(NamedTuple):
    """A kind of work: `operation` is `specification/task`, and `of` the place or offering, if that matters."""

    silo: str
    operation: str
    verb: Verb
    of: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """How long kinds of work take, those that were seen often enough."""

    takes: Mapping[Work, Takes] = field(default_factory=dict[Work, Takes])


USUAL: Final = Figures()
"""Where nothing was learned: the catalog's usual durations count."""


def with_figures(plan: Plan, revision: Revision, catalog: Catalog, figures: Figures, now: datetime) -> Plan:
    """The plan with what it is to go by from now on: a little for each kind of work, and nothing where all is usual."""
    if not figures.takes and all(silo.hours is None for silo in catalog.silos.values()):
        return plan
    hours = {name: silo.hours for name in plan.silos if (silo := catalog.silos.get(name)) and silo.hours}
    return replace(
        plan,
        durations=dict(_durations(plan, revision, catalog, figures)) if figures.takes else {},
        calendars={name: calendar_of(told, now) for name, told in hours.items()},
    )


def _durations(plan: Plan, revision: Revision, catalog: Catalog, figures: Figures) -> Iterator[tuple[str, Takes]]:
    for name, operation in plan.operations.items():
        takes = figures.takes.get(Work(operation.silo, name, Verb.PROVISION))
        if takes is not None:
            yield name, takes
    items = revision.by_id()
    for key, task in plan.tasks.items():
        template = template_of(catalog, task.operation)
        first = next((items[item] for item in task.items if item in items), None)
        if template is None or template.duration_by is None or first is None:
            continue
        of = kind_of(template.duration_by, first.offering, first.site)
        takes = figures.takes.get(Work(template.silo, task.operation, Verb.PROVISION, of)) if of else None
        if takes is not None:
            yield key, takes


def template_of(catalog: Catalog, operation: str) -> TaskTemplate | None:
    """The template of an operation, if this catalog has it."""
    specification, _, name = operation.partition("/")
    known = catalog.specifications.get(specification)
    return known.tasks.get(name) if known is not None else None


def kind_of(by: DurationBy, offering: str, site: Site | None) -> str:
    """What a duration depends on, beside the task. Empty where that is not told."""
    if by is DurationBy.OFFERING:
        return offering[:LONGEST]
    city = site.address.get(CITY) if site is not None else None
    return city.strip().casefold()[:LONGEST] if isinstance(city, str) else ""
