"""A value that is to be given: what type it has, and which values are possible."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from orders.model.values import Frozen


class Characteristic(Frozen):
    """One characteristic of a product specification: its type, what values it may have, and its default."""

    type: Literal["string", "integer", "boolean"] = "string"
    values: tuple[JsonValue, ...] | None = None
    minimum: int | None = None
    maximum: int | None = None
    pattern: str | None = None
    default: JsonValue = None
    required: bool = False
    description: str = ""
