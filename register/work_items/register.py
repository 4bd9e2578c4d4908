"""Work items in SQL: what orders ask for, what people do with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, delete, func, literal, nulls_last, or_, select, update

from orders.model.values import Inputs, Verb
from orders.read_model.work_state import WorkState
from orders.reconcile.outcome import Outcome
from register.engine import Database
from register.hands import Hands, StoryEntry
from register.searching.pages import length, read_page
from register.tables.orders import ORDERS
from register.tables.people import WORK_ITEMS, WORK_STORY
from register.work_items.asked import Step, answer, first, following
from register.work_items.item import Asked, Sight, WorkAct, WorkItem, WorkPage, WorkQuery, item_id

_ORDER: Final = "order"
"""Who has done what an order asked for, in a story."""
_NO_WORDS: Final = {
    "title": WORK_ITEMS.c.operation,
    "instructions": "",
    "inputs": literal({}, WORK_ITEMS.c.inputs.type),
    "outputs": literal({}, WORK_ITEMS.c.outputs.type),
    "reason": "",
}
"""A work item without what it tells of anybody."""


class WorkItems:
    """Work items by their ids. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.hands = Hands(database, WORK_ITEMS, WORK_STORY, "item_id")

    # What orders ask for

    def ask(self, verb: Verb, asked: Asked, at: datetime) -> Outcome:
        """Take in a call of an order, and say what is known of it."""
        work = item_id(asked.service)
        with self._database.writing() as connection:
            item = _locked(connection, work)
            if item is None and (step := first(verb, asked, at)) is not None:
                added = self._database.insert(WORK_ITEMS).values(step.columns).on_conflict_do_nothing()
                if connection.execute(added.returning(WORK_ITEMS.c.id)).first() is not None:
                    self._tell(connection, work, asked, step, at)
                item = _locked(connection, work)  # Where another call came first, this one follows it.
            if item is not None and (step := following(verb, asked, item, at)) is not None:
                connection.execute(update(WORK_ITEMS).where(WORK_ITEMS.c.id == work).values(step.columns))
                self._tell(connection, work, asked, step, at)
                item = _locked(connection, work)
        return answer(verb, asked.number, item)

    def _tell(self, connection: Connection, work: str, asked: Asked, step: Step, at: datetime) -> None:
        self.hands.tell(connection, work, asked.order_id, step.act, _ORDER, at, note=step.note)

    def became(self, verb: Verb, service: str, number: int) -> Outcome:
        """What is known of a call by now."""
        return answer(verb, number, self.find(item_id(service)))

    # What people do

    def page(self, query: WorkQuery) -> WorkPage:
        """A page of the work items that fit, and how many there are."""
        conditions = list(_conditions(query))
        fitting = select(WORK_ITEMS).where(*conditions)
        columns = WORK_ITEMS.c
        listed = fitting.order_by(nulls_last(columns.due_at.asc()), columns.opened_at.asc(), columns.id.asc())
        size = length(columns.inputs, columns.form, columns.outputs, columns.instructions)
        with self._database.reading() as connection:
            total = connection.scalar(select(func.count()).select_from(WORK_ITEMS).where(*conditions)) or 0
            found = read_page(connection, listed, size, query.offset, query.limit)
        return WorkPage(tuple(map(_read, found)), total)

    def open_of(self, customer_id: str) -> int:
        """How many work items of a customer's orders are open."""
        theirs = select(ORDERS.c.id).where(ORDERS.c.customer_id == customer_id)
        still_open = WORK_ITEMS.c.order_id.in_(theirs) & WORK_ITEMS.c.over_at.is_(None)
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(WORK_ITEMS).where(still_open)) or 0

    def find(self, work: str, sight: Sight | None = None) -> WorkItem | None:
        """One work item, if there is such a one in sight."""
        wanted = select(WORK_ITEMS).where(WORK_ITEMS.c.id == work, *_in_sight(sight))
        with self._database.reading() as connection:
            row = connection.execute(wanted).first()
        return None if row is None else _read(row)

    def story(self, work: str) -> tuple[StoryEntry, ...]:
        """What became of a work item and what people said about it, the latest of it, in that order."""
        return self.hands.story(work)

    def begin(self, work: str, at: datetime) -> None:
        """Note that somebody has begun with a work item, so that it does not just fall away any more."""
        begun = (WORK_ITEMS.c.id == work) & WORK_ITEMS.c.begun_at.is_(None)
        with self._database.writing() as connection:
            connection.execute(update(WORK_ITEMS).where(begun).values(begun_at=at))

    def end(
        self,
        item: WorkItem,
        state: WorkState,
        by: str,
        at: datetime,
        *,
        outputs: Inputs | None = None,
        code: str = "",
        reason: str = "",
        note: str = "",
    ) -> bool:
        """Write down how a work item has ended. False where its order has asked for something else meanwhile."""
        done = state is WorkState.DONE
        ended: dict[str, Any] = {"state": state.value, "code": code, "reason": reason, "over_at": at, "older": []}
        if done:
            ended |= {"established": item.verb is not Verb.COMPENSATE, "outputs": outputs or {}}
        of_it = (WORK_ITEMS.c.id == item.id) & (WORK_ITEMS.c.number == item.number) & WORK_ITEMS.c.over_at.is_(None)
        with self._database.writing() as connection:
            if not connection.execute(update(WORK_ITEMS).where(of_it).values(ended).returning(WORK_ITEMS.c.id)).first():
                return False
            act = WorkAct.DONE if done else WorkAct.REFUSED
            self.hands.tell(connection, item.id, item.order_id, act, by, at, note=note or reason)
        return True


def erase_work_items(connection: Connection, order_id: str) -> None:
    """Forget the work items of an order, with what was said about them, within a transaction.

    Of what is still there is kept that it is.
    """
    of_order = WORK_ITEMS.c.order_id == order_id
    undone = (WORK_ITEMS.c.verb == Verb.COMPENSATE.value) & (WORK_ITEMS.c.state == WorkState.DONE.value)
    connection.execute(delete(WORK_STORY).where(WORK_STORY.c.order_id == order_id))
    connection.execute(delete(WORK_ITEMS).where(of_order, or_(WORK_ITEMS.c.established.is_(False), undone)))
    connection.execute(update(WORK_ITEMS).where(of_order).values(_NO_WORDS))


def erase_words_of_work(connection: Connection, customer_id: str) -> None:
    """Forget what the work items of a customer that are over tell of anybody, within a transaction."""
    theirs = select(ORDERS.c.id).where(ORDERS.c.customer_id == customer_id)
    over = WORK_ITEMS.c.order_id.in_(theirs) & WORK_ITEMS.c.over_at.is_not(None)
    told = WORK_STORY.c.item_id.in_(select(WORK_ITEMS.c.id).where(over))
    connection.execute(update(WORK_STORY).where(told).values(note=""))
    connection.execute(update(WORK_ITEMS).where(over).values(_NO_WORDS))


def _conditions(query: WorkQuery) -> Iterator[ColumnElement[bool]]:
    columns = WORK_ITEMS.c
    if query.state == (WorkState.OPEN,):
        yield columns.over_at.is_(None)
    else:
        yield columns.state.in_([state.value for state in query.state])
    named = {"order_id": query.order, "silo": query.silo, "operation": query.operation}
    for name, value in (named | {"group_name": query.group, "claimed_by": query.claimed_by}).items():
        if value is not None:
            yield columns[name] == value
    if query.claimed is not None:
        yield columns.claimed_by.is_not(None) if query.claimed else columns.claimed_by.is_(None)
    if query.due_before is not None:
        yield columns.due_at < query.due_before
    yield from _in_sight(query.sight)


def _in_sight(sight: Sight | None) -> Iterator[ColumnElement[bool]]:
    if sight is not None:
        yield or_(WORK_ITEMS.c.group_name.is_(None), WORK_ITEMS.c.group_name.in_(sorted(sight.groups)))


def _locked(connection: Connection, work: str) -> WorkItem | None:
    """A work item, which nobody else touches until the end of the transaction."""
    row = connection.execute(select(WORK_ITEMS).where(WORK_ITEMS.c.id == work).with_for_update()).first()
    return None if row is None else _read(row)


def _read(row: Row[*tuple[Any, ...]]) -> WorkItem:
    columns = dict(row._mapping)
    group = columns.pop("group_name")
    return WorkItem.model_validate({**columns, "group": group})
