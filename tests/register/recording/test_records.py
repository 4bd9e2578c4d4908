"""What orders write to the register: right when twice, late, out of order and by several at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Row, select, text
from temporalio.testing import ActivityEnvironment

from orders.model.order import Revision
from orders.model.values import Money
from orders.read_model.records import ChargeRecord, EventKind, OrderEvent, OrderRecord, Transition
from orders.read_model.states import LifecycleState, TaskState
from orders.read_model.timeline import TimelineEntry, TimelinePage
from register import Register
from register.searching.query import OrderPage, OrderQuery
from register.tables.orders import ORDERS
from tests.given.registers import NOON, a_record, a_view


def prepare_and_record(url: str, version: int) -> None:
    """What a worker process does with the register."""
    register = Register(url)
    register.prepare()
    register.records.record(a_record(version))
    register.close()


def rows(register: Register, query: str) -> list[Row[Any]]:
    with register.database.reading() as connection:
        return list(connection.execute(text(query)))


def test_an_order_is_found_as_it_was_recorded(register: Register) -> None:
    register.records.record(a_record())
    assert register.records.find("O1") == a_record()


def test_an_order_that_was_never_recorded_is_not_found(register: Register) -> None:
    register.records.record(a_record())
    assert register.records.find("O2") is None


def test_whether_a_channel_ever_had_an_order_of_a_customer_that_was_not_rejected_is_known(register: Register) -> None:
    register.records.record(a_record())
    register.records.record(a_record(order_id="O2", customer_id="C2", state=LifecycleState.REJECTED))
    channel, customer = a_record().view.channel, a_record().view.customer_id
    asked = [(channel, customer), ("other", customer), (channel, "other"), (channel, "C2")]
    assert [register.records.has_order(*each) for each in asked] == [True, False, False, False]


def test_an_order_recorded_twice_is_there_once(register: Register) -> None:
    register.records.record(a_record())
    register.records.record(a_record())
    assert rows(register, "select count(*) from orders") == [(1,)]
    assert rows(register, "select count(*) from items") == [(1,)]


def test_a_higher_version_replaces_a_lower_one(register: Register) -> None:
    register.records.record(a_record(1))
    register.records.record(a_record(2, state=LifecycleState.CANCELLED))
    assert register.records.find("O1") == a_record(2, state=LifecycleState.CANCELLED)


def test_a_lower_version_that_arrives_late_replaces_nothing(register: Register) -> None:
    register.records.record(a_record(2, state=LifecycleState.CANCELLED))
    register.records.record(a_record(1, items=()))
    assert register.records.find("O1") == a_record(2, state=LifecycleState.CANCELLED)
    assert rows(register, "select item_id from items") == [("1",)]


def test_an_equal_version_replaces(register: Register) -> None:
    register.records.record(a_record(1))
    register.records.record(a_record(1, state=LifecycleState.CANCELLED))
    assert register.records.find("O1") == a_record(1, state=LifecycleState.CANCELLED)


def test_a_record_without_the_body_leaves_the_body_as_it_was(register: Register) -> None:
    register.records.record(a_record(1))
    register.records.record(a_record(2, body=None))
    assert register.records.find("O1") == a_record(2)


def test_what_one_looks_for_stands_in_columns_with_instants_in_utc(register: Register) -> None:
    summer = NOON.astimezone(timezone(timedelta(hours=2)))
    register.records.record(a_record(ordered_at=summer, completed_at=None))
    columns = ("id", "version", "state", "customer_id", "channel", "revision", "ordered_at", "completed_at")
    with register.database.reading() as connection:
        [row] = connection.execute(select(*(ORDERS.c[name] for name in columns)))
    assert tuple(row) == ("O1", 1, "completed", "C1", "shop", 1, NOON, None)
    assert row.ordered_at.tzname() == "UTC"


def test_threads_that_record_at_once_leave_the_highest_version(register: Register) -> None:
    with ThreadPoolExecutor(max_workers=8) as threads:
        list(threads.map(register.records.record, [a_record(version) for version in (3, 8, 1, 7, 2, 6, 5, 4) * 5]))
    assert register.records.find("O1") == a_record(8)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessPoolExecutor]:
    """Another process. Spawned, as one forked off threads may stand still; and got going first of all."""
    url = f"sqlite:///{tmp_path_factory.mktemp('elsewhere') / 'register.db'}"
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
        pool.submit(prepare_and_record, url, 0).result()
        yield pool


def test_processes_that_record_at_once_leave_the_highest_version(url: str, elsewhere: ProcessPoolExecutor) -> None:
    with ThreadPoolExecutor(max_workers=2) as here:
        both = [pool.submit(prepare_and_record, url, version) for version in range(10) for pool in (elsewhere, here)]
        for each in both:
            each.result()
    with closing(Register(url)) as register:
        assert register.records.find("O1") == a_record(9)


def test_it_records_as_an_activity(register: Register) -> None:
    ActivityEnvironment().run(register.records.record, a_record())
    assert register.records.find("O1") == a_record()


def test_a_deleted_order_is_told_of_no_more_whatever_is_written_of_it_later(register: Register) -> None:
    register.records.record(a_record(1))
    assert register.records.delete("O1", NOON)
    register.records.record(a_record(2))
    assert register.records.find("O1") is None
    assert register.search.orders(OrderQuery()) == OrderPage((), 0)
    assert register.records.is_deleted("O1")
    assert not register.records.delete("O1", NOON)
    assert rows(register, "select kind from events order by number desc limit 1") == [("deleted",)]


def test_what_was_never_there_is_not_deleted(register: Register) -> None:
    register.records.record(a_record())
    assert not register.records.delete("O2", NOON)
    assert not register.records.is_deleted("O2")
    assert not register.records.is_deleted("O1")


def whole_record(version: int = 1, upto: int = 2) -> OrderRecord:
    """A record with history, of which the numbers up to one are new."""
    numbers = range(1, upto + 1)
    return OrderRecord(
        version=version,
        view=a_view(),
        revisions=tuple(Revision(number=n, customer_id="C1", channel="shop", items=()) for n in numbers),
        transitions=tuple(
            Transition(number=n, at=NOON, item="1", before=None, after=LifecycleState.COMPLETED, cause=f"cause {n}")
            for n in numbers
        ),
        events=tuple(OrderEvent(number=n, at=NOON, kind=EventKind.MILESTONE, data={"n": n}) for n in numbers),
        charges=(
            ChargeRecord(
                task="O1.fee-1/charges/bill",
                change="cancel-1",
                money=Money(amount=Decimal("19.90"), currency="EUR"),
                billed=version > 1,
                forgone=False,
            ),
        ),
    )


def test_history_is_written_once_in_whatever_order_it_comes(register: Register) -> None:
    for version, upto in ((2, 3), (1, 2), (2, 3), (1, 2)):
        register.records.record(whole_record(version, upto))
    for table in ("revisions", "transitions", "events"):
        assert rows(register, f"select number from {table} order by number") == [(1,), (2,), (3,)]
    assert rows(register, "select cause from transitions order by number") == [("cause 1",), ("cause 2",), ("cause 3",)]


def test_a_fee_is_there_once_exactly_as_the_newest_record_has_it(register: Register) -> None:
    for version in (1, 2, 1):
        register.records.record(whole_record(version))
    [fee] = rows(register, "select amount, currency, billed from charges")
    assert tuple(fee) == ("19.90", "EUR", True)


def test_two_workers_that_write_the_same_history_at_once_write_it_once(register: Register) -> None:
    with ThreadPoolExecutor(max_workers=8) as threads:
        list(threads.map(register.records.record, [whole_record(n % 4, 1 + n % 5) for n in range(40)]))
    assert rows(register, "select number from events order by number") == [(n,) for n in range(1, 6)]
    assert rows(register, "select version from orders") == [(3,)]


def entries(number: int) -> tuple[TimelineEntry, ...]:
    return tuple(
        TimelineEntry(task=f"O1.{n}/s/t", title="Line", silo="network", state=TaskState.DONE, begun=NOON, tried=n)
        for n in range(number)
    )


def test_the_timeline_of_an_order_that_has_ended_is_kept_in_pages_and_goes_with_the_order(register: Register) -> None:
    register.records.record(a_record().model_copy(update={"timeline": entries(5)}))
    first, last = (register.history.timeline("O1", offset, 3) for offset in (0, 3))
    assert first == TimelinePage(tasks=entries(5)[:3], total=5, next_offset=3)
    assert last == TimelinePage(tasks=entries(5)[3:], total=5)
    assert register.history.timeline("O2", 0, 3) is None
    register.records.delete("O1", NOON)
    assert register.history.timeline("O1", 0, 3) is None
    assert rows(register, "select * from timelines") == []


def test_a_later_end_has_another_timeline_and_a_lower_version_none(register: Register) -> None:
    for version, number in ((1, 1), (3, 2), (2, 4)):
        register.records.record(a_record(version).model_copy(update={"timeline": entries(number)}))
    assert register.history.timeline("O1", 0, 10) == TimelinePage(tasks=entries(2), total=2)


def test_a_milestone_is_part_of_the_history(register: Register) -> None:
    state = LifecycleState.IN_PROGRESS
    reached = Transition(number=1, at=NOON, before=state, after=state, cause="O1.1/s/t", milestone="handed-over")
    register.records.record(a_record().model_copy(update={"transitions": (reached,)}))
    assert register.history.transitions("O1", 0, 10).transitions == (reached,)
