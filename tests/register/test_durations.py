"""What the register learns of durations: from each order that has ended, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from catalog_loader.catalog_files import read_catalog
from orders.model.catalog import Catalog, DurationBy, Silo
from orders.model.silos.working_hours import Hours
from orders.model.values import Verb
from orders.promising.figures import Work
from orders.promising.sketch import ENOUGH
from orders.read_model.course import End
from orders.read_model.states import TaskState
from orders.read_model.timeline import TimelineEntry
from register import Register
from settings import ROOT
from tests.given.registers import NOON, a_record

SHIPPED = read_catalog(ROOT / "catalog")
CATALOG = SHIPPED.model_copy(
    update={"silos": {name: silo.model_copy(update={"hours": None}) for name, silo in SHIPPED.silos.items()}}
)
"""Without working hours, so that it is the same on all days of the week."""
VISIT = Work("field-service", "installation/visit-site", Verb.PROVISION)
MANY = int(ENOUGH) + 10


def visited(order: str, hours: float = 2, **told: Any) -> TimelineEntry:
    entry: dict[str, Any] = {
        "task": f"{order}.1/installation/visit-site",
        "title": "Visit",
        "silo": "field-service",
        "state": TaskState.DONE,
        "items": ("1",),
        "site": "home",
        "begun": NOON,
        "ended": NOON + timedelta(hours=hours),
        "end": End.DONE,
    }
    return TimelineEntry.model_validate({**entry, **told})


def ended(register: Register, number: int, **told: Any) -> None:
    order = f"O{number}"
    record = a_record(1, order_id=order).model_copy(update={"timeline": (visited(order, **told),)})
    register.records.record(record)


def test_what_was_seen_often_enough_is_what_is_planned_by(register: Register) -> None:
    for number in range(MANY):
        ended(register, number, hours=1 if number < MANY / 2 else 5)
    assert register.durations.figures(NOON).takes == {}
    assert register.durations.learn(CATALOG) == MANY
    takes = register.durations.figures(NOON + timedelta(hours=5)).takes[VISIT]
    assert 0.9 * 3600 < takes.likely_s < 5.5 * 3600
    assert 4.5 * 3600 < takes.safe_s < 5.5 * 3600


def test_an_order_teaches_once(register: Register) -> None:
    ended(register, 1)
    assert [register.durations.learn(CATALOG) for _ in range(3)] == [1, 0, 0]
    [sketch] = register.durations.sketches().values()
    assert sum(sketch.weights.values()) == 1


def test_what_was_not_done_teaches_nothing_and_what_was_undone_or_changed_is_told_apart(register: Register) -> None:
    ended(register, 1, end=End.REFUSED)
    ended(register, 2, end=End.UNDONE, undo_begun=NOON, undo_ended=NOON + timedelta(hours=1))
    ended(register, 3, amended=True)
    register.durations.learn(CATALOG)
    assert {work.verb for work in register.durations.sketches()} == {Verb.PROVISION, Verb.COMPENSATE, Verb.AMEND}


def test_a_timeline_that_cannot_be_read_is_passed_over(register: Register) -> None:
    ended(register, 1)
    ended(register, 2)
    register.records.delete("O2", NOON)
    assert register.durations.learn(CATALOG) == 1


def test_hours_of_the_silo_and_the_place_count_where_the_catalog_says_so(register: Register) -> None:
    ended(register, 1, ended=NOON + timedelta(days=1))  # From Sunday to Monday, at noon.
    register.durations.learn(careful(CATALOG))
    [(work, sketch)] = [(work, each) for work, each in register.durations.sketches().items() if work.of == ""]
    assert work == VISIT
    assert 0.9 * 4 * 3600 < sketch.quantile(0.5) < 1.1 * 4 * 3600


def careful(catalog: Catalog) -> Catalog:
    """The same, with hours for visits."""
    silo: Silo = catalog.silos["field-service"].model_copy(update={"hours": Hours()})
    specification = catalog.specifications["installation"]
    template = specification.tasks["visit-site"].model_copy(update={"duration_by": DurationBy.OFFERING})
    tasks = {**specification.tasks, "visit-site": template}
    return catalog.model_copy(
        update={
            "silos": {**catalog.silos, "field-service": silo},
            "specifications": {
                **catalog.specifications,
                "installation": specification.model_copy(update={"tasks": tasks}),
            },
        }
    )
