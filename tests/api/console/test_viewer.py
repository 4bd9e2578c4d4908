"""How things are written for whoever is looking."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from api.console.viewer import Viewer
from orders.model.instants import moment
from orders.model.values import Money
from orders.model.writing.wording import Sentence, Wording, of_money, verbatim

NOW = datetime(2026, 11, 29, 9, 48, tzinfo=UTC)
BERLIN = Viewer("en", ZoneInfo("Europe/Berlin"), "auto", NOW)


def test_instants_in_what_the_core_says_are_told_by_the_clock_of_whoever_looks() -> None:
    said = BERLIN.said(f"Completed on {moment(NOW)}")
    assert said.striptags() == "Completed on 10:48"
    later = moment(datetime(2027, 7, 1, 7, 5, tzinfo=UTC))
    assert (
        BERLIN.said(f"{later} or {moment(NOW)}, as asked for").striptags() == "Thu 1 Jul, 09:05 or 10:48, as asked for"
    )


def test_what_is_no_instant_is_told_as_it_is_and_nothing_of_it_is_markup() -> None:
    for text in ("", "waits", "2026-13-45 07:00 UTC", "2026-11-29 09:48 CET"):
        assert BERLIN.said(text) == text
    assert BERLIN.said(f"<b> {moment(NOW)} <i>").startswith("&lt;b&gt; <time")
    assert BERLIN.said("<i>") == "&lt;i&gt;"


GERMAN = Viewer("de", ZoneInfo("Europe/Berlin"), "auto", NOW)


def test_a_sentence_of_the_core_is_told_in_german_with_what_stands_in_it_as_text() -> None:
    visit = Sentence("Waits for: {title}, expected by {at}")(title="<Visit>", at=moment(NOW))
    told = Sentence("{what} (and {number} more)")(what=visit, number="2")
    assert GERMAN.told(told).striptags() == "Wartet auf: <Visit>, erwartet bis 10:48 (und 2 weitere)"
    assert "<Visit>" not in GERMAN.told(told)
    assert '<span lang="en">&lt;Visit&gt;</span>, erwartet bis <time' in GERMAN.told(told)
    assert BERLIN.told(told) == BERLIN.said(str(told))


def test_what_has_no_german_words_is_marked_as_english_also_within_a_german_sentence() -> None:
    unknown = Wording(template="Never {heard} of", values={"heard": "<b>"})
    assert GERMAN.told(unknown) == '<span lang="en">Never &lt;b&gt; of</span>'
    told = Sentence("{what} by {who}")(what=unknown, who="Ada")
    assert GERMAN.told(told) == '<span lang="en">Never &lt;b&gt; of</span> von Ada'
    assert GERMAN.told(verbatim("no coverage")) == '<span lang="en">no coverage</span>'


def test_sums_in_sentences_are_written_as_in_germany() -> None:
    fee = of_money(Money(amount=Decimal("1009.90"), currency="EUR"))
    told = Sentence("fee of {fee} billed")(fee=fee)
    assert (GERMAN.told(told), BERLIN.told(told)) == (
        "Gebühr von 1.009,90\xa0€ berechnet",
        "fee of 1009.90 EUR billed",
    )
