"""What the care API tells of an order: its items, silos, fallout, tasks and history, instants in UTC."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from api.care.orders.answer_bodies import AnswerResponse, AppointmentResponse, SiteResponse
from api.care.orders.change_bodies import ChangeResponse, Reasons
from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from orders.model.values import Money, Verb
from orders.model.writing.wording import Wording
from orders.read_model.answer import WaitsFor
from orders.read_model.course import End
from orders.read_model.jeopardy import JeopardyCause, JeopardyLevel
from orders.read_model.states import LifecycleState, TaskState
from orders.read_model.views import FeeState


class ItemResponse(ResponseModel):
    """An order item, how many of its tasks are done, when the last is likely done, and when nine times in ten."""

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
    expected_at: InstantOut | None
    safe_at: InstantOut | None


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


class JeopardyResponse(ResponseModel):
    """The danger that a promise is in: because of which task, of which silo, since when, and what would help.

    Both sentences have their wordings beside them, as those of the answer.
    """

    level: JeopardyLevel
    cause: JeopardyCause
    what: str
    what_wording: Wording
    task: str | None
    silo: str | None
    helps: str
    helps_wording: Wording
    since: InstantOut | None


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
    safe_at: InstantOut | None
    slack_s: int | None
    percent_complete: int | None
    in_jeopardy: bool
    jeopardy: JeopardyResponse | None
    answer: AnswerResponse
    items: tuple[ItemResponse, ...]
    silos: tuple[SiloResponse, ...]
    fallout: tuple[FalloutResponse, ...]
    appointments: tuple[AppointmentResponse, ...]
    changes: tuple[ChangeResponse, ...]
    fees: tuple[FeeResponse, ...]
    given: tuple[GivenResponse, ...]
    reasons: Reasons
    problems: Reasons
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


class NoReturnResponse(ResponseModel):
    """A task's point of no return: past a hard one changes to it are refused, past a soft one they cost the `fee`.

    It is passed at the `milestone` if it has one, at the latest when the task is done. `expected` is when that usually
    comes about.
    """

    kind: Literal["hard", "soft"]
    fee: Money | None
    milestone: str | None
    passed: bool
    passed_at: InstantOut | None
    expected: InstantOut | None


class TimelineEntryResponse(ResponseModel):
    """One task, begun or still to come, done or undone.

    `begun` and `ended` are about making it, or changing it since if it was `amended`, `undoBegun` and `undoEnded` about
    taking it back; `end` is how the work has ended. `found` is what the order found installed and has left as it is.
    `expectedBegin` is when all that it comes after has ended, or should, `expectedEnd` when it is usually done, and
    `safeEnd` when nine times in ten: null where somebody has to act first. It may be `slackS` seconds late before the
    order is; what is `critical` may not.
    `tried` counts attempts, `refused` calls that were refused. `waitsFor` is told while it is under way, and before
    that the tasks that it is still to come `after`.
    """

    task: str
    title: str
    silo: str
    state: TaskState
    items: tuple[str, ...]
    more_items: int
    site: str | None
    verb: Verb | None
    generation: int | None
    begun: InstantOut | None
    ended: InstantOut | None
    undo_begun: InstantOut | None
    undo_ended: InstantOut | None
    end: End | None
    amended: bool
    found: bool
    expected_begin: InstantOut | None
    expected_end: InstantOut | None
    safe_end: InstantOut | None
    slack_s: int | None
    critical: bool
    no_return: NoReturnResponse | None
    tried: int
    refused: int
    last_error: str | None
    last_error_wording: Wording | None
    next_try: InstantOut | None
    waits_for: WaitsFor | None
    after: tuple[str, ...]
    more_after: int
    milestones: dict[str, str]


class TimelineResponse(ResponseModel):
    """A page of a timeline: what began first comes first. `nextOffset` is null on the last one."""

    tasks: tuple[TimelineEntryResponse, ...]
    total: int
    next_offset: int | None


class TransitionResponse(ResponseModel):
    """A move from state to state, of an item or (without `item`) of the order. `cause` is what led to it.

    Or a `milestone` that the task in `cause` has reached, which moves nothing.
    """

    number: int
    at: InstantOut
    item: str | None
    before: str | None
    after: str
    cause: str
    milestone: str | None


class HistoryResponse(ResponseModel):
    """A page of moves and milestones, out of `total`."""

    transitions: tuple[TransitionResponse, ...]
    total: int
