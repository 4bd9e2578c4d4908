"""What people do with fallout: who has it, and what was said about it. It is written here alone."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Row, func, select, update

from register.engine import Database
from register.fallout.query import Fallout, FalloutPage, FalloutQuery, FalloutSummary, StoryEntry
from register.fallout.search import fallout_page, fallout_summary, find_fallout
from register.fallout.telling import OF_PEOPLE
from register.schema import FALLOUT, FALLOUT_STORY
from register.searching.query import Visibility

_Found: TypeAlias = Row[*tuple[Any, ...]]

MOST_TOLD: Final = 1000
"""Entries of one story that are told: the latest."""


class Act(StrEnum):
    """What people do with a fallout, as its story names it."""

    CLAIMED = "claimed"
    HANDED_OVER = "handedOver"
    RELEASED = "released"
    NOTED = "noted"


class Claimed(Exception):
    """Somebody else has it: `by` whom, and since when."""

    def __init__(self, by: str, at: datetime) -> None:
        super().__init__(by)
        self.by, self.at = by, at


class FalloutOver(Exception):
    """It is over: nobody is needed for it any more."""


class FalloutRegister:
    """Fallout by what is known of it, and who has it. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, query: FalloutQuery) -> FalloutPage:
        """A page of the fallout that fits, and how much there is."""
        with self._database.reading() as connection:
            return fallout_page(connection, query)

    def summary(self, query: FalloutQuery) -> FalloutSummary:
        """The fallout that fits by silo, operation and code."""
        with self._database.reading() as connection:
            return fallout_summary(connection, query)

    def find(self, fallout_id: str, visible_to: Visibility | None = None) -> Fallout | None:
        """One fallout, if there is such a one that may be seen."""
        with self._database.reading() as connection:
            return find_fallout(connection, fallout_id, visible_to)

    def story(self, fallout_id: str) -> tuple[StoryEntry, ...]:
        """What people did with a fallout and said about it, the latest of it, in that order."""
        entry = FALLOUT_STORY.c
        columns = (entry.at, entry.kind, entry.by, entry.given_to, entry.note)
        latest = select(*columns).where(entry.fallout_id == fallout_id).order_by(entry.number.desc()).limit(MOST_TOLD)
        with self._database.reading() as connection:
            rows = connection.execute(latest).mappings().all()
        return tuple(StoryEntry.model_validate(dict(row)) for row in reversed(rows))

    def claim(self, fallout_id: str, by: str, at: datetime) -> bool:
        """Have a fallout seen to by somebody, who is the only one then. False where there is none.

        Raises:
            Claimed: if somebody else has it.
            FalloutOver: if it is over.
        """
        with self._database.writing() as connection:
            row = _locked(connection, fallout_id)
            if row is None:
                return False
            _require_open(row)
            _require_free(row, by)
            if row.claimed_by is None:
                _give(connection, row, by, row.group_name, at)
                _tell(connection, row, Act.CLAIMED, by, at)
        return True

    def hand_over(
        self, fallout_id: str, by: str, at: datetime, *, to: str | None, group: str | None, note: str, anyone: bool
    ) -> bool:
        """Give a fallout to another person, or to a group of whom somebody claims it. False where there is none.

        Whoever does so has it, or nobody has; or is `anyone` who may take it from others.

        Raises:
            Claimed: if somebody else has it.
            FalloutOver: if it is over.
        """
        with self._database.writing() as connection:
            row = _locked(connection, fallout_id)
            if row is None:
                return False
            _require_open(row)
            if not anyone:
                _require_free(row, by)
            _give(connection, row, to, group if group is not None else row.group_name, at)
            _tell(connection, row, Act.HANDED_OVER, by, at, given_to=to or group, note=note)
        return True

    def release(self, fallout_id: str, by: str, at: datetime, *, note: str, anyone: bool) -> bool:
        """Have a fallout that somebody saw to free for others again. False where there is none.

        Raises:
            Claimed: if somebody else has it, and it is not for `anyone` to take it from others.
        """
        with self._database.writing() as connection:
            row = _locked(connection, fallout_id)
            if row is None:
                return False
            if not anyone:
                _require_free(row, by)
            if row.claimed_by is not None:
                _give(connection, row, None, row.group_name, at)
                _tell(connection, row, Act.RELEASED, by, at, note=note)
        return True

    def note(self, fallout_id: str, by: str, at: datetime, note: str) -> bool:
        """Write something about a fallout down, also where it is over. False where there is none."""
        with self._database.writing() as connection:
            row = _locked(connection, fallout_id)
            if row is None:
                return False
            _tell(connection, row, Act.NOTED, by, at, note=note)
        return True


def _locked(connection: Connection, fallout_id: str) -> _Found | None:
    """A fallout, which nobody else touches until the end of the transaction."""
    columns = (FALLOUT.c.id, FALLOUT.c.order_id, FALLOUT.c.over_at, *(FALLOUT.c[name] for name in OF_PEOPLE))
    return connection.execute(select(*columns).where(FALLOUT.c.id == fallout_id).with_for_update()).first()


def _give(connection: Connection, row: _Found, to: str | None, group: str | None, at: datetime) -> None:
    given = {"claimed_by": to, "claimed_at": at if to is not None else None, "group_name": group}
    connection.execute(update(FALLOUT).where(FALLOUT.c.id == row.id).values(given))


def _require_open(row: _Found) -> None:
    if row.over_at is not None:
        raise FalloutOver


def _require_free(row: _Found, by: str) -> None:
    if row.claimed_by not in (None, by):
        raise Claimed(row.claimed_by, row.claimed_at)


def _tell(
    connection: Connection,
    row: _Found,
    act: Act,
    by: str,
    at: datetime,
    *,
    given_to: str | None = None,
    note: str = "",
) -> None:
    of_it = FALLOUT_STORY.c.fallout_id == row.id
    last = connection.scalar(select(func.max(FALLOUT_STORY.c.number)).where(of_it)) or 0
    entry = {"number": last + 1, "at": at, "kind": act.value, "by": by, "given_to": given_to, "note": note}
    connection.execute(FALLOUT_STORY.insert().values(fallout_id=row.id, order_id=row.order_id, **entry))
