"""Whether what silos can do makes sense: what it is of, what it is told apart by, and when visits can be."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orders.model.catalog import Catalog, Protocol
from orders.model.silos.capacity import Capacity, Per, Slots
from orders.planning.scheduling.appointments import by_appointment


def capacity_problems(catalog: Catalog, capacity: Capacity) -> Iterator[tuple[str, str]]:
    """(field, reason) of everything wrong with a capacity."""
    silo = catalog.silos.get(capacity.silo)
    if silo is None:
        yield "silo", f"there is no silo {capacity.silo!r}"
        return
    templates = [
        template
        for specification in catalog.specifications.values()
        for template in specification.tasks.values()
        if (template.silo, template.operation) == (capacity.silo, capacity.operation)
    ]
    if not templates:
        yield "operation", f"no task asks {capacity.silo} for {capacity.operation}"
        return
    if catalog.capacity_of(capacity.silo, capacity.operation) is not capacity:
        yield "operation", f"what {capacity.silo} can do of {capacity.operation} is told already"
    for field, source in (("place", capacity.place), ("kind", capacity.kind)):
        where, _, name = (source or "").partition(".")
        if where == "input" and not any(name in template.inputs for template in templates):
            yield field, f"no task that asks for {capacity.operation} has an input {name}"
    if capacity.slots is None:
        return
    if not any(map(by_appointment, templates)):
        yield "slots", f"no task asks for {capacity.operation} by appointment"
    if capacity.slots.offers and silo.protocol is not Protocol.TMF641:
        yield "slots.offers", "only silos of the protocol tmf641 are asked for slots"
    if capacity.per is not Per.DAY:
        yield "per", "visits are had anew each day"
    yield from _slots(capacity, capacity.slots)


def _slots(capacity: Capacity, slots: Slots) -> Iterator[tuple[str, str]]:
    for field, zone in (("zone", slots.zone), *((f"zones.{place}", zone) for place, zone in slots.zones.items())):
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield f"slots.{field}", f"{zone} is no time zone of the IANA database"
    if slots.offers:
        if slots.windows:
            yield "slots.windows", "has no effect: the silo offers its own"
        return
    if not slots.windows or not slots.days:
        yield "slots.windows", "where the silo offers no slots, there are windows, on some day"
    if capacity.number is None and not capacity.numbers:
        yield "number", "where the silo offers no slots, it is said how many visits there are a day"
    if any(one.end > other.start for one, other in zip(slots.windows, slots.windows[1:], strict=False)):
        yield "slots.windows", "are in the order of the day, and do not overlap"
