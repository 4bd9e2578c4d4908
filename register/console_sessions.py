"""Who is logged in to the console: sessions by the hash of their ids, which only browsers know."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert, select, update

from register.engine import Database
from register.tables.doors import CONSOLE_SESSIONS

IDLE_AFTER: Final = timedelta(minutes=30)
"""A session that nobody uses for so long is over."""
_NOTED_EVERY: Final = timedelta(minutes=1)
"""How exactly it is known when a session was used last."""


class ConsoleSessions:
    """Sessions of the console. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, id_hash: str, principal: dict[str, Any], now: datetime, ends_at: datetime) -> None:
        """Keep a session of somebody, until then at the latest. Those that are over are forgotten."""
        row = {"id_hash": id_hash, "principal": principal, "created_at": now, "seen_at": now, "ends_at": ends_at}
        with self._database.writing() as connection:
            connection.execute(delete(CONSOLE_SESSIONS).where(CONSOLE_SESSIONS.c.ends_at < now))
            connection.execute(insert(CONSOLE_SESSIONS).values(row))

    def find(self, id_hash: str, now: datetime, *, used: bool) -> dict[str, Any] | None:
        """Whose session that is, or None where there is none any more. It counts as used if a person did something."""
        wanted = select(CONSOLE_SESSIONS).where(CONSOLE_SESSIONS.c.id_hash == id_hash)
        with self._database.reading() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None or now >= min(row.ends_at, row.seen_at + IDLE_AFTER):
            return None
        if used and now - row.seen_at > _NOTED_EVERY:
            with self._database.writing() as connection:
                ours = CONSOLE_SESSIONS.c.id_hash == id_hash
                connection.execute(update(CONSOLE_SESSIONS).where(ours).values(seen_at=now))
        return row.principal

    def end(self, id_hash: str) -> None:
        """Forget a session."""
        with self._database.writing() as connection:
            connection.execute(delete(CONSOLE_SESSIONS).where(CONSOLE_SESSIONS.c.id_hash == id_hash))
