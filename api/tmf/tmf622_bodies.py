"""The TMF622 v4 attributes that orderpipe reads. All others are allowed: they are kept and given back as they came."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel

from orders.model.budget import ITEMS
from orders.model.instants import Instant, LocalInstant
from orders.model.json_values import Json
from orders.model.order import Identifier, TimeZone, require_order
from orders.model.text import Line, Text
from orders.model.values import Action, Money, Priority, Quantity


class TmfBody(BaseModel):
    """Camel case outside, snake case inside. An attribute that is null is one that is not there."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: JsonValue) -> JsonValue:
        if isinstance(value, dict):
            return {name: inner for name, inner in value.items() if inner is not None}
        return value


class MoneyBody(TmfBody):
    """`Money`, with an ISO 4217 currency as its unit."""

    unit: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    value: Annotated[Decimal, Field(ge=0, lt=10**9, decimal_places=6)]

    @property
    def money(self) -> Money:
        """In the core's words."""
        return Money(amount=self.value, currency=self.unit)


class ChannelRef(TmfBody):
    """`RelatedChannel`: where the order comes from. Only the first of an order matters."""

    id: Identifier


class RelatedParty(TmfBody):
    """A party and its role. The order's customer is the one with role `customer`, else the first."""

    id: Line
    role: str = ""


class Characteristic(TmfBody):
    """A name with a value."""

    name: Line
    value: Json = None


class BillingAccountRef(TmfBody):
    """On which account it is billed."""

    id: Line


class TimePeriod(TmfBody):
    """From when to when."""

    start_date_time: LocalInstant
    end_date_time: LocalInstant | None = None


class AppointmentRef(TmfBody):
    """When somebody is expected at the item's site, if it says so: `validFor` as TMF646 has it, and an extension.

    That is `timeZone`, the IANA name of the zone there. Nobody is asked what an appointment is of which only the id is
    told.
    """

    id: Line | None = None
    valid_for: TimePeriod | None = None
    time_zone: TimeZone | None = None


class Place(TmfBody):
    """`RelatedPlaceRefOrValue`. `tmf622_wishes` tells which of a product's places is its site."""

    model_config = ConfigDict(extra="allow")

    id: Line | None = None
    role: str = ""


class ProductRef(TmfBody):
    """Names an installed product."""

    id: Line | None = None


class ProductRelationship(TmfBody):
    """`ProductRelationship` to an installed product: `reliesOn`, or `bundledBy` the bundle that it is part of.

    Other types are kept with a new product and mean nothing here. Of an installed product they are refused.
    """

    relationship_type: str
    product: ProductRef = ProductRef()


class ProductOfferingRef(TmfBody):
    """Names an offering of the catalog."""

    id: Annotated[Line, Field(min_length=1)]


class ProductSpecificationRef(TmfBody):
    """Names a specification of the catalog."""

    id: Line


class Product(TmfBody):
    """`ProductRefOrValue`: the id of an installed product, or what a new one shall be like.

    What else a new one says is kept. Of an installed product it is refused, but for what only tells which one it is.
    """

    model_config = ConfigDict(extra="allow")

    id: Line | None = None
    status: Line | None = None
    billing_account: BillingAccountRef | None = None
    product_offering: ProductOfferingRef | None = None
    product_specification: ProductSpecificationRef | None = None
    related_party: tuple[RelatedParty, ...] = ()
    place: tuple[Place, ...] = ()
    product_characteristic: tuple[Characteristic, ...] = ()
    product_relationship: tuple[ProductRelationship, ...] = ()


class ItemRelationship(TmfBody):
    """`OrderItemRelationship` to another item of the same order: `reliesOn`, `bundles` or `bundledBy`.

    Other types are kept and mean nothing here.
    """

    id: Line
    relationship_type: str


class ProductOrderItem(TmfBody):
    """One thing ordered. Items nested in it are components of the bundle that it orders.

    Its own requested dates are an extension: an order is begun as a whole, so they are those of all its items.
    """

    id: Identifier
    action: Action
    quantity: Quantity = 1
    appointment: AppointmentRef | None = None
    billing_account: BillingAccountRef | None = None
    requested_start_date: Instant | None = None
    requested_completion_date: Instant | None = None
    product_offering: ProductOfferingRef | None = None
    product: Product = Product()
    product_order_item: Annotated[tuple[ProductOrderItem, ...], Field(max_length=ITEMS.most)] = ()
    product_order_item_relationship: tuple[ItemRelationship, ...] = ()


class ProductOrder(TmfBody):
    """`ProductOrder_Create`. An order without `externalId` cannot be submitted twice safely.

    `waitForProducts` is an extension: to wait, and not be rejected, while another order changes the same products.
    """

    external_id: Annotated[Line, Field(min_length=1, max_length=256)] | None = None
    description: Text = ""
    priority: Annotated[Priority, Field(description='"0" (highest) to "4"')] = 4
    requested_start_date: Instant | None = None
    requested_completion_date: Instant | None = None
    wait_for_products: bool = False
    billing_account: BillingAccountRef | None = None
    channel: tuple[ChannelRef, ...] = ()
    related_party: Annotated[tuple[RelatedParty, ...], Field(min_length=1)]
    product_order_item: Annotated[tuple[ProductOrderItem, ...], Field(min_length=1, max_length=ITEMS.most)]

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> ProductOrder:
        require_order(self.requested_start_date, self.requested_completion_date)
        return self
