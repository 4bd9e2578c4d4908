"""How long work really takes: a sketch of each kind, from the timelines of orders that have ended.

Orders write nothing more for it. Each timeline is looked at once, later, by whichever worker comes to it first.
"""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime
from typing import Final

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, select, update

from orders.model.catalog import Catalog
from orders.model.values import Verb
from orders.promising.figures import Figures, Work
from orders.promising.sketch import Sketch
from orders.read_model.measured import measured
from orders.read_model.timeline import TimelineEntry
from orders.read_model.views import OrderView
from register.engine import Database
from register.tables.orders import ORDERS, TIMELINES
from register.tables.silos import DURATIONS

MOST_AT_ONCE: Final = 100

log = structlog.get_logger()


class Durations:
    """What was seen of durations. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def learn(self, catalog: Catalog, now: datetime | None = None) -> int:
        """Learn from orders that have ended since, and say from how many. Where that are very many, from the first."""
        with self._database.writing() as connection:
            wanted = select(TIMELINES.c.order_id, TIMELINES.c.content).where(TIMELINES.c.learned_at.is_(None))
            # Who comes second waits here, and finds what the first has left.
            rows = connection.execute(wanted.order_by(TIMELINES.c.order_id).limit(MOST_AT_ONCE).with_for_update()).all()
            if not rows:
                return 0
            ids = [row.order_id for row in rows]
            found = connection.execute(select(ORDERS.c.id, ORDERS.c.view).where(ORDERS.c.id.in_(ids))).all()
            views = {row.id: row.view for row in found}
            seen: dict[Work, Sketch] = {}
            for row in rows:
                try:
                    view = OrderView.model_validate(views[row.order_id])
                    told = json.loads(zlib.decompress(row.content))
                    timeline = [TimelineEntry.model_validate(entry) for entry in told]
                except (KeyError, ValidationError) as error:  # Of another version, or deleted: it teaches nothing.
                    log.warning("a timeline cannot be learned from", order=row.order_id, error=type(error).__name__)
                    continue
                for each in measured(catalog, view, timeline):
                    seen[each.work] = seen.get(each.work, Sketch()).seen(each.seconds, each.at)
            self._add(connection, seen)
            learned = update(TIMELINES).where(TIMELINES.c.order_id.in_(ids))
            connection.execute(learned.values(learned_at=now or datetime.now(UTC)))
        return len(rows)

    def sketches(self) -> dict[Work, Sketch]:
        """Everything that was learned."""
        with self._database.reading() as connection:
            rows = connection.execute(select(DURATIONS)).all()
        return {
            Work(row.silo, row.operation, Verb(row.verb), row.of): Sketch.model_validate(row.content) for row in rows
        }

    def figures(self, now: datetime) -> Figures:
        """What to expect of each kind of work that was seen often enough."""
        found = {work: sketch.takes(now) for work, sketch in self.sketches().items()}
        return Figures({work: takes for work, takes in found.items() if takes is not None})

    def _add(self, connection: Connection, seen: dict[Work, Sketch]) -> None:
        rows = connection.execute(
            select(DURATIONS).where(DURATIONS.c.operation.in_({work.operation for work in seen}))
        ).all()
        known = {
            Work(row.silo, row.operation, Verb(row.verb), row.of): Sketch.model_validate(row.content) for row in rows
        }
        for work, sketch in sorted(seen.items()):
            total = known.get(work, Sketch()).merged(sketch)
            row = self._database.insert(DURATIONS).values(
                silo=work.silo,
                operation=work.operation,
                verb=str(work.verb),
                of=work.of,
                content=total.model_dump(mode="json"),
            )
            columns = [DURATIONS.c.silo, DURATIONS.c.operation, DURATIONS.c.verb, DURATIONS.c.of]
            connection.execute(
                row.on_conflict_do_update(index_elements=columns, set_={"content": row.excluded.content})
            )
