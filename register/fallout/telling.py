"""What orders tell of their fallout, written with the rest of their records.

It is guarded by the version of the record, row by row: a lower one never replaces a higher. A row that is open, and
that the newest record of its order did not tell of, is over: no record that is lost or late leaves one behind. Who has
a fallout, and what was said about it, no record touches.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, update

from orders.read_model.fallout import FalloutEnd, FalloutRecord, FalloutState
from orders.read_model.records import OrderRecord
from register.engine import Database
from register.tables.orders import ORDERS
from register.tables.people import FALLOUT, FALLOUT_STORY

OF_PEOPLE: Final = ("claimed_by", "claimed_at", "group_name")
"""Columns that no record replaces."""


_NEWEST: Final = select(ORDERS.c.version).where(ORDERS.c.id == bindparam("of_order")).scalar_subquery()
_ENDING: Final = (
    update(FALLOUT)
    .where(FALLOUT.c.order_id == bindparam("of_order"), FALLOUT.c.version < _NEWEST, FALLOUT.c.over_at.is_(None))
    .values(state=FalloutState.OVER.value, over_at=bindparam("at"), ended=FalloutEnd.UNKNOWN.value)
)
"""What is left open of an order that the newest record did not tell of, is over."""


def write_fallout(database: Database, connection: Connection, record: OrderRecord, *, erased: bool) -> None:
    """Write what a record tells of fallout, within a transaction, after its order.

    Of a customer who was `erased` it is not written what silos said. The catalog's group is the first to have it.
    """
    view = record.view
    if record.fallout:
        told = [_row(record, each, erased=erased) for each in record.fallout]
        connection.execute(database.replacing(FALLOUT, *OF_PEOPLE), told)
    connection.execute(_ENDING, {"of_order": view.id, "at": view.completed_at or datetime.now(UTC)})


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
