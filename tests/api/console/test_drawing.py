"""Where things stand in a timeline: everything within its width, waits folded, sites together where there are many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from api.care.orders.care_bodies import TimelineEntryResponse
from api.console.drawing import MOST_ROWS, draw
from orders.read_model.states import TaskState
from orders.read_model.timeline import NoReturn, TimelineEntry

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def at(**later: float) -> datetime:
    return NOON + timedelta(**later)


def entry(task: str, state: TaskState, **told: Any) -> TimelineEntryResponse:
    return TimelineEntryResponse.model_validate(TimelineEntry(task=task, title=task, silo="crm", state=state, **told))


QUICK = entry("quick", TaskState.DONE, begun=at(), ended=at(milliseconds=200))
PARCEL = entry("parcel", TaskState.AWAITING, begun=at(seconds=1), expected_end=at(days=2), critical=True)
LINE = entry("line", TaskState.PENDING, expected_begin=at(days=2), expected_end=at(days=2, seconds=30))


def test_what_is_done_under_way_and_to_come_is_drawn_in_its_order_within_the_width() -> None:
    drawn = draw([QUICK, PARCEL, LINE], at(hours=6))
    assert [[bar.kind for bar in row.bars] for row in drawn.rows] == [["done"], ["busy", "next"], ["next"]]
    bars = [bar for row in drawn.rows for bar in row.bars]
    assert all(bar.x >= 0 and bar.width > 0 and bar.x + bar.width < 100.001 for bar in bars)
    done, busy, rest, line = bars
    assert done.x < busy.x < rest.x < line.x
    assert drawn.now == pytest.approx(rest.x)


def test_a_wait_of_days_leaves_room_for_seconds_unless_the_scale_is_true() -> None:
    folded, true = (draw([QUICK, PARCEL, LINE], at(hours=6), true=each) for each in (False, True))
    assert folded.rows[2].bars[0].width > 8
    assert true.rows[2].bars[0].width < 1
    assert [fold.length for fold in folded.folds] == [timedelta(hours=5, minutes=59, seconds=59), timedelta(hours=42)]
    assert true.folds == ()


def test_the_present_is_marked_only_where_it_lies_within() -> None:
    assert draw([QUICK], at(days=9)).now is None
    assert draw([LINE], at()).now is None
    assert draw([QUICK, PARCEL], at(days=9)).now == 100


def test_refused_and_undone_work_is_told_from_other_work() -> None:
    refused = entry("refused", TaskState.FALLOUT, begun=at(), expected_end=None)
    undone = entry("undone", TaskState.COMPENSATED, begun=at(), ended=at(minutes=1), undo_begun=at(minutes=5))
    rows = draw([refused, undone], at(minutes=9)).rows
    assert [[bar.kind for bar in row.bars] for row in rows] == [["trouble"], ["done", "undo"]]


def test_what_nobody_can_know_has_no_bar_and_nothing_at_all_can_be_drawn() -> None:
    assert draw([entry("x", TaskState.PENDING)], NOON).rows[0].bars == ()
    assert draw([], NOON).ticks == ()


def test_a_point_of_no_return_stands_where_it_was_passed_or_should_be() -> None:
    gate = NoReturn(kind="hard", expected=at(days=1))
    drawn = draw(
        [QUICK, entry("p", TaskState.AWAITING, begun=at(), expected_end=at(days=2), no_return=gate)], at(hours=1)
    )
    assert drawn.rows[0].gate is None
    assert drawn.now is not None
    assert drawn.rows[1].gate is not None
    assert drawn.now < drawn.rows[1].gate < 100


def test_ticks_stand_apart_and_the_first_and_the_last_are_told() -> None:
    many = [entry(str(n), TaskState.DONE, begun=at(seconds=n), ended=at(seconds=n + 1)) for n in range(50)]
    ticks = draw(many, at(days=1)).ticks
    assert (ticks[0].at, ticks[-1].at) == (at(), at(seconds=50))
    assert all(after.x - before.x >= 14 for before, after in pairwise(ticks))


def test_instants_of_other_days_take_more_room_and_stand_further_apart() -> None:
    many = [entry(str(n), TaskState.DONE, begun=at(seconds=n), ended=at(seconds=n + 1)) for n in range(50)]
    by_the_clock, with_days = draw(many, at(hours=1)).ticks, draw(many, at(days=1)).ticks
    assert len(by_the_clock) > len(with_days)
    assert all(after.x - before.x >= 27 for before, after in pairwise(with_days))


def test_sites_of_many_tasks_share_a_row_each_and_can_be_opened() -> None:
    many = [
        entry(str(n), TaskState.DONE, begun=at(seconds=n), ended=at(seconds=n + 1), site=f"site-{n % 3}")
        for n in range(MOST_ROWS + 1)
    ]
    drawn = draw([*many, PARCEL], at(hours=1))
    assert drawn.rows == ()
    assert [(group.site, group.count) for group in drawn.groups] == [
        ("site-0", 21),
        ("site-1", 20),
        ("site-2", 20),
        ("", 1),
    ]
    assert drawn.groups[0].states == {TaskState.DONE: 21}
    assert [group.critical for group in drawn.groups] == [False, False, False, True]
    assert len(draw(many, at(hours=1), site="site-1").rows) == 20
    assert len(draw(many[:MOST_ROWS], at(hours=1)).rows) == MOST_ROWS


def test_a_thousand_tasks_are_drawn_in_a_moment() -> None:
    many = [
        entry(str(n), TaskState.DONE, begun=at(seconds=n), ended=at(seconds=n + 40), site=f"site-{n // 6}")
        for n in range(1000)
    ]
    drawn = draw(many, at(hours=1))
    assert sum(group.count for group in drawn.groups) == 1000
