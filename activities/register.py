"""The register: orders in SQL, for when Temporal has forgotten them. SQLite and PostgreSQL, by SQLAlchemy.

An order is written when it ends. Histories can tell all of it again as long as Temporal keeps them.
"""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    inspect,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from temporalio import activity

from orders.records import OrderRecord
from orders.views import OrderView
from orders.wire import RECORD_ORDER

_SCHEMA: Final = MetaData()

ORDERS: Final = Table(
    "orders",
    _SCHEMA,
    Column("id", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("customer_id", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("ordered_at", DateTime(timezone=True), nullable=False),
    Column("completed_at", DateTime(timezone=True)),
    Column("view", JSON, nullable=False),
)
"""One row for each order. `view` is all of it; the other columns repeat what one looks for. Instants are UTC."""


class Register:
    """The register behind one SQLAlchemy URL. Safe to use from several threads, and by several processes."""

    def __init__(self, url: str, *, busy_timeout: timedelta = timedelta(seconds=5)) -> None:
        """Connect to nothing yet. `busy_timeout` is how long SQLite waits for a lock that another holds."""
        self._url = make_url(url)
        self._busy_timeout_s = busy_timeout.total_seconds()
        if self._url.get_backend_name() == "sqlite":
            self._engine = create_engine(self._url, connect_args={"timeout": self._busy_timeout_s})
            self._insert = sqlite.insert
        else:
            self._engine = create_engine(self._url, pool_pre_ping=True)
            self._insert = postgresql.insert

    def prepare(self) -> None:
        """Create what is missing: the table, and the folder of a SQLite file.

        Raises:
            sqlalchemy.exc.DBAPIError: if the database can not be reached.
        """
        if self._url.get_backend_name() == "sqlite" and self._url.database:
            Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
            _write_ahead(self._engine, self._busy_timeout_s)
        try:
            _SCHEMA.create_all(self._engine)
        except DBAPIError:
            # Of several processes that start at once, one creates the table and the others find it there.
            if not _has_table(self._engine):
                raise

    @activity.defn(name=RECORD_ORDER, no_thread_cancel_exception=True)
    def record(self, record: OrderRecord) -> None:
        """Write an order down. A lower version never replaces a higher one; an equal one is the same order, repeated.

        Raises:
            sqlalchemy.exc.DBAPIError: if the database is locked or can not be reached.
        """
        view = record.view
        row = self._insert(ORDERS).values(
            id=view.id,
            version=record.version,
            state=str(view.state),
            customer_id=view.customer_id,
            channel=view.channel,
            revision=view.revision,
            ordered_at=_utc(view.ordered_at),
            completed_at=_utc(view.completed_at) if view.completed_at else None,
            view=view.model_dump(mode="json"),
        )
        statement = row.on_conflict_do_update(
            index_elements=[ORDERS.c.id],
            set_={column.name: row.excluded[column.name] for column in ORDERS.c if column is not ORDERS.c.id},
            where=ORDERS.c.version <= row.excluded.version,
        )
        with self._engine.begin() as connection:
            connection.execute(statement)

    def find(self, order_id: str) -> OrderRecord | None:
        """The order as it was last written down.

        Raises:
            sqlalchemy.exc.DBAPIError: if the database is locked or can not be reached.
        """
        with self._engine.connect() as connection:
            row = connection.execute(select(ORDERS.c.version, ORDERS.c.view).where(ORDERS.c.id == order_id)).first()
        if row is None:
            return None
        return OrderRecord(version=row.version, view=OrderView.model_validate(row.view))

    def has_order(self, channel: str, customer_id: str) -> bool:
        """True if an order of a customer that a channel submitted was written down.

        Raises:
            sqlalchemy.exc.DBAPIError: if the database is locked or can not be reached.
        """
        wanted = select(ORDERS.c.id).where(ORDERS.c.channel == channel, ORDERS.c.customer_id == customer_id).limit(1)
        with self._engine.connect() as connection:
            return connection.execute(wanted).first() is not None

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


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
            if not _is_locked(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _is_locked(error: OperationalError) -> bool:
    return isinstance(error.orig, sqlite3.Error) and error.orig.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def _has_table(engine: Engine) -> bool:
    return inspect(engine).has_table(ORDERS.name)


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)
