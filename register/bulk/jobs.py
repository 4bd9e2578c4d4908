"""Jobs: what each would be over, the set that it is frozen over, where it is, and steering it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, literal, select, update

from orders.read_model.jobs.bulk import (
    MOST_ORDERS,
    BulkAnswer,
    BulkJob,
    BulkOrder,
    BulkProgress,
    BulkState,
    BulkStatus,
    Counts,
    JobState,
)
from orders.read_model.states import LifecycleState
from register.bulk.following import follow, settle
from register.bulk.query import (
    BulkOrderPage,
    BulkPreview,
    JobPage,
    Moved,
    NoneFits,
    OtherJob,
    SampledOrder,
    Sought,
    TooMany,
)
from register.engine import Database
from register.fallout.query import FalloutQuery
from register.fallout.search import orders_with_fallout
from register.searching.search import Search
from register.tables.orders import ORDERS
from register.tables.people import BULK_JOBS, BULK_ORDERS

_SAMPLED: Final = 10
_ENDED: Final = (JobState.STOPPED, JobState.ASKED)


class BulkRegister:
    """Bulk work by what is known of it. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database, search: Search) -> None:
        self._database = database
        self._search = search

    def preview(self, sought: Sought) -> BulkPreview:
        """What a job would be over now.

        Raises:
            TooMany: if that is more than one may be over.
        """
        with self._database.reading() as connection:
            ids = connection.scalars(_in_order(self._found(connection, sought))).all()
            _require_few(ids)
            columns = (ORDERS.c.id, ORDERS.c.external_id, ORDERS.c.customer_id, ORDERS.c.channel, ORDERS.c.state)
            rows = connection.execute(select(*columns).where(ORDERS.c.id.in_(ids[:_SAMPLED]))).all()
        by_id = {row.id: _sampled(row) for row in rows}
        return BulkPreview(len(ids), _digest(ids), tuple(by_id[each] for each in ids[:_SAMPLED] if each in by_id))

    def begin(self, job: BulkJob, sought: Sought, at: datetime, *, digest: str, previewed: str | None) -> BulkStatus:
        """Freeze the orders that a job is over, and keep it, once: the same request finds the job as it is.

        `digest` is that of the request, `previewed` that of the orders, where it counts that they are still the same.

        Raises:
            NoneFits: if that is none.
            TooMany: if that is more than one may be over.
            OtherJob: if the id is that of another request.
            Moved: if other orders fit than were previewed.
        """
        with self._database.writing() as connection:
            row = {"id": job.id, "digest": digest, "state": JobState.ASKING.value, "created_at": at}
            told = {"content": job.model_dump(mode="json"), "stopped_by": "", "why": ""}
            adding = self._database.insert(BULK_JOBS).values(**row, **told).on_conflict_do_nothing()
            if connection.execute(adding.returning(BULK_JOBS.c.id)).first() is None:
                known = connection.execute(select(BULK_JOBS).where(BULK_JOBS.c.id == job.id)).one()
                if known.digest != digest:
                    raise OtherJob
                return _status(connection, known)
            ids = self._freeze(connection, job.id, sought)
            if previewed is not None and previewed != _digest(ids):
                raise Moved
            if not ids:
                raise NoneFits
            return _require(connection, job.id)

    def find(self, job_id: str) -> BulkStatus | None:
        """A job, and how far it is."""
        with self._database.reading() as connection:
            row = connection.execute(select(BULK_JOBS).where(BULK_JOBS.c.id == job_id)).first()
            return None if row is None else _status(connection, row)

    def page(self, offset: int, limit: int) -> JobPage:
        """Jobs, the latest first."""
        wanted = select(BULK_JOBS).order_by(BULK_JOBS.c.created_at.desc(), BULK_JOBS.c.id.desc())
        with self._database.reading() as connection:
            rows = connection.execute(wanted.offset(offset).limit(limit)).all()
            total = connection.scalar(select(func.count()).select_from(BULK_JOBS)) or 0
            return JobPage(tuple(_status(connection, row) for row in rows), total)

    def orders(self, job_id: str, states: Iterable[BulkState], offset: int, limit: int) -> BulkOrderPage:
        """The orders of a job that are in one of some states, or all."""
        named = [state.value for state in states]
        conditions = [BULK_ORDERS.c.job_id == job_id]
        if named:
            conditions.append(BULK_ORDERS.c.state.in_(named))
        wanted = select(BULK_ORDERS).where(*conditions).order_by(BULK_ORDERS.c.position)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.offset(offset).limit(limit)).all()
            total = connection.scalar(select(func.count()).select_from(BULK_ORDERS).where(*conditions)) or 0
        return BulkOrderPage(tuple(map(_order, rows)), total)

    def steer(self, job_id: str, to: JobState, at: datetime, *, by: str, why: str) -> BulkStatus | None:
        """Pause a job, have it go on, or stop it, as far as it is not done with asking. None where there is none."""
        with self._database.writing() as connection:
            if to is JobState.ASKING:
                _move(connection, job_id, to, at, (JobState.PAUSED,))
            else:
                _move(connection, job_id, to, at, (JobState.ASKING, JobState.PAUSED), by, why)
            row = connection.execute(select(BULK_JOBS).where(BULK_JOBS.c.id == job_id)).first()
            return None if row is None else _status(connection, row)

    def asks(self, job_id: str) -> bool:
        """True while a job is to go on asking."""
        with self._database.reading() as connection:
            return connection.scalar(select(BULK_JOBS.c.state).where(BULK_JOBS.c.id == job_id)) == JobState.ASKING

    def waiting(self, job_id: str, most: int) -> Sequence[str]:
        """The orders that a job asks next."""
        waits = (BULK_ORDERS.c.job_id == job_id) & (BULK_ORDERS.c.state == BulkState.WAITING.value)
        wanted = select(BULK_ORDERS.c.order_id).where(waits).order_by(BULK_ORDERS.c.position).limit(most)
        with self._database.reading() as connection:
            return connection.scalars(wanted).all()

    def note(self, job_id: str, answers: Iterable[BulkAnswer], at: datetime) -> BulkStatus:
        """Write down what orders have said, and stop the job where too many have failed."""
        with self._database.writing() as connection:
            for answer in answers:
                settle(connection, job_id, answer, at)
            status = _require(connection, job_id)
            why = status.counts.reach(status.job.stop_at) if status.counts.of(BulkState.WAITING) else None
            if why is not None:
                _move(connection, job_id, JobState.STOPPED, at, (JobState.ASKING, JobState.PAUSED), "", why)
            return _require(connection, job_id)

    def follow(self, job_id: str, at: datetime) -> BulkProgress:
        """See what became of what orders were asked for, and where the job is with that."""
        status = self.find(job_id)
        if status is None:
            raise LookupError(f"there is no job {job_id}")
        for answers in follow(self._database, status.job):
            status = self.note(job_id, answers, at)
        with self._database.writing() as connection:
            if not status.counts.of(BulkState.WAITING):
                _move(connection, job_id, JobState.ASKED, at, (JobState.ASKING, JobState.PAUSED))
            status = _require(connection, job_id)
            known = not status.counts.of(BulkState.ASKED, BulkState.UNDER_WAY)
            if known and status.state in _ENDED and status.settled_at is None:
                connection.execute(update(BULK_JOBS).where(BULK_JOBS.c.id == job_id).values(settled_at=at))
            status = _require(connection, job_id)
        return BulkProgress(status=status, more=status.state is JobState.ASKING)

    def _freeze(self, connection: Connection, job_id: str, sought: Sought) -> Sequence[str]:
        found = _in_order(self._found(connection, sought)).subquery("found")
        place = func.row_number().over(order_by=(found.c.place, found.c.order_id))
        frozen = select(
            literal(job_id), found.c.order_id, place, literal(BulkState.WAITING.value), literal(""), literal("")
        )
        columns = ["job_id", "order_id", "position", "state", "code", "message"]
        connection.execute(BULK_ORDERS.insert().from_select(columns, frozen))
        of_job = select(BULK_ORDERS.c.order_id).where(BULK_ORDERS.c.job_id == job_id)
        ids = connection.scalars(of_job.order_by(BULK_ORDERS.c.position)).all()
        _require_few(ids)
        return ids

    def _found(self, connection: Connection, sought: Sought) -> Select[str, datetime]:
        if isinstance(sought, FalloutQuery):
            return orders_with_fallout(sought)
        return self._search.all_fitting(connection, sought)


def _in_order(found: Select[str, datetime]) -> Select[str, datetime]:
    """What has waited for longest comes first. One more is looked for than a job may be over."""
    each = found.subquery("each")
    return select(each.c.order_id, each.c.place).order_by(each.c.place, each.c.order_id).limit(MOST_ORDERS + 1)


def _require_few(ids: Sequence[str]) -> None:
    if len(ids) > MOST_ORDERS:
        raise TooMany


def _digest(ids: Iterable[str]) -> str:
    """Names a set of orders."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:32]


def _move(
    connection: Connection,
    job_id: str,
    to: JobState,
    at: datetime,
    of: tuple[JobState, ...],
    by: str = "",
    why: str = "",
) -> None:
    """Bring a job that is in one of some states to another."""
    told: dict[str, Any] = {"state": to.value, "stopped_by": by, "why": why}
    if to in _ENDED:
        told["asked_until"] = at
    which = (BULK_JOBS.c.id == job_id) & BULK_JOBS.c.state.in_([state.value for state in of])
    connection.execute(update(BULK_JOBS).where(which).values(told))


def _require(connection: Connection, job_id: str) -> BulkStatus:
    return _status(connection, connection.execute(select(BULK_JOBS).where(BULK_JOBS.c.id == job_id)).one())


def _status(connection: Connection, row: Row[*tuple[Any, ...]]) -> BulkStatus:
    counted = select(BULK_ORDERS.c.state, func.count()).where(BULK_ORDERS.c.job_id == row.id)
    counts = {BulkState(state): number for state, number in connection.execute(counted.group_by(BULK_ORDERS.c.state))}
    return BulkStatus(
        job=BulkJob.model_validate(row.content),
        state=JobState(row.state),
        counts=Counts(by_state=counts),
        created_at=row.created_at,
        stopped_by=row.stopped_by,
        why=row.why,
        asked_until=row.asked_until,
        settled_at=row.settled_at,
    )


def _sampled(row: Row[*tuple[Any, ...]]) -> SampledOrder:
    return SampledOrder(
        order_id=row.id,
        external_id=row.external_id,
        customer_id=row.customer_id,
        channel=row.channel,
        state=LifecycleState(row.state),
    )


def _order(row: Row[*tuple[Any, ...]]) -> BulkOrder:
    return BulkOrder(
        order_id=row.order_id,
        state=BulkState(row.state),
        code=row.code,
        message=row.message,
        asked_at=row.asked_at,
        decided_at=row.decided_at,
        settled_at=row.settled_at,
    )
