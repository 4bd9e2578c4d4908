"""What the care API takes and tells of bulk work: what many orders are asked for, and what became of it with each."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue, model_validator

from api.care.customers.customer_bodies import OrderSearch
from api.care.fallout.fallout_bodies import FalloutSearch
from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from api.tmf.tmf622.shapes import TmfBody
from orders.change.request import ChangeKind, RequestId
from orders.model.budget import LONGEST_TEXT
from orders.model.instants import Instant
from orders.model.values import Priority
from orders.model.writing.text import Line, Name, Text
from orders.read_model.jobs.bulk import FASTEST, BulkState, JobState, StopAt
from orders.read_model.states import LifecycleState

Why = Annotated[Text, Field(max_length=LONGEST_TEXT)]


class ActionBody(TmfBody):
    """What each order is asked for: `retry`, `hold`, `release`, `changePriority`, `cancel` or `reschedule`.

    `retry` is about all that one `silo` has refused of the order: that of the query, unless another is named.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: ChangeKind
    silo: Line | None = None
    priority: Priority | None = None
    requested_start_date: Instant | None = None
    requested_completion_date: Instant | None = None


class StopAtBody(TmfBody):
    """How many failures stop a job: a `number`, or a `share` of what was decided, once that are 20 orders."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    number: Annotated[int, Field(ge=1, le=100_000)] | None = None
    share: Annotated[float, Field(gt=0, le=1)] | None = None


class BulkBody(TmfBody):
    """What all orders are asked for that fit a query: `fallout` or `orders`, each with the filters of its list.

    With the `digest` of a dry run it begins with just those orders, or not at all. It asks `rate` orders a second at
    most. Failures are orders that reject, and those that a silo refuses (again): half of them stop it unless
    `stopAt` says otherwise, and an empty one says that none do.

    The same `requestId` begins one job; without it the header Idempotency-Key counts, or a new one is made.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    request_id: RequestId | None = None
    requester: Name = ""
    channel: Name = ""
    reason: Annotated[Why, Field(min_length=1)]
    fallout: FalloutSearch | None = None
    orders: OrderSearch | None = None
    action: ActionBody
    rate: Annotated[float, Field(ge=0.1, le=FASTEST)] = 5.0
    stop_at: StopAtBody = StopAtBody(share=0.5)
    digest: Name | None = None

    @model_validator(mode="after")
    def _says_of_which(self) -> BulkBody:
        if (self.fallout is None) == (self.orders is None):
            raise ValueError("says of which orders: by fallout or by orders, and just one of them")
        return self


class SteerBody(TmfBody):
    """Who stops a job, or has it pause or go on, and why. Where there are tokens, they say who."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    requester: Name = ""
    reason: Why = ""


class SampledOrderResponse(ResponseModel):
    """One of the orders that a job would be over."""

    order_id: str
    href: str
    external_id: str
    customer_id: str
    channel: str
    state: LifecycleState


class BulkPreviewResponse(ResponseModel):
    """What a job would be over now: how many orders, the first few, and a digest that the job can be held to."""

    total: int
    digest: str
    sample: tuple[SampledOrderResponse, ...]


class ActionResponse(ResponseModel):
    """What each order is asked for."""

    kind: ChangeKind
    silo: str | None
    priority: int | None
    requested_start: InstantOut | None
    requested_completion: InstantOut | None


class JobResponse(ResponseModel):
    """A job and how far it is. `counts` has its orders by state, `accepted` those that have said yes.

    `sought` is the query. Who has stopped it, or paused it, is `stoppedBy`, empty where it was the job itself. All were
    asked at `askedUntil`, or it was stopped then; what came of all is known since `settledAt`. `told` says it in words,
    line by line.
    """

    id: str
    href: str
    orders: str
    web_ui: str
    state: JobState
    action: ActionResponse
    sought: dict[str, JsonValue]
    requester: str
    channel: str
    reason: str
    rate: float
    stop_at: StopAt
    total: int
    accepted: int
    counts: dict[BulkState, int]
    created_at: InstantOut
    stopped_by: str
    why: str
    asked_until: InstantOut | None
    settled_at: InstantOut | None
    told: tuple[str, ...]


class JobsResponse(ResponseModel):
    """A page of jobs, the latest first. `nextOffset` is null on the last one."""

    jobs: tuple[JobResponse, ...]
    total: int
    next_offset: int | None


class BulkOrderResponse(ResponseModel):
    """One order of a job: where it is, and why it rejects, or the code that a silo refused it with.

    `change` is the request in the order's log of changes.
    """

    order_id: str
    href: str
    change: str
    state: BulkState
    code: str
    message: str
    asked_at: InstantOut | None
    decided_at: InstantOut | None
    settled_at: InstantOut | None


class BulkOrdersResponse(ResponseModel):
    """A page of a job's orders, in the order in which they are asked. `nextOffset` is null on the last one."""

    orders: tuple[BulkOrderResponse, ...]
    total: int
    next_offset: int | None
