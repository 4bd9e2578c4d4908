"""The order ids ever taken: an order is claimed in the register before its workflow starts.

Whoever is killed between the two leaves a claim, version 0 of the order; the same submission again goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select

from orders.read_model.records import OrderRecord
from orders.read_model.states import LifecycleState
from register.engine import Database
from register.records import Records
from register.schema import ORDERS, REQUEST_IDS

CLAIM = 0
"""The version of an order that its workflow has not written yet."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An order id that is taken, and the digest of the body that took it.

    `may_be_unstarted` while nothing but the claim was written: whether there is a workflow, Temporal knows.
    """

    body_digest: str
    may_be_unstarted: bool
    is_deleted: bool


class Submissions:
    """Claims of order ids. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database, records: Records) -> None:
        self._database = database
        self._records = records

    def find(self, order_id: str) -> Taken | None:
        """By whom an order id was taken; None if it is free."""
        wanted = (
            select(REQUEST_IDS.c.body_digest, ORDERS.c.version, ORDERS.c.state, ORDERS.c.deleted_at)
            .outerjoin_from(REQUEST_IDS, ORDERS, ORDERS.c.id == REQUEST_IDS.c.order_id)
            .where(REQUEST_IDS.c.order_id == order_id)
        )
        with self._database.reading() as connection:
            row = connection.execute(wanted).first()
        if row is None:
            return None
        return Taken(
            row.body_digest, may_be_unstarted=_is_claim(row.version, row.state), is_deleted=row.deleted_at is not None
        )

    def claim(self, record: OrderRecord, body_digest: str) -> str | None:
        """Take an order's id for ever, and write the order down as it will start, or was rejected. None if it was free.

        Where it was taken before, the digest that took it is told. If that is the same, and no workflow has written
        anything since, the claim is brought up to date.
        """
        order = record.view
        taking = self._database.insert(REQUEST_IDS).values(
            order_id=order.id,
            channel=order.channel,
            external_id=order.external_id,
            body_digest=body_digest,
            created_at=datetime.now(UTC),
        )
        taken_before = select(REQUEST_IDS.c.body_digest).where(REQUEST_IDS.c.order_id == order.id)
        with self._database.writing() as connection:
            new = connection.scalar(taking.on_conflict_do_nothing().returning(REQUEST_IDS.c.order_id))
            before = connection.execute(taken_before).scalar_one()
            if before == body_digest and (new is not None or _may_be_written(connection, order.id)):
                self._records.write_and_tell(connection, record)
        return before if new is None else None

    def withdraw(self, order_id: str) -> None:
        """Give up a claim: its order was refused after all, and is none. What a workflow has written stays."""
        unwritten = select(ORDERS.c.id).where(ORDERS.c.id == order_id, ORDERS.c.version == CLAIM)
        with self._database.writing() as connection:
            if connection.scalar(unwritten) is not None:
                self._records.erase(connection, order_id)
                connection.execute(delete(REQUEST_IDS).where(REQUEST_IDS.c.order_id == order_id))


def _may_be_written(connection: Connection, order_id: str) -> bool:
    """True for an order that a claim may bring up to date: one whose submission was cut short, or that was lost."""
    row = connection.execute(select(ORDERS.c.version, ORDERS.c.state).where(ORDERS.c.id == order_id)).first()
    return row is None or _is_claim(row.version, row.state)


def _is_claim(version: int | None, state: str | None) -> bool:
    # One that was turned down at once is no submission that was cut short.
    return version == CLAIM and state != LifecycleState.REJECTED
