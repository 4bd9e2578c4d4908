"""What is wrong with what somebody sent, in words for people."""

from __future__ import annotations

from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from orders.model.text import printable

MOST_PROBLEMS: Final = 10
LONGEST: Final = 500
_LONGEST_PART: Final = 60

_Kind = TypeVar("_Kind")


def read_as(kind: TypeAdapter[_Kind], content: object) -> _Kind:
    """What somebody sent, as what it should be.

    Raises:
        ValueError: saying shortly what is wrong with it.
    """
    try:
        return kind.validate_python(content)
    except ValidationError as error:
        raise ValueError(problems_of(error)) from None


def problems_of(error: ValidationError) -> str:
    """Where and what, of the first problems: no more of the input than the names on the way there."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    told = [f"{_path(one['loc'])}: {one['msg'].removeprefix('Value error, ')}" for one in found[:MOST_PROBLEMS]]
    if len(found) > MOST_PROBLEMS:
        told.append(f"and {len(found) - MOST_PROBLEMS} more")
    return printable("; ".join(told), LONGEST)


def _path(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part)[:_LONGEST_PART] for part in location) or "the whole"
