"""What orders ask of silos: brought up to date with their records, and counted."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, func, or_, select, union

from orders.demand.ahead import IN_FLIGHT, Need
from orders.demand.figures import Count, together
from orders.model.order import Revision
from orders.read_model.timeline import TimelineEntry
from orders.read_model.views import OrderView
from register.engine import Database
from register.tables.orders import LISTED, ORDERS, REVISIONS, TIMELINES
from register.tables.silos import DEMAND_ORDERS, DEMANDS

KEPT_FOR: Final = timedelta(days=35)
"""How long it is told what was asked for, after the order has ended."""

_IN_FLIGHT: Final = [str(state) for state in IN_FLIGHT]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An order as the register has it: its version, its last revision, and its timeline once it has ended."""

    version: int
    view: OrderView
    revision: Revision | None
    timeline: tuple[TimelineEntry, ...]
    known: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class DemandQuery:
    """Which demand is asked for; None is all of it."""

    begin: date
    before: date
    silo: str | None = None
    operation: str | None = None
    place: str | None = None
    kind: str | None = None


class Demands:
    """What orders ask of silos. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def behind(self, rules: str, now: datetime) -> int:
        """How many orders have moved, or ended, since their demands were worked out, or were by other rules."""
        with self._database.reading() as connection:
            stale = _stale(rules, now).subquery()
            return connection.scalar(select(func.count()).select_from(stale)) or 0

    def stale(self, rules: str, now: datetime, limit: int) -> list[Recorded]:
        """Some of them."""
        with self._database.reading() as connection:
            ids = [row.id for row in connection.execute(_stale(rules, now).limit(limit))]
            return list(_recorded(connection, ids))

    def write(self, order_id: str, version: int, rules: str, needs: Iterable[Need], *, in_flight: bool) -> None:
        """Write down the demands of an order, unless those of a later version are there."""
        mark = self._database.insert(DEMAND_ORDERS).values(
            order_id=order_id, version=version, rules=rules, in_flight=in_flight
        )
        newer = mark.on_conflict_do_update(
            index_elements=[DEMAND_ORDERS.c.order_id],
            set_={name: mark.excluded[name] for name in ("version", "rules", "in_flight")},
            where=DEMAND_ORDERS.c.version <= mark.excluded.version,
        )
        rows = [_row(order_id, need) for need in needs]
        with self._database.writing() as connection:
            if connection.execute(newer.returning(DEMAND_ORDERS.c.order_id)).first() is None:
                return
            connection.execute(delete(DEMANDS).where(DEMANDS.c.order_id == order_id))
            if rows:
                connection.execute(DEMANDS.insert(), rows)

    def forget(self, now: datetime) -> None:
        """Forget what was asked for by orders that ended long ago, and by those that are gone or told no more."""
        known = select(ORDERS.c.id).where(ORDERS.c.id == DEMAND_ORDERS.c.order_id, LISTED)
        lasting = known.where(or_(ORDERS.c.completed_at.is_(None), ORDERS.c.completed_at >= now - KEPT_FOR))
        gone = select(DEMAND_ORDERS.c.order_id).where(~lasting.exists())
        with self._database.writing() as connection:
            connection.execute(delete(DEMANDS).where(DEMANDS.c.order_id.in_(gone)))
            connection.execute(delete(DEMAND_ORDERS).where(~lasting.exists()))

    def counts(self, query: DemandQuery, today: date) -> list[Count]:
        """How much is asked for by silo, operation, place, kind and day. What is overdue counts for today."""
        what = [DEMANDS.c[name] for name in ("silo", "operation", "place", "kind")]
        open_ = DEMANDS.c.asked.is_(None)
        found: list[Count] = []
        with self._database.reading() as connection:
            for name in ("likely", "safe", "asked"):
                told = DEMANDS.c[name]
                day = case((and_(open_, told < str(today)), str(today)), else_=told) if name != "asked" else told
                counted = (func.count().label("number"), func.count(DEMANDS.c.asked).label("drawn"))
                wanted = select(*what, day.label("day"), *counted).where(*_conditions(query)).group_by(*what, day)
                within = and_(day >= str(query.begin), day < str(query.before))
                for row in connection.execute(wanted.where(within)).mappings():
                    likely = name == "likely"
                    found.append(
                        Count(
                            silo=row["silo"],
                            operation=row["operation"],
                            place=row["place"],
                            kind=row["kind"],
                            day=date.fromisoformat(row["day"]),
                            likely=row["number"] if likely else 0,
                            safe=row["number"] if name == "safe" else 0,
                            asked=row["number"] if name == "asked" else 0,
                            drawn=row["drawn"] if likely else 0,
                        )
                    )
        return together(found)


def _stale(rules: str, now: datetime) -> Select[tuple[str]]:
    known = ORDERS.outerjoin(DEMAND_ORDERS, DEMAND_ORDERS.c.order_id == ORDERS.c.id)
    old: ColumnElement[bool] = or_(DEMAND_ORDERS.c.version < ORDERS.c.version, DEMAND_ORDERS.c.rules != rules)
    moved = or_(DEMAND_ORDERS.c.order_id.is_(None), old)
    in_flight = select(ORDERS.c.id).select_from(known).where(LISTED, ORDERS.c.state.in_(_IN_FLIGHT), moved)
    left = select(ORDERS.c.id).select_from(known).where(LISTED, DEMAND_ORDERS.c.in_flight, old)
    ended = select(ORDERS.c.id).select_from(known).where(LISTED, ORDERS.c.completed_at >= now - KEPT_FOR, moved)
    found = union(in_flight, left, ended).subquery()
    return select(found.c.id)


def _recorded(connection: Connection, ids: Sequence[str]) -> Iterator[Recorded]:
    revisions: dict[str, tuple[int, object]] = {}
    columns = (REVISIONS.c.order_id, REVISIONS.c.number, REVISIONS.c.content)
    for order_id, number, content in connection.execute(select(*columns).where(REVISIONS.c.order_id.in_(ids))):
        if number >= revisions.get(order_id, (0, None))[0]:
            revisions[order_id] = (number, content)
    told = select(TIMELINES.c.order_id, TIMELINES.c.content).where(TIMELINES.c.order_id.in_(ids))
    timelines = {row.order_id: row.content for row in connection.execute(told)}
    known: dict[str, list[Need]] = {}
    for row in connection.execute(select(DEMANDS).where(DEMANDS.c.order_id.in_(ids))).mappings():
        known.setdefault(row["order_id"], []).append(
            Need(
                **{name: row[name] for name in ("task", "silo", "operation", "place", "kind", "starts")},
                likely=date.fromisoformat(row["likely"]),
                safe=date.fromisoformat(row["safe"]),
                asked=date.fromisoformat(row["asked"]) if row["asked"] is not None else None,
            )
        )
    for row in connection.execute(select(ORDERS.c.id, ORDERS.c.version, ORDERS.c.view).where(ORDERS.c.id.in_(ids))):
        _, content = revisions.get(row.id, (0, None))
        yield Recorded(
            version=row.version,
            view=OrderView.model_validate(row.view),
            revision=Revision.model_validate(content) if content is not None else None,
            timeline=tuple(map(TimelineEntry.model_validate, _timeline(timelines.get(row.id)))),
            known=tuple(known.get(row.id, ())),
        )


def _timeline(content: bytes | None) -> list[object]:
    return json.loads(zlib.decompress(content)) if content is not None else []


def _row(order_id: str, need: Need) -> dict[str, object]:
    days = {"likely": str(need.likely), "safe": str(need.safe), "asked": str(need.asked) if need.asked else None}
    told = {name: getattr(need, name) for name in ("task", "silo", "operation", "place", "kind", "starts")}
    return {"order_id": order_id, **told, **days}


def _conditions(query: DemandQuery) -> list[ColumnElement[bool]]:
    names = ("silo", "operation", "place", "kind")
    return [DEMANDS.c[name] == getattr(query, name) for name in names if getattr(query, name) is not None]
