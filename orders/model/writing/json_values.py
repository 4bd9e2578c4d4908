"""JSON as every store, every process and every reader takes it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final, TypeAlias, cast

from pydantic import AfterValidator, JsonValue, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from orders.model.writing.text import misfit_of_text

DEEPEST_NESTING: Final = 100
"""Levels. What is nested deeper can be written by one process and not be read by another."""

LARGEST_NUMBER: Final = 2**63
"""No number is as large, whichever its sign."""

_MOST_PROBLEMS: Final = 50

Path: TypeAlias = tuple[str | int, ...]


def misfits_of_json(value: object) -> Iterator[tuple[Path, str]]:
    """(path, what is wrong) of every text, number and level of nesting that does not fit. A level at a time."""
    level: list[tuple[Path, object]] = [((), value)]
    for _ in range(DEEPEST_NESTING + 1):
        following: list[tuple[Path, object]] = []
        for path, one in level:
            if isinstance(one, Mapping):
                for name, inner in cast("Mapping[object, object]", one).items():
                    if (problem := misfit_of_text(str(name))) is not None:
                        yield path, f"a name in it {problem}"
                    following.append(((*path, str(name)), inner))
            elif isinstance(one, list | tuple):
                following += [((*path, n), inner) for n, inner in enumerate(cast("Sequence[object]", one))]
            elif (problem := _misfit(one)) is not None:
                yield path, problem
        level = following
    if level:
        yield (), f"is nested deeper than {DEEPEST_NESTING} levels"


def _misfit(value: object) -> str | None:
    if isinstance(value, str):
        return misfit_of_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if isinstance(value, int | float) and not -LARGEST_NUMBER < value < LARGEST_NUMBER:
        return "must be less than 2 to the power of 63"
    return None


def require_json(value: JsonValue) -> JsonValue:
    """The value, if it fits.

    Raises:
        ValidationError: with the path of everything in it that does not.
    """
    found = [
        InitErrorDetails(type=PydanticCustomError("misfit", "{problem}", {"problem": problem}), loc=path, input=None)
        for (path, problem), _ in zip(misfits_of_json(value), range(_MOST_PROBLEMS), strict=False)
    ]
    if found:
        raise ValidationError.from_exception_data("JSON", found)
    return value


def _checked_object(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    require_json(value)
    return value


Json: TypeAlias = Annotated[JsonValue, AfterValidator(require_json)]
"""Any JSON: text without NUL, numbers that are finite, nesting within bounds."""

JsonObject: TypeAlias = Annotated[dict[str, JsonValue], AfterValidator(_checked_object)]
"""A JSON object of that kind."""
