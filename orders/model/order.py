"""A product order and its revisions, in TMF622's words but in our own form.

The wire formats are mappings onto these models (`api.tmf`); nothing here knows JSON field names of a standard.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Final, Self, TypeVar

from pydantic import Field, JsonValue, model_validator

from orders.model.instants import Instant, LocalInstant, wall_clock
from orders.model.values import Action, Frozen, Priority, ProductStatus, Quantity
from orders.model.writing.identifiers import Identifier, order_id
from orders.model.writing.json_values import JsonObject
from orders.model.writing.text import Line, Name, Text
from orders.model.writing.wording import Sentence, Wording, Words

TimeZone = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$", max_length=64)]
"""A name of the IANA time zone database, such as `Europe/Berlin`."""


class Site(Frozen):
    """A place where products are installed: its id, and the address fields as the customer gave them."""

    id: Identifier
    address: JsonObject = Field(default_factory=dict)


SLOT: Final = Sentence("{start} to {end} ({zone})")
SLOT_FROM: Final = Sentence("{start} ({zone})")


class TimeSlot(Frozen):
    """When somebody is expected: instants with the site's own offset from UTC, and its IANA time zone.

    Customers and technicians read it on the clock at the site, so it is kept as it was made, not turned into UTC.
    """

    start: LocalInstant
    end: LocalInstant | None = None
    time_zone: TimeZone

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError("an appointment ends after it starts")
        return self

    @property
    def wording(self) -> Wording:
        """For people, by the clock at its site."""
        start = wall_clock(self.start)
        if self.end is None:
            return SLOT_FROM(start=start, zone=self.time_zone)
        return SLOT(start=start, end=self.end.time().isoformat("minutes"), zone=self.time_zone)

    @property
    def words(self) -> str:
        """The same in English."""
        return str(self.wording)


class Appointment(TimeSlot):
    """When somebody is expected at a site."""

    site: Identifier


def require_order(start: datetime | None, completion: datetime | None) -> None:
    """Return if a requested start does not lie after the requested completion.

    Raises:
        ValueError: if it does.
    """
    if start is not None and completion is not None and start > completion:
        raise ValueError("the requested start lies after the requested completion")


class Reason(Frozen):
    """Why something was refused: a code for programs, words for people, and the item and task it is about, if any.

    `words` are for a customer, where there are others than those for whoever works with the order.
    """

    code: str
    message: str
    item: str | None = None
    task: str | None = None
    words: Words = ""


class Wishes(Frozen):
    """What an item asks of its product beside what it is made of, and where. None is no wish.

    `owners` are those who are to have it, and `specification` is of what kind it is said to be. `appointment_ref` is an
    appointment of which only the id is told.
    """

    status: Line | None = None
    billing_account: Line | None = None
    owners: tuple[Line, ...] = ()
    specification: Line | None = None
    appointment: TimeSlot | None = None
    appointment_ref: Line | None = None


class RequestedItem(Frozen):
    """One order item as a channel asks for it, before it is captured.

    `parent` is the item of the bundle that holds this one; `relies_on` are items of the same order that this item
    stands on, `relies_on_products` installed products, and `bundled_by` is an installed bundle. `product` is the id of
    an installed product that `modify`, `delete` and `noChange` speak of; what a `modify` does not name stays as it is.
    """

    id: Identifier
    action: Action = Action.ADD
    offering: Line | None = None
    characteristics: JsonObject = Field(default_factory=dict)
    quantity: Quantity = 1
    site: Site | None = None
    parent: Line | None = None
    relies_on: tuple[Line, ...] = ()
    relies_on_products: tuple[Line, ...] = ()
    bundled_by: Line | None = None
    product: Line | None = None
    wishes: Wishes = Wishes()


class OrderRequest(Frozen):
    """What a channel submits: who wants what, where and when.

    Where another order is changing an installed product that it needs, it waits for that to end if it says so. The
    external id is the channel's own, or `of_customer` the customer's: somebody who stands for one customer must neither
    meet nor learn of the external ids of others.

    Nothing is said of whether it can be carried out. Without a customer, or with `contradictions` that were found when
    it was read, it cannot.
    """

    external_id: Line
    channel: Identifier
    customer_id: Name = ""
    items: Annotated[tuple[RequestedItem, ...], Field(min_length=1)]
    requested_start: Instant | None = None
    requested_completion: Instant | None = None
    priority: Priority = 4
    description: Text = ""
    wait_for_products: bool = False
    of_customer: bool = False
    contradictions: tuple[Reason, ...] = ()

    @property
    def order_id(self) -> str:
        """The order's id, the same whenever the same channel, or its same customer, submits the same external id."""
        return order_id(self.channel, self.external_id, self.customer_id if self.of_customer else None)


class Item(Frozen):
    """An order item of a revision: one offering, its final characteristics, and its products one by one.

    `status` is what its products are to be once the order is done: active, or suspended.
    `given` is what its installed product was given by silos, as far as people are told of it.
    `context`: the order does not name it. It stands for an installed product that is linked with one that is named.
    """

    id: Identifier
    action: Action
    offering: str
    specification: str | None
    characteristics: dict[str, JsonValue]
    products: tuple[str, ...]
    site: Site | None = None
    parent: str | None = None
    relies_on: tuple[str, ...] = ()
    status: ProductStatus = ProductStatus.ACTIVE
    billing_account: str | None = None
    given: dict[str, str] = Field(default_factory=dict)
    context: bool = False

    @property
    def quantity(self) -> int:
        """How many products the item has."""
        return len(self.products)


_Held = TypeVar("_Held", RequestedItem, Item)


class Revision(Frozen):
    """The whole content of an order at one time. Number 0 is the baseline, 1 the order as captured."""

    number: int
    customer_id: Identifier
    channel: Identifier
    items: tuple[Item, ...]
    requested_start: datetime | None = None
    requested_completion: datetime | None = None
    priority: int = 4
    appointments: tuple[Appointment, ...] = ()
    next_product: dict[str, int] = Field(default_factory=dict)

    def item(self, item_id: str) -> Item | None:
        """The item of that id, or None. It looks through all of them: whoever asks for many takes `by_id`."""
        return next((item for item in self.items if item.id == item_id), None)

    def by_id(self) -> dict[str, Item]:
        """The items by their ids: the first of each, as long as nobody has checked that there is but one."""
        return {item.id: item for item in reversed(self.items)}

    def descendants(self, item_ids: Iterable[str]) -> Iterator[Item]:
        """The items of bundles below those named, at any depth, each once."""
        held = held_by(self.items)
        waiting = [*item_ids]
        while waiting:
            for item in held.pop(waiting.pop(), ()):
                yield item
                waiting.append(item.id)

    def ordered(self) -> list[Item]:
        """The items that the order names."""
        return [item for item in self.items if not item.context]

    def offerings(self) -> list[str]:
        """The distinct offerings ordered, as the customer named them: bundles, and what stands in no bundle."""
        ordered = self.ordered()
        ids = {item.id for item in ordered}
        return sorted({item.offering for item in ordered if item.parent not in ids})


def held_by(items: Iterable[_Held]) -> dict[str | None, list[_Held]]:
    """The items by the bundle that holds them, in their order."""
    held: defaultdict[str | None, list[_Held]] = defaultdict(list)
    for item in items:
        held[item.parent].append(item)
    return dict(held)


class Rejection(Exception):
    """A request that is well formed but cannot be fulfilled. Holds every reason found, not only the first."""

    def __init__(self, reasons: list[Reason]) -> None:
        super().__init__("; ".join(reason.message for reason in reasons))
        self.reasons = tuple(reasons)

    def __reduce__(self) -> tuple[type[Rejection], tuple[list[Reason]]]:
        """How it is told to another process."""
        return Rejection, (list(self.reasons),)
