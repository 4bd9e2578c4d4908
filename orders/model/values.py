"""What every model of the core shares."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Inputs: TypeAlias = dict[str, JsonValue]
"""Resolved inputs or outputs of a task, by name. Compared by value."""


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


class Money(Frozen):
    """An amount with its ISO 4217 currency."""

    amount: Decimal
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
