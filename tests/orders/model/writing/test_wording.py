"""Sentences as data."""

from __future__ import annotations

import json

import pytest

from orders.model.values import Money
from orders.model.writing.wording import Sentence, Wording, has_words, joined, of_money, verbatim, wording_of
from orders.read_model.answer import Answer, NowView
from orders.read_model.timeline import TimelineEntry

WAITS = Sentence("Waits for: {title}, appointment {slot}")
MORE = Sentence("{what} (and {number} more)")


def test_a_sentence_says_in_english_what_stands_in_it_whatever_that_looks_like() -> None:
    waits = WAITS(title="{slot} {what}", slot=Sentence("maintenance window until {at}")(at="08:00"))
    assert str(waits) == f"{waits}" == "Waits for: {slot} {what}, appointment maintenance window until 08:00"
    assert (
        str(MORE(what=waits, number="2"))
        == "Waits for: {slot} {what}, appointment maintenance window until 08:00 (and 2 more)"
    )
    assert str(verbatim("{text} %s")) == "{text} %s"


def test_it_is_the_same_after_it_was_written_down() -> None:
    told = MORE(what=WAITS(title="a", slot="b"), number="2")
    assert Wording.model_validate_json(told.model_dump_json()) == told


@pytest.mark.parametrize("values", [{}, {"title": "a"}, {"title": "a", "slot": "b", "other": "c"}])
def test_a_sentence_takes_what_stands_in_it_and_nothing_else(values: dict[str, str]) -> None:
    with pytest.raises(TypeError, match="slot, title"):
        WAITS(**values)


def test_a_part_of_a_sentence_is_replaced_wherever_it_stands() -> None:
    part, other = WAITS(title="a", slot="b"), verbatim("c")
    assert part.replacing(part, other) == other
    assert str(MORE(what=part, number="2").replacing(part, other)) == "c (and 2 more)"
    assert MORE(what="a", number="2").replacing(part, other) == MORE(what="a", number="2")


def test_parts_are_joined_as_they_would_be_as_text() -> None:
    assert str(joined(["a", verbatim("b"), "c"])) == "a; b; c"
    assert (joined(["a"]), joined([])) == ("a", "")
    many = joined(map(str, range(10_000)))
    assert str(many) == "; ".join(map(str, range(10_000)))
    assert Wording.model_validate_json(wording_of(many).model_dump_json()) == many
    assert str(of_money(Money.model_validate({"amount": "9.90", "currency": "EUR"}))) == "9.90 EUR"


def test_marks_between_places_are_no_words() -> None:
    assert [has_words(text) for text in ("{first}; {then}", "{start} ({zone})", "{what} by {who}")] == [
        False,
        False,
        True,
    ]


def test_what_was_written_down_as_text_is_read_as_it_was() -> None:
    """Orders of version 0.1 have their sentences so, in the register for good."""
    waits = {"kind": "visit", "what": "Waits for: a"}
    read = Answer.model_validate_json(
        json.dumps({"summary": "a (and 2 more)", "waits_for": waits, "late_because": None})
    )
    assert (read.summary, read.late_because, read.late_because_wording) == ("a (and 2 more)", None, None)
    assert read.waits_for is not None
    assert read.waits_for.what == "Waits for: a"
    line = {"task": "a", "title": "A", "verb": "provision", "waits_for": "person", "silo": "tv", "last_error": "no"}
    assert NowView.model_validate(line).last_error == "no"
    entry = {"task": "a", "title": "A", "silo": "tv", "state": "pending", "last_error": "no"}
    assert TimelineEntry.model_validate(entry).last_error == "no"
    assert Answer.model_validate_json(read.model_dump_json()) == read
