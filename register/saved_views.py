"""The views of lists that people have saved for themselves: a name, and what is filtered by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, select

from register.engine import Database
from register.tables.doors import SAVED_VIEWS

MOST: Final = 20
"""Views of one person."""


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view of the list of orders: its filters as the care API takes them."""

    name: str
    filters: dict[str, Any]
    saved_at: datetime


class SavedViews:
    """Views by who has saved them. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, subject: str) -> tuple[SavedView, ...]:
        """Those of a person, by name."""
        wanted = select(SAVED_VIEWS).where(SAVED_VIEWS.c.subject == subject).order_by(SAVED_VIEWS.c.name)
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return tuple(SavedView(row.name, row.filters, row.saved_at) for row in rows)

    def put(self, subject: str, view: SavedView) -> bool:
        """Keep a view in place of the one of its name. False if it would be one too many."""
        written = {"filters": view.filters, "saved_at": view.saved_at}
        insert = self._database.insert(SAVED_VIEWS).values(subject=subject, name=view.name, **written)
        theirs = SAVED_VIEWS.c.subject == subject
        others = select(func.count()).select_from(SAVED_VIEWS).where(theirs, SAVED_VIEWS.c.name != view.name)
        with self._database.writing() as connection:
            if connection.execute(others).scalar_one() >= MOST:
                return False
            connection.execute(insert.on_conflict_do_update(index_elements=["subject", "name"], set_=written))
        return True

    def delete(self, subject: str, name: str) -> bool:
        """Forget a view. False if there is none of that name."""
        theirs = delete(SAVED_VIEWS).where(SAVED_VIEWS.c.subject == subject, SAVED_VIEWS.c.name == name)
        with self._database.writing() as connection:
            return connection.execute(theirs).rowcount > 0
