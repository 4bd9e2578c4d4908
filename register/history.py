"""How orders came to be as they are."""

from __future__ import annotations

from sqlalchemy import func, select

from orders.read_model.records import Transition, TransitionPage
from register.engine import Database
from register.schema import TRANSITIONS


class History:
    """What orders wrote down of what has happened. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def transitions(self, order_id: str, offset: int, limit: int) -> TransitionPage:
        """A page of an order's moves from state to state, and of its items', newest last."""
        columns = [column for column in TRANSITIONS.c if column is not TRANSITIONS.c.order_id]
        of_order = TRANSITIONS.c.order_id == order_id
        wanted = select(*columns).where(of_order).order_by(TRANSITIONS.c.number).offset(offset).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(wanted).mappings().all()
            total = connection.scalar(select(func.count()).select_from(TRANSITIONS).where(of_order)) or 0
        return TransitionPage(transitions=tuple(Transition.model_validate(dict(row)) for row in rows), total=total)
