"""Orders that wait for others to be done with a product: when to look at one, its turn, and its end.

Whoever looks at one may be cut short, or overtaken by another process: every step can be done again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select, update

from orders.read_model.records import OrderRecord
from orders.read_model.views import OrderView
from register import queue
from register.engine import Database
from register.products import Lock, Locked, lock_products
from register.records import Records
from register.schema import AWAITED_PRODUCTS, PRODUCT_LOCKS, WAITING_ORDERS
from register.submissions import CLAIM

FIRST_PAUSE: Final = timedelta(seconds=0.5)
LONGEST_PAUSE: Final = timedelta(minutes=1)
"""How long a waiting order is left alone: twice as long each time, until who it waits for has written down its end."""


class NotWaiting(Exception):
    """The order does not wait any more: it was cancelled, or has begun."""


@dataclass(frozen=True, slots=True)
class Look:
    """An order that somebody is to look at now. `looks` were in vain before."""

    order_id: str
    looks: int


class Waiting:
    """Orders that wait for products. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database, records: Records) -> None:
        self._database = database
        self._records = records

    def waits(self, order_id: str) -> bool:
        """True while an order waits, or is about to begin."""
        with self._database.reading() as connection:
            return queue.is_in(connection, order_id)

    def next(self, now: datetime, until: datetime) -> Look | None:
        """The order to look at now, if any: of those that are due, who came first. Nobody else does until then."""
        due = WAITING_ORDERS.c.look_at <= now
        wanted = select(WAITING_ORDERS.c.order_id, WAITING_ORDERS.c.looks).where(due).order_by(WAITING_ORDERS.c.id)
        with self._database.reading() as connection:  # While nothing is due, nobody is kept from writing.
            row = connection.execute(wanted.limit(1)).first()
        if row is None:
            return None
        with self._database.writing() as connection:
            of_it = WAITING_ORDERS.c.order_id == row.order_id
            taken = connection.execute(update(WAITING_ORDERS).where(of_it, due).values(look_at=until))
        return Look(row.order_id, row.looks) if taken.rowcount else None

    def take_turn(self, order_id: str, products: Collection[str], now: datetime) -> list[Lock]:
        """Lock all its products for a waiting order, which from then on is about to begin.

        Where others hold some, or wait for them and came first, no more is locked, and that comes back.

        Raises:
            NotWaiting: if it does not wait any more.
        """
        try:
            with self._database.writing() as connection:
                begun = update(WAITING_ORDERS).where(WAITING_ORDERS.c.order_id == order_id).values(begun_at=now)
                if not connection.execute(begun).rowcount:
                    raise NotWaiting(order_id)
                lock_products(self._database, connection, order_id, products, now)
        except Locked as locked:
            return locked.locks
        return []

    def wait_on(self, look: Look, products: Collection[str], now: datetime, view: OrderView | None = None) -> None:
        """It is not its turn: it waits on for these products, gives back what it may hold, and is left alone a while.

        `view` tells whom it waits for, where that is somebody else now.
        """
        of_it = WAITING_ORDERS.c.order_id == look.order_id
        with self._database.writing() as connection:
            if not connection.execute(update(WAITING_ORDERS).where(of_it).values(begun_at=None)).rowcount:
                return
            connection.execute(delete(PRODUCT_LOCKS).where(PRODUCT_LOCKS.c.order_id == look.order_id))
            queue.await_products(connection, look.order_id, products)
            if view is not None:
                self._records.write_order(connection, CLAIM, view)
            _put_off(connection, look, now)

    def put_off(self, look: Look, now: datetime) -> None:
        """Nothing can be said about it now: it is left alone for a while."""
        with self._database.writing() as connection:
            _put_off(connection, look, now)

    def begun(self, order_id: str) -> None:
        """It has a workflow: it waits no more, and keeps its locks."""
        with self._database.writing() as connection:
            queue.leave(connection, order_id)

    def end(self, record: OrderRecord, *, even_begun: bool) -> bool:
        """It will never begin: write down its end, and let others have their turn.

        False if it does not wait any more; or, unless `even_begun`, if it is about to begin.
        """
        order_id = record.view.id
        ending = delete(WAITING_ORDERS).where(WAITING_ORDERS.c.order_id == order_id)
        if not even_begun:
            ending = ending.where(WAITING_ORDERS.c.begun_at.is_(None))
        with self._database.writing() as connection:
            if not connection.execute(ending).rowcount:
                return False
            awaited = select(AWAITED_PRODUCTS.c.product_id).where(AWAITED_PRODUCTS.c.order_id == order_id)
            queue.wake(connection, awaited, record.view.completed_at or record.view.ordered_at)
            queue.leave(connection, order_id)
            connection.execute(delete(PRODUCT_LOCKS).where(PRODUCT_LOCKS.c.order_id == order_id))
            self._records.write_and_tell(connection, record)
        return True


def _put_off(connection: Connection, look: Look, now: datetime) -> None:
    # Not where it was woken since: then it is due already.
    pause = min(FIRST_PAUSE * 2 ** min(look.looks, 20), LONGEST_PAUSE)
    connection.execute(
        update(WAITING_ORDERS)
        .where(WAITING_ORDERS.c.order_id == look.order_id, WAITING_ORDERS.c.look_at > now)
        .values(look_at=now + pause, looks=look.looks + 1)
    )
