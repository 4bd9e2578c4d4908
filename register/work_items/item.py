"""A work item as the register has it, and what can be asked of the list of them. Free of SQL."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from orders.model.characteristic import Characteristic
from orders.model.values import Frozen, Inputs, Verb
from orders.read_model.work_state import WorkState


class WorkAct(StrEnum):
    """What has become of a work item, as its story names it, beside what all work for people has."""

    OPENED = "opened"
    CHANGED = "changed"
    CALLED_OFF = "calledOff"
    FALLEN_AWAY = "fallenAway"
    DONE = "done"
    REFUSED = "refused"


class Asked(Frozen):
    """What an order asks people for with one call: which is number `number` on the thing `service`."""

    order_id: str
    service: str
    number: int
    silo: str
    operation: str
    title: str
    instructions: str = ""
    group: str | None = None
    due_at: datetime | None = None
    inputs: Inputs = Field(default_factory=dict)
    form: dict[str, Characteristic] = Field(default_factory=dict)


class WorkItem(Frozen):
    """What people are asked to do about one thing: to make it, to change it, or (verb `compensate`) to undo it.

    `number` is that of the call that counts now, `older` are those that it took over.
    """

    id: str
    service: str
    order_id: str
    silo: str
    operation: str
    state: WorkState
    verb: Verb
    number: int
    older: tuple[int, ...]
    established: bool
    title: str
    instructions: str
    inputs: Inputs
    form: dict[str, Characteristic]
    outputs: Inputs
    code: str
    reason: str
    opened_at: datetime
    due_at: datetime | None
    begun_at: datetime | None
    over_at: datetime | None
    claimed_by: str | None
    claimed_at: datetime | None
    group: str | None

    @property
    def is_gone(self) -> bool:
        """True where nothing is there any more, nor is to come."""
        undone = self.verb is Verb.COMPENSATE and self.state is WorkState.DONE
        return self.state is WorkState.FALLEN_AWAY or undone

    def key(self, number: int) -> str:
        """The idempotency key of a call on its thing."""
        return f"{self.service}/{number}"


def item_id(service: str) -> str:
    """The id of the work item for a thing: always the same, and fit for an address."""
    return hashlib.sha256(service.encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose work items somebody sees: those of no group and of these. None: all."""

    groups: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class WorkQuery:
    """A page of the work items that fit: all that is given has to hold. What is due first comes first."""

    state: tuple[WorkState, ...] = (WorkState.OPEN,)
    order: str | None = None
    silo: str | None = None
    operation: str | None = None
    group: str | None = None
    claimed: bool | None = None
    claimed_by: str | None = None
    due_before: datetime | None = None
    sight: Sight | None = None
    offset: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class WorkPage:
    """The work items asked for, as many as fit into a page's bytes, and how many fit in all."""

    items: tuple[WorkItem, ...]
    total: int
