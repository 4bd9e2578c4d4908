"""Text and JSON are what a database, a terminal and another process can take."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from orders.model.writing.json_values import DEEPEST_NESTING, Json, misfits_of_json
from orders.model.writing.text import Line, Name, Text, printable

LINE: TypeAdapter[str] = TypeAdapter(Line)
NAME: TypeAdapter[str] = TypeAdapter(Name)
TEXT: TypeAdapter[str] = TypeAdapter(Text)
JSON: TypeAdapter[Any] = TypeAdapter(Json)


@pytest.mark.parametrize("bad", ["a\0b", "\x1b[31m", "\x07", "\x7f", "\ud800"])
def test_control_characters_and_half_surrogates_are_refused_in_lines_texts_and_values(bad: str) -> None:
    for kind in (LINE, NAME, TEXT):
        with pytest.raises(ValidationError):
            kind.validate_python(bad)
    for value in (bad, [bad], {"a": {"b": bad}}, {bad: 1}):
        with pytest.raises(ValidationError):
            JSON.validate_python(value)


def test_a_text_has_lines_and_a_line_has_not() -> None:
    written = "Ring twice,\n\tthen wait. 家に犬がいます 🐕"
    assert TEXT.validate_python(written) == written
    assert LINE.validate_python("urn:ngsi-ld:organization:4711") == "urn:ngsi-ld:organization:4711"
    for breaking in ("a\nb", "a\tb", "a\u2028b", "a\x85b"):
        with pytest.raises(ValidationError):
            LINE.validate_python(breaking)


def test_what_is_printed_is_one_line_of_bounded_length() -> None:
    assert (
        printable("a\x1b]0;x\x07\nb", 100) == "a\N{REPLACEMENT CHARACTER}]0;x" + 2 * "\N{REPLACEMENT CHARACTER}" + "b"
    )
    assert printable("x" * 100, 10) == "x" * 10


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), 1e300, 2**63, -(2**63), 10**400])
def test_numbers_are_finite_and_bounded(number: float) -> None:
    assert [path for path, _ in misfits_of_json({"a": [0, number]})] == [("a", 1)]


def test_every_misfit_is_named_with_its_path() -> None:
    value = {"a": ["x", "\0"], "b": {"c": float("nan")}, "d": True, "e": None, "f": 1.5, "g": 2**63 - 1}
    assert list(misfits_of_json(value)) == [
        (("a", 1), "must not hold the character U+0000"),
        (("b", "c"), "must be a finite number"),
    ]


def test_nesting_is_bounded() -> None:
    value: object = 1
    for _ in range(DEEPEST_NESTING):
        value = [value]
    assert list(misfits_of_json(value)) == []
    assert [path for path, _ in misfits_of_json([value])] == [()]
