"""Summaries of rows in the Web UI: as long as Temporal takes them."""

from __future__ import annotations

import json

import pytest

from workflows.summaries import MOST_BYTES, within


def stored(summary: str) -> int:
    """The bytes that a payload has of it."""
    return len(json.dumps(summary, ensure_ascii=False).encode()) - len('""')


@pytest.mark.parametrize("text", ["", "activate-tv · tv · site-1", "x" * MOST_BYTES])
def test_what_fits_stays_as_it_is(text: str) -> None:
    assert within(text) == text


@pytest.mark.parametrize("character", ["x", "\N{LATIN SMALL LETTER E WITH ACUTE}", "\N{GRINNING FACE}", '"', "\u0001"])
def test_what_is_too_long_is_cut_by_what_it_takes_in_bytes(character: str) -> None:
    cut = within(character * 1000)
    assert cut.endswith("...")
    assert MOST_BYTES - stored(character) < stored(cut) <= MOST_BYTES
