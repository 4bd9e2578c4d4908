"""The visits that there are at a place, and slots held for those that were just chosen.

Orders tell what they ask for once they are recorded. Until then whoever chooses a slot holds it: of two that choose the
last one at once, one has it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeAlias

from sqlalchemy import Column, ColumnElement, Connection, delete, func, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from register.engine import Database
from register.tables.silos import DEMANDS, SLOT_HOLDS

HELD_FOR: Final = timedelta(minutes=15)
"""How long a slot is held for an order that does not tell of it, since nothing came of it."""
_ADVISORY_LOCK: Final = 7_301_923

Had: TypeAlias = list[tuple[date, datetime | None]]
"""Visits by their day, each with when its appointment begins, if it has one."""
_Columns: TypeAlias = ReadOnlyColumnCollection[str, Column[Any]]


@dataclass(frozen=True, slots=True)
class VisitsWanted:
    """The visits of an operation of a silo at a place, from one day on and before another; `but_for` that of a task."""

    silo: str
    operation: str
    place: str
    begin: date
    before: date
    but_for: str = ""


class Visits:
    """Visits and slots held. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def had(self, wanted: VisitsWanted, now: datetime) -> Had:
        """The visits that there are, with those that a slot is held for."""
        with self._database.reading() as connection:
            return _had(connection, wanted, now)

    def hold(
        self, wanted: VisitsWanted, day: date, starts: datetime, now: datetime, is_free: Callable[[Had], bool]
    ) -> bool:
        """Hold a slot for the task that is left out of what is wanted, in place of what it held before.

        False where it is not free beside the visits that there are. Who asks at the same time waits for the answer.
        """
        with self._database.writing() as connection:
            if not self._database.is_sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            connection.execute(delete(SLOT_HOLDS).where(SLOT_HOLDS.c.until <= now))
            if not is_free(_had(connection, wanted, now)):
                return False
            told = {"silo": wanted.silo, "operation": wanted.operation, "place": wanted.place, "day": str(day)}
            row = {**told, "starts": starts, "until": now + HELD_FOR}
            held = self._database.insert(SLOT_HOLDS).values(task=wanted.but_for, **row)
            connection.execute(held.on_conflict_do_update(index_elements=[SLOT_HOLDS.c.task], set_=row))
        return True

    def free(self, tasks: Collection[str]) -> None:
        """Hold nothing for some tasks any more."""
        with self._database.writing() as connection:
            connection.execute(delete(SLOT_HOLDS).where(SLOT_HOLDS.c.task.in_(tasks)))


def _had(connection: Connection, wanted: VisitsWanted, now: datetime) -> Had:
    there, held = DEMANDS.c, SLOT_HOLDS.c
    told = select(there.task, there.likely.label("day"), there.starts).where(*_of(wanted, there, there.likely))
    chosen = select(held.task, held.day, held.starts).where(*_of(wanted, held, held.day), held.until > now)
    known = connection.execute(told).all()
    recorded = {(row.task, row.starts) for row in known}
    new = [row for row in connection.execute(chosen) if (row.task, row.starts) not in recorded]
    return [(date.fromisoformat(row.day), row.starts) for row in (*known, *new)]


def _of(wanted: VisitsWanted, table: _Columns, day: Column[Any]) -> tuple[ColumnElement[bool], ...]:
    """What holds of the rows of a table that are wanted, by the column that has their day."""
    return (
        table.silo == wanted.silo,
        table.operation == wanted.operation,
        table.place == wanted.place,
        day >= str(wanted.begin),
        day < str(wanted.before),
        table.task != wanted.but_for,
    )
