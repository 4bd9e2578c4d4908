"""The condition of a silo: what opens and closes its breaker, what people do with it, and what comes of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orders.health.condition import LOWEST_RATE, MOST_WINDOWS, STEPS, Condition, SiloState, Stage, Terms
from orders.health.steering import SiloCommand, Steer
from orders.model.silos.breaker import Breaker

NOON = datetime(2031, 3, 3, 12, tzinfo=UTC)
BREAKER = Breaker(pause=timedelta(seconds=5), longest_pause=timedelta(seconds=15), step=timedelta(seconds=10))
WELL = Condition(silo="voice", terms=Terms(rate_per_second=160.0, breaker=BREAKER), since=NOON)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def steered(condition: Condition, steer: Steer, now: datetime = NOON, **command: object) -> Condition:
    return condition.steered(now, SiloCommand.model_validate({"steer": steer, "by": "Ada", "reason": "why", **command}))


def test_nothing_is_due_while_a_silo_is_well() -> None:
    assert (WELL.state(NOON), WELL.rate(NOON), WELL.next(NOON), WELL.reason(NOON)) == (SiloState.CLOSED, None, None, "")
    assert WELL.at(later(1_000_000)) == WELL


def test_a_silo_that_fails_is_left_alone_and_looked_at_ever_less_often() -> None:
    condition, looked = WELL.opened(NOON, "all have failed"), list[float]()
    assert (condition.state(NOON), condition.rate(NOON), condition.reason(NOON)) == (
        SiloState.OPEN,
        0.0,
        "all have failed",
    )
    now = NOON
    for _ in range(4):
        due = condition.next(now)
        assert due is not None and not condition.probes_at(due - timedelta(milliseconds=1)) and condition.probes_at(due)
        looked.append((due - now).total_seconds())
        now, condition = due, condition.probed(due, "still down")
    assert looked == [5, 10, 15, 15]
    assert (condition.since, condition.probes) == (NOON, 4)
    assert condition.reason(now) == "all have failed; when looked at: still down"


def test_the_rate_comes_back_in_steps() -> None:
    condition = WELL.opened(NOON, "").probed(NOON, "")
    rates = list[float | None]()
    for number in range(len(STEPS) + 1):
        condition = condition.at(later(10 * number))
        rates.append(condition.rate(later(10 * number)))
    assert rates == [10, 20, 40, 80, None]
    assert (condition.stage, condition.next(later(40))) == (Stage.CLOSED, None)


def test_no_step_is_slower_than_temporal_can_count() -> None:
    slow = WELL.model_copy(update={"terms": Terms(rate_per_second=4.0, breaker=BREAKER)})
    assert slow.opened(NOON, "").probed(NOON, "").rate(NOON) == LOWEST_RATE
    slower = WELL.model_copy(update={"terms": Terms(rate_per_second=0.5, breaker=BREAKER)})
    assert slower.opened(NOON, "").probed(NOON, "").rate(NOON) == 0.5


def test_one_that_fails_again_while_it_comes_back_is_left_alone_for_longer() -> None:
    failed = WELL.opened(NOON, "").probed(later(5), "down").probed(later(15), "")
    assert failed.stage is Stage.HALF_OPEN
    again = failed.opened(later(16), "again")
    assert (again.stage, again.since, again.due) == (Stage.OPEN, later(16), later(26))


def test_a_breaker_that_is_switched_off_does_not_open() -> None:
    off = WELL.under(Terms(rate_per_second=160.0, breaker=Breaker(enabled=False)))
    assert off.opened(NOON, "all have failed") == off


def test_a_silo_is_paused_and_let_go_by_hand() -> None:
    paused = steered(WELL.opened(NOON, "down"), Steer.PAUSE)
    assert (paused.state(NOON), paused.rate(NOON), paused.next(NOON)) == (SiloState.PAUSED, 0.0, None)
    assert paused.reason(NOON) == "paused by Ada: why"
    assert steered(paused, Steer.PAUSE, later(5)) == paused
    resumed = steered(paused, Steer.RESUME, later(9))
    assert (resumed.state(later(9)), resumed.rate(later(9)), resumed.since) == (SiloState.CLOSED, None, later(9))


def test_a_throttle_counts_beside_the_steps_and_never_above_the_grant() -> None:
    throttled = steered(WELL, Steer.THROTTLE, rate_per_second=15)
    assert throttled.rate(NOON) == 15
    coming_back = throttled.opened(NOON, "").probed(NOON, "")
    assert [coming_back.rate(NOON), coming_back.at(later(10)).rate(later(10))] == [10, 15]
    assert steered(WELL, Steer.THROTTLE, rate_per_second=500).rate(NOON) == 160
    assert steered(throttled, Steer.THROTTLE).rate(NOON) is None


def test_a_planned_window_begins_and_ends_and_the_rate_comes_back_in_steps() -> None:
    planned = steered(WELL, Steer.OPEN_WINDOW, window="w1", start=later(60), end=later(120))
    assert (planned.state(NOON), planned.next(NOON)) == (SiloState.CLOSED, later(60))
    on = planned.at(later(60))
    assert (on.state(later(60)), on.rate(later(60)), on.since) == (SiloState.WINDOW, 0.0, later(60))
    assert on.reason(later(60)) == "maintenance window until 2031-03-03 12:02 UTC by Ada: why"
    assert on.next(later(60)) == later(120)
    after = on.at(later(120))
    assert (after.state(later(120)), after.windows, after.rate(later(120))) == (SiloState.HALF_OPEN, (), 10)


def test_a_window_is_opened_and_closed_by_hand() -> None:
    opened = steered(WELL, Steer.OPEN_WINDOW, window="w1")
    assert (opened.state(NOON), opened.next(NOON)) == (SiloState.WINDOW, None)
    closed = steered(opened, Steer.CLOSE_WINDOW, later(30))
    assert (closed.stage, closed.windows) == (Stage.HALF_OPEN, ())


def test_a_window_that_is_given_up_before_it_begins_changes_nothing() -> None:
    planned = steered(WELL, Steer.OPEN_WINDOW, window="w1", start=later(60))
    assert steered(planned, Steer.CLOSE_WINDOW, window="w1") == WELL


def test_what_cannot_be_done_is_said() -> None:
    def misfit(condition: Condition, steer: Steer, window: str = "") -> str:
        return condition.misfit(NOON, SiloCommand(steer=steer, window=window))

    assert misfit(WELL, Steer.CLOSE_WINDOW) == "there is no window that is on"
    assert misfit(WELL, Steer.CLOSE_WINDOW, "w1") == "there is no window w1"
    full = WELL
    for number in range(MOST_WINDOWS):
        full = steered(full, Steer.OPEN_WINDOW, window=f"w{number}", start=later(60 + number))
    assert misfit(full, Steer.OPEN_WINDOW, "one more") != ""
    assert misfit(full, Steer.CLOSE_WINDOW, "w1") == ""


def test_nobody_looks_while_a_silo_is_paused_or_in_a_window() -> None:
    down = WELL.opened(NOON, "down")
    for held in (steered(down, Steer.PAUSE), steered(down, Steer.OPEN_WINDOW, window="w1")):
        assert not held.probes_at(later(100))


@pytest.mark.parametrize("wrong", [{"share": 0}, {"failures": 0}, {"window": 0}, {"pause": 10, "longest_pause": 5}])
def test_a_breaker_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Breaker.model_validate(wrong)
