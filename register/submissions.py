"""The order ids ever taken: an order is claimed in the register before its workflow starts.

Whoever is killed between the two leaves a claim, version 0 of the order; the same submission again goes on from there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final

from pydantic import JsonValue
from sqlalchemy import Connection, bindparam, delete, select

from orders.read_model.records import OrderRecord
from orders.read_model.states import LifecycleState
from register.engine import Database
from register.recording.records import Records
from register.recording.rows import telling_of
from register.searching.search import Told, note_told
from register.tables.doors import REQUEST_IDS
from register.tables.orders import ORDERS

CLAIM = 0
"""The version of an order that its workflow has not written yet."""


_STANDING: Final = (
    select(REQUEST_IDS.c.body_digest, ORDERS.c.version, ORDERS.c.state, ORDERS.c.deleted_at)
    .outerjoin_from(REQUEST_IDS, ORDERS, ORDERS.c.id == REQUEST_IDS.c.order_id)
    .where(REQUEST_IDS.c.order_id == bindparam("of_order"))
)
"""Built once: that takes SQLAlchemy longer than to execute it."""


class ClaimState(Enum):
    """How an order id stands for whoever submits a body under it."""

    FREE = auto()
    """Nobody has taken it."""
    NOT_BEGUN = auto()
    """The same body has, and nothing but the claim was written: whether there is a workflow, Temporal knows."""
    BEGUN = auto()
    """The same body has, and there is more to its order than the claim; or it was rejected at once."""
    OTHER_BODY = auto()
    """Another body has."""
    DELETED = auto()
    """It was that of an order that was deleted."""


class Submissions:
    """Claims of order ids. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database, records: Records) -> None:
        self._database = database
        self._records = records
        self._taking = database.adding(REQUEST_IDS).returning(REQUEST_IDS.c.order_id)

    def look_up(self, order_id: str, body_digest: str) -> ClaimState:
        """How an order id stands for a body."""
        with self._database.reading() as connection:
            return _state(connection, order_id, body_digest)

    def claim(self, record: OrderRecord, body_digest: str, told: dict[str, JsonValue] | None = None) -> ClaimState:
        """Take an order's id for ever, and write the order down as it will start, or was rejected.

        `told` is what of it is shown otherwise than it was submitted, if that is known. Gives how the id stood before.
        One that was free is claimed now; one of the same body that has not begun is brought up to date; any other is
        left as it is.
        """
        order = record.view
        taken = {
            "order_id": order.id,
            "channel": order.channel,
            "external_id": order.external_id,
            "body_digest": body_digest,
            "created_at": datetime.now(UTC),
        }
        with self._database.writing() as connection:
            new = connection.scalar(self._taking, taken)
            state = ClaimState.FREE if new is not None else _state(connection, order.id, body_digest)
            if state in (ClaimState.FREE, ClaimState.NOT_BEGUN):
                self._records.write_and_tell(connection, record)
                if told is not None:
                    note_told(connection, [Told(order.id, telling_of(order), told)])
        return state

    def withdraw(self, order_id: str) -> None:
        """Give up a claim: its order was refused after all, and is none. What a workflow has written stays."""
        unwritten = select(ORDERS.c.id).where(ORDERS.c.id == order_id, ORDERS.c.version == CLAIM)
        with self._database.writing() as connection:
            if connection.scalar(unwritten) is not None:
                self._records.erase(connection, order_id)
                connection.execute(delete(REQUEST_IDS).where(REQUEST_IDS.c.order_id == order_id))


def _state(connection: Connection, order_id: str, body_digest: str) -> ClaimState:
    row = connection.execute(_STANDING, {"of_order": order_id}).first()
    if row is None:
        return ClaimState.FREE
    if row.deleted_at is not None:
        return ClaimState.DELETED
    if row.body_digest != body_digest:
        return ClaimState.OTHER_BODY
    # Without a row of its own the order was lost.
    if row.version is None or (row.version == CLAIM and row.state != LifecycleState.REJECTED):
        return ClaimState.NOT_BEGUN
    return ClaimState.BEGUN
