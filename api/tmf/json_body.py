"""JSON bodies as they came: how deep they may be nested, and by what two of them are the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from pydantic import JsonValue

from api.errors import Malformed, problem

Json: TypeAlias = dict[str, JsonValue]
"""A JSON object, to write to."""

Body: TypeAlias = Mapping[str, JsonValue]
"""A JSON object, to read only."""

DEEPEST_NESTING = 100
"""Levels. What is nested deeper can be written here and not be read by the worker."""


def body_digest(body: Body) -> str:
    """SHA-256 over the body as JSON with sorted keys: equal content, equal digest.

    Raises:
        Malformed: if it holds what JSON knows not, such as NaN or half of a surrogate pair, or is nested too deep.
    """
    return hashlib.sha256(require_json(body)).hexdigest()


def require_json(value: object) -> bytes:
    """A value as JSON with sorted keys; dates and such as text.

    Raises:
        Malformed: if it holds what JSON knows not, such as NaN or half of a surrogate pair, or is nested too deep.
    """
    require_shallow(value)
    try:
        return json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=str
        ).encode()
    except ValueError as error:
        raise Malformed([problem("body", str(error))]) from error


def require_shallow(value: object) -> None:
    """Return if lists and objects are not nested deeper than others can read.

    Raises:
        Malformed: if they are.
    """
    level: list[object] = [value]
    for _ in range(DEEPEST_NESTING + 1):
        level = [inner for outer in level for inner in _inside(outer)]
    if level:
        raise Malformed([problem("body", f"is nested deeper than {DEEPEST_NESTING} levels")])


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()
