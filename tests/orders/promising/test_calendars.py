"""Working hours: durations count them alone, by the clock and the holidays of the place."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from itertools import pairwise
from random import Random
from time import thread_time

import pytest
from pydantic import ValidationError

from orders.model.silos.working_hours import Calendar, Hours, Weekday
from orders.promising.calendars import calendar_of, problem_of

BERLIN = Hours(since=time(8), until=time(16), time_zone="Europe/Berlin", region="DE-BY")
DAY_S = 8 * 3600.0


def at(written: str) -> datetime:
    return datetime.fromisoformat(written)


@pytest.fixture
def berlin() -> Calendar:
    return calendar_of(BERLIN, at("2026-03-01T00:00+01:00"))


def test_two_days_of_work_over_a_weekend_take_four(berlin: Calendar) -> None:
    thursday = at("2026-03-05T16:00+01:00")
    assert berlin.after(thursday, 2 * DAY_S) == at("2026-03-09T16:00+01:00")
    assert berlin.before(at("2026-03-09T16:00+01:00"), 2 * DAY_S) == at("2026-03-06T08:00+01:00")


def test_a_holiday_of_the_region_is_free_and_one_of_another_is_not(berlin: Calendar) -> None:
    epiphany = at("2026-01-06T08:00+01:00")
    assert berlin.after(epiphany, 3600) == at("2026-01-07T09:00+01:00")
    elsewhere = calendar_of(BERLIN.model_copy(update={"region": "DE-HH"}), epiphany)
    assert elsewhere.after(epiphany, 3600) == at("2026-01-06T09:00+01:00")


def test_the_clock_of_the_place_counts_and_changes_with_the_seasons(berlin: Calendar) -> None:
    friday = at("2026-03-27T15:00+01:00")
    assert berlin.after(friday, 2 * 3600) == at("2026-03-30T09:00+02:00")
    assert berlin.between(friday, at("2026-03-30T09:00+02:00")) == 2 * 3600


@pytest.mark.parametrize("hour", range(0, 24, 3))
@pytest.mark.parametrize("seconds", [1.0, DAY_S - 1, DAY_S, 3.5 * DAY_S, 12 * DAY_S])
def test_what_is_counted_forth_is_counted_back(berlin: Calendar, hour: int, seconds: float) -> None:
    begin = at("2026-03-26T00:00+00:00") + timedelta(hours=hour)
    done = berlin.after(begin, seconds)
    assert berlin.between(begin, done) == pytest.approx(seconds)
    assert berlin.between(berlin.before(done, seconds), done) == pytest.approx(seconds)
    assert berlin.before(done, seconds) >= begin


def test_nothing_takes_no_time_at_whatever_hour(berlin: Calendar) -> None:
    sunday = at("2026-03-08T12:00+01:00")
    assert berlin.after(sunday, 0) == berlin.before(sunday, 0) == sunday
    assert berlin.between(sunday, sunday + timedelta(hours=6)) == 0


def test_a_day_may_end_at_midnight() -> None:
    always = Hours(days=tuple(Weekday), since=time(0), until=time(0))
    begin = at("2026-03-05T16:00+00:00")
    assert calendar_of(always, begin).after(begin, 100 * 3600) == begin + timedelta(hours=100)


def test_a_silo_that_never_works_is_none() -> None:
    with pytest.raises(ValidationError, match="end after they begin"):
        Hours(since=time(9), until=time(9))
    with pytest.raises(ValidationError, match="at least 1"):
        Hours(days=())


@pytest.mark.parametrize("told", [{"region": "XX"}, {"region": "DE-ZZ"}, {"time_zone": "Europe/Nowhere"}])
def test_a_place_that_is_nowhere_is_a_mistake_of_the_catalog(told: dict[str, str]) -> None:
    assert problem_of(BERLIN) is None
    assert problem_of(BERLIN.model_copy(update=told))


def test_what_takes_longer_than_anybody_can_reckon_still_ends() -> None:
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    assert calendar_of(BERLIN, begin).after(begin, 2000 * DAY_S) > begin + timedelta(days=1000)


@pytest.mark.parametrize("seed", range(20))
def test_what_lies_far_apart_is_the_sum_of_what_lies_between(seed: int) -> None:
    dice = Random(seed)
    days = tuple(dice.sample(tuple(Weekday), dice.randint(1, 7)))
    since, until = dice.choice([(time(8), time(16)), (time(0), time(0)), (time(1, 30), time(3))])
    hours = Hours(days=days, since=since, until=until, time_zone="Europe/Berlin", region="DE-BY")
    calendar = calendar_of(hours, at("2026-03-01T00:00+01:00"))
    begin = at("2025-06-01T00:00+00:00") + timedelta(seconds=dice.uniform(0, 10**7))
    ends = [begin]
    while ends[-1] < begin + timedelta(days=900):
        ends.append(ends[-1] + timedelta(seconds=dice.uniform(0, 2 * 86_400)))
    pieces = sum(calendar.between(one, other) for one, other in pairwise(ends))
    assert calendar.between(begin, ends[-1]) == pytest.approx(pieces)
    done = calendar.after(begin, pieces - 1)
    assert done <= ends[-1]
    assert calendar.between(begin, done) == pytest.approx(pieces - 1)


def test_what_takes_very_long_is_reckoned_at_once(berlin: Calendar) -> None:
    begin = at("2026-03-02T09:00+01:00")
    looks = 2000
    before = thread_time()
    for number in range(looks):
        berlin.between(begin, begin + timedelta(days=5 * 365, minutes=number))
        berlin.after(begin, 500 * DAY_S + number)
    assert (thread_time() - before) / looks < 0.002


def test_what_was_asked_before_does_not_show_in_how_an_instant_is_written() -> None:
    office = calendar_of(Hours(), datetime(2026, 3, 2, tzinfo=UTC))
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    elsewhere = at.astimezone(timezone(timedelta(hours=5)))
    for asked in (at, elsewhere, at, elsewhere):
        done = office.after(asked, 60)
        assert done == at + timedelta(minutes=1)
        assert done.utcoffset() == asked.utcoffset()
