"""What is awaited is asked for in rounds: what is due soon along with what is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orders.model.catalog import SOONEST_LOOK, Polling
from workflows.polling import PollSchedule

FIRST = timedelta(seconds=20)
POLLING = Polling(longest=timedelta(minutes=10))
BEGAN = datetime(2031, 3, 1, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def fact(number: int) -> tuple[str, int]:
    return f"vpn-1.site-{number}/vpn-site/visit-site", 0


@pytest.mark.parametrize(
    ("usual", "second"),
    [
        (timedelta(days=5), timedelta(hours=6)),
        (timedelta(hours=1), timedelta(minutes=3)),
        (timedelta(seconds=4), timedelta(minutes=1)),
        (timedelta(0), timedelta(minutes=1)),
        (timedelta(days=60), timedelta(hours=12)),
    ],
)
def test_the_first_look_is_soon_and_the_second_follows_what_is_awaited(usual: timedelta, second: timedelta) -> None:
    polling = Polling(longest=timedelta(hours=12))
    assert polling.first_pause == SOONEST_LOOK
    assert polling.pause_after(SOONEST_LOOK, usual) == second
    told = polling.model_copy(update={"first": FIRST})
    assert (told.first_pause, told.pause_after(FIRST, usual)) == (FIRST, 2 * FIRST)


def test_what_was_acknowledged_within_seconds_is_asked_for_in_one_round_and_stays_together() -> None:
    polls = PollSchedule()
    for number in range(50):
        polls.expect(fact(number), 0, after(number / 10), FIRST)
    assert polls.begin_round(after(19)) == []
    looks = polls.begin_round(after(20))
    assert [look.fact for look in looks] == [fact(number) for number in range(50)]
    for place, look in enumerate(looks):  # Twenty are asked for at a time, and answered one after the other.
        polls.again(look, after(21 + place // 20), POLLING)
    assert polls.next is not None
    assert polls.next.due == after(61)
    assert len(polls.next_round()) == len(polls.begin_round(after(61))) == 50
    assert polls.next is None


def test_what_was_acknowledged_much_later_is_not_asked_for_too_soon() -> None:
    polls = PollSchedule()
    polls.expect(fact(1), 0, BEGAN, FIRST)
    polls.expect(fact(2), 0, after(6), FIRST)
    assert [look.fact for look in polls.begin_round(after(20))] == [fact(1)]
    assert [look.fact for look in polls.begin_round(after(26))] == [fact(2)]


def test_pauses_double_up_to_the_longest_and_what_began_apart_comes_together() -> None:
    polls = PollSchedule()
    polls.expect(fact(1), 0, BEGAN, FIRST)
    polls.expect(fact(2), 0, after(15), FIRST)
    rounds: list[tuple[float, int]] = []
    while len(rounds) < 12 and polls.next is not None:
        now = polls.next.due
        looks = polls.begin_round(now)
        for look in looks:
            polls.again(look, now, POLLING)
        rounds.append(((now - BEGAN).total_seconds(), len(looks)))
    assert {number for _, number in rounds[:4]} == {1}
    assert {number for _, number in rounds[-4:]} == {2}
    assert rounds[-1][0] - rounds[-2][0] == POLLING.longest.total_seconds()


def test_what_was_told_and_lost_is_asked_for_sooner_and_once() -> None:
    polls = PollSchedule()
    polls.expect(fact(1), 0, BEGAN, timedelta(hours=6))
    polls.expect(fact(2), 0, BEGAN, timedelta(hours=6))
    polls.expect_sooner(fact(1), 0, after(60), FIRST)
    assert [look.fact for look in polls.begin_round(after(80))] == [fact(1)]
    assert [look.fact for look in polls.begin_round(after(6 * 3600))] == [fact(2)]
    assert polls.next is None
