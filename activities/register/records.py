"""What orders write of themselves, and what can be read of one order. Right when twice, late and out of order.

What is replaced as a whole (the order with its items, its changes and charges, a product) is guarded by a version:
a lower one never replaces a higher. What is numbered (revisions, transitions, events) is written once and never again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select
from temporalio import activity

from activities.register.engine import Database
from activities.register.schema import (
    CHANGES,
    CHARGES,
    EVENTS,
    ITEMS,
    ORDER_FALLOUT,
    ORDER_OFFERINGS,
    ORDERS,
    REVISIONS,
    TRANSITIONS,
)
from orders.records import OrderRecord
from orders.views import OrderView
from orders.wire import RECORD_ORDER

Row = Mapping[str, Any]


class Records:
    """Orders as they wrote themselves down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn(name=RECORD_ORDER, no_thread_cancel_exception=True)
    def record(self, record: OrderRecord) -> None:
        """Write down how an order stands, and what has happened since the record before, in one transaction.

        Raises:
            sqlalchemy.exc.DBAPIError: if the database is locked or can not be reached.
        """
        with self._database.writing() as connection:
            self.write(connection, record)

    def write(self, connection: Connection, record: OrderRecord) -> None:
        """The same within a transaction."""
        order_id = record.view.id
        if self.write_order(connection, record.version, record.view):
            _replace(connection, CHARGES, order_id, charge_rows(record))
        self._add(connection, REVISIONS, revision_rows(record))
        self._add(connection, TRANSITIONS, transition_rows(record))
        self._add(connection, EVENTS, event_rows(record))

    def write_order(self, connection: Connection, version: int, view: OrderView) -> bool:
        """Write the order itself, unless a higher version is there. A view without body leaves the body as it is."""
        row = self._database.insert(ORDERS).values(order_row(version, view))
        replaced = {column.name: row.excluded[column.name] for column in ORDERS.c if column.name not in ("id", "body")}
        written = connection.scalar(
            row.on_conflict_do_update(
                index_elements=[ORDERS.c.id],
                set_={**replaced, "body": func.coalesce(row.excluded.body, ORDERS.c.body)},
                where=ORDERS.c.version <= row.excluded.version,
            ).returning(ORDERS.c.id)
        )
        if written is None:
            return False
        offerings = sorted({item.offering for item in view.items})
        silos = sorted({fallout.silo for fallout in view.fallout})
        _replace(connection, ORDER_OFFERINGS, view.id, ({"order_id": view.id, "offering": each} for each in offerings))
        _replace(connection, ORDER_FALLOUT, view.id, ({"order_id": view.id, "silo": each} for each in silos))
        _replace(connection, ITEMS, view.id, item_rows(view))
        _replace(connection, CHANGES, view.id, change_rows(view))
        return True

    def find(self, order_id: str) -> OrderRecord | None:
        """The order as it was last written down, without its history.

        Raises:
            sqlalchemy.exc.DBAPIError: if the database is locked or can not be reached.
        """
        wanted = select(ORDERS.c.version, ORDERS.c.view, ORDERS.c.body).where(ORDERS.c.id == order_id)
        with self._database.reading() as connection:
            row = connection.execute(wanted).first()
        if row is None:
            return None
        return OrderRecord(version=row.version, view=OrderView.model_validate({**row.view, "body": row.body}))

    def has_order(self, channel: str, customer_id: str) -> bool:
        """True if an order of a customer that a channel submitted was written down.

        Raises:
            sqlalchemy.exc.DBAPIError: if the database is locked or can not be reached.
        """
        wanted = select(ORDERS.c.id).where(ORDERS.c.channel == channel, ORDERS.c.customer_id == customer_id).limit(1)
        with self._database.reading() as connection:
            return connection.execute(wanted).first() is not None

    def _add(self, connection: Connection, table: Table, rows: Iterable[Row]) -> None:
        """Insert what is not there yet."""
        listed = list(rows)
        if listed:
            connection.execute(self._database.insert(table).on_conflict_do_nothing(), listed)


def _replace(connection: Connection, table: Table, order_id: str, rows: Iterable[Row]) -> None:
    connection.execute(delete(table).where(table.c.order_id == order_id))
    listed = list(rows)
    if listed:
        connection.execute(table.insert(), listed)


def order_row(version: int, view: OrderView) -> Row:
    """The row of table `orders`."""
    columns = {name: getattr(view, name) for name in _TOLD_AS_THEY_ARE}
    content = view.model_dump(mode="json", exclude={"body"})
    return {**columns, "version": version, "state": str(view.state), "body": view.body, "view": content}


_TOLD_AS_THEY_ARE = (
    "id",
    "customer_id",
    "channel",
    "external_id",
    "revision",
    "catalog",
    "priority",
    "ordered_at",
    "requested_start",
    "requested_completion",
    "promised_at",
    "expected_at",
    "completed_at",
    "in_jeopardy",
)


def item_rows(view: OrderView) -> list[Row]:
    """The rows of table `items`."""
    return [
        {
            "order_id": view.id,
            "item_id": item.id,
            "position": position,
            "state": str(item.state),
            "offering": item.offering,
            "action": item.action,
            "quantity": item.quantity,
            "parent": item.parent,
        }
        for position, item in enumerate(view.items)
    ]


def change_rows(view: OrderView) -> list[Row]:
    """The rows of table `changes`."""
    return [
        {
            "order_id": view.id,
            "request_id": verdict.request_id,
            "position": position,
            "kind": verdict.kind,
            "state": str(verdict.state),
            "requester": verdict.requester,
            "channel": verdict.channel,
            "requested_at": None,
            "decided_at": _instant(verdict.decided_at),
            "content": verdict.model_dump(mode="json"),
        }
        for position, verdict in enumerate(view.changes)
    ]


def charge_rows(record: OrderRecord) -> list[Row]:
    """The rows of table `charges`."""
    return [
        {
            "order_id": record.view.id,
            "task": charge.task,
            "change": charge.change,
            "amount": str(charge.money.amount),
            "currency": charge.money.currency,
            "billed": charge.billed,
            "forgone": charge.forgone,
        }
        for charge in record.charges
    ]


def revision_rows(record: OrderRecord) -> list[Row]:
    """The rows of table `revisions`."""
    return [
        {"order_id": record.view.id, "number": revision.number, "content": revision.model_dump(mode="json")}
        for revision in record.revisions
    ]


def transition_rows(record: OrderRecord) -> list[Row]:
    """The rows of table `transitions`."""
    return [{"order_id": record.view.id, **transition.model_dump()} for transition in record.transitions]


def event_rows(record: OrderRecord) -> list[Row]:
    """The rows of table `events`."""
    return [
        {
            "order_id": record.view.id,
            "number": event.number,
            "at": event.at,
            "kind": str(event.kind),
            "data": dict(event.data),
        }
        for event in record.events
    ]


def _instant(written: str) -> datetime | None:
    return datetime.fromisoformat(written).astimezone(UTC) if written else None
