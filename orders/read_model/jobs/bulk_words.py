"""What a job that asks many orders does and how far it is, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orders.change.request import ChangeKind
from orders.read_model.jobs.bulk import BulkJob, BulkState, BulkStatus, JobState

SAID: Final[Mapping[BulkState, str]] = {
    BulkState.WAITING: "not asked",
    BulkState.ASKED: "to decide",
    BulkState.REJECTED: "rejected",
    BulkState.UNDER_WAY: "accepted and under way",
    BulkState.DONE: "done",
    BulkState.REFUSED: "accepted and refused again",
    BulkState.OVERTAKEN: "accepted and overtaken",
}


def job_in_words(job: BulkJob) -> str:
    """What a job does, in one line."""
    action = job.action
    asked: Mapping[ChangeKind, str] = {
        ChangeKind.RETRY: f"retry what {action.silo} has refused",
        ChangeKind.CHANGE_PRIORITY: f"give priority {action.priority}",
    }
    return asked.get(action.kind, action.kind.value)


def status_in_words(status: BulkStatus) -> tuple[str, ...]:
    """How far a job is, line by line, for people."""
    job, counts = status.job, status.counts
    who = f", for {job.requester}" if job.requester else ""
    heading = f"{job_in_words(job)}: {counts.total} orders{who}"
    counted = (f"- {counts.of(state)} {words}" for state, words in SAID.items() if counts.of(state))
    return heading, *job.reason.splitlines(), _standing(status), *counted


def _standing(status: BulkStatus) -> str:
    following = "" if status.settled_at is not None else "; what comes of it is followed"
    match status.state:
        case JobState.ASKING:
            return f"It asks {status.job.rate:g} a second at most."
        case JobState.PAUSED:
            return f"It is paused by {status.stopped_by or 'nobody named'}{following}."
        case JobState.ASKED:
            return f"All were asked{following}."
        case JobState.STOPPED:
            by = f"by {status.stopped_by}: " if status.stopped_by else ""
            return f"It has stopped, {by}{status.why}{following}."
