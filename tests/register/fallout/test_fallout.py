"""Fallout in the register: what orders tell of it, whatever the order of records, and what people do with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import text

from orders.model.instants import instant
from orders.model.silos.rules import Severity
from orders.read_model.fallout import FalloutSort, FalloutState
from register import Register
from register.fallout.people import Claimed, FalloutOver
from register.fallout.query import Fallout, FalloutQuery
from register.searching.query import Visibility
from tests.given.registers import NOON, an_item, fallen, over, told

WAITING, UNDER_WAY, OVER = FalloutState.WAITING, FalloutState.UNDER_WAY, FalloutState.OVER


def found(register: Register, **query: Any) -> list[str]:
    page = register.fallout.page(FalloutQuery(**query))
    assert page.total == len(page.fallout)
    return [each.record.id for each in page.fallout]


def one(register: Register, fallout_id: str = "O1-f1") -> Fallout:
    fallout = register.fallout.find(fallout_id)
    assert fallout is not None
    return fallout


def test_what_an_order_tells_is_found_as_it_was_told(register: Register) -> None:
    register.records.record(told(1, fallen(), in_jeopardy=True))
    fallout = one(register)
    assert fallout.record == fallen()
    assert (fallout.order_id, fallout.customer_id, fallout.channel) == ("O1", "C1", "shop")
    assert (fallout.in_jeopardy, fallout.promised_at) == (True, NOON + timedelta(days=3))
    assert (fallout.claimed_by, fallout.group, fallout.ended) == (None, None, None)
    assert register.fallout.find("O1-f2") is None


def test_what_is_over_keeps_its_story_and_leaves_the_queue(register: Register) -> None:
    register.records.record(told(1, fallen()))
    register.fallout.note("O1-f1", "Ada", NOON, "They are at it")
    register.records.record(told(2, over(fallen())))
    assert found(register) == []
    assert found(register, state=(OVER,)) == ["O1-f1"]
    fallout = one(register)
    assert (fallout.record.state, fallout.ended, fallout.over_at) == ("over", "retried", NOON + timedelta(hours=1))
    assert fallout.record.hand is not None
    assert [entry.note for entry in register.fallout.story("O1-f1")] == ["They are at it"]


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_records_may_come_in_any_order_and_twice(register: Register, order: tuple[int, ...]) -> None:
    second = fallen("O1-f2", code="later")
    records = [
        told(1, fallen()),
        told(2, fallen(state=UNDER_WAY)),
        told(3, over(fallen()), second),
        told(4, second),
    ]
    for n in order:
        register.records.record(records[n])
        register.records.write_again(records[n])
    assert found(register) == ["O1-f2"]
    assert (one(register).record.state, one(register).ended) == ("over", "retried")
    assert one(register, "O1-f2").record == second


def test_an_open_row_that_the_newest_record_does_not_know_is_over(register: Register) -> None:
    register.records.record(told(1, fallen()))
    register.records.record(told(3))
    assert found(register) == []
    assert (one(register).record.state, one(register).ended) == ("over", "unknown")
    register.records.record(told(2, over(fallen())))
    assert one(register).ended == "retried"


def test_a_late_record_leaves_no_open_row_behind(register: Register) -> None:
    register.records.record(told(3))
    register.records.record(told(1, fallen()))
    assert found(register) == []
    register.records.record(told(4, fallen()))
    assert found(register) == ["O1-f1"]


def test_no_record_of_another_order_touches_it(register: Register) -> None:
    register.records.record(told(1, fallen()))
    register.records.record(told(9, order_id="O2"))
    assert found(register) == ["O1-f1"]


def test_who_has_it_is_for_people_and_not_for_records_to_say(register: Register) -> None:
    register.records.record(told(1, fallen()))
    assert register.fallout.claim("O1-f1", "Ada", NOON)
    register.records.record(told(2, fallen(attempts=2)))
    assert (one(register).claimed_by, one(register).claimed_at) == ("Ada", NOON)
    assert one(register).record.attempts == 2


def test_one_person_has_it_at_a_time(register: Register) -> None:
    register.records.record(told(1, fallen()))
    assert register.fallout.claim("O1-f1", "Ada", NOON)
    assert register.fallout.claim("O1-f1", "Ada", NOON + timedelta(hours=1))
    with pytest.raises(Claimed) as refused:
        register.fallout.claim("O1-f1", "Bob", NOON)
    assert (refused.value.by, refused.value.at) == ("Ada", NOON)
    assert [entry.kind for entry in register.fallout.story("O1-f1")] == ["claimed"]


def test_of_many_who_claim_at_once_one_has_it(register: Register) -> None:
    register.records.record(told(1, fallen()))

    def claimed(by: str) -> bool:
        try:
            return register.fallout.claim("O1-f1", by, NOON)
        except Claimed:
            return False

    with ThreadPoolExecutor(max_workers=8) as threads:
        got = list(threads.map(claimed, [f"agent-{n}" for n in range(16)]))
    assert sum(got) == 1
    assert one(register).claimed_by == f"agent-{got.index(True)}"


def test_notes_that_are_written_at_once_are_all_kept(register: Register) -> None:
    register.records.record(told(1, fallen()))
    with ThreadPoolExecutor(max_workers=8) as threads:
        list(threads.map(lambda n: register.fallout.note("O1-f1", "Ada", NOON, f"note {n}"), range(16)))
    assert {entry.note for entry in register.fallout.story("O1-f1")} == {f"note {n}" for n in range(16)}


def test_it_is_handed_over_to_a_person_and_to_a_group(register: Register) -> None:
    register.records.record(told(1, fallen()))
    give = register.fallout.hand_over
    register.fallout.claim("O1-f1", "Ada", NOON)
    with pytest.raises(Claimed):
        give("O1-f1", "Bob", NOON, to="Bob", group=None, note="", anyone=False)
    assert give("O1-f1", "Ada", NOON, to="Bob", group=None, note="off duty", anyone=False)
    assert one(register).claimed_by == "Bob"
    assert give("O1-f1", "Eve", NOON, to=None, group="tv desk", note="", anyone=True)
    assert (one(register).claimed_by, one(register).group) == (None, "tv desk")
    assert register.fallout.claim("O1-f1", "Cyd", NOON)
    assert (one(register).claimed_by, one(register).group) == ("Cyd", "tv desk")
    story = [(entry.kind, entry.by, entry.given_to, entry.note) for entry in register.fallout.story("O1-f1")]
    assert story == [
        ("claimed", "Ada", None, ""),
        ("handedOver", "Ada", "Bob", "off duty"),
        ("handedOver", "Eve", "tv desk", ""),
        ("claimed", "Cyd", None, ""),
    ]


def test_it_is_released_by_whoever_has_it(register: Register) -> None:
    register.records.record(told(1, fallen()))
    register.fallout.claim("O1-f1", "Ada", NOON)
    with pytest.raises(Claimed):
        register.fallout.release("O1-f1", "Bob", NOON, note="", anyone=False)
    assert register.fallout.release("O1-f1", "Ada", NOON, note="", anyone=False)
    assert register.fallout.release("O1-f1", "Ada", NOON, note="", anyone=False)
    assert one(register).claimed_by is None
    assert [entry.kind for entry in register.fallout.story("O1-f1")] == ["claimed", "released"]


def test_what_is_over_is_not_claimed_any_more_but_spoken_of(register: Register) -> None:
    register.records.record(told(1, over(fallen())))
    with pytest.raises(FalloutOver):
        register.fallout.claim("O1-f1", "Ada", NOON)
    with pytest.raises(FalloutOver):
        register.fallout.hand_over("O1-f1", "Ada", NOON, to="Bob", group=None, note="", anyone=True)
    assert register.fallout.note("O1-f1", "Ada", NOON, "It was the weather")


def test_nothing_is_done_with_what_is_not_there(register: Register) -> None:
    assert not register.fallout.claim("O1-f1", "Ada", NOON)
    assert not register.fallout.hand_over("O1-f1", "Ada", NOON, to="B", group=None, note="", anyone=True)
    assert not register.fallout.release("O1-f1", "Ada", NOON, note="", anyone=True)
    assert not register.fallout.note("O1-f1", "Ada", NOON, "hello")


def many(register: Register) -> None:
    """Fallout of three orders."""
    register.records.record(told(1, fallen(), fallen("O1-f2", silo="crm", operation="account"), in_jeopardy=True))
    late = {"since": instant(NOON + timedelta(hours=2)), "attempts": 3}
    other = {"channel": "web", "customer_id": "C2", "items": (an_item("1", "tv-sport"),)}
    register.records.record(told(1, fallen("O2-f1", **late), order_id="O2", **other))
    register.records.record(told(2, over(fallen("O3-f1")), order_id="O3", promised_at=None))
    register.fallout.claim("O1-f2", "Ada", NOON)
    register.fallout.hand_over("O2-f1", "Ada", NOON, to=None, group="tv desk", note="", anyone=True)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, ["O1-f1", "O1-f2", "O2-f1"]),
        ({"state": tuple(FalloutState)}, ["O1-f1", "O1-f2", "O3-f1", "O2-f1"]),
        ({"state": (OVER,)}, ["O3-f1"]),
        ({"state": (WAITING,)}, ["O1-f1", "O1-f2", "O2-f1"]),
        ({"state": (UNDER_WAY,)}, []),
        ({"state": (UNDER_WAY, OVER)}, ["O3-f1"]),
        ({"silo": "tv"}, ["O1-f1", "O2-f1"]),
        ({"operation": "account"}, ["O1-f2"]),
        ({"code": "no_coverage", "silo": "crm"}, ["O1-f2"]),
        ({"offering": "tv-sport"}, ["O2-f1"]),
        ({"channel": "web"}, ["O2-f1"]),
        ({"customer": "C1"}, ["O1-f1", "O1-f2"]),
        ({"order": "O2"}, ["O2-f1"]),
        ({"group": "tv desk"}, ["O2-f1"]),
        ({"claimed": True}, ["O1-f2"]),
        ({"claimed": False}, ["O1-f1", "O2-f1"]),
        ({"claimed_by": "Ada"}, ["O1-f2"]),
        ({"in_jeopardy": True}, ["O1-f1", "O1-f2"]),
        ({"in_jeopardy": False}, ["O2-f1"]),
        ({"since_from": NOON + timedelta(hours=1)}, ["O2-f1"]),
        ({"since_before": NOON + timedelta(hours=1)}, ["O1-f1", "O1-f2"]),
        ({"visible_to": Visibility(channel="web")}, ["O2-f1"]),
        ({"visible_to": Visibility(customer="C1")}, ["O1-f1", "O1-f2"]),
        ({"visible_to": Visibility()}, []),
        ({"sort": ((FalloutSort.ATTEMPTS, True),)}, ["O2-f1", "O1-f2", "O1-f1"]),
        ({"sort": ((FalloutSort.SILO, False), (FalloutSort.ORDER, True))}, ["O1-f2", "O2-f1", "O1-f1"]),
        ({"sort": ((FalloutSort.SINCE, True),)}, ["O2-f1", "O1-f2", "O1-f1"]),
    ],
    ids=str,
)
def test_it_is_found_by_what_one_knows(register: Register, query: dict[str, Any], ids: list[str]) -> None:
    many(register)
    assert found(register, **query) == ids


def test_it_comes_in_pages(register: Register) -> None:
    many(register)
    page = register.fallout.page(FalloutQuery(offset=1, limit=1))
    assert ([each.record.id for each in page.fallout], page.total) == (["O1-f2"], 3)


def test_only_what_may_be_seen_is_found_by_its_id(register: Register) -> None:
    many(register)
    assert register.fallout.find("O1-f1", Visibility(channel="web")) is None
    assert register.fallout.find("O2-f1", Visibility(channel="web")) is not None


def test_it_is_summed_up_by_silo_operation_and_code(register: Register) -> None:
    many(register)
    summary = register.fallout.summary(FalloutQuery())
    assert (summary.total, summary.total_groups) == (3, 2)
    largest, other = summary.groups
    assert (largest.silo, largest.operation, largest.code) == ("tv", "subscription", "no_coverage")
    assert (largest.count, largest.orders, largest.at_risk, largest.claimed) == (2, 2, 1, 0)
    assert largest.oldest == NOON
    assert (other.silo, other.count, other.claimed) == ("crm", 1, 1)
    assert register.fallout.summary(FalloutQuery(silo="none")).groups == ()


def of_severities(register: Register) -> None:
    severities = (Severity.WARNING, None, Severity.MAJOR, Severity.MINOR)
    several = [fallen(f"O1-f{n}", severity=each) for n, each in enumerate(severities, start=1)]
    register.records.record(told(1, *several, fallen("O1-f5", silo="crm")))


def test_it_is_found_by_its_severity(register: Register) -> None:
    of_severities(register)
    assert found(register, severity=(Severity.MAJOR,)) == ["O1-f3"]
    assert found(register, severity=(Severity.MINOR, Severity.WARNING)) == ["O1-f1", "O1-f4"]
    assert found(register, severity=(Severity.CRITICAL,)) == []
    assert len(found(register)) == 5


def test_a_sum_tells_the_gravest_severity(register: Register) -> None:
    of_severities(register)
    told_of = {group.silo: group.severity for group in register.fallout.summary(FalloutQuery()).groups}
    assert told_of == {"tv": "major", "crm": None}
    [lesser] = register.fallout.summary(FalloutQuery(severity=(Severity.WARNING, Severity.MINOR))).groups
    assert (lesser.count, lesser.severity) == (2, "minor")


def test_what_silos_and_people_said_about_a_customer_is_erased_with_the_customer(register: Register) -> None:
    many(register)
    register.fallout.note("O1-f1", "Ada", NOON, "Mr. Miller is angry")
    register.fallout.note("O2-f1", "Ada", NOON, "all well")
    register.terms.erase_customer("C1", NOON + timedelta(days=1))
    assert [entry.note for entry in register.fallout.story("O1-f1")] == [""]
    assert [entry.note for entry in register.fallout.story("O2-f1")][-1] == "all well"
    assert (one(register).record.reason, one(register, "O2-f1").record.reason) == ("", "none here")
    register.records.record(told(5, fallen()))
    assert one(register).record.reason == ""
    assert "Miller" not in everything(register)


def everything(register: Register) -> str:
    with register.database.reading() as connection:
        return str([list(connection.execute(text(f"select * from {name}"))) for name in ("fallout", "fallout_story")])


def test_what_was_said_about_a_deleted_order_is_gone(register: Register) -> None:
    register.records.record(told(1, over(fallen()), completed_at=NOON))
    register.fallout.note("O1-f1", "Ada", NOON, "Mr. Miller is angry")
    register.records.delete("O1", NOON)
    assert register.fallout.find("O1-f1") is None
    assert "Miller" not in everything(register)
    assert found(register, state=tuple(FalloutState)) == []


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("over_at is null", "ix_fallout_since_id"),
        ("over_at is null and silo = 'tv' and operation = 'x'", "ix_fallout_silo_operation_code_since"),
        ("over_at is null and claimed_by = 'Ada'", "ix_fallout_claimed_by_since"),
        ("over_at is null and group_name = 'desk'", "ix_fallout_group_name_since"),
    ],
)
def test_the_queue_is_read_by_an_index_of_what_is_open(on_sqlite: Register, condition: str, index: str) -> None:
    ask = f"explain query plan select id from fallout where {condition} order by since, id limit 10"
    with on_sqlite.database.reading() as connection:
        assert index in str(connection.execute(text(ask)).all())
