"""In whose hands work for people is: claimed by one at a time, handed over, released, with what was said about it.

For any table of such work, with the columns `id`, `order_id`, `over_at`, `claimed_by`, `claimed_at`, `group_name`, and
the table of its story.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Row, Table, func, select, update

from orders.model.values import Frozen
from register.engine import Database

Found: TypeAlias = Row[*tuple[Any, ...]]

MOST_TOLD: Final = 1000
"""Entries of one story that are told: the latest."""
_COLUMNS: Final = ("id", "order_id", "over_at", "claimed_by", "claimed_at", "group_name")


class Act(StrEnum):
    """What people do with such work, as its story names it."""

    CLAIMED = "claimed"
    HANDED_OVER = "handedOver"
    RELEASED = "released"
    NOTED = "noted"


class StoryEntry(Frozen):
    """What somebody did, or said about it. `given_to` is the person, or the group, it was handed to."""

    at: datetime
    kind: str
    by: str
    given_to: str | None = None
    note: str = ""


class Claimed(Exception):
    """Somebody else has it: `by` whom, and since when."""

    def __init__(self, by: str, at: datetime) -> None:
        super().__init__(by)
        self.by, self.at = by, at


class Over(Exception):
    """It is over: nobody is needed for it any more."""


@dataclass(frozen=True, slots=True)
class Hands:
    """Who has what of one table. `of` names the column of its story that says what an entry is about."""

    database: Database
    table: Table
    told: Table
    of: str

    def story(self, work: str) -> tuple[StoryEntry, ...]:
        """What people did with it and said about it, the latest of it, in that order."""
        entry = self.told.c
        columns = (entry.at, entry.kind, entry.by, entry.given_to, entry.note)
        latest = select(*columns).where(entry[self.of] == work).order_by(entry.number.desc()).limit(MOST_TOLD)
        with self.database.reading() as connection:
            rows = connection.execute(latest).mappings().all()
        return tuple(StoryEntry.model_validate(dict(row)) for row in reversed(rows))

    def claim(self, work: str, by: str, at: datetime) -> bool:
        """Have it seen to by somebody, who is the only one then. False where there is none.

        Raises:
            Claimed: if somebody else has it.
            Over: if it is over.
        """
        with self.database.writing() as connection:
            row = self._locked(connection, work)
            if row is None:
                return False
            _require_open(row)
            _require_free(row, by)
            if row.claimed_by is None:
                self._give(connection, row, by, row.group_name, at)
                self.tell(connection, row.id, row.order_id, Act.CLAIMED, by, at)
        return True

    def hand_over(
        self, work: str, by: str, at: datetime, *, to: str | None, group: str | None, note: str, anyone: bool
    ) -> bool:
        """Give it to another person, or to a group of whom somebody claims it. False where there is none.

        Whoever does so has it, or nobody has; or is `anyone` who may take it from others.

        Raises:
            Claimed: if somebody else has it.
            Over: if it is over.
        """
        with self.database.writing() as connection:
            row = self._locked(connection, work)
            if row is None:
                return False
            _require_open(row)
            if not anyone:
                _require_free(row, by)
            self._give(connection, row, to, group if group is not None else row.group_name, at)
            self.tell(connection, row.id, row.order_id, Act.HANDED_OVER, by, at, given_to=to or group, note=note)
        return True

    def release(self, work: str, by: str, at: datetime, *, note: str, anyone: bool) -> bool:
        """Have it free for others again. False where there is none.

        Raises:
            Claimed: if somebody else has it, and it is not for `anyone` to take it from others.
        """
        with self.database.writing() as connection:
            row = self._locked(connection, work)
            if row is None:
                return False
            if not anyone:
                _require_free(row, by)
            if row.claimed_by is not None:
                self._give(connection, row, None, row.group_name, at)
                self.tell(connection, row.id, row.order_id, Act.RELEASED, by, at, note=note)
        return True

    def note(self, work: str, by: str, at: datetime, note: str) -> bool:
        """Write something about it down, also where it is over. False where there is none."""
        with self.database.writing() as connection:
            row = self._locked(connection, work)
            if row is None:
                return False
            self.tell(connection, row.id, row.order_id, Act.NOTED, by, at, note=note)
        return True

    def tell(
        self,
        connection: Connection,
        work: str,
        order_id: str,
        kind: str,
        by: str,
        at: datetime,
        *,
        given_to: str | None = None,
        note: str = "",
    ) -> None:
        """Add to its story, within a transaction that has it locked."""
        last = connection.scalar(select(func.max(self.told.c.number)).where(self.told.c[self.of] == work)) or 0
        entry = {"number": last + 1, "at": at, "kind": str(kind), "by": by, "given_to": given_to, "note": note}
        connection.execute(self.told.insert().values({self.of: work, "order_id": order_id, **entry}))

    def _locked(self, connection: Connection, work: str) -> Found | None:
        """A row, which nobody else touches until the end of the transaction."""
        columns = [self.table.c[name] for name in _COLUMNS]
        return connection.execute(select(*columns).where(self.table.c.id == work).with_for_update()).first()

    def _give(self, connection: Connection, row: Found, to: str | None, group: str | None, at: datetime) -> None:
        given = {"claimed_by": to, "claimed_at": at if to is not None else None, "group_name": group}
        connection.execute(update(self.table).where(self.table.c.id == row.id).values(given))


def _require_open(row: Found) -> None:
    if row.over_at is not None:
        raise Over


def _require_free(row: Found, by: str) -> None:
    if row.claimed_by not in (None, by):
        raise Claimed(row.claimed_by, row.claimed_at)
