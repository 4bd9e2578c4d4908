"""Sketches of durations: small, near the truth, and slow to forget."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from orders.promising.sketch import ENOUGH, HALF_LIFE, Sketch

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def of(seconds: list[float], at: datetime = NOW) -> Sketch:
    made = Sketch()
    for each in seconds:
        made = made.seen(each, at)
    return made


def test_likely_and_safe_are_near_those_of_everything_that_was_seen() -> None:
    dice = random.Random(3)
    seen = sorted(dice.lognormvariate(8, 1) for _ in range(2000))
    takes = of(seen).takes(NOW)
    assert takes is not None
    assert takes.likely_s == pytest.approx(seen[1000], rel=0.05)
    assert takes.safe_s == pytest.approx(seen[1800], rel=0.05)


def test_too_few_tell_nothing_and_what_is_long_ago_counts_for_little() -> None:
    many = of([60.0] * int(ENOUGH))
    assert of([60.0] * int(ENOUGH - 1)).takes(NOW) is None
    assert many.takes(NOW) is not None
    assert many.takes(NOW + timedelta(days=1)) is None
    assert many.counts(NOW + HALF_LIFE) == pytest.approx(ENOUGH / 2)
    slower = many.merged(of([600.0] * int(ENOUGH), NOW + 3 * HALF_LIFE)).takes(NOW + 3 * HALF_LIFE)
    assert slower is not None
    assert slower.likely_s > 500


def test_the_order_in_which_things_are_seen_does_not_matter() -> None:
    one, other = of([1.0, 20.0]), of([300.0, 0.0], NOW + timedelta(days=5))
    assert one.merged(other) == other.merged(one)
    assert sum(one.merged(other).weights.values()) == pytest.approx(one.merged(other).counts(NOW))


def test_a_sketch_is_kept_as_json_and_stays_small() -> None:
    dice = random.Random(3)
    made = of([dice.lognormvariate(8, 2) for _ in range(3000)])
    assert Sketch.model_validate(made.model_dump(mode="json")) == made
    assert len(made.weights) < 200
