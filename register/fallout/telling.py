"""What orders tell of their fallout, written with the rest of their records.

It is guarded by the version of the record, row by row: a lower one never replaces a higher. A row that is open, and
that the newest record of its order did not tell of, is over: no record that is lost or late leaves one behind. Who has
a fallout, and what was said about it, no record touches.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, delete, select, update

from orders.read_model.fallout import FalloutEnd, FalloutRecord, FalloutState
from orders.read_model.records import OrderRecord
from register.engine import Database
from register.schema import FALLOUT, FALLOUT_STORY, ORDERS

OF_PEOPLE: Final = ("claimed_by", "claimed_at", "group_name")
"""Columns that no record replaces."""


def write_fallout(database: Database, connection: Connection, record: OrderRecord, *, erased: bool) -> None:
    """Write what a record tells of fallout, within a transaction, after its order.

    Of a customer who was `erased` it is not written what silos said. The catalog's group is the first to have it.
    """
    view = record.view
    if record.fallout:
        insert = database.insert(FALLOUT)
        kept = ("id", *OF_PEOPLE)
        replaced = {column.name: insert.excluded[column.name] for column in FALLOUT.c if column.name not in kept}
        upsert = insert.on_conflict_do_update(
            index_elements=[FALLOUT.c.id], set_=replaced, where=FALLOUT.c.version <= insert.excluded.version
        )
        connection.execute(upsert, [_row(record, each, erased=erased) for each in record.fallout])
    newest = select(ORDERS.c.version).where(ORDERS.c.id == view.id).scalar_subquery()
    left = (FALLOUT.c.order_id == view.id) & (FALLOUT.c.version < newest)
    at, ended = view.completed_at or datetime.now(UTC), FalloutEnd.UNKNOWN.value
    over = {"state": FalloutState.OVER.value, "over_at": at, "ended": ended}
    connection.execute(update(FALLOUT).where(left, FALLOUT.c.over_at.is_(None)).values(over))


def erase_fallout(connection: Connection, order_id: str) -> None:
    """Forget all fallout of an order, with what was said about it, within a transaction."""
    connection.execute(delete(FALLOUT).where(FALLOUT.c.order_id == order_id))
    connection.execute(delete(FALLOUT_STORY).where(FALLOUT_STORY.c.order_id == order_id))


def erase_words_of_fallout(connection: Connection, customer_id: str) -> None:
    """Forget what silos and people said about the fallout of a customer, within a transaction."""
    theirs = select(FALLOUT.c.id).where(FALLOUT.c.customer_id == customer_id)
    connection.execute(update(FALLOUT_STORY).where(FALLOUT_STORY.c.fallout_id.in_(theirs)).values(note=""))
    connection.execute(update(FALLOUT).where(FALLOUT.c.customer_id == customer_id).values(reason=""))


def _row(record: OrderRecord, fallout: FalloutRecord, *, erased: bool) -> dict[str, object]:
    return {
        "id": fallout.id,
        "version": record.version,
        "order_id": record.view.id,
        "customer_id": record.view.customer_id,
        "channel": record.view.channel,
        "silo": fallout.silo,
        "operation": fallout.operation,
        "code": fallout.code,
        "group_name": fallout.group,
        "reason": "" if erased else fallout.reason,
        "state": fallout.state.value,
        "attempts": fallout.attempts,
        "since": datetime.fromisoformat(fallout.since),
        "over_at": None if fallout.over_at is None else datetime.fromisoformat(fallout.over_at),
        "ended": None if fallout.ended is None else fallout.ended.value,
        "content": fallout.model_dump(mode="json", exclude={"code", "reason", "state", "over_at", "ended"}),
    }
