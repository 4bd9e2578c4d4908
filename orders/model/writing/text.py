"""Text as orders, changes and silos' answers may hold it: what a column, an id, a log line and a terminal can take."""

from __future__ import annotations

import json
import re
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field, JsonValue

NO_NUL: Final = r"^[^\x00]*$"
"""A pattern: what a database can be asked for."""
_NOT_IN_LINES: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_IN_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Controls but for line breaks and tabs, and half surrogate pairs. Those of C1 stay: old code pages come as such."""


def misfit_of_text(value: str) -> str | None:
    """What is wrong with text that may have several lines, or None."""
    return _misfit(_NOT_IN_TEXT, value)


def printable(value: str, longest: int) -> str:
    """The text as one line: what does not fit is replaced, and what is too long is cut off."""
    return _NOT_IN_LINES.sub("\N{REPLACEMENT CHARACTER}", value[:longest])


def as_json(value: JsonValue, longest: int = 100) -> str:
    """A value as JSON writes it, to be told in a sentence."""
    return printable(json.dumps(value, ensure_ascii=False), longest)


def _one_line(value: str) -> str:
    if (problem := _misfit(_NOT_IN_LINES, value)) is not None:
        raise ValueError(problem)
    return value


def _several_lines(value: str) -> str:
    if (problem := misfit_of_text(value)) is not None:
        raise ValueError(problem)
    return value


def _misfit(unwanted: re.Pattern[str], value: str) -> str | None:
    found = unwanted.search(value)
    return None if found is None else f"must not hold the character U+{ord(found.group()):04X}"


_IN_SCHEMA: Final[dict[str, JsonValue]] = {"pattern": r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"}

Line: TypeAlias = Annotated[str, Field(max_length=1000, json_schema_extra=_IN_SCHEMA), AfterValidator(_one_line)]
"""A name, a reference or a code: one line without control characters."""

Name: TypeAlias = Annotated[str, Field(max_length=200, json_schema_extra=_IN_SCHEMA), AfterValidator(_one_line)]
"""A short line."""

Text: TypeAlias = Annotated[str, Field(max_length=10_000), AfterValidator(_several_lines)]
"""What people write: line breaks and tabs, and no other control characters."""
