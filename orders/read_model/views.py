"""What an order tells about itself: the answers to the workflow's queries and the care API."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from orders.change.request import Verdict
from orders.model.order import Appointment, Reason, Site
from orders.model.values import Frozen, Money, ProductStatus
from orders.read_model.answer import Answer
from orders.read_model.jeopardy import JeopardyView
from orders.read_model.states import LifecycleState, TaskState


class ItemView(Frozen):
    """One order item, with its state and how many of its tasks are done. Removed items stay, as cancelled.

    `status` is what its products are to be: active, or suspended. `amended` names what changes have made different
    about it, see `orders.fulfilment.amended`. It is likely done by `expected_at`, and nine times in ten by `safe_at`.
    """

    id: str
    offering: str
    action: str
    state: LifecycleState
    quantity: int
    products: tuple[str, ...]
    characteristics: dict[str, JsonValue]
    site: Site | None = None
    parent: str | None = None
    relies_on: tuple[str, ...] = ()
    status: str = ProductStatus.ACTIVE
    billing_account: str | None = None
    amended: tuple[str, ...] = ()
    tasks: int = 0
    tasks_done: int = 0
    expected_at: datetime | None = None
    safe_at: datetime | None = None


class SiloView(Frozen):
    """How far one silo has come with its tasks of the target."""

    silo: str
    tasks: int
    done: int
    fallout: int


class FalloutView(Frozen):
    """A call that waits for a person: what was refused, by which silo and why. `id` is that of the fallout."""

    id: str = ""
    task: str
    silo: str
    verb: str
    code: str
    reason: str
    since: str


class GivenView(Frozen):
    """What a silo has given out that people know a thing by, such as a telephone number or that of a parcel.

    `items` are those that it is for: of a parcel all that are in it.
    """

    task: str
    silo: str
    name: str
    value: str
    items: tuple[str, ...]
    since: str


class FeeState(StrEnum):
    """How a fee stands that a change has accepted."""

    PENDING = "pending"
    """What it pays for is still to be undone, or it is not billed yet."""
    BILLED = "billed"
    NOT_OWED = "notOwed"
    """Nothing was undone for it: a later change or a silo has spared that, or a person wrote it off."""


class FeeView(Frozen):
    """A fee, and the change that has accepted it."""

    change: str
    fee: Money
    state: FeeState


class OrderView(Frozen):
    """An order in summary: small, whatever the number of its tasks.

    `document` is the digest of the form that it has outside, as accepted changes have left it, and `submitted` that of
    what it was at first. `body` is the document itself, where it was looked up in the register: no workflow has it.

    An order that was rejected says its `reasons`, and so does one that waits for products, while it does; neither is
    promised for anything. So does one that is held because its workflow was ended from outside. `problems` are what no
    silo and no customer is to blame for, while they last; they are not recorded. `ending` is one that has come to its
    end by its own account: it is told like that once the register knows. `answer` is where it is, and why.

    It is likely done by `expected_at`, and nine times in ten by `safe_at`. `percent_complete` counts tasks by the
    time that they take. `jeopardy` is the danger that its promise is in.
    """

    id: str
    external_id: str
    customer_id: str
    channel: str
    state: LifecycleState
    revision: int
    catalog: str
    ordered_at: datetime
    requested_start: datetime | None
    requested_completion: datetime | None
    promised_at: datetime | None
    expected_at: datetime | None
    completed_at: datetime | None
    in_jeopardy: bool
    items: tuple[ItemView, ...]
    silos: tuple[SiloView, ...]
    fallout: tuple[FalloutView, ...]
    changes: tuple[Verdict, ...]
    priority: int = 4
    reasons: tuple[Reason, ...] = ()
    document: str = ""
    submitted: str = ""
    body: dict[str, JsonValue] | None = None
    appointments: tuple[Appointment, ...] = ()
    problems: tuple[Reason, ...] = ()
    ending: bool = False
    fees: tuple[FeeView, ...] = ()
    answer: Answer = Answer()
    given: tuple[GivenView, ...] = ()
    safe_at: datetime | None = None
    percent_complete: int | None = None
    jeopardy: JeopardyView | None = None

    @property
    def slack_s(self) -> int | None:
        """How many seconds it may come later than expected, to keep its promise; negative where it cannot."""
        if self.promised_at is None or self.expected_at is None:
            return None
        return int((self.promised_at - self.expected_at).total_seconds())

    def verdict_on(self, request_id: str | None) -> Verdict | None:
        """The verdict on the change of that request, if it was decided, or is being assessed."""
        return next((verdict for verdict in self.changes if verdict.request_id == request_id), None)


class FactView(Frozen):
    """One generation of a task: what the silo is known to hold, or will."""

    generation: int
    state: str
    inputs: dict[str, JsonValue]
    outputs: dict[str, JsonValue]
    built_on: dict[str, int]
    since: str


class TaskView(Frozen):
    """One task of the target, or one that the ledger still holds facts of."""

    key: str
    silo: str
    operation: str
    state: TaskState
    items: tuple[str, ...]
    builds_on: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    facts: tuple[FactView, ...] = ()


class PlanPage(Frozen):
    """A page of the order's tasks. `next_offset` is None on the last one."""

    tasks: tuple[TaskView, ...]
    total: int
    next_offset: int | None


class ItemOutlook(Frozen):
    """What a change means for one item that it touches.

    `until` is the instant at which `possible` or `fees` are expected to get worse, None where nothing more is to come.
    A fee for a task that several items share is told with each of them. `asks` are tasks whose silos have to let go.
    """

    item: str
    possible: bool
    until: datetime | None = None
    fees: tuple[Money, ...] = ()
    asks: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
