"""Promises in danger in the care API: found by what is asked for, with their numbers."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from uuid import uuid4

from orders.model.writing.wording import verbatim
from orders.read_model.jeopardy import JeopardyCause, JeopardyLevel, JeopardyView
from register import Register
from tests.api.conftest import Door
from tests.given.registers import NOON, a_record

JEOPARDY = "/care/v1/jeopardy"


async def test_orders_in_danger_are_listed_with_their_cause_and_what_would_help(door: Door) -> None:
    order_id = f"O-{uuid4().hex[:10]}"
    danger = JeopardyView(
        level=JeopardyLevel.MISSED,
        cause=JeopardyCause.OVERDUE,
        what_wording=verbatim("Visit has taken field-service longer than it does nine times in ten"),
        task="site/installation/visit-site",
        silo="field-service",
        helps_wording=verbatim("Ask field-service what keeps it"),
        since=NOON,
    )
    told = {"jeopardy": danger, "completed_at": None, "customer_id": f"C-{order_id}", "safe_at": NOON}
    with closing(Register(door.settings.register_address)) as register:
        register.records.record(a_record(1, order_id=order_id, **told))
    answer = await door.http.get(JEOPARDY, params={"customer": f"C-{order_id}", "level": "missed"})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    [order] = found["orders"]
    assert (order["id"], order["href"].rsplit("/", 1)[1]) == (order_id, order_id)
    assert order["jeopardy"]["helps"] == "Ask field-service what keeps it"
    assert order["safeAt"] == "2026-03-29T12:00:00.000Z"
    [count] = found["counts"]
    assert count == {"level": "missed", "cause": "overdue", "silo": "field-service", "orders": 1}
    assert (found["total"], found["nextOffset"]) == (1, None)
    soon = (NOON - timedelta(days=9)).isoformat()
    later = await door.http.get(JEOPARDY, params={"customer": f"C-{order_id}", "promisedBefore": soon})
    assert later.json()["total"] == 0


async def test_a_level_that_there_is_none_of_is_refused(door: Door) -> None:
    answer = await door.http.get(JEOPARDY, params={"level": "dreadful"})
    assert answer.status_code == 400
