"""What orders write to the register: right when twice, late, out of order and by several at once."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select, text
from temporalio.testing import ActivityEnvironment

from activities.register import Register
from activities.register.query import OrderPage, OrderQuery
from activities.register.schema import ORDERS
from orders.states import LifecycleState
from tests.registers import NOON, a_record


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


def test_whether_a_channel_ever_had_an_order_of_a_customer_is_known(register: Register) -> None:
    register.records.record(a_record())
    view = a_record().view
    asked = [(view.channel, view.customer_id), ("other", view.customer_id), (view.channel, "other")]
    assert [register.records.has_order(channel, customer) for channel, customer in asked] == [True, False, False]


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


def test_processes_that_record_at_once_leave_the_highest_version(url: str, tmp_path: Path) -> None:
    # Spawned, as a process forked off one with threads may stand still; and first of all got going.
    spawned = ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn"))
    with spawned as elsewhere, ThreadPoolExecutor(max_workers=2) as here:
        elsewhere.submit(prepare_and_record, f"sqlite:///{tmp_path / 'other.db'}", 0).result()
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
