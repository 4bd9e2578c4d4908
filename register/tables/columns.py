"""What all tables of the register are made of: kinds of columns, and the names of keys and indexes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import JSON, Column, DateTime, Dialect, Integer, MetaData, String, TypeDecorator
from sqlalchemy.dialects import postgresql, sqlite

SCHEMA: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An instant: any time zone goes in, UTC comes out. SQLite keeps text that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """The database's own type."""
        return sqlite.DATETIME() if dialect.name == "sqlite" else postgresql.TIMESTAMP(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC: SQLite gives back no time zone, PostgreSQL the connection's."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def instant_column(name: str, *, nullable: bool = False) -> Column[datetime]:
    """An instant, in UTC."""
    return Column(name, Instant, nullable=nullable)


def text_column(name: str, *, nullable: bool = False) -> Column[str]:
    """Text of any length."""
    return Column(name, String, nullable=nullable)


def key_column(name: str) -> Column[str]:
    """Text that is part of the key."""
    return Column(name, String, primary_key=True)


def number_column(name: str) -> Column[int]:
    """A number that is part of the key, and given by who writes the row."""
    return Column(name, Integer, primary_key=True, autoincrement=False)


def json_column(name: str, *, nullable: bool = False) -> Column[Any]:
    """JSON, exactly as it came."""
    # Not JSONB, which knows no \u0000 and does not keep what came as it came.
    return Column(name, JSON(none_as_null=True), nullable=nullable)


def by_code_point() -> String:
    """Text whose beginnings are looked for: it is sorted as SQLite does, whatever the database's own language."""
    return String().with_variant(String(collation="C"), "postgresql")
