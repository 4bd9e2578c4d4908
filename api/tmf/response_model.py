"""The base of responses about orders: the core's views in camel case."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class ResponseModel(BaseModel):
    """Read from a view of the core, written in camel case.

    A response repeats the fields of its view that callers may see, under the same names: what a view gains is told only
    once it is added here, on purpose. Where a response has other fields than its view, its docstring says so.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True, frozen=True)
