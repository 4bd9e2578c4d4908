"""The register of orders that have ended."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from temporalio.testing import ActivityEnvironment

from activities.register import Register
from orders.records import OrderRecord
from orders.states import LifecycleState
from orders.views import OrderView

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


def record(version: int = 1, order_id: str = "O1", **changes: object) -> OrderRecord:
    """An order that has ended."""
    view = OrderView(
        id=order_id,
        external_id="shop-1",
        customer_id="C1",
        channel="shop",
        state=LifecycleState.COMPLETED,
        revision=1,
        catalog="0123456789abcdef",
        ordered_at=NOON,
        requested_start=None,
        requested_completion=None,
        promised_at=NOON + timedelta(days=3),
        expected_at=None,
        completed_at=NOON + timedelta(days=2),
        in_jeopardy=False,
        items=(),
        silos=(),
        fallout=(),
        changes=(),
        body={"note": "Grüße \u0000 🛰", "productOrderItem": [{"id": "1"}]},
    )
    return OrderRecord(version=version, view=view.model_copy(update=changes))


def prepare_and_record(url: str, version: int) -> None:
    """What a worker process does with the register."""
    register = Register(url)
    register.prepare()
    register.record(record(version))
    register.close()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A register whose folder is not there yet."""
    return f"sqlite:///{tmp_path / 'data' / 'register.db'}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "register.db"


@pytest.fixture
def register(url: str) -> Iterator[Register]:
    with closing(Register(url)) as register:
        register.prepare()
        yield register


def test_an_order_is_found_as_it_was_recorded(register: Register) -> None:
    register.record(record())
    assert register.find("O1") == record()


def test_an_order_that_was_never_recorded_is_not_found(register: Register) -> None:
    register.record(record())
    assert register.find("O2") is None


def test_an_order_recorded_twice_is_there_once(register: Register, file: Path) -> None:
    register.record(record())
    register.record(record())
    assert rows(file, "select count(*) from orders") == [(1,)]


def test_a_higher_version_replaces_a_lower_one(register: Register) -> None:
    register.record(record(1))
    register.record(record(2, state=LifecycleState.CANCELLED))
    assert register.find("O1") == record(2, state=LifecycleState.CANCELLED)


def test_a_lower_version_that_arrives_late_replaces_nothing(register: Register) -> None:
    register.record(record(2, state=LifecycleState.CANCELLED))
    register.record(record(1))
    assert register.find("O1") == record(2, state=LifecycleState.CANCELLED)


def test_an_equal_version_replaces(register: Register) -> None:
    register.record(record(1))
    register.record(record(1, state=LifecycleState.CANCELLED))
    assert register.find("O1") == record(1, state=LifecycleState.CANCELLED)


def test_what_one_looks_for_stands_in_columns_with_instants_in_utc(register: Register, file: Path) -> None:
    summer = NOON.astimezone(timezone(timedelta(hours=2)))
    register.record(record(ordered_at=summer, completed_at=None))
    columns = "id, version, state, customer_id, channel, revision, ordered_at, completed_at"
    [row] = rows(file, f"select {columns} from orders")
    assert row == ("O1", 1, "completed", "C1", "shop", 1, "2026-03-29 12:00:00.000000", None)


def test_it_is_prepared_as_often_as_one_likes(register: Register, url: str) -> None:
    register.record(record())
    with closing(Register(url)) as other:
        other.prepare()
        assert other.find("O1") == record()


def test_threads_that_record_at_once_leave_the_highest_version(register: Register) -> None:
    with ThreadPoolExecutor(max_workers=8) as threads:
        list(threads.map(register.record, [record(version) for version in (3, 8, 1, 7, 2, 6, 5, 4) * 5]))
    assert register.find("O1") == record(8)


def test_processes_that_record_at_once_leave_the_highest_version(url: str, tmp_path: Path) -> None:
    # Spawned, as a process forked off one with threads may stand still; and first of all got going.
    spawned = ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn"))
    with spawned as elsewhere, ThreadPoolExecutor(max_workers=2) as here:
        elsewhere.submit(prepare_and_record, f"sqlite:///{tmp_path / 'other.db'}", 0).result()
        both = [pool.submit(prepare_and_record, url, version) for version in range(10) for pool in (elsewhere, here)]
        for each in both:
            each.result()
    with closing(Register(url)) as register:
        assert register.find("O1") == record(9)


def test_threads_that_prepare_at_once_do_not_disturb_each_other(url: str) -> None:
    with ThreadPoolExecutor(max_workers=8) as threads:
        list(threads.map(prepare_and_record, [url] * 16, range(16)))
    with closing(Register(url)) as register:
        assert register.find("O1") == record(15)


def test_a_locked_register_raises_for_temporal_to_retry_and_can_still_be_read(
    register: Register, url: str, file: Path
) -> None:
    register.record(record(1))
    with (
        closing(Register(url, busy_timeout=timedelta(milliseconds=50))) as impatient,
        closing(sqlite3.connect(file, isolation_level=None)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OperationalError, match="locked"):
            impatient.record(record(2))
        assert impatient.find("O1") == record(1)
        other.execute("ROLLBACK")
        impatient.record(record(2))
    assert register.find("O1") == record(2)


def test_a_register_that_can_not_be_reached_raises(tmp_path: Path) -> None:
    with closing(Register(f"sqlite:///{tmp_path / 'nowhere' / 'register.db'}")) as register:
        with pytest.raises(OperationalError):
            register.record(record())
        with pytest.raises(OperationalError):
            register.find("O1")


def test_a_register_that_can_not_be_made_says_so(tmp_path: Path) -> None:
    file = tmp_path / "register.db"
    file.write_text("this is no database, and too long to be taken for an empty one")
    with closing(Register(f"sqlite:///{file}")) as register, pytest.raises(Exception, match="not a database"):
        register.prepare()


def test_it_records_as_an_activity(register: Register) -> None:
    ActivityEnvironment().run(register.record, record())
    assert register.find("O1") == record()


def rows(file: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()
