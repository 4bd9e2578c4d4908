"""Asking many orders for the same: a workflow that has it done a piece at a time, and follows what comes of it.

What it works on stands in the register, and so does how far it is: nothing of it is in history, which stays short. To
stop it, and to have it pause, is written there too; the signal `look` only wakes it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy

from orders.model import wire_names
from orders.model.values import Frozen
from orders.read_model.jobs.bulk import BulkProgress, JobState
from orders.read_model.jobs.bulk_words import status_in_words

_BEATS_WITHIN: Final = timedelta(seconds=15)
_PIECE_WITHIN: Final = timedelta(minutes=10)
_TRIED_AGAIN: Final = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
_FIRST_LOOK_S: Final = 1.0
_LONGER_BY: Final = 1.2
_SELDOM_S: Final = 300.0
"""What comes of it is looked at seldom where nothing is new: an order may take months."""


class BulkStart(Frozen):
    """Which job; and for how many looks nothing was new, where it goes on in another run."""

    job_id: str
    quiet: int = 0


class BulkStop(Frozen):
    """Stop a job, by whom and why."""

    job_id: str
    by: str
    why: str


@workflow.defn(name=wire_names.BULK_WORKFLOW)
class BulkWorkflow:
    """One job. It ends once all is asked that is to be asked, and what came of it is known."""

    @workflow.init
    def __init__(self, start: BulkStart) -> None:
        self._start = start
        self._quiet = start.quiet
        self._known: BulkProgress | None = None
        self._called = False

    @workflow.run
    async def run(self, start: BulkStart) -> BulkProgress:
        """Ask, and follow. A cancel from the Web UI stops the asking; what was asked is followed all the same."""
        body = asyncio.create_task(self._go_on())
        while not body.done():
            try:
                await workflow.wait_condition(body.done)
            except asyncio.CancelledError:
                await self._stop(workflow.cancellation_reason() or "cancelled in Temporal")
        if (progress := body.result()) is not None:
            return progress
        workflow.continue_as_new(BulkStart(job_id=self._start.job_id, quiet=self._quiet))

    @workflow.signal(name=wire_names.LOOK_SIGNAL)
    def look(self) -> None:
        """Something was written down about the job: it is to stop, to pause or to go on."""
        self._called = True

    async def _go_on(self) -> BulkProgress | None:
        """How the job ended, or None where it is to go on in another run."""
        while True:
            self._called = False
            progress = await self._piece()
            if progress.over:
                return progress
            if workflow.info().is_continue_as_new_suggested():
                return None
            await self._pause(progress)

    async def _piece(self) -> BulkProgress:
        progress = await workflow.execute_activity(
            wire_names.ASK_MANY,
            self._start.job_id,
            result_type=BulkProgress,
            start_to_close_timeout=_PIECE_WITHIN,
            heartbeat_timeout=_BEATS_WITHIN,
            retry_policy=_TRIED_AGAIN,
            summary="ask the next orders" if self._asks else "see what came of it",
        )
        self._quiet = self._quiet + 1 if progress == self._known else 0
        self._known = progress
        workflow.set_current_details("\n\n".join(status_in_words(progress.status)))
        return progress

    @property
    def _asks(self) -> bool:
        return self._known is None or self._known.status.state is JobState.ASKING

    async def _pause(self, progress: BulkProgress) -> None:
        """Wait until the next orders are due, or it is time to look again what came of those asked."""
        look = min(_FIRST_LOOK_S * _LONGER_BY ** min(self._quiet, 100), _SELDOM_S)
        pause = progress.rest_s if progress.more else look
        if pause == 0:
            return
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._called, timeout=pause, timeout_summary="look again")
            self._quiet = 0

    async def _stop(self, why: str) -> None:
        await workflow.execute_activity(
            wire_names.STOP_ASKING,
            BulkStop(job_id=self._start.job_id, by="Temporal", why=why),
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=_TRIED_AGAIN,
            summary="stop asking",
        )
        self._called = True
