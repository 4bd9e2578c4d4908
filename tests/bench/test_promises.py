"""The simulated month: promises by what was learned are kept, and no later than they need be."""

from __future__ import annotations

from bench.promises import month


def test_nine_promises_in_ten_are_kept_and_are_not_much_later_than_the_best_there_could_be() -> None:
    learned = month()["learned"]
    assert learned.kept >= 0.9
    assert learned.of_best <= 1.15
