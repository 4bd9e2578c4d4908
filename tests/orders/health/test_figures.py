"""What workers count of calls, and when that is reason enough to leave a silo alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orders.health.figures import BUCKETS, FRESH, Figures, bucket_of, to_be_left_alone, totals
from orders.model.silos.breaker import Breaker

NOON = datetime(2031, 3, 3, 12, tzinfo=UTC)
BREAKER = Breaker(failures=10, share=0.5)


def counted(
    answered: int, failed: int, worker: str = "one", age: timedelta = timedelta(), *, aside: bool = False
) -> Figures:
    return Figures(
        silo="voice",
        worker=worker,
        at=NOON - age,
        window_s=60,
        attempts=answered + failed,
        errors=failed,
        answered=answered,
        failed=failed,
        aside=aside,
    )


@pytest.mark.parametrize(
    ("answered", "failed", "alone"), [(0, 9, False), (0, 10, True), (10, 10, True), (11, 10, False), (0, 0, False)]
)
def test_both_number_and_share_count(answered: int, failed: int, alone: bool) -> None:
    assert bool(to_be_left_alone([counted(answered, failed)], BREAKER, NOON)) is alone


def test_a_silo_that_one_worker_reaches_is_not_left_alone_by_all() -> None:
    cut_off = counted(0, 50, aside=True)
    assert to_be_left_alone([cut_off, counted(20, 0, "two")], BREAKER, NOON) == ""
    assert to_be_left_alone([cut_off, counted(0, 30, "two")], BREAKER, NOON) == (
        "80 of 80 calls have failed within 60 s"
    )


def test_a_worker_that_has_not_called_lately_says_nothing() -> None:
    failing = counted(0, 10)
    assert to_be_left_alone([failing, counted(99, 0, "two", FRESH)], BREAKER, NOON)
    assert to_be_left_alone([counted(0, 10, age=FRESH)], BREAKER, NOON) == ""


def test_workers_are_added_up_as_long_as_their_window_lasts() -> None:
    found = totals([counted(30, 30), counted(60, 0, "two"), counted(99, 0, "gone", timedelta(seconds=60))], NOON)
    assert (found.answered, found.failed, found.workers, found.aside) == (90, 30, 2, ())
    assert (found.attempts_per_second, found.error_share) == (2.0, 0.25)
    assert (found.p50_s, found.p95_s) == (None, None)


def test_latencies_are_told_within_a_third() -> None:
    latencies = [0] * BUCKETS
    for milliseconds in range(1, 101):
        latencies[bucket_of(milliseconds / 1000)] += 1
    found = totals([counted(100, 0).model_copy(update={"latencies": tuple(latencies)})], NOON)
    assert found.p50_s is not None and 0.05 <= found.p50_s <= 0.05 * 1.3
    assert found.p95_s is not None and 0.095 <= found.p95_s <= 0.095 * 1.3


@pytest.mark.parametrize("seconds", [0.0, 0.001, 1.0, 59.0, 1_000_000.0])
def test_every_latency_has_a_bucket(seconds: float) -> None:
    assert 0 <= bucket_of(seconds) < BUCKETS
