"""What the care API takes and tells of changes: the request, its impact, previews, options, and the log."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, ConfigDict, JsonValue

from api.care.orders.answer_bodies import AppointmentResponse, SiteResponse
from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from api.tmf.tmf622.bodies import Place, Product, ProductOrderItem
from api.tmf.tmf622.shapes import TmfBody
from orders.change.impact import Effect
from orders.change.reasons import told_once
from orders.change.request import ChangeKind, ChangeState, RequestId, Resolution, RevisionNumber, Subject
from orders.model.instants import Instant, LocalInstant
from orders.model.order import Reason, TimeZone
from orders.model.values import Money, Priority, Quantity
from orders.model.writing.identifiers import Identifier
from orders.model.writing.json_values import JsonObject
from orders.model.writing.text import Line, Name, Text
from orders.model.writing.wording import Wording


class ChangedItem(TmfBody):
    """What is to be different about an item; what is left out stays. `drop` names products to give up.

    Characteristics come as a map, or in TMF622's form within `product`; the site as `place`, or within `product` too.
    There may also be its `status` and its `billingAccount`.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    id: Line
    offering: Line | None = None
    characteristics: JsonObject = {}
    quantity: Quantity | None = None
    drop: tuple[Line, ...] = ()
    place: Place | None = None
    product: Product = Product()


class AppointmentBody(TmfBody):
    """When somebody is to come to a site. `start` and `end` carry its offset from UTC; `timeZone` is an IANA name."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    site: Identifier
    start: LocalInstant
    end: LocalInstant | None = None
    time_zone: TimeZone


class ChangeBody(TmfBody):
    """A change asked for; the kind says which fields it may carry.

    `amend` adds, updates and removes items, and may do all of a `reschedule` (requested dates, `appointments`) and of
    `changePriority`. `add` holds TMF622 items, related to what the order has by reliesOn and bundledBy. `cancelItems`
    names `items`; `cancel` is for the whole order. `replace`, `retry` and `resolve` name a `task`; `retry` may name a
    `silo` instead, and then everything of the order that it refused is tried again. With `inputs` that the catalog lets
    people give, the one call that is tried again carries those.

    `changePromise` has the order promised for `promisedAt`, which is still to come, and needs a `reason`. The plan
    stays as it is, and the customer is told.

    `acceptFee` is the fee that a preview told, `digest` its digest: with it the change is refused if the impact is not
    what was previewed any more.

    The same `requestId` is decided once; without it the header Idempotency-Key counts, or a new one is made.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    request_id: RequestId | None = None
    kind: ChangeKind
    requester: Name = ""
    channel: Name = ""
    reason: Text = ""
    expected_revision: RevisionNumber | None = None
    add: tuple[ProductOrderItem, ...] = ()
    update: tuple[ChangedItem, ...] = ()
    remove: tuple[Line, ...] = ()
    items: tuple[Line, ...] = ()
    requested_start_date: Instant | None = None
    requested_completion_date: Instant | None = None
    appointments: tuple[AppointmentBody, ...] = ()
    priority: Priority | None = None
    promised_at: Instant | None = None
    cascade: bool = False
    accept_fee: Money | None = None
    digest: Name | None = None
    task: Line | None = None
    silo: Line | None = None
    resolution: Resolution | None = None
    inputs: JsonObject = {}
    outputs: JsonObject = {}


class ReasonResponse(ResponseModel):
    """Why a change was refused, with the task that it is about, and the items: `item` is the first of them.

    `words` are for a customer, and `wordsWording` for one who speaks another language; `message` is for whoever works
    with the order.
    """

    code: str
    message: str
    words: str
    words_wording: Wording
    item: str | None
    items: tuple[str, ...]
    task: str | None


def _once(reasons: object) -> object:
    """The core has a reason for each item. What a client reads was told once already."""
    if isinstance(reasons, tuple) and all(isinstance(each, Reason) for each in reasons):
        return told_once(each for each in reasons if isinstance(each, Reason))
    return reasons


Reasons: TypeAlias = Annotated[tuple[ReasonResponse, ...], BeforeValidator(_once)]
"""Each reason once, however many items it is about."""


class TaskImpactResponse(ResponseModel):
    """What becomes of one task, with the values that differ.

    What is `planned` otherwise no silo has heard of yet.
    """

    task: str
    title: str
    silo: str
    items: tuple[str, ...]
    effect: Effect
    before: dict[str, JsonValue]
    after: dict[str, JsonValue]


class ObstacleResponse(ResponseModel):
    """A point of no return that the change steps over: refused, or at a fee."""

    task: str
    title: str
    silo: str
    items: tuple[str, ...]
    effect: Effect
    since: str
    fee: Money | None


class SparedResponse(ResponseModel):
    """A fee of an earlier `change` that is not owed with this one: nothing is undone for it."""

    change: str
    fee: Money


class ImpactResponse(ResponseModel):
    """What a change does, task by task; tasks of `asks` are let go by their silos first, or the change is refused.

    `spared` are fees of earlier changes that are not owed any more.
    """

    tasks: tuple[TaskImpactResponse, ...]
    obstacles: tuple[ObstacleResponse, ...]
    asks: tuple[str, ...]
    spared: tuple[SparedResponse, ...]


class ImpactSummaryResponse(ResponseModel):
    """What a change did in short: by silo how many tasks met which effect. What it names are the first of many."""

    effects: dict[str, dict[Effect, int]]
    fees: tuple[Money, ...]
    obstacles: tuple[ObstacleResponse, ...]
    asks: tuple[str, ...]
    spared: tuple[SparedResponse, ...]
    digest: str


class ItemOutlookResponse(ResponseModel):
    """What the change means for one item: `until` is when that is expected to get worse, null if it is not.

    A fee for a task that several items share is told with each of them. `asks` are tasks whose silos must let go first.
    """

    item: str
    possible: bool
    until: InstantOut | None
    fees: tuple[Money, ...]
    asks: tuple[str, ...]
    reasons: Reasons


class PricesResponse(ResponseModel):
    """What the catalog asks for a month and once, one sum for each currency."""

    month: tuple[Money, ...]
    once: tuple[Money, ...]


class ItemTermsResponse(ResponseModel):
    """What an item gives the customer. A component costs nothing beside its bundle's price."""

    offering: str
    title: str
    quantity: int
    characteristics: dict[str, JsonValue]
    status: str
    site: SiteResponse | None
    appointment: AppointmentResponse | None
    prices: PricesResponse


class ItemDifferenceResponse(ResponseModel):
    """An item that the change makes different: without `before` it is new, without `after` it goes."""

    item: str
    before: ItemTermsResponse | None
    after: ItemTermsResponse | None


class ComparisonResponse(ResponseModel):
    """The items that differ for the customer, and what the order costs in all, before and after."""

    items: tuple[ItemDifferenceResponse, ...]
    before: PricesResponse
    after: PricesResponse


class PreviewResponse(ResponseModel):
    """What a change would do now, and what would be said to it.

    `comparison` is what differs for the customer, `words` all of it to be read aloud, and `wordsWording` the
    same for other languages. `expectedBefore` and `promisedBefore` are what is expected and promised without the
    change.
    """

    state: ChangeState
    revision: int
    reasons: Reasons
    fees: tuple[Money, ...]
    digest: str | None
    impact: ImpactResponse | None
    expected_before: InstantOut | None
    expected_at: InstantOut | None
    promised_before: InstantOut | None
    promised_at: InstantOut | None
    items: tuple[ItemOutlookResponse, ...]
    comparison: ComparisonResponse
    words: tuple[str, ...]
    words_wording: tuple[Wording, ...]


class OptionResponse(ResponseModel):
    """One change that could be asked for now, by a request of this `kind`, and what it would meet.

    `name` is the characteristic, site, task or silo, `value` what it would become: null where any other value means the
    same. `until` is when the answer is expected to get worse, null if it is not. `whyFees` says what fees are for.
    `asks` are tasks whose silos must let go first, `along` items that go with a removed one. Of fallout, `value` is the
    way to set it right, and `takes` what the request needs beside that.
    """

    kind: ChangeKind
    subject: Subject
    name: str | None
    value: JsonValue
    possible: bool
    until: InstantOut | None
    fees: tuple[Money, ...]
    why_fees: tuple[str, ...]
    asks: tuple[str, ...]
    along: tuple[str, ...]
    takes: tuple[str, ...]
    reasons: Reasons


class ItemOptionsResponse(ResponseModel):
    """What may be changed about one item."""

    item: str
    offering: str
    options: tuple[OptionResponse, ...]


class OptionsResponse(ResponseModel):
    """What may be changed about an order, told on the first page, and about a page of its items.

    The next page is the one from `nextOffset` on, without `nextSkip` options of its first item: null on the last one.
    """

    revision: int
    order: tuple[OptionResponse, ...]
    items: tuple[ItemOptionsResponse, ...]
    next_offset: int | None
    next_skip: int


class ChangeResponse(ResponseModel):
    """An entry of an order's log of changes. `revision` is the order's after it.

    `askedAt` is the instant of arrival, `decidedAt` that of the last decision: empty while the change waits for one.
    `promisedAt` is the date that a `changePromise` asked for.
    """

    request_id: str
    kind: ChangeKind | None
    state: ChangeState
    revision: int
    reasons: Reasons
    impact: ImpactSummaryResponse | None
    requester: str
    channel: str
    reason: str
    expected_revision: int | None
    asked_at: str
    decided_at: str
    promised_at: InstantOut | None


class ChangesResponse(ResponseModel):
    """An order's log of changes, in the order of decision; those still to be decided stand at the end."""

    changes: tuple[ChangeResponse, ...]
    revision: int


class UndecidedChange(ResponseModel):
    """A change that is still being assessed. It will be decided: see the entry of the order's log at `href`."""

    request_id: str
    state: Literal["assessing"] = "assessing"
    href: str
