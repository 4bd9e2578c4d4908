"""Promises in danger, as the register lists and counts them."""

from __future__ import annotations

from datetime import timedelta

from orders.model.writing.wording import verbatim
from orders.read_model.jeopardy import JeopardyCause, JeopardyLevel, JeopardyView
from register import Register
from register.jeopardy import JeopardyQuery
from register.searching.query import Visibility
from tests.given.registers import NOON, a_record

AT_RISK, LATE, MISSED = JeopardyLevel.AT_RISK, JeopardyLevel.IN_JEOPARDY, JeopardyLevel.MISSED


def endangered(register: Register, order: str, level: JeopardyLevel, silo: str = "tv", days: int = 1) -> None:
    danger = JeopardyView(
        level=level, cause=JeopardyCause.OVERDUE, what_wording=verbatim("It takes long"), silo=silo, since=NOON
    )
    told = {"jeopardy": danger, "completed_at": None, "promised_at": NOON + timedelta(days=days)}
    register.records.record(a_record(1, order_id=order, **told))


def ids(register: Register, query: JeopardyQuery = JeopardyQuery()) -> list[str]:  # noqa: B008
    return [each.id for each in register.jeopardies.page(query).orders]


def test_the_worst_come_first_and_of_those_what_is_promised_soonest(register: Register) -> None:
    endangered(register, "O1", AT_RISK)
    endangered(register, "O2", MISSED, days=3)
    endangered(register, "O3", MISSED, days=2)
    endangered(register, "O4", LATE)
    register.records.record(a_record(1, order_id="O5"))
    assert ids(register) == ["O3", "O2", "O4", "O1"]
    page = register.jeopardies.page(JeopardyQuery(offset=1, limit=2))
    assert [each.id for each in page.orders] == ["O2", "O4"]
    assert (page.total, page.counts[0].level, page.counts[0].orders) == (4, "missed", 2)


def test_what_is_over_is_listed_no_more(register: Register) -> None:
    endangered(register, "O1", LATE)
    register.records.record(a_record(2))
    assert ids(register) == []


def test_each_filter_narrows_what_is_found(register: Register) -> None:
    endangered(register, "O1", AT_RISK, silo="tv", days=1)
    endangered(register, "O2", LATE, silo="voice", days=9)
    assert ids(register, JeopardyQuery(level=("inJeopardy", "missed"))) == ["O2"]
    assert ids(register, JeopardyQuery(silo="tv")) == ["O1"]
    assert ids(register, JeopardyQuery(cause="fallout")) == []
    assert ids(register, JeopardyQuery(promised_before=NOON + timedelta(days=2))) == ["O1"]
    assert ids(register, JeopardyQuery(customer="C1", channel="shop")) == ["O2", "O1"]
    assert ids(register, JeopardyQuery(visible_to=Visibility(channel="other"))) == []
