"""When an order is written to the register: at rest, at its end, and while it is busy every few seconds at least."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError

from orders.fulfilment.order_in_flight import Fulfilment
from orders.model import wire_names
from orders.model.order import Reason
from orders.read_model.records import OrderRecord
from orders.tracking.reporting import order_record
from workflows.summaries import with_news

BUSY = timedelta(seconds=5)
"""How long news may wait for more while silo calls are under way."""
AT_REST = timedelta(seconds=1)
"""How long two records of an order at rest are apart: what is awaited may come in quick succession."""
IN_DOUBT = timedelta(seconds=10)
"""How long changes wait to hear whether the order has ended. Then the register cannot be written, and it goes on."""
UNTIL_IT_IS_WRITTEN = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
REFUSED_FIRST, REFUSED_LONGEST = timedelta(minutes=1), timedelta(hours=1)
"""How long after a record that was refused the next one is tried: twice as long each time."""
RECORD_REFUSED: Final = "record_refused"


class Recorder:
    """Writes an order's news down, one record at a time. What comes up meanwhile is for the next one.

    A register that cannot be reached is waited for. One that will never take a record is a problem of the order, which
    goes on, but does not end: all that is not recorded is tried again with the next record, slowly, and at once when a
    change was decided.
    """

    def __init__(self, order: Fulfilment) -> None:
        self._order = order
        self._writing = False
        self._next: datetime | None = None
        self._pause: timedelta | None = None
        self._decided = 0
        self.in_doubt_until: datetime | None = None
        """Until when changes wait for the record of the order's end that is under way, if one is."""
        self.next_in_line: list[str] = []
        """The orders that wait for what this one had, and are next, as far as the last record knows."""

    @property
    def end_in_doubt(self) -> bool:
        """True while the register may have written down the end, and that is not known yet."""
        return self.in_doubt_until is not None and workflow.now() < self.in_doubt_until

    def due(self, *, ended: bool = False) -> datetime | None:
        """When to write next. None while there is no news, or a record is under way."""
        since = self._order.journal.news_since
        if since is None or self._writing:
            return None
        if self._pause is not None and self._decided == len(self._order.verdicts):
            return self._next
        if ended:
            return since
        if self._order.reconciler.calls:
            return since + BUSY
        return since if self._pause is not None else max(since, self._next or since)

    def write(self) -> Coroutine[None, None, None]:
        """Write down what is new until now, however long the database takes."""
        record = order_record(self._order, workflow.now())
        self._writing = True
        if self._order.ending:
            self.in_doubt_until = workflow.now() + IN_DOUBT
        return self._write(record, len(self._order.verdicts), self._summary(record))

    def _summary(self, record: OrderRecord) -> str:
        needed = f" · needs a person: {', '.join(self._order.fallout_silos())}" if self._order.fallout_silos() else ""
        return with_news(self._order, f"record revision {record.view.revision}: {record.view.state}{needed}")

    async def _write(self, record: OrderRecord, decided: int, summary: str) -> None:
        try:
            self.next_in_line = await workflow.execute_activity(
                wire_names.RECORD_ORDER,
                record,
                result_type=list[str],
                activity_id=f"record/{record.version}",
                summary=summary,
                start_to_close_timeout=timedelta(seconds=30),
                retry_policy=UNTIL_IT_IS_WRITTEN,
            )
        except FailureError as error:  # It is tried without end, but for what the register will never take.
            self._refused(str(error.cause or error)[:500], decided)
        else:
            self._order.recorded(record)
            self._order.problems.pop(RECORD_REFUSED, None)
            self._next, self._pause = workflow.now() + AT_REST, None
        self._writing, self.in_doubt_until = False, None

    def _refused(self, reason: str, decided: int) -> None:
        now = workflow.now()
        self._order.journal.not_recorded(now)
        self._order.problems[RECORD_REFUSED] = Reason(code=RECORD_REFUSED, message=reason)
        self._pause = REFUSED_FIRST if self._pause is None else min(self._pause * 2, REFUSED_LONGEST)
        self._next, self._decided = now + self._pause, decided
