"""How orders came to be as they are."""

from __future__ import annotations

import json
import zlib

from sqlalchemy import func, select

from orders.read_model.records import Transition, TransitionPage
from orders.read_model.timeline import TimelineEntry, TimelinePage
from register.engine import Database
from register.tables.orders import LISTED, ORDERS, TIMELINES, TRANSITIONS


class History:
    """What orders wrote down of what has happened. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def transitions(self, order_id: str, offset: int, limit: int) -> TransitionPage:
        """A page of an order's moves from state to state, those of its items, and milestones, newest last."""
        columns = [column for column in TRANSITIONS.c if column is not TRANSITIONS.c.order_id]
        of_order = TRANSITIONS.c.order_id == order_id
        wanted = select(*columns).where(of_order).order_by(TRANSITIONS.c.number).offset(offset).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(wanted).mappings().all()
            total = connection.scalar(select(func.count()).select_from(TRANSITIONS).where(of_order)) or 0
        return TransitionPage(transitions=tuple(Transition.model_validate(dict(row)) for row in rows), total=total)

    def timeline(self, order_id: str, offset: int, limit: int) -> TimelinePage | None:
        """A page of the timeline of an order that has ended, or None where none was written down."""
        wanted = select(TIMELINES.c.content).join(ORDERS, ORDERS.c.id == TIMELINES.c.order_id)
        with self._database.reading() as connection:
            content = connection.scalar(wanted.where(TIMELINES.c.order_id == order_id, LISTED))
        if content is None:
            return None
        told = json.loads(zlib.decompress(content))
        page = tuple(TimelineEntry.model_validate(entry) for entry in told[offset : offset + limit])
        return TimelinePage.of(page, offset, len(told))
