"""What can be asked of the register's list of orders. Typed, and free of SQL: other layers map their own words to it.

OrderQuery(
    where=(
        Predicate(OrderField.STATE, Comparison.IN, ("held", "pending")),
        Predicate(OrderField.ORDERED_AT, Comparison.GTE, monday),
        Predicate(BodyPath(("note", "author")), Comparison.EQ, "shop 7"),
    ),
    visible_to=Visibility(channel="shop"),
    limit=50,
)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final, TypeAlias

from orders.model.writing.text import as_json
from orders.model.writing.words import Reading
from orders.read_model.views import OrderView


class OrderField(StrEnum):
    """What orders are found by. Those of items, offerings and fallout hold where any of the order's has the value."""

    ID = "id"
    STATE = "state"
    CUSTOMER_ID = "customer_id"
    CHANNEL = "channel"
    EXTERNAL_ID = "external_id"
    REVISION = "revision"
    CATALOG = "catalog"
    PRIORITY = "priority"
    ORDERED_AT = "ordered_at"
    REQUESTED_START = "requested_start"
    REQUESTED_COMPLETION = "requested_completion"
    PROMISED_AT = "promised_at"
    EXPECTED_AT = "expected_at"
    COMPLETED_AT = "completed_at"
    IN_JEOPARDY = "in_jeopardy"
    WAITS_FOR = "waits_for"
    OFFERING = "offering"
    FALLOUT_SILO = "fallout_silo"
    ITEM_ID = "item_id"
    ITEM_STATE = "item_state"
    ITEM_ACTION = "item_action"
    ITEM_QUANTITY = "item_quantity"

    @property
    def sortable(self) -> bool:
        """True where an order has just one of it."""
        return self not in _SEVERAL


_SEVERAL = (
    OrderField.OFFERING,
    OrderField.FALLOUT_SILO,
    OrderField.ITEM_ID,
    OrderField.ITEM_STATE,
    OrderField.ITEM_ACTION,
    OrderField.ITEM_QUANTITY,
)


class Pair(StrEnum):
    """What a product has by name and value."""

    CHARACTERISTIC = "characteristic"
    RESOURCE = "resource"


class Comparison(Enum):
    """How a value is compared. `IN` takes several values, the others one."""

    EQ = "eq"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IN = "in"


MOST_NAMES: Final = 8
"""In a path: databases walk them one by one, through every list on the way."""


@dataclass(frozen=True, slots=True)
class BodyPath:
    """Names of attributes, one in the other, in the order as it is shown. Lists on the way stand for all their entries.

    Values are compared as the text that they are written with (`true`, `7`, a string as it is); greater and less
    compare numbers with numbers where a number is given, else strings with strings, as ISO 8601 allows for dates. No
    index helps: every order that fits the rest of the query is read.

    Raises:
        ValueError: if it names nothing or too much, or a name holds what none does: a quote, a backslash, a NUL.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check the names."""
        if not 0 < len(self.names) <= MOST_NAMES or any(not name or set(name) & set('"\\\0') for name in self.names):
            raise ValueError(f"{as_json('.'.join(self.names))} is no path of attributes")


Value: TypeAlias = str | int | bool | datetime


@dataclass(frozen=True, slots=True)
class Predicate:
    """One condition. `value` is of the field's own type; of a body path it is a string. All conditions must hold."""

    field: OrderField | BodyPath
    operator: Comparison
    value: Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Visibility:
    """Whose orders may be seen: those that came from a channel, and those of a customer.

    With both, what both see; with neither, nothing. A channel that may see `all_of_customers` sees, beside its own, all
    orders of those who have an order of it that was not rejected.
    """

    channel: str | None = None
    customer: str | None = None
    all_of_customers: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """Ascending, or `descending`. Orders that lack the field come last."""

    field: OrderField
    descending: bool = False


LATEST_FIRST: Final = (Sort(OrderField.ORDERED_AT, descending=True),)


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """A page of the orders that fit. Without `sort` the latest come first; equals are told apart by their ids."""

    where: tuple[Predicate, ...] = ()
    visible_to: Visibility | None = None
    sort: tuple[Sort, ...] = LATEST_FIRST
    offset: int = 0
    limit: int = 100
    with_body: bool = False
    """Whether the orders come with their documents, which can be megabytes of each."""
    words: tuple[Reading, ...] = ()
    """What they are found by, in one way or another to read it; see `orders.model.writing.words`."""

    @property
    def looks_into_documents(self) -> bool:
        """True where an attribute is asked for that has no column."""
        return any(isinstance(predicate.field, BodyPath) for predicate in self.where)

    @property
    def only_words(self) -> bool:
        """True where nothing but words decides what fits, and the latest come first."""
        return bool(self.words) and not self.where and self.visible_to is None and self.sort == LATEST_FIRST

    @property
    def may_take_long(self) -> bool:
        """True where no index is sure to help."""
        return self.looks_into_documents or bool(self.words)


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order as the register has it: JSON, which takes a while to read where it is long."""

    view: str
    body: str | None = None

    def read(self) -> OrderView:
        """The order in summary, with its body if that was asked for."""
        body = None if self.body is None else json.loads(self.body)
        return OrderView.model_validate({**json.loads(self.view), "body": body})


@dataclass(frozen=True, slots=True)
class OrderPage:
    """The orders asked for, as many as fit into a page's bytes, and how many fit in all."""

    stored: tuple[StoredOrder, ...]
    total: int

    @property
    def orders(self) -> tuple[OrderView, ...]:
        """The orders, each read anew."""
        return tuple(each.read() for each in self.stored)

    @property
    def length(self) -> int:
        """How long all that is to be read is."""
        return sum(len(each.view) + len(each.body or "") for each in self.stored)
