"""How things are written for whoever is looking."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from api.console.viewer import Viewer
from orders.model.instants import moment

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
