"""What is wrong with what somebody sent, in words for people, who send JSON and need not know what reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from orders.model.writing.text import printable

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MOST_PROBLEMS: Final = 10
LONGEST: Final = 500
_LONGEST_PART: Final = 60

_Kind = TypeVar("_Kind")

_OBJECT: Final = "must be an object"
_ARRAY: Final = "must be an array"
_WHOLE: Final = "must be a whole number"
_NUMBER: Final = "must be a number"
_TRUTH: Final = "must be true or false"
_INSTANT: Final = "must be written as in ISO 8601, with a time zone"

_WORDS: Final[Mapping[str, str]] = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "json_invalid": "is no JSON: {error}",
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "list_type": _ARRAY,
    "tuple_type": _ARRAY,
    "too_short": "must not be shorter than {min_length}",
    "too_long": "must not be longer than {max_length}",
    "string_type": "must be a string",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "does not have the form that it must have",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "finite_number": "must be a finite number",
    "decimal_max_digits": "must have at most {max_digits} digits",
    "decimal_max_places": "must have at most {decimal_places} decimal places",
    "decimal_whole_digits": "must have at most {whole_digits} digits before the point",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "recursion_loop": "is nested too deep",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "timezone_aware": _INSTANT,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "datetime_object_invalid": _INSTANT,
}
"""By the type of pydantic's error."""


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
    found = telling(error.errors(include_url=False, include_input=False))
    told = [f"{_path(one['loc'])}: {in_words(one)}" for one in found[:MOST_PROBLEMS]]
    if len(found) > MOST_PROBLEMS:
        told.append(f"and {len(found) - MOST_PROBLEMS} more")
    return printable("; ".join(told), LONGEST)


def in_words(error: ErrorDetails) -> str:
    """What is wrong, in JSON's words."""
    given: Mapping[str, Any] = error.get("ctx", {})
    if "expected" in given:
        return f"must be {given['expected']}".replace("'", '"')
    if given.get("min_length") == 1:
        return "must not be empty"
    if (words := _WORDS.get(error["type"])) is not None:
        return words.format_map(given)
    return error["msg"].removeprefix("Value error, ").replace("Input should", "must")


def telling(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """The errors but for those that only follow from others: an array is not too short because what it has is wrong."""
    within = {error["loc"][:length] for error in errors for length in range(len(error["loc"]))}
    return [error for error in errors if not (error["type"] == "too_short" and error["loc"] in within)]


def _path(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part)[:_LONGEST_PART] for part in location) or "the whole"
