"""What passes between a silo's workflow, its activities, the workers and the API."""

from __future__ import annotations

from pydantic import TypeAdapter

from orders.health.condition import Condition, Terms
from orders.health.steering import SiloCommand
from orders.model.silos.breaker import Breaker
from orders.model.values import Frozen
from orders.model.writing.reading import read_as


class SiloFails(Frozen):
    """A worker finds that a silo fails: the signal `fails`. What it has counted stands in the register."""

    worker: str
    terms: Terms


_SILO_FAILS: TypeAdapter[SiloFails] = TypeAdapter(SiloFails)


def read_failure(content: object) -> SiloFails:
    """What somebody sent as such; see `read_as`."""
    return read_as(_SILO_FAILS, content)


class SteerSilo(Frozen):
    """The update `steer`: what somebody wants of a silo, and what the catalog says of that now."""

    command: SiloCommand
    terms: Terms


class Steered(Frozen):
    """What came of it: the condition that is in force then, or why it cannot be done."""

    condition: Condition
    misfit: str = ""


class Judged(Frozen):
    """The question whether a silo is to be left alone, by what all workers have counted."""

    silo: str
    breaker: Breaker


class Applied(Frozen):
    """A condition to be put in force: so many calls a second, or as many as are granted, and why."""

    condition: Condition
    rate: float | None = None
    reason: str = ""
