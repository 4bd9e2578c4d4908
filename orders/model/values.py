"""What every model of the core shares."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, Strict

Inputs: TypeAlias = dict[str, JsonValue]
"""Resolved inputs or outputs of a task, by name. Compared by value."""


Whole: TypeAlias = Annotated[int, Strict()]
"""A whole number: neither true nor "1" is one."""

Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
"""What an entry of the catalog is called."""

CharacteristicName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=60)]
"""What a characteristic, an input or an output is called."""

_CURRENCY: Final = re.compile(r"^[A-Z]{3}$", re.ASCII)

MOST_PRODUCTS: Final = 1000
"""How many products one item may have."""

Quantity: TypeAlias = Annotated[Whole, Field(ge=1, le=MOST_PRODUCTS)]
"""How many products an item has."""

Priority: TypeAlias = Annotated[Whole, Field(ge=0, le=4)]
"""From 0, the highest, to 4."""


def _currency(value: str) -> str:
    if _CURRENCY.fullmatch(value) is None:
        raise ValueError("must be an ISO 4217 currency, such as EUR")
    return value


Currency: TypeAlias = Annotated[str, Field(json_schema_extra={"pattern": _CURRENCY.pattern}), AfterValidator(_currency)]
"""An ISO 4217 currency."""


class Frozen(BaseModel):
    """An immutable value that refuses fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Verb(StrEnum):
    """What a silo can be asked to do with a task. `inspect` changes nothing and is no step."""

    PROVISION = "provision"
    AMEND = "amend"
    COMPENSATE = "compensate"
    INSPECT = "inspect"


class Action(StrEnum):
    """TMF622 order item actions."""

    ADD = "add"
    MODIFY = "modify"
    DELETE = "delete"
    NO_CHANGE = "noChange"


class ProductStatus(StrEnum):
    """TMF637 v4 product status, as far as orderpipe enters it."""

    CREATED = "created"
    PENDING_ACTIVE = "pendingActive"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    PENDING_TERMINATE = "pendingTerminate"
    TERMINATED = "terminated"
    CANCELLED = "cancelled"

    @property
    def is_installed(self) -> bool:
        """True while the customer has the product, so that an order can change it."""
        return self in (self.ACTIVE, self.SUSPENDED)


class Money(Frozen):
    """An amount with its ISO 4217 currency."""

    amount: Annotated[Decimal, Field(max_digits=18, decimal_places=6)]
    currency: Currency
