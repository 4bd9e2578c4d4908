"""Sessions of the console: there while somebody uses them, for some hours at most, and gone at once when they end."""

from __future__ import annotations

from datetime import timedelta

from register import Register
from register.console_sessions import IDLE_AFTER
from tests.given.registers import NOON, a_record, a_view

ADA = {"name": "Ada", "scopes": ["care"]}
LATER = NOON + timedelta(hours=12)


def test_a_session_is_found_until_it_ends(register: Register) -> None:
    sessions = register.console_sessions
    sessions.begin("h1", ADA, NOON, LATER)
    assert sessions.find("h1", NOON, used=True) == ADA
    assert sessions.find("h2", NOON, used=True) is None
    sessions.end("h1")
    assert sessions.find("h1", NOON, used=True) is None


def test_a_session_that_nobody_uses_is_over_and_what_a_page_does_by_itself_is_no_use(register: Register) -> None:
    sessions = register.console_sessions
    sessions.begin("h1", ADA, NOON, LATER)
    almost = NOON + IDLE_AFTER - timedelta(seconds=1)
    assert sessions.find("h1", almost, used=False) == ADA
    assert sessions.find("h1", NOON + IDLE_AFTER, used=False) is None
    assert sessions.find("h1", almost, used=True) == ADA
    assert sessions.find("h1", NOON + IDLE_AFTER, used=False) == ADA


def test_a_session_ends_however_much_it_is_used_and_is_forgotten(register: Register) -> None:
    sessions = register.console_sessions
    sessions.begin("h1", ADA, NOON, NOON + timedelta(minutes=20))
    assert sessions.find("h1", NOON + timedelta(minutes=19), used=True) == ADA
    assert sessions.find("h1", NOON + timedelta(minutes=20), used=True) is None
    sessions.begin("h2", ADA, NOON + timedelta(minutes=21), LATER)
    assert sessions.find("h1", NOON, used=True) is None


def test_orders_that_were_written_are_seen_by_those_who_look_on(register: Register) -> None:
    before = NOON - timedelta(days=9999)
    assert register.changed_orders.since(before) == []
    register.records.record(a_record(3))
    register.records.record(a_record(2))
    assert register.changed_orders.since(before) == [("O1", 3)]
    assert register.changed_orders.since(NOON + timedelta(days=36500)) == []
    assert a_view().answer.waits_for is None
