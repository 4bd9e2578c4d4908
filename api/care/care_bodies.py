"""What the care API tells of an order: its items, silos, fallout, tasks and history, instants in UTC."""

from __future__ import annotations

from pydantic import JsonValue

from api.care.answer_bodies import AnswerResponse, AppointmentResponse
from api.care.change_bodies import ChangeResponse, ReasonResponse
from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from orders.model.values import Money
from orders.read_model.states import LifecycleState, TaskState
from orders.read_model.views import FeeState


class SiteResponse(ResponseModel):
    """Where an item is installed."""

    id: str
    address: dict[str, JsonValue]


class ItemResponse(ResponseModel):
    """An order item, and how many of its tasks are done."""

    id: str
    offering: str
    action: str
    state: LifecycleState
    quantity: int
    products: tuple[str, ...]
    characteristics: dict[str, JsonValue]
    site: SiteResponse | None
    parent: str | None
    relies_on: tuple[str, ...]
    tasks: int
    tasks_done: int


class SiloResponse(ResponseModel):
    """How far a silo has come."""

    silo: str
    tasks: int
    done: int
    fallout: int


class FalloutResponse(ResponseModel):
    """A call that waits for a person. A change of kind retry with this task tries it again."""

    task: str
    silo: str
    verb: str
    code: str
    reason: str
    since: str


class FeeResponse(ResponseModel):
    """A fee, and the change that has accepted it. Not owed is one for which nothing was undone."""

    change: str
    fee: Money
    state: FeeState


class GivenResponse(ResponseModel):
    """What a silo has given out that people know a thing by, such as a telephone number or that of a parcel."""

    task: str
    silo: str
    name: str
    value: str
    items: tuple[str, ...]
    since: str


class OrderResponse(ResponseModel):
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
    answer: AnswerResponse
    items: tuple[ItemResponse, ...]
    silos: tuple[SiloResponse, ...]
    fallout: tuple[FalloutResponse, ...]
    appointments: tuple[AppointmentResponse, ...]
    changes: tuple[ChangeResponse, ...]
    fees: tuple[FeeResponse, ...]
    given: tuple[GivenResponse, ...]
    reasons: tuple[ReasonResponse, ...]
    problems: tuple[ReasonResponse, ...]
    product_order: str
    tasks: str
    web_ui: str


class FactResponse(ResponseModel):
    """One generation of a task: what the silo is known to hold, or will."""

    generation: int
    state: str
    inputs: dict[str, JsonValue]
    outputs: dict[str, JsonValue]
    built_on: dict[str, int]
    since: str


class TaskResponse(ResponseModel):
    """A task of the target, or one that is still to be undone."""

    key: str
    silo: str
    operation: str
    state: TaskState
    items: tuple[str, ...]
    builds_on: tuple[str, ...]
    after: tuple[str, ...]
    facts: tuple[FactResponse, ...]


class TasksResponse(ResponseModel):
    """A page of tasks. `nextOffset` is null on the last one."""

    tasks: tuple[TaskResponse, ...]
    total: int
    next_offset: int | None


class TransitionResponse(ResponseModel):
    """A move from state to state, of an item or (without `item`) of the order. `cause` is what led to it."""

    number: int
    at: InstantOut
    item: str | None
    before: str | None
    after: str
    cause: str


class HistoryResponse(ResponseModel):
    """A page of moves, out of `total`."""

    transitions: tuple[TransitionResponse, ...]
    total: int
