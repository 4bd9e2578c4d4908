"""TMF622 v4 orders as they are sent: what orderpipe reads of them, and the shape of all else, which it keeps.

Attributes that the standard does not know are allowed: they are kept and given back as they came, like those that are
not read. The standard's document is followed, but for these: a party need not have `@referredType`, a place no `role`,
a characteristic no `value`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from api.tmf.tmf622.shapes import (
    AgreementItemRef,
    AnyInstant,
    AppointmentRef,
    Extensible,
    ItemState,
    Note,
    OrderedElsewhere,
    OrderPrice,
    OrderTerm,
    ProductPrice,
    ProductSpecificationRef,
    ProductStatus,
    ProductTerm,
    QualificationItemRef,
    QuoteItemRef,
    Reference,
    ResourceRef,
    TmfBody,
    Truth,
)
from orders.model.budget import ITEMS
from orders.model.instants import Instant, LocalInstant
from orders.model.order import TimeZone
from orders.model.values import Action, Currency, Money, Quantity
from orders.model.writing.identifiers import Identifier
from orders.model.writing.json_values import Json
from orders.model.writing.text import Line, Name, Text


class MoneyBody(TmfBody):
    """`Money`, with an ISO 4217 currency as its unit."""

    unit: Currency
    value: Annotated[Decimal, Field(ge=0, lt=10**9, decimal_places=6)]

    @property
    def money(self) -> Money:
        """In the core's words."""
        return Money(amount=self.value, currency=self.unit)


class RelatedReference(Reference):
    """Names something that lives elsewhere, and its role here. Its id may be of any form."""

    id: Identifier
    role: str = ""


class ChannelRef(RelatedReference):
    """`RelatedChannel`: where the order comes from. Only the first of an order matters."""


class RelatedParty(RelatedReference):
    """A party and its role. The order's customer is the one with role `customer`, else the first."""


class AccountRef(Reference):
    """`BillingAccountRef`: who pays."""

    id: Identifier


class Characteristic(Extensible):
    """A name with a value."""

    name: Line
    value: Json = None
    value_type: str | None = None


class TimePeriod(TmfBody):
    """From when to when."""

    start_date_time: LocalInstant
    end_date_time: LocalInstant | None = None


class ItemAppointment(AppointmentRef):
    """When somebody is expected at the item's site, if it says so: `validFor` as TMF646 has it, and an extension.

    That is `timeZone`, the IANA name of the zone there. Nobody is asked what an appointment is of which only the id is
    told.
    """

    valid_for: TimePeriod | None = None
    time_zone: TimeZone | None = None


class Place(Extensible):
    """`RelatedPlaceRefOrValue`. `api.tmf.tmf622.wishes` tells which of a product's places is its site."""

    model_config = ConfigDict(extra="allow")

    id: Identifier | None = None
    href: str | None = None
    name: str | None = None
    role: str = ""
    referred_type: str | None = Field(default=None, alias="@referredType")


class ProductRelationship(Extensible):
    """`ProductRelationship` to an installed product: `reliesOn`, or `bundledBy` the bundle that it is part of.

    Other types are kept with a new product and mean nothing here. Of an installed product they are refused.
    """

    relationship_type: str
    product: Product


class ProductOfferingRef(Reference):
    """Names an offering of the catalog."""

    id: Name


class Product(Extensible):
    """`ProductRefOrValue`: the id of an installed product, or what a new one shall be like.

    What is only kept of a new one is refused of an installed one, but for what only tells which one it is.
    """

    model_config = ConfigDict(extra="allow")

    id: Identifier | None = None
    place: tuple[Place, ...] = ()
    product_characteristic: tuple[Characteristic, ...] = ()
    product_relationship: tuple[ProductRelationship, ...] = ()
    status: ProductStatus | None = None
    related_party: tuple[RelatedParty, ...] = ()
    billing_account: AccountRef | None = None
    # Kept, and not read.
    href: str | None = None
    name: str | None = None
    description: str | None = None
    is_bundle: Truth | None = None
    is_customer_visible: Truth | None = None
    order_date: AnyInstant | None = None
    start_date: AnyInstant | None = None
    termination_date: AnyInstant | None = None
    product_serial_number: str | None = None
    agreement: tuple[AgreementItemRef, ...] = ()
    product: tuple[Product, ...] = ()
    product_offering: Reference | None = None
    product_order_item: tuple[OrderedElsewhere, ...] = ()
    product_price: tuple[ProductPrice, ...] = ()
    product_specification: ProductSpecificationRef | None = None
    product_term: tuple[ProductTerm, ...] = ()
    realizing_resource: tuple[ResourceRef, ...] = ()
    realizing_service: tuple[Reference, ...] = ()
    referred_type: str | None = Field(default=None, alias="@referredType")


class ItemRelationship(Extensible):
    """`OrderItemRelationship` to another item of the same order: `reliesOn`, `bundles` or `bundledBy`.

    Other types are kept and mean nothing here.
    """

    id: Identifier | None = None
    relationship_type: str = ""


class ProductOrderItem(Extensible):
    """One thing ordered. Items nested in it are components of the bundle that it orders.

    Its own requested dates are an extension: an order is begun as a whole, so they are those of all its items.
    """

    id: Identifier
    action: Action
    quantity: Quantity = 1
    requested_start_date: Instant | None = None
    requested_completion_date: Instant | None = None
    product_offering: ProductOfferingRef | None = None
    product: Product = Product()
    product_order_item: Annotated[tuple[ProductOrderItem, ...], Field(max_length=ITEMS.most)] = ()
    product_order_item_relationship: tuple[ItemRelationship, ...] = ()
    appointment: ItemAppointment | None = None
    billing_account: AccountRef | None = None
    state: ItemState | None = None
    # Kept, and not read.
    item_price: tuple[OrderPrice, ...] = ()
    item_term: tuple[OrderTerm, ...] = ()
    item_total_price: tuple[OrderPrice, ...] = ()
    payment: tuple[Reference, ...] = ()
    product_offering_qualification_item: QualificationItemRef | None = None
    qualification: tuple[Reference, ...] = ()
    quote_item: QuoteItemRef | None = None


class ProductOrder(Extensible):
    """`ProductOrder_Create`. An order without `externalId` cannot be submitted twice safely.

    `waitForProducts` is an extension: to wait, and not be rejected, while another order changes the same products.
    """

    external_id: Annotated[Line, Field(min_length=1, max_length=256)] | None = None
    description: Text = ""
    priority: Annotated[Literal["0", "1", "2", "3", "4"], Field(description='"0" (highest) to "4"')] = "4"
    requested_start_date: Instant | None = None
    requested_completion_date: Instant | None = None
    wait_for_products: Truth = False
    channel: tuple[ChannelRef, ...] = ()
    related_party: tuple[RelatedParty, ...] = ()
    billing_account: AccountRef | None = None
    product_order_item: Annotated[tuple[ProductOrderItem, ...], Field(min_length=1, max_length=ITEMS.most)]
    # Kept, and not read.
    agreement: tuple[Reference, ...] = ()
    cancellation_date: AnyInstant | None = None
    cancellation_reason: str | None = None
    category: str | None = None
    note: tuple[Note, ...] = ()
    notification_contact: str | None = None
    order_total_price: tuple[OrderPrice, ...] = ()
    payment: tuple[Reference, ...] = ()
    product_offering_qualification: tuple[Reference, ...] = ()
    quote: tuple[Reference, ...] = ()
