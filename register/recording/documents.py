"""Orders in the form that they have outside, each under its digest: what clients wrote, kept as they wrote it.

No workflow carries them: it knows the digest, and what is read of them. They are nowhere else, and cannot be rebuilt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import JsonValue
from sqlalchemy import Connection, and_, bindparam, case, delete, func, or_, select, tuple_, update

from orders.read_model.views import OrderView
from register.engine import Database
from register.tables.orders import DOCUMENTS, ORDERS

UNUSED_FOR: Final = timedelta(days=7)
"""How long a document is kept that is not, or not any more, that of its order: a change that brings one may wait."""

OF_ORDER: Final = and_(DOCUMENTS.c.order_id == ORDERS.c.id, DOCUMENTS.c.digest == ORDERS.c.document)
"""The condition that a document is that of an order now."""

_NAMED: Final = select(DOCUMENTS.c.order_id, DOCUMENTS.c.digest, DOCUMENTS.c.content).where(
    tuple_(DOCUMENTS.c.order_id, DOCUMENTS.c.digest).in_(bindparam("names", expanding=True))
)
_IS_ITS: Final = DOCUMENTS.c.digest == bindparam("its")
_UNUSED: Final = DOCUMENTS.c.unused_since
_CHOOSING: Final = (
    update(DOCUMENTS)
    .where(
        DOCUMENTS.c.order_id == bindparam("of_order"),
        or_(and_(_IS_ITS, _UNUSED.is_not(None)), and_(~_IS_ITS, _UNUSED.is_(None))),
    )
    .values(unused_since=case((_IS_ITS, None), else_=func.coalesce(_UNUSED, bindparam("now"))))
)
"""Of an order's documents one is its own, and the others are unused from now on."""


def digest_of(content: dict[str, JsonValue]) -> str:
    """What names a document: SHA-256 over it as JSON, its attributes in their order."""
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


class Documents:
    """Documents by order and digest. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, order_id: str, content: dict[str, JsonValue], now: datetime) -> str:
        """Keep a document that an order may get, and give its digest. Not for long, unless it does get it."""
        digest = digest_of(content)
        row = {"order_id": order_id, "digest": digest, "content": content, "unused_since": now}
        adding = self._database.insert(DOCUMENTS).values(row)
        with self._database.writing() as connection:
            connection.execute(
                adding.on_conflict_do_update(
                    index_elements=[DOCUMENTS.c.order_id, DOCUMENTS.c.digest],
                    set_={"unused_since": now},
                    where=DOCUMENTS.c.unused_since.is_not(None),
                )
            )
        return digest

    def find(self, order_id: str, digest: str) -> dict[str, JsonValue] | None:
        """A document, or None if it was never here, was forgotten, or got lost."""
        with self._database.reading() as connection:
            return found_in(connection, [(order_id, digest)]).get((order_id, digest))

    def has(self, order_id: str, digest: str) -> bool:
        """True if the document is here."""
        wanted = select(DOCUMENTS.c.digest).where(DOCUMENTS.c.order_id == order_id, DOCUMENTS.c.digest == digest)
        with self._database.reading() as connection:
            return connection.scalar(wanted) is not None

    def forget(self, before: datetime, most: int) -> int:
        """Delete what has been no order's document since before an instant: never more than `most`. Gives how much."""
        old = (
            select(DOCUMENTS.c.order_id, DOCUMENTS.c.digest)
            .where(DOCUMENTS.c.unused_since.is_not(None), DOCUMENTS.c.unused_since < before)
            .order_by(DOCUMENTS.c.unused_since)
            .limit(most)
        )
        with self._database.reading() as connection:  # While nothing is old, nobody is kept from writing.
            if connection.execute(old.limit(1)).first() is None:
                return 0
        with self._database.writing() as connection:
            # What another process is about to delete is left to that one.
            doomed = [tuple(row) for row in connection.execute(old.with_for_update(skip_locked=True))]
            named = tuple_(DOCUMENTS.c.order_id, DOCUMENTS.c.digest).in_(doomed)
            return connection.execute(delete(DOCUMENTS).where(named)).rowcount


def found_in(connection: Connection, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Those documents of some that are there, by order and digest."""
    wanted = list(names)
    if not wanted:
        return {}
    return {(row.order_id, row.digest): row.content for row in connection.execute(_NAMED, {"names": wanted})}


def write_document(database: Database, connection: Connection, order: OrderView, now: datetime) -> None:
    """Note which document is that of an order, within a transaction; and write it, where the order comes with it."""
    if order.body is not None:
        row = {"order_id": order.id, "digest": order.document, "content": order.body, "unused_since": None}
        connection.execute(database.insert(DOCUMENTS).values(row).on_conflict_do_nothing())
    connection.execute(_CHOOSING, {"of_order": order.id, "its": order.document, "now": now})


def erase_documents(connection: Connection, order_id: str) -> None:
    """Delete all documents of an order, within a transaction."""
    connection.execute(delete(DOCUMENTS).where(DOCUMENTS.c.order_id == order_id))
