"""A long run makes room for a new one, but no call that is repeated for days may hold everything else up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from workflows.draining import AGAIN_AFTER, MOST_BYTES, MOST_EVENTS, PATIENCE, Drain

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
A_MOMENT = timedelta(milliseconds=1)
SIZE = 1000


def test_a_short_run_goes_on() -> None:
    drain = Drain()
    drain.look(False, 4000, SIZE, NOW)
    assert not drain.on


def test_a_long_run_begins_nothing_new_for_some_seconds_and_then_goes_on() -> None:
    drain = Drain()
    drain.look(True, 5000, SIZE, NOW)
    assert (drain.on, drain.until) == (True, NOW + PATIENCE)
    drain.look(True, 5010, SIZE, NOW + PATIENCE - A_MOMENT)
    assert (drain.on, drain.until) == (True, NOW + PATIENCE)
    drain.look(True, 5010, SIZE, NOW + PATIENCE)
    assert (drain.on, drain.until) == (False, None)


def test_it_is_tried_again_once_the_run_has_grown() -> None:
    drain = Drain()
    drain.look(True, 5000, SIZE, NOW)
    later = NOW + PATIENCE
    drain.look(True, 5000, SIZE, later)
    drain.look(True, 5000 + AGAIN_AFTER - 1, SIZE, later)
    assert not drain.on
    drain.look(True, 5000 + AGAIN_AFTER, SIZE, later)
    assert (drain.on, drain.until) == (True, later + PATIENCE)


def test_what_is_called_off_leaves_no_deadline_and_may_be_tried_again() -> None:
    drain = Drain()
    drain.look(True, 5000, SIZE, NOW)
    drain.call_off()
    assert (drain.on, drain.until) == (False, None)
    drain.look(True, 5010, SIZE, NOW + PATIENCE)
    assert (drain.on, drain.until) == (True, NOW + 2 * PATIENCE)


def test_near_the_limit_nothing_new_begins_at_all() -> None:
    for events, size in ((MOST_EVENTS, SIZE), (5000, MOST_BYTES)):
        drain = Drain()
        drain.look(True, 5000, SIZE, NOW)
        drain.look(True, events, size, NOW + PATIENCE)
        assert (drain.on, drain.until) == (True, None)
