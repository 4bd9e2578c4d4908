"""What became of what the orders of a job were asked for, read from what they have written down since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, literal, select, update

from orders.change.request import Verdict
from orders.read_model.fallout import FalloutEnd, FalloutState
from orders.read_model.jobs.bulk import (
    FOLLOWED,
    UNDECIDED,
    BulkAnswer,
    BulkJob,
    BulkState,
    Seen,
    SeenFallout,
    answer_of,
    outcome_of,
)
from orders.read_model.states import LifecycleState
from register.engine import Database
from register.tables.orders import CHANGES, ORDERS
from register.tables.people import BULK_ORDERS, FALLOUT

_AT_ONCE: Final = 500
CLOSED: Final = "order_closed"


def settle(connection: Connection, job_id: str, answer: BulkAnswer, at: datetime) -> None:
    """Write down what is known of one order, unless that is settled, within a transaction."""
    known: dict[str, Any] = {"state": answer.state.value, "code": answer.code, "message": answer.message}
    of = UNDECIDED
    if answer.state in (BulkState.DONE, BulkState.REFUSED, BulkState.OVERTAKEN):
        of = (BulkState.UNDER_WAY,)
    else:
        known |= {"decided_at": answer.decided_at}
    if answer.state not in FOLLOWED:
        known["settled_at"] = at
    row = (BULK_ORDERS.c.job_id == job_id) & (BULK_ORDERS.c.order_id == answer.order_id)
    waits = BULK_ORDERS.c.state == BulkState.WAITING.value
    connection.execute(update(BULK_ORDERS).where(row, waits).values(asked_at=at))
    connection.execute(
        update(BULK_ORDERS).where(row, BULK_ORDERS.c.state.in_([state.value for state in of])).values(known)
    )


def follow(database: Database, job: BulkJob) -> Iterator[list[BulkAnswer]]:
    """What is known by now of the orders that are followed, as far as it is news, some at a time."""
    position = 0
    while True:
        with database.reading() as connection:
            rows = connection.execute(_followed(job.id, position)).all()
            if not rows:
                return
            fallout = _fallout_of(connection, rows)
        position = rows[-1].position
        news = [answer for row in rows if (answer := _news(job, row, fallout[row.order_id])) is not None]
        if news:
            yield news


def _followed(job_id: str, position: int) -> Any:
    asked = and_(
        CHANGES.c.order_id == BULK_ORDERS.c.order_id,
        CHANGES.c.request_id == literal(f"{job_id}.") + BULK_ORDERS.c.order_id,
    )
    columns = (
        BULK_ORDERS.c.order_id,
        BULK_ORDERS.c.position,
        BULK_ORDERS.c.state,
        BULK_ORDERS.c.decided_at,
        ORDERS.c.state.label("order_state"),
        ORDERS.c.completed_at,
        ORDERS.c.deleted_at,
        CHANGES.c.content.label("verdict"),
    )
    which = (
        BULK_ORDERS.c.job_id == job_id,
        BULK_ORDERS.c.state.in_([state.value for state in FOLLOWED]),
        BULK_ORDERS.c.position > position,
    )
    joined = BULK_ORDERS.outerjoin(ORDERS, ORDERS.c.id == BULK_ORDERS.c.order_id).outerjoin(CHANGES, asked)
    return select(*columns).select_from(joined).where(*which).order_by(BULK_ORDERS.c.position).limit(_AT_ONCE)


def _fallout_of(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> defaultdict[str, list[SeenFallout]]:
    """Their fallout, open and over."""
    under_way = [row.order_id for row in rows if row.state == BulkState.UNDER_WAY]
    columns = ("order_id", "silo", "state", "code", "since", "over_at", "ended", "content")
    wanted = select(*(FALLOUT.c[name] for name in columns)).where(FALLOUT.c.order_id.in_(under_way))
    found = defaultdict[str, list[SeenFallout]](list)
    for row in connection.execute(wanted.order_by(FALLOUT.c.since)):
        found[row.order_id].append(
            SeenFallout(
                silo=row.silo,
                state=FalloutState(row.state),
                code=row.code,
                since=row.since,
                refused_at=datetime.fromisoformat(row.content["refused_at"]),
                over_at=row.over_at,
                ended=None if row.ended is None else FalloutEnd(row.ended),
            )
        )
    return found


def _news(job: BulkJob, row: Row[*tuple[Any, ...]], fallout: list[SeenFallout]) -> BulkAnswer | None:
    verdict = None if row.verdict is None else Verdict.model_validate(row.verdict)
    gone = row.order_state is None or row.deleted_at is not None
    ended = gone or row.completed_at is not None
    if row.state == BulkState.ASKED:
        answer = answer_of(row.order_id, verdict)
        if answer.state is not BulkState.ASKED:
            return answer
        if not ended:
            return None
        message = "The order ended before it was decided"
        return BulkAnswer(order_id=row.order_id, state=BulkState.REJECTED, code=CLOSED, message=message)
    if gone:
        return BulkAnswer(order_id=row.order_id, state=BulkState.OVERTAKEN, code="order_deleted")
    seen = Seen(
        state=LifecycleState(row.order_state),
        ended=ended,
        verdict=None if verdict is None else verdict.state,
        fallout=tuple(fallout),
    )
    outcome = None if row.decided_at is None else outcome_of(job.action, row.decided_at, seen)
    if outcome is None:
        return None
    return BulkAnswer(order_id=row.order_id, state=outcome.state, code=outcome.code)
