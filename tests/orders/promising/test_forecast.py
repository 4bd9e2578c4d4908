"""Likely and safe: what a plan takes as a rule, and nine times in ten, beside what chance makes of it."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from orders.model.plan import Plan, Takes, Task
from orders.model.silos.working_hours import Hours
from orders.promising.calendars import calendar_of
from orders.promising.forecast import Z_SAFE, forecast, left_of
from orders.promising.slack import latest_begin
from tests.orders.support.builders import operation, plan, task

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = 3600.0


def learned(*tasks: Task, **takes: tuple[float, float]) -> Plan:
    """A plan whose tasks take so many hours: as a rule, and nine times in ten."""
    made = plan(*tasks, operations=[operation(name) for name in takes])
    durations = {f"s/{name}": Takes(HOUR * each[0], HOUR * each[1]) for name, each in takes.items()}
    return replace(made, durations=durations)


def hours(wanted: Plan, begin: datetime = BEGIN) -> tuple[float, float]:
    likely, safe = forecast(wanted, begin, lambda key: False).whole(begin)
    return (likely - begin).total_seconds() / HOUR, (safe - begin).total_seconds() / HOUR


def by_chance(wanted: Plan) -> tuple[float, float]:
    """The same, by going through it very often."""
    dice, ends = random.Random(7), list[float]()
    for _ in range(4000):
        done: dict[str, float] = {}
        for key, each in wanted.tasks.items():
            takes = wanted.takes(each)
            spread = math.log(takes.safe_s / takes.likely_s) / Z_SAFE
            begins = max((done[other] for other in each.depends_on), default=0.0)
            done[key] = begins + takes.likely_s * math.exp(spread * dice.gauss(0, 1))
        ends.append(max(done.values()) / HOUR)
    ends.sort()
    return ends[len(ends) // 2], ends[len(ends) * 9 // 10]


CHAIN = learned(task("a"), task("b", on=["a"]), task("c", on=["b"]), a=(2, 5), b=(10, 30), c=(1, 2))
LONG = learned(
    *[task(name, on=[chr(ord(name) - 1)] if name > "a" else []) for name in "abcdefgh"],
    **dict.fromkeys("abcdefgh", (4.0, 9.0)),
)
BESIDE = learned(*[task(name) for name in "abcdef"], **dict.fromkeys("abcdef", (4.0, 9.0)))
FAN = learned(
    task("a"), *[task(name, on=["a"]) for name in "bcdef"], a=(20, 60), **dict.fromkeys("bcdef", (0.5, 1.0))
)  # fmt: skip


@pytest.mark.parametrize("wanted", [CHAIN, LONG, BESIDE, FAN], ids=["chain", "long", "beside", "fan"])
def test_what_is_told_is_what_chance_makes_of_it(wanted: Plan) -> None:
    likely, safe = by_chance(wanted)
    told = hours(wanted)
    assert told[0] == pytest.approx(likely, rel=0.08)
    assert told[1] == pytest.approx(safe, rel=0.08)


def test_what_nobody_has_measured_takes_what_the_catalog_says_and_a_tenth_more_to_be_safe() -> None:
    taking = [replace(operation(name), duration_s=HOUR * number) for name, number in (("a", 1), ("b", 2))]
    assert hours(plan(task("a"), task("b", on=["a"]), operations=taking)) == pytest.approx((3.0, 3.3))


def test_the_longer_something_has_taken_the_longer_it_may_still_take() -> None:
    takes = Takes(HOUR, 3 * HOUR)
    left = [left_of(takes, elapsed * HOUR, learned=True) for elapsed in (0, 1, 3, 10)]
    assert left[0] == takes
    assert left[1].likely_s < takes.likely_s
    assert left[1].likely_s < left[2].likely_s < left[3].likely_s
    assert all(each.likely_s < each.safe_s for each in left)
    assert left_of(takes, 1e12, learned=True).safe_s < math.inf


def test_what_was_not_measured_and_is_past_its_time_is_expected_at_any_moment() -> None:
    assert left_of(Takes(HOUR, 1.1 * HOUR), 2 * HOUR, learned=False) == Takes(0, 0)


def test_a_weekend_lies_between_what_is_begun_on_friday_and_its_end() -> None:
    calendar = calendar_of(Hours(since=time(8), until=time(16)), BEGIN)
    wanted = replace(CHAIN, calendars={operation("b").silo: calendar})
    friday = datetime(2026, 3, 6, 10, tzinfo=UTC)
    likely, safe = forecast(wanted, friday, lambda key: False).whole(friday)
    assert likely > friday + timedelta(days=3)
    assert safe > likely


def test_what_is_done_takes_nothing_and_what_is_by_appointment_is_not_done_sooner() -> None:
    done = forecast(CHAIN, BEGIN, lambda key: True)
    assert set(done.likely.values()) == set(done.safe.values()) == {BEGIN}
    later = BEGIN + timedelta(days=30)
    appointed = replace(CHAIN, tasks={key: replace(each, appointed_until=later) for key, each in CHAIN.tasks.items()})
    likely, safe = forecast(appointed, BEGIN, lambda key: False).whole(BEGIN)
    assert later < likely < safe < later + timedelta(days=5)


def test_begun_at_the_last_instant_the_rest_is_done_just_in_time() -> None:
    by = BEGIN + timedelta(days=10)
    calendar = calendar_of(Hours(since=time(8), until=time(16)), BEGIN)
    wanted = replace(CHAIN, calendars={operation("b").silo: calendar})
    begin = latest_begin(wanted, by, lambda key: False)
    ends = []
    for begun in (begin, begin + timedelta(minutes=1)):
        at = begun
        for each in wanted.tasks.values():
            at = wanted.after(each, at, wanted.takes(each).likely_s)
        ends.append(at)
    assert ends[0] <= by < ends[1]
