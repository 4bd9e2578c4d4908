"""Which orders were written lately, for those who look on."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select

from register.engine import Database
from register.tables.orders import ORDERS

_MOST: Final = 5000


class ChangedOrders:
    """Orders by when they were written. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, instant: datetime) -> list[tuple[str, int]]:
        """The orders written since, with their versions: so many at most, the latest."""
        wanted = select(ORDERS.c.id, ORDERS.c.version).where(ORDERS.c.written_at >= instant)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(ORDERS.c.written_at.desc()).limit(_MOST)).all()
        return [(row.id, row.version) for row in rows]
