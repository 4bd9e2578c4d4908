"""The plan: the tasks that a revision calls for, as a directed acyclic graph. Plain values, worked out by `decompose`.

Plans are worked out outside workflow code and handed in complete: what a task's operation needs of the catalog (queue,
timeouts, what a change means, points of no return) comes along in `Plan.operations` and `Plan.silos`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orders.model.catalog import Awaited, Identity, OnChange, PointOfNoReturn, Replacement, Silo, Undo
from orders.model.silos.working_hours import Calendar
from orders.model.values import Inputs

BILLING = "charges/bill-fee"
"""The operation that bills a fee; every plan brings it along, for fees that may come."""


def product_of(key: str) -> str:
    """The scope of a task key: the id of its product, unless products share it."""
    return key.split("/", 1)[0]


@dataclass(frozen=True, slots=True)
class Operation:
    """What all tasks of one template share: who does it, and what changing it means.

    `name` is `specification/task`; people are told of it by its `title`, and that they wait for what it `awaits`.
    `duration_s` is the usual time to completion, in seconds. `exclusive` names inputs of whose values there is only one
    at a time in the silo. `milestone` is what the world is told when it is done.
    `outputs` are what the silo gives back, every one of them; `identities` are those that identify the thing, `shown`
    those that people are told. `by_hand` names inputs that a person may give for a call that was refused.
    """

    name: str
    silo: str
    operation: str
    on_change: dict[str, OnChange]
    replacement: Replacement
    undo: Undo
    amend_while_waiting: bool
    duration_s: float
    point_of_no_return: PointOfNoReturn | None = None
    exclusive: tuple[str, ...] = ()
    milestone: str | None = None
    outputs: tuple[str, ...] = ()
    identities: dict[str, Identity] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    title: str = ""
    awaits: Awaited = Awaited.SILO

    @property
    def words(self) -> str:
        """What people call it. Orders that were planned before tasks had titles are told by the task's name."""
        return self.title or self.name.rpartition("/")[2].replace("-", " ").capitalize()

    def missing(self, outputs: Inputs) -> list[str]:
        """The declared outputs that are not among these, or null."""
        return [name for name in self.outputs if outputs.get(name) is None]

    def meaning(self, name: str) -> OnChange:
        """What another value of an input means."""
        return self.on_change.get(name, OnChange.AMEND)

    def told(self, outputs: Inputs) -> dict[str, str]:
        """What people are told of these outputs, in words."""
        values = {name: outputs.get(name) for name in self.shown}
        return {name: str(value) for name, value in values.items() if isinstance(value, str | int) and value != ""}

    def is_same_thing(self, one: Inputs, other: Inputs) -> bool:
        """True where inputs are of the same thing, amended at most."""
        replaced = [name for name, meaning in self.on_change.items() if meaning is OnChange.REPLACE]
        return all(one.get(name) == other.get(name) for name in replaced)

    def asking_for(self, outputs: Inputs) -> Inputs:
        """The inputs that ask for the very thing that has these outputs, as far as the silo can be asked."""
        return {
            identity.asked_by: outputs[name]
            for name, identity in self.identities.items()
            if identity.asked_by is not None and outputs.get(name) is not None
        }

    def asked_outputs(self, sent: Inputs) -> Inputs:
        """The outputs that a call asks for by their values."""
        asked = {name: sent.get(identity.asked_by or "") for name, identity in self.identities.items()}
        return {name: value for name, value in asked.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Takes:
    """How long a task takes as a rule, and at most nine times in ten; in seconds of its silo's working time."""

    likely_s: float
    safe_s: float


ALLOWANCE = 1.1
"""How many times its usual duration a task may take, where nobody has measured yet how long it really does."""


@dataclass(frozen=True, slots=True)
class OutputRef:
    """An input that another task's output decides. `many` keeps it a list, whatever the number of tasks."""

    tasks: tuple[str, ...]
    output: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One unit of silo work. Its key `scope id/specification/task` is stable for life.

    `appointed_until` is when the appointment ends by which it is done, if there is one.
    """

    key: str
    operation: str
    items: tuple[str, ...]
    products: tuple[str, ...]
    inputs: Inputs = field(default_factory=dict)
    refs: dict[str, OutputRef] = field(default_factory=dict)
    builds_on: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    release_after: tuple[str, ...] = ()
    appointed_until: datetime | None = None

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Every task that this one waits for, whatever the kind of edge."""
        return self.builds_on + self.after

    @property
    def product(self) -> str | None:
        """The product that it belongs to, for life. None for a task that products of an order share."""
        return product_of(self.key) if self.products == (product_of(self.key),) else None


@dataclass(frozen=True, slots=True)
class Plan:
    """The tasks of one revision, in an order in which every task stands after those that it depends on.

    `suspended` are tasks that are not to be begun for now. What is held of them goes, and what waits for them is left
    as it is. Nothing else will be wanted after a `final` one: nothing is kept in case that it is wanted again.

    `durations` are those that were learned, as they were known when this was planned: by operation, or by task where
    that matters. `calendars` are those of silos that have hours. Neither says what is wanted: they are not compared.
    """

    tasks: dict[str, Task] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    silos: dict[str, Silo] = field(default_factory=dict)
    suspended: tuple[str, ...] = ()
    final: bool = False
    durations: dict[str, Takes] = field(default_factory=dict, compare=False)
    calendars: dict[str, Calendar] = field(default_factory=dict, compare=False)

    def operation(self, task: Task) -> Operation:
        """The operation that a task performs."""
        return self.operations[task.operation]

    def learned(self, task: Task) -> Takes | None:
        """How long a task really takes, if enough was seen of its kind."""
        return (self.durations.get(task.key) or self.durations.get(task.operation)) if self.durations else None

    def takes(self, task: Task) -> Takes:
        """How long a task takes: as was learned, or as the catalog says."""
        usual_s = self.operation(task).duration_s
        return self.learned(task) or Takes(usual_s, ALLOWANCE * usual_s)

    def calendar(self, task: Task) -> Calendar | None:
        """When its silo works, unless that is always."""
        return self.calendars.get(self.operation(task).silo) if self.calendars else None

    def after(self, task: Task, at: datetime, seconds: float) -> datetime:
        """When so much work on a task is done that can begin at an instant."""
        calendar = self.calendar(task)
        return calendar.after(at, seconds) if calendar is not None else at + timedelta(seconds=seconds)

    def before(self, task: Task, at: datetime, seconds: float) -> datetime:
        """When so much work on a task has to begin at the latest to be done by an instant."""
        calendar = self.calendar(task)
        return calendar.before(at, seconds) if calendar is not None else at - timedelta(seconds=seconds)

    def worked_s(self, task: Task, since: datetime, until: datetime) -> float:
        """How much of a task's working time lies between two instants, in seconds."""
        calendar = self.calendar(task)
        return calendar.between(since, until) if calendar is not None else (until - since).total_seconds()
