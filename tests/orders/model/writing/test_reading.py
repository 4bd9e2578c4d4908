"""What is wrong with what somebody sent is told in JSON's words, and once."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from orders.model.instants import Instant
from orders.model.values import Quantity
from orders.model.writing.reading import read_as
from orders.model.writing.text import Line


class Inner(BaseModel):
    id: Annotated[Line, Field(min_length=1, max_length=5)]
    action: Literal["add", "delete"] = "add"


class Outer(BaseModel):
    model_config = {"extra": "forbid"}

    inner: Annotated[tuple[Inner, ...], Field(min_length=1, max_length=2)] = ()
    count: Quantity = 1
    at: Instant | None = None
    fee: Annotated[Decimal, Field(decimal_places=2)] | None = None
    code: Annotated[str, Field(pattern="^[a-z]+$")] = "a"
    sure: bool = False
    by_name: dict[str, float] = {}


OUTER = TypeAdapter(Outer)
SAID: list[tuple[Any, str]] = [
    ([], "the whole: must be an object"),
    ({"inner": {}}, "inner: must be an array"),
    ({"inner": []}, "inner: must not be empty"),
    ({"inner": [{"id": "1"}] * 3}, "inner: must not be longer than 2"),
    ({"inner": ["x"]}, "inner.0: must be an object"),
    ({"inner": [{}]}, "inner.0.id: is required"),
    ({"inner": [{"id": ""}]}, "inner.0.id: must not be empty"),
    ({"inner": [{"id": "123456"}]}, "inner.0.id: must not be longer than 5"),
    ({"inner": [{"id": 1, "action": "x"}]}, 'inner.0.id: must be a string; inner.0.action: must be "add" or "delete"'),
    ({"count": "2"}, "count: must be a whole number"),
    ({"count": True}, "count: must be a whole number"),
    ({"count": 0}, "count: must be at least 1"),
    ({"at": "2031-01-01"}, "at: must be written as in ISO 8601, with a time zone"),
    ({"at": 7}, "at: must be written as in ISO 8601, with a time zone"),
    ({"fee": "x"}, "fee: must be a number"),
    ({"fee": 1.234}, "fee: must have at most 2 decimal places"),
    ({"code": "7"}, "code: does not have the form that it must have"),
    ({"sure": "perhaps"}, "sure: must be true or false"),
    ({"by_name": []}, "by_name: must be an object"),
    ({"by_name": {"a": "x"}}, "by_name.a: must be a number"),
    ({"what": 1}, "what: is not known here"),
]


@pytest.mark.parametrize(("sent", "said"), SAID)
def test_it_is_said_in_words_of_json(sent: Any, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        read_as(OUTER, sent)
