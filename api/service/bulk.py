"""Asking many orders for the same: what that would be over, beginning it, and steering it.

A job is kept, with its frozen set, before its workflow is started: the same request starts what was kept and not
started.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NoReturn

from api.blocking import run_blocking
from api.errors import IdempotencyKeyReused, NothingFits, PreviewOutdated, TooMuchWork, UnknownJob
from api.service.gateway import Gateway
from orders.read_model.jobs.bulk import MOST_ORDERS, BulkJob, BulkStatus, JobState
from orders.read_model.jobs.bulk_words import job_in_words
from register.bulk import query
from register.bulk.jobs import BulkRegister


class Bulk:
    """Jobs, by their ids. Every method may raise `Unavailable`, after which the same call may be made again."""

    def __init__(self, gateway: Gateway, jobs: BulkRegister) -> None:
        self._gateway = gateway
        self._jobs = jobs

    async def preview(self, sought: query.Sought) -> query.BulkPreview:
        """What a job would be over now.

        Raises:
            TooMuchWork: if that is more than one may be over.
        """
        try:
            return await run_blocking(self._jobs.preview, sought)
        except query.TooMany:
            _too_many()

    async def begin(self, job: BulkJob, sought: query.Sought, *, digest: str, previewed: str | None) -> BulkStatus:
        """Freeze the set and begin; the same request, by its digest, finds what it has begun.

        Raises:
            TooMuchWork: if the job would be over more than one may be.
            NothingFits: if it would be over nothing.
            PreviewOutdated: if other orders fit than were previewed.
            IdempotencyKeyReused: if the id is that of another request.
        """
        now = datetime.now(UTC)
        try:
            status = await run_blocking(self._jobs.begin, job, sought, now, digest=digest, previewed=previewed)
        except query.TooMany:
            _too_many()
        except query.NoneFits:
            raise NothingFits("No order fits", "Nothing was begun") from None
        except query.Moved:
            raise PreviewOutdated("Other orders fit than were previewed", "Ask for a dry run again") from None
        except query.OtherJob:
            raise IdempotencyKeyReused("The request id is taken", "Something else was asked for under it") from None
        if status.settled_at is None:
            summary = f"{job_in_words(job)}: {status.counts.total} orders"
            await self._gateway.start_job(job.id, summary, job.reason)
        return status

    async def steer(self, job_id: str, to: JobState, by: str, why: str) -> BulkStatus:
        """Pause a job, have it go on, or stop it.

        Raises:
            UnknownJob: if there is no such job.
        """
        status = await run_blocking(self._jobs.steer, job_id, to, datetime.now(UTC), by=by, why=why)
        if status is None:
            raise UnknownJob(f"There is no job {job_id}")
        await self._gateway.wake_job(job_id)
        return status


def _too_many() -> NoReturn:
    raise TooMuchWork(f"More than {MOST_ORDERS} orders fit", "Ask for less at once") from None
