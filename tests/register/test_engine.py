"""The register's database comes into being, is brought up to date, and says what is wrong with it."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from register import Register
from register.engine import RegisterError, TakesTooLong
from register.schema import SCHEMA
from tests.given.registers import a_record
from tests.running.postgres import PostgresServer


def test_the_migrations_make_the_tables_that_the_code_knows(register: Register) -> None:
    with register.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SCHEMA) == []


def test_it_is_prepared_as_often_as_one_likes(register: Register) -> None:
    register.records.record(a_record())
    with closing(Register(register.database.url)) as other:
        other.prepare()
        assert other.records.find("O1") == a_record()


def test_it_is_prepared_by_its_first_use(sqlite_url: str) -> None:
    with closing(Register(sqlite_url)) as register:
        assert register.records.find("O1") is None


def test_threads_that_prepare_at_once_do_not_disturb_each_other(url: str) -> None:
    def prepare_and_record(version: int) -> None:
        with closing(Register(url)) as register:
            register.prepare()
            register.records.record(a_record(version))

    with ThreadPoolExecutor(max_workers=8) as threads:
        list(threads.map(prepare_and_record, range(16)))
    with closing(Register(url)) as register:
        assert register.records.find("O1") == a_record(15)


def test_threads_write_in_turn_however_little_patience_sqlite_has(sqlite_url: str) -> None:
    with (
        closing(Register(sqlite_url, busy_timeout=timedelta(0))) as register,
        ThreadPoolExecutor(max_workers=8) as threads,
    ):
        register.prepare()
        list(threads.map(lambda version: register.records.record(a_record(version)), range(64)))
        assert register.records.find("O1") == a_record(63)


def test_a_register_of_a_later_version_is_refused(sqlite_url: str) -> None:
    with closing(Register(sqlite_url)) as register, register.database.writing() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with closing(Register(sqlite_url)) as older, pytest.raises(RegisterError, match="9999"):
        older.prepare()


def test_a_locked_register_raises_for_temporal_to_retry_and_can_still_be_read(tmp_path: Path) -> None:
    file = tmp_path / "register.db"
    url = f"sqlite:///{file}"
    with closing(Register(url)) as register:
        register.records.record(a_record(1))
    with (
        closing(Register(url, busy_timeout=timedelta(milliseconds=50))) as impatient,
        closing(sqlite3.connect(file, isolation_level=None)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OperationalError, match="locked"):
            impatient.records.record(a_record(2))
        assert impatient.records.find("O1") == a_record(1)
        other.execute("ROLLBACK")
        impatient.records.record(a_record(2))
        assert impatient.records.find("O1") == a_record(2)


def test_a_register_that_can_not_be_reached_raises(tmp_path: Path) -> None:
    with closing(Register(f"postgresql+psycopg://nobody@/none?host={tmp_path}")) as register:
        with pytest.raises(OperationalError):
            register.records.record(a_record())
        with pytest.raises(OperationalError):
            register.records.find("O1")


def test_a_register_that_can_not_be_made_says_so(tmp_path: Path) -> None:
    file = tmp_path / "register.db"
    file.write_text("this is no database, and too long to be taken for an empty one")
    with closing(Register(f"sqlite:///{file}")) as register, pytest.raises(Exception, match="not a database"):
        register.prepare()


def test_a_database_that_is_killed_while_orders_are_written_takes_them_when_it_is_back(
    own_postgres: PostgresServer,
) -> None:
    with closing(Register(own_postgres.url())) as register:
        register.records.record(a_record(1))
        with pytest.raises(DBAPIError), register.database.writing() as connection:
            register.records.write(connection, a_record(2))
            own_postgres.kill()
        with pytest.raises(DBAPIError):
            register.records.record(a_record(2))
        own_postgres.start()
        assert register.records.find("O1") == a_record(1)
        register.records.record(a_record(2))
        assert register.records.find("O1") == a_record(2)


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


def test_a_question_is_given_up_where_it_takes_longer_than_it_may_and_the_next_is_answered(register: Register) -> None:
    with pytest.raises(TakesTooLong), register.database.reading(0.05) as connection:
        connection.exec_driver_sql(ENDLESS)
    with register.database.reading(30) as connection:
        assert connection.scalar(text("SELECT 1")) == 1
