"""The database under the register: SQLite in a file, or PostgreSQL. Brings its tables up to date by itself."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeAlias

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError

MIGRATIONS: Final = Path(__file__).with_name("migrations")

Insert: TypeAlias = sqlite.Insert | postgresql.Insert
"""An insertion that can say what is to happen where the row is there already."""

_ADVISORY_LOCK: Final = 0x6F72646572  # "order"
_PATIENCE_S: Final = 30
_STEPS: Final = 1000
"""Of SQLite's, between two looks at the clock. To look into a large order takes some of a few milliseconds each."""
# Alembic's context is one for the whole process.
_migrating: Final = Lock()


class RegisterError(Exception):
    """The register cannot be used as it is: says why, for people."""


class TakesTooLong(Exception):
    """A question that takes the register longer than anybody is given."""


class Database:
    """One database by its SQLAlchemy URL. Safe to use from several threads, and by several processes.

    Every use may raise `sqlalchemy.exc.DBAPIError`, if the database is locked or cannot be reached.
    """

    def __init__(self, url: str | URL, *, busy_timeout: timedelta = timedelta(seconds=5)) -> None:
        """Connect to nothing yet. `busy_timeout` is how long SQLite waits for a lock that another process holds."""
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.insert: Callable[[Table], Insert] = sqlite.insert if self.is_sqlite else postgresql.insert
        self._replacing: dict[tuple[str, tuple[str, ...]], Insert] = {}
        self._adding: dict[str, Insert] = {}
        self._busy_timeout_s = busy_timeout.total_seconds()
        self._engine = self._sqlite() if self.is_sqlite else self._postgresql()
        self._prepared = False
        self._writer = Lock()

    def adding(self, table: Table) -> Insert:
        """An insertion of those rows that are not there yet. It is built once, as all that each record needs is."""
        found = self._adding.get(table.name)
        if found is None:
            found = self._adding[table.name] = self.insert(table).on_conflict_do_nothing()
        return found

    def replacing(self, table: Table, *kept: str) -> Insert:
        """An insertion of rows that have an id and a version, each in place of one of no higher version.

        The columns `kept` stay as they are. It is built once: that takes SQLAlchemy longer than to execute it.
        """
        found = self._replacing.get((table.name, kept))
        if found is None:
            insert = self.insert(table)
            replaced = {
                column.name: insert.excluded[column.name] for column in table.c if column.name not in ("id", *kept)
            }
            found = self._replacing[table.name, kept] = insert.on_conflict_do_update(
                index_elements=[table.c.id], set_=replaced, where=table.c.version <= insert.excluded.version
            )
        return found

    def prepare(self) -> None:
        """Create the tables or bring them up to date, where no other process does; also done before the first use.

        Raises:
            RegisterError: if a later version of orderpipe has been at work here.
            sqlalchemy.exc.DBAPIError: if the database cannot be reached.
        """
        with _migrating:
            if self._prepared:
                return
            if self.is_sqlite and self.url.database:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._engine.connect() as connection:
                up_to_date = _is_up_to_date(connection)
            if not up_to_date:
                self._bring_up_to_date()
            self._prepared = True

    @contextmanager
    def reading(self, within_s: float | None = None) -> Iterator[Connection]:
        """A connection to read by, for so long if that is bounded.

        Raises:
            TakesTooLong: if it takes longer.
        """
        self._make_ready()
        with self._engine.connect() as connection:
            if within_s is None:
                yield connection
            else:
                with self._bounded(connection, within_s):
                    yield connection

    @contextmanager
    def _bounded(self, connection: Connection, within_s: float) -> Iterator[None]:
        raw = connection.connection.dbapi_connection
        deadline = time.monotonic() + within_s
        if isinstance(raw, sqlite3.Connection):
            raw.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        else:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(1000 * within_s)}")
        try:
            yield
        except OperationalError as error:
            if time.monotonic() > deadline:
                raise TakesTooLong(f"the register is asked for more than it finds in {within_s:g} seconds") from error
            raise
        finally:
            if isinstance(raw, sqlite3.Connection):
                raw.set_progress_handler(None, 0)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it is kept, or on an error nothing."""
        self._make_ready()
        if not self.is_sqlite:
            with self._engine.begin() as connection:
                yield connection
            return
        with self._one_at_a_time(), self._engine.begin() as connection:
            # One that read first could not write any more once another has written.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """Let threads write in turn: whoever asks SQLite for its lock tries again now and then, and may never get it.

        One that has waited for long goes on without its turn, and SQLite has the last word.
        """
        has_turn = self._writer.acquire(timeout=_PATIENCE_S)
        try:
            yield
        finally:
            if has_turn:
                self._writer.release()

    def _make_ready(self) -> None:
        if not self._prepared:
            self.prepare()

    def _bring_up_to_date(self) -> None:
        if self.is_sqlite:
            _write_ahead(self._engine, self._busy_timeout_s)
        with self._engine.begin() as connection:
            # One process migrates, the others wait here and then find nothing left to do.
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
            try:
                command.upgrade(_alembic(connection), "head")
            except CommandError as error:
                shown = self.url.render_as_string(hide_password=True)
                raise RegisterError(f"The register {shown} is of another version of orderpipe: {error}") from error

    def _sqlite(self) -> Engine:
        engine = create_engine(self.url, hide_parameters=True, connect_args={"timeout": self._busy_timeout_s})
        event.listen(engine, "connect", _read_from_memory)
        return engine

    def _postgresql(self) -> Engine:
        # To compile a question takes longer than to answer any of ours.
        options = f"-c statement_timeout={_PATIENCE_S}s -c jit=off"
        timeouts: dict[str, Any] = {"connect_timeout": 5, "options": options}
        return create_engine(
            self.url, hide_parameters=True, pool_pre_ping=True, pool_size=10, max_overflow=20, connect_args=timeouts
        )


def _alembic(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _is_up_to_date(connection: Connection) -> bool:
    """True where every migration was done, as nearly always: then no lock is needed to find out."""
    head = ScriptDirectory.from_config(_alembic(connection)).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == head


def _read_from_memory(connection: sqlite3.Connection, _: object) -> None:
    """SQLite's own cache is 2 MB, which a count over all orders does not fit into."""
    connection.execute("PRAGMA mmap_size = 1073741824")


def _write_ahead(engine: Engine, patience_s: float) -> None:
    """Have a SQLite file, for good, let readers and the writer not wait for each other."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                return
        except OperationalError as error:
            # For this one statement SQLite does not wait while another process is at the same.
            if not is_locked(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def is_locked(error: OperationalError) -> bool:
    """True where another process holds the lock of a SQLite file: the same may be tried again."""
    return isinstance(error.orig, sqlite3.Error) and error.orig.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
