"""When an order is written to the register: at rest, at its end, and while it is busy every few seconds at least."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.reporting import order_record
from orders.model import wire_names
from orders.read_model.records import OrderRecord

BUSY = timedelta(seconds=5)
"""How long news may wait for more while silo calls are under way."""
AT_REST = timedelta(seconds=1)
"""How long two records of an order at rest are apart: what is awaited may come in quick succession."""
UNTIL_IT_IS_WRITTEN = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))


class Recorder:
    """Writes an order's news down, one record at a time. What comes up meanwhile is for the next one."""

    def __init__(self, order: Fulfilment) -> None:
        self._order = order
        self._writing = False
        self._next: datetime | None = None
        self.next_in_line: list[str] = []
        """The orders that wait for what this one had, and are next, as far as the last record knows."""

    def due(self, *, ended: bool = False) -> datetime | None:
        """When to write next. None while there is no news, or a record is under way."""
        since = self._order.journal.news_since
        if since is None or self._writing:
            return None
        if ended:
            return since
        if self._order.reconciler.calls:
            return since + BUSY
        return max(since, self._next or since)

    def write(self) -> Coroutine[None, None, None]:
        """Write down what is new until now, however long the database takes."""
        self._writing = True
        return self._write(order_record(self._order, workflow.now()))

    async def _write(self, record: OrderRecord) -> None:
        self.next_in_line = await workflow.execute_activity(
            wire_names.RECORD_ORDER,
            record,
            result_type=list[str],
            activity_id=f"record/{record.version}",
            summary=f"record revision {record.view.revision}: {record.view.state}",
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=UNTIL_IT_IS_WRITTEN,
        )
        self._order.recorded(record)
        self._next = workflow.now() + AT_REST
        self._writing = False
