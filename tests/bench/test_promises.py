"""The simulated month: promises by what was learned are kept, and no later than they need be, whatever the truth."""

from __future__ import annotations

from math import sqrt

from bench.month import ORDERS, TRUTHS
from bench.sections.promises import kept_of

CHANCE = 2 * sqrt(0.9 * 0.1 / ORDERS)
"""By how much the share of so many promises differs by chance, where each is kept nine times in ten."""


def test_nine_promises_in_ten_are_kept_and_are_not_much_later_than_the_best_there_could_be() -> None:
    learned = kept_of(TRUTHS["as the catalog says"])["learned"]
    assert learned.kept >= 0.9
    assert learned.of_best <= 1.15


def test_silos_slower_than_the_catalog_says_break_fixed_promises_and_no_learned_ones() -> None:
    found = kept_of(TRUTHS["slower"])
    assert found["fixed"].kept < 0.8
    assert found["learned"].kept >= 0.9 - CHANCE
    assert found["learned"].of_best <= 1.15


def test_silos_faster_than_the_catalog_says_are_promised_sooner_by_what_was_learned() -> None:
    found = kept_of(TRUTHS["faster"])
    assert found["fixed"].of_best > 1.5
    assert found["learned"].kept >= 0.9 - CHANCE
    assert found["learned"].of_best <= 1.15
