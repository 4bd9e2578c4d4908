"""The shapes of TMF622 v4 attributes that are kept as they came: references, prices, terms, notes.

Whoever reads an order relies on the shapes that the standard gives its attributes. So what is kept for others is
checked like what is read, and what does not have its shape is refused.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, Strict, model_validator
from pydantic.alias_generators import to_camel

from orders.model.instants import AnyInstant
from orders.model.values import Whole

Number: TypeAlias = Annotated[float, Strict()]
"""A number. A string of digits is none."""

Truth: TypeAlias = Annotated[bool, Strict()]
"""True or false, and no word for it."""


class TmfBody(BaseModel):
    """Camel case outside, snake case inside. An attribute that is null is one that is not there."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: JsonValue) -> JsonValue:
        if isinstance(value, dict):
            return {name: inner for name, inner in value.items() if inner is not None}
        return value


class Extensible(TmfBody):
    """What may say of which class it is, and where that is described."""

    base_type: str | None = Field(default=None, alias="@baseType")
    schema_location: str | None = Field(default=None, alias="@schemaLocation")
    type: str | None = Field(default=None, alias="@type")


class Reference(Extensible):
    """Names something that lives elsewhere."""

    id: str
    href: str | None = None
    name: str | None = None
    referred_type: str | None = Field(default=None, alias="@referredType")


class AgreementItemRef(Reference):
    """An item of an agreement."""

    agreement_item_id: str | None = None


class AppointmentRef(Extensible):
    """An appointment made elsewhere."""

    id: str
    href: str | None = None
    description: str | None = None
    referred_type: str | None = Field(default=None, alias="@referredType")


class QualificationItemRef(Reference):
    """An item of a product offering qualification."""

    product_offering_qualification_id: str
    product_offering_qualification_href: str | None = None
    product_offering_qualification_name: str | None = None


class QuoteItemRef(Reference):
    """An item of a quote."""

    quote_id: str
    quote_href: str | None = None
    quote_name: str | None = None


class ResourceRef(Reference):
    """A resource that realizes a product."""

    value: str | None = None


class TargetProductSchema(TmfBody):
    """Where the schema of a product stands."""

    schema_location: str = Field(alias="@schemaLocation")
    type: str = Field(alias="@type")
    base_type: str | None = Field(default=None, alias="@baseType")


class ProductSpecificationRef(Reference):
    """A product specification in its version."""

    version: str | None = None
    target_product_schema: TargetProductSchema | None = None


class OrderedElsewhere(Extensible):
    """`RelatedProductOrderItem`: the item of another order that a product came from."""

    product_order_id: str
    order_item_id: str
    order_item_action: str | None = None
    product_order_href: str | None = None
    role: str | None = None
    referred_type: str | None = Field(default=None, alias="@referredType")


class Note(Extensible):
    """What somebody has to say about an order."""

    text: str
    id: str | None = None
    author: str | None = None
    date: AnyInstant | None = None


class Amount(TmfBody):
    """`Money`, as it is told beside a price."""

    unit: str | None = None
    value: Number | None = None


class Measure(TmfBody):
    """`Quantity`, such as twelve months."""

    amount: Number | None = None
    units: str | None = None


class Period(TmfBody):
    """`TimePeriod`."""

    start_date_time: AnyInstant | None = None
    end_date_time: AnyInstant | None = None


class Price(Extensible):
    """What something costs."""

    percentage: Number | None = None
    tax_rate: Number | None = None
    duty_free_amount: Amount | None = None
    tax_included_amount: Amount | None = None


class Priced(Extensible):
    """What all prices say of themselves."""

    description: str | None = None
    name: str | None = None
    recurring_charge_period: str | None = None
    unit_of_measure: str | None = None
    product_offering_price: Reference | None = None


class PriceAlteration(Priced):
    """What makes a price another one."""

    price: Price
    price_type: str
    application_duration: Whole | None = None
    priority: Whole | None = None


class OrderPrice(Priced):
    """What an order or an item costs."""

    price: Price | None = None
    price_type: str | None = None
    billing_account: Reference | None = None
    price_alteration: tuple[PriceAlteration, ...] = ()


class ProductPrice(Priced):
    """What a product costs."""

    price: Price
    price_type: str
    billing_account: Reference | None = None
    product_price_alteration: tuple[PriceAlteration, ...] = ()


class OrderTerm(Extensible):
    """For how long an item binds the customer."""

    description: str | None = None
    name: str | None = None
    duration: Measure | None = None


class ProductTerm(OrderTerm):
    """For how long a product binds the customer, and when."""

    valid_for: Period | None = None


ProductStatus: TypeAlias = Literal[
    "created",
    "pendingActive",
    "cancelled",
    "active",
    "pendingTerminate",
    "terminated",
    "suspended",
    "aborted",
    "aborted ",
]
"""The status of a product. The standard's own document has a blank at the end of the last one."""

ItemState: TypeAlias = Literal[
    "acknowledged",
    "rejected",
    "pending",
    "held",
    "inProgress",
    "cancelled",
    "completed",
    "failed",
    "assessingCancellation",
    "pendingCancellation",
]
"""The state of an order item."""
