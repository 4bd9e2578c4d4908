"""What the care API tells of customers, and of orders in a list."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from api.care.customers.message_bodies import MessageResponse
from api.care.orders.answer_bodies import ShortAnswer, SiteResponse
from api.care.orders.care_bodies import FeeResponse, GivenResponse
from api.care.orders.change_bodies import ChangeResponse
from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from orders.model.instants import Instant
from orders.model.values import ProductStatus
from orders.model.writing.text import NO_NUL, Line
from orders.model.writing.words import LONGEST_QUESTION, readings
from orders.read_model.answer import WaitsFor
from orders.read_model.states import LifecycleState

Word = Annotated[str, Field(max_length=256, pattern=NO_NUL)]


def _readable(question: str) -> str:
    readings(question)
    return question


Question = Annotated[
    Line,
    Field(
        max_length=LONGEST_QUESTION,
        description="words that an order has all of: names, telephone numbers, streets and towns, ids, offerings, "
        "serial and tracking numbers, or how they begin",
        examples=["Mueller Lindenweg 7", "0151 234-567"],
    ),
    AfterValidator(_readable),
]


OrderSort: TypeAlias = Literal[
    "orderedAt",
    "-orderedAt",
    "promisedAt",
    "-promisedAt",
    "expectedAt",
    "-expectedAt",
    "completedAt",
    "-completedAt",
    "state",
    "-state",
    "customer",
    "-customer",
    "channel",
    "-channel",
]
"""What a list of orders is sorted by; after a minus the last comes first. What an order does not have comes last."""


class OrderSearch(BaseModel):
    """What orders are looked for by; all of it has to hold. A list holds alternatives.

    `offering` is that of any item, `silo` one with a call that waits for a person.
    """

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    q: Question | None = None

    customer: Word | None = None
    channel: Word | None = None
    external_id: Word | None = None
    state: list[LifecycleState] = []
    offering: Word | None = None
    silo: Word | None = None
    in_jeopardy: bool | None = None
    waits_for: list[WaitsFor] = []
    ordered_from: Instant | None = None
    ordered_before: Instant | None = None


class OrderListSearch(OrderSearch):
    """The same, in which order, and which part of all that is found."""

    sort: OrderSort = "-orderedAt"
    offset: Annotated[int, Field(ge=0, lt=2**31)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class ListedOrder(ResponseModel):
    """An order in a list; `href` has it in full. `fallout` are the silos with a call that waits for a person.

    `silos` are those with anything that is under way or awaited, as far as the answer names it. It is likely done by
    `expectedAt`, nine times in ten by `safeAt`, and `slackS` seconds before what is promised.
    """

    id: str
    href: str
    external_id: str
    customer_id: str
    channel: str
    state: LifecycleState
    revision: int
    offerings: tuple[str, ...]
    ordered_at: InstantOut
    promised_at: InstantOut | None
    expected_at: InstantOut | None
    safe_at: InstantOut | None
    slack_s: int | None
    percent_complete: int | None
    completed_at: InstantOut | None
    in_jeopardy: bool
    fallout: tuple[str, ...]
    silos: tuple[str, ...]
    answer: ShortAnswer


class ListedOrders(ResponseModel):
    """A page of orders. `nextOffset` is null on the last one."""

    orders: tuple[ListedOrder, ...]
    total: int
    next_offset: int | None


class OpenChange(ResponseModel):
    """A change that is being assessed, or that was accepted and is being carried out."""

    order_id: str
    change: ChangeResponse


class ProductResponse(ResponseModel):
    """A product that the customer has or had, as the last order left it."""

    id: str
    status: ProductStatus
    offering: str
    specification: str | None
    characteristics: dict[str, JsonValue]
    site: SiteResponse | None
    given: dict[str, str]
    bundle: str | None
    relies_on: tuple[str, ...]
    order_id: str
    item_id: str
    started_at: InstantOut | None
    ended_at: InstantOut | None


class CustomerFee(FeeResponse):
    """A fee of one of the customer's orders."""

    order_id: str


class CustomerGiven(GivenResponse):
    """What was given out for one of the customer's orders."""

    order_id: str


class CustomerResponse(ResponseModel):
    """Everything about a customer in one answer, whichever channel it came from and whichever asks.

    Of more than a thousand orders it tells the latest; `totalOrders` counts them all. `notifications` are the messages
    that the customer was sent, or is to be, the latest first.
    """

    id: str
    orders: tuple[ListedOrder, ...]
    total_orders: int
    open_changes: tuple[OpenChange, ...]
    products: tuple[ProductResponse, ...]
    notifications: tuple[MessageResponse, ...]
    fees: tuple[CustomerFee, ...]
    given: tuple[CustomerGiven, ...]


class Search(BaseModel):
    """What anything is looked for by, and which part of all that is found."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    q: Question
    offset: Annotated[int, Field(ge=0, lt=2**31)] = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class FoundOrder(ListedOrder):
    """An order that was found, with what tells a caller's from others: whom it names, and where, and what was given."""

    names: tuple[str, ...]
    places: tuple[str, ...]
    given: tuple[GivenResponse, ...]


class FoundCustomer(ResponseModel):
    """A customer of orders that were found; `href` has everything about them."""

    id: str
    href: str
    names: tuple[str, ...]


class FoundResponse(ResponseModel):
    """A page of orders, the latest first, and the customers whose they are. `nextOffset` is null on the last one."""

    customers: tuple[FoundCustomer, ...]
    orders: tuple[FoundOrder, ...]
    total: int
    next_offset: int | None
