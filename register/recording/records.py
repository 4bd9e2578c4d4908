"""What orders write of themselves. Right when it comes twice, late, out of order, or from two workers at once.

What is replaced as a whole (an order with its items, changes and charges; a product) is guarded by a version: a lower
one never replaces a higher. What is numbered (revisions, transitions, events) is written once and never again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Connection, Delete, Table, bindparam, delete, func, select, update
from temporalio import activity

from orders.model.wire_names import RECORD_ORDER
from orders.read_model.records import EventKind, OrderEvent, OrderRecord
from orders.read_model.views import OrderView
from register.cancellations import write_cancellations
from register.engine import Database
from register.events.subscriptions import fan_out
from register.fallout.telling import erase_fallout, write_fallout
from register.installed.products import next_behind, write_products
from register.messages.news import forget_messages
from register.recording import rows
from register.recording.documents import OF_ORDER, erase_documents, write_document
from register.recording.refusals import refusals_told
from register.recording.terms import erase_terms, is_erased, write_terms
from register.searching.search import has_customer
from register.tables.charges import CHARGES
from register.tables.events import EVENTS
from register.tables.orders import (
    CHANGES,
    DOCUMENTS,
    ITEMS,
    LISTED,
    ORDER_OFFERINGS,
    ORDERS,
    REVISIONS,
    TIMELINES,
    TRANSITIONS,
)
from register.tables.people import ORDER_FALLOUT
from register.work_items.register import erase_work_items

_KEPT = ("told", "told_as", "found_as", "heard", "deleted_at")
"""Columns of an order that a later record does not replace."""


class Records:
    """Orders as they wrote themselves down. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._adding_events = database.adding(EVENTS).returning(EVENTS.c.number)

    @activity.defn(name=RECORD_ORDER, no_thread_cancel_exception=True)
    def record(self, record: OrderRecord) -> list[str]:
        """Write down how an order stands, and what has happened since the record before, in one transaction.

        Gives, at its end, the orders that are next in line for its products.
        """
        with refusals_told(), self._database.writing() as connection:
            self.write_and_tell(connection, record)
            return next_behind(connection, record.view.id) if record.view.completed_at is not None else []

    def write_and_tell(self, connection: Connection, record: OrderRecord) -> None:
        """The same within a transaction."""
        added = self.write(connection, record)
        news = [event for event in record.events if event.number in added]
        fan_out(self._database, connection, record.view, news, datetime.now(UTC))

    def write_again(self, record: OrderRecord) -> None:
        """Write down what was recorded before, should it be missing. Nobody hears of it a second time."""
        of_it = ORDERS.c.id == record.view.id
        with self._database.writing() as connection:
            before = connection.execute(select(ORDERS.c.heard, ORDERS.c.version).where(of_it)).first()
            self.write(connection, record)
            if before is None or before.heard >= before.version:
                connection.execute(update(ORDERS).where(of_it).values(heard=ORDERS.c.version))

    def correct(self, record: OrderRecord) -> None:
        """Tell an order otherwise than it was recorded, unless it was recorded again since. Nobody hears of that."""
        with self._database.writing() as connection:
            self.write_order(connection, record.version, record.view)

    def write(self, connection: Connection, record: OrderRecord) -> list[int]:
        """The same within a transaction, but for telling anyone. Gives the numbers of the events that are new."""
        newest = self.write_order(connection, record.version, record.view)
        if newest:
            _replace(connection, CHARGES, record.view.id, rows.charge_rows(record))
            if record.view.completed_at is not None:
                _replace(connection, TIMELINES, record.view.id, rows.timeline_rows(record))
        erased = bool(record.fallout) and is_erased(connection, record.view)
        write_fallout(self._database, connection, record, erased=erased)
        write_products(self._database, connection, record, newest=newest)
        for table, added in ((REVISIONS, rows.revision_rows(record)), (TRANSITIONS, rows.transition_rows(record))):
            if added:
                connection.execute(self._database.adding(table), added)
        return self._add_events(connection, record)

    def write_order(self, connection: Connection, version: int, view: OrderView) -> bool:
        """Write an order with its items and changes. False, and nothing is written, where a higher version is there.

        A document that comes with it is written too.
        """
        insert = self._database.replacing(ORDERS, *_KEPT).returning(ORDERS.c.found_as, ORDERS.c.deleted_at)
        written = connection.execute(insert, rows.order_row(version, view)).first()
        if written is None:
            return False
        _replace(connection, ORDER_OFFERINGS, view.id, rows.offering_rows(view))
        _replace(connection, ORDER_FALLOUT, view.id, rows.fallout_rows(view))
        _replace(connection, ITEMS, view.id, rows.item_rows(view))
        _replace(connection, CHANGES, view.id, rows.change_rows(view))
        write_document(self._database, connection, view, datetime.now(UTC))
        write_cancellations(self._database, connection, view)
        if written.deleted_at is None:
            write_terms(self._database, connection, view, written.found_as)
        return True

    def erase(self, connection: Connection, order_id: str) -> None:
        """Take an order out again that was none, within a transaction."""
        erase_documents(connection, order_id)
        erase_terms(connection, order_id)
        erase_fallout(connection, order_id)
        connection.execute(delete(ORDERS).where(ORDERS.c.id == order_id))
        for table in (ORDER_OFFERINGS, ORDER_FALLOUT, ITEMS, CHANGES, TIMELINES):
            _replace(connection, table, order_id, ())

    def delete(self, order_id: str, at: datetime) -> bool:
        """Tell no more of an order, but that it was deleted. False if it is not there, or was deleted before.

        What its customer wrote is forgotten.
        """
        with self._database.writing() as connection:
            found = connection.execute(
                update(ORDERS).where(ORDERS.c.id == order_id, LISTED).values(deleted_at=at).returning(ORDERS.c.view)
            ).first()
            if found is None:
                return False
            last = connection.scalar(select(func.max(EVENTS.c.number)).where(EVENTS.c.order_id == order_id)) or 0
            erase_documents(connection, order_id)
            erase_terms(connection, order_id)
            erase_fallout(connection, order_id)
            erase_work_items(connection, order_id)
            forget_messages(connection, order_id)
            _replace(connection, TIMELINES, order_id, ())
            view = OrderView.model_validate(found.view)
            event = OrderEvent(number=last + 1, at=at, kind=EventKind.DELETED)
            self._add_events(connection, OrderRecord(version=0, view=view, events=(event,)))
            fan_out(self._database, connection, view, [event], at)
        return True

    def is_deleted(self, order_id: str) -> bool:
        """True if an order was deleted."""
        wanted = select(ORDERS.c.deleted_at).where(ORDERS.c.id == order_id)
        with self._database.reading() as connection:
            return connection.scalar(wanted) is not None

    def find(self, order_id: str) -> OrderRecord | None:
        """The order as it was last written down, without its history; not one that was deleted."""
        columns = (ORDERS.c.version, ORDERS.c.view, DOCUMENTS.c.content)
        wanted = select(*columns).outerjoin_from(ORDERS, DOCUMENTS, OF_ORDER).where(ORDERS.c.id == order_id, LISTED)
        with self._database.reading() as connection:
            row = connection.execute(wanted).first()
        if row is None:
            return None
        return OrderRecord(version=row.version, view=OrderView.model_validate({**row.view, "body": row.content}))

    def ended(self, order_id: str) -> OrderView | None:
        """An order that has written down its end; not one that was deleted."""
        over = (ORDERS.c.completed_at.is_not(None), LISTED)
        wanted = select(ORDERS.c.view, DOCUMENTS.c.content).outerjoin_from(ORDERS, DOCUMENTS, OF_ORDER)
        with self._database.reading() as connection:
            row = connection.execute(wanted.where(ORDERS.c.id == order_id, *over)).first()
        return OrderView.model_validate({**row.view, "body": row.content}) if row is not None else None

    def has_order(self, channel: str, customer_id: str) -> bool:
        """True if an order of a customer that a channel submitted was written down, and not rejected."""
        with self._database.reading() as connection:
            return bool(connection.scalar(select(has_customer(channel, customer_id))))

    def _add_events(self, connection: Connection, record: OrderRecord) -> list[int]:
        """Insert those events that are not there yet. Gives their numbers."""
        added = rows.event_rows(record)
        if not added:
            return []
        return sorted(connection.scalars(self._adding_events, added))


def _replace(connection: Connection, table: Table, order_id: str, written: Iterable[rows.Row]) -> None:
    connection.execute(_deleting(table), {"of_order": order_id})
    listed = list(written)
    if listed:
        connection.execute(table.insert(), listed)


@cache
def _deleting(table: Table) -> Delete:
    """Built once: that takes SQLAlchemy longer than to execute it."""
    return delete(table).where(table.c.order_id == bindparam("of_order"))
