"""The base of responses about orders: the core's views in camel case."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class ResponseModel(BaseModel):
    """Read from a view of the core, written in camel case.

    A response repeats the fields of its view that callers may see, under the same names: what a view gains is told only
    once it is added here, on purpose. Where a response has other fields than its view, its docstring says so.

    Views are read by the fields' names alone: to look for each alias first took most of the time of a large answer. Who
    reads the JSON of an answer asks for the aliases (`by_alias`).
    """

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=False, from_attributes=True, frozen=True
    )
