"""What the care API tells of an order: its items, silos, fallout, tasks and history, instants in UTC."""

from __future__ import annotations

from datetime import datetime

from pydantic import JsonValue

from api.care.change_bodies import ToldChange, ToldReason
from api.tmf.response_model import Told
from api.tmf.times import InstantOut
from orders.read_model.states import LifecycleState, TaskState


class ToldSite(Told):
    """Where an item is installed."""

    id: str
    address: dict[str, JsonValue]


class ToldAppointment(Told):
    """When somebody comes to a site, by the clock of its time zone."""

    site: str
    start: datetime
    end: datetime | None
    time_zone: str


class ToldItem(Told):
    """An order item, and how many of its tasks are done."""

    id: str
    offering: str
    action: str
    state: LifecycleState
    quantity: int
    products: tuple[str, ...]
    characteristics: dict[str, JsonValue]
    site: ToldSite | None
    parent: str | None
    relies_on: tuple[str, ...]
    tasks: int
    tasks_done: int


class ToldSilo(Told):
    """How far a silo has come."""

    silo: str
    tasks: int
    done: int
    fallout: int


class ToldFallout(Told):
    """A call that waits for a person. A change of kind retry with this task tries it again."""

    task: str
    silo: str
    verb: str
    code: str
    reason: str
    since: str


class ToldOrder(Told):
    """An order for a care agent. `webUi` is its workflow in Temporal's Web UI, `tasks` the address of its tasks."""

    id: str
    href: str
    external_id: str
    customer_id: str
    channel: str
    state: LifecycleState
    revision: int
    catalog: str
    ordered_at: InstantOut
    requested_start: InstantOut | None
    requested_completion: InstantOut | None
    promised_at: InstantOut | None
    expected_at: InstantOut | None
    completed_at: InstantOut | None
    in_jeopardy: bool
    items: tuple[ToldItem, ...]
    silos: tuple[ToldSilo, ...]
    fallout: tuple[ToldFallout, ...]
    appointments: tuple[ToldAppointment, ...]
    changes: tuple[ToldChange, ...]
    reasons: tuple[ToldReason, ...]
    product_order: str
    tasks: str
    web_ui: str


class ToldFact(Told):
    """One generation of a task: what the silo is known to hold, or will."""

    generation: int
    state: str
    inputs: dict[str, JsonValue]
    outputs: dict[str, JsonValue]
    built_on: dict[str, int]
    since: str


class ToldTask(Told):
    """A task of the target, or one that is still to be undone."""

    key: str
    silo: str
    operation: str
    state: TaskState
    items: tuple[str, ...]
    builds_on: tuple[str, ...]
    after: tuple[str, ...]
    facts: tuple[ToldFact, ...]


class ToldTasks(Told):
    """A page of tasks. `nextOffset` is null on the last one."""

    tasks: tuple[ToldTask, ...]
    total: int
    next_offset: int | None


class ToldTransition(Told):
    """A move from state to state, of an item or (without `item`) of the order. `cause` is what led to it."""

    number: int
    at: InstantOut
    item: str | None
    before: str | None
    after: str
    cause: str


class ToldHistory(Told):
    """A page of moves, out of `total`."""

    transitions: tuple[ToldTransition, ...]
    total: int
