"""What the words of the core are called on the pages of queues: jeopardy, work items, bulk jobs. See `named`."""

from __future__ import annotations

from typing import Final

from api.console.named import STORIES
from api.console.words import N_
from orders.read_model.jeopardy import JeopardyCause, JeopardyLevel
from orders.read_model.jobs.bulk import BulkState, JobState
from orders.read_model.work_state import WorkState

JEOPARDY: Final = {
    JeopardyLevel.NONE: N_("in no danger"),
    JeopardyLevel.AT_RISK: N_("at risk"),
    JeopardyLevel.IN_JEOPARDY: N_("likely broken"),
    JeopardyLevel.MISSED: N_("broken"),
}
"""In what danger a promise is."""

JEOPARDY_ICONS: Final = {
    JeopardyLevel.NONE: ("check", "good"),
    JeopardyLevel.AT_RISK: ("clock", "busy"),
    JeopardyLevel.IN_JEOPARDY: ("flag", "warn"),
    JeopardyLevel.MISSED: ("cross", "bad"),
}

JEOPARDY_CAUSES: Final = {
    JeopardyCause.FALLOUT: N_("a call that needs a person"),
    JeopardyCause.HOLD: N_("a hold"),
    JeopardyCause.APPOINTMENT: N_("a late visit"),
    JeopardyCause.OVERDUE: N_("a task that takes too long"),
    JeopardyCause.DELAY: N_("delay of what is done"),
}

WORK: Final = {
    WorkState.OPEN: N_("to be done"),
    WorkState.DONE: N_("done"),
    WorkState.REFUSED: N_("cannot be done"),
    WorkState.FALLEN_AWAY: N_("not wanted any more"),
}
"""Where a work item is."""

WORK_ICONS: Final = {
    WorkState.OPEN: ("hand", "busy"),
    WorkState.DONE: ("check", "good"),
    WorkState.REFUSED: ("cross", "bad"),
    WorkState.FALLEN_AWAY: ("cross", "calm"),
}

WORK_STORIES: Final = {
    **STORIES,
    "opened": N_("asks for it"),
    "changed": N_("asks for something else"),
    "calledOff": N_("asks to undo it"),
    "fallenAway": N_("does not want it any more"),
    "done": N_("has done it"),
    "refused": N_("says that it cannot be done"),
}
"""What orders and people do with a work item."""

JOBS: Final = {
    JobState.ASKING: N_("is asking"),
    JobState.PAUSED: N_("paused"),
    JobState.STOPPED: N_("stopped"),
    JobState.ASKED: N_("all are asked"),
}
"""Where a bulk job is."""

JOB_ICONS: Final = {
    JobState.ASKING: ("play", "busy"),
    JobState.PAUSED: ("pause", "warn"),
    JobState.STOPPED: ("cross", "bad"),
    JobState.ASKED: ("check", "good"),
}

BULK: Final = {
    BulkState.WAITING: N_("not asked yet"),
    BulkState.ASKED: N_("has to decide"),
    BulkState.REJECTED: N_("rejected"),
    BulkState.UNDER_WAY: N_("under way"),
    BulkState.DONE: N_("done"),
    BulkState.REFUSED: N_("needs a person"),
    BulkState.OVERTAKEN: N_("overtaken"),
}
"""Where one order of a bulk job is."""

BULK_ICONS: Final = {
    BulkState.WAITING: ("circle", "calm"),
    BulkState.ASKED: ("clock", "busy"),
    BulkState.REJECTED: ("cross", "bad"),
    BulkState.UNDER_WAY: ("play", "busy"),
    BulkState.DONE: ("check", "good"),
    BulkState.REFUSED: ("hand", "bad"),
    BulkState.OVERTAKEN: ("undo", "calm"),
}

FILTERS: Final = {
    "q": N_("Words"),
    "state": N_("State"),
    "silo": N_("Silo"),
    "operation": N_("Operation"),
    "code": N_("Code"),
    "order": N_("Order"),
    "offering": N_("Offering"),
    "channel": N_("Channel"),
    "customer": N_("Customer"),
    "inJeopardy": N_("later than promised"),
    "group": N_("Group"),
    "claimed": N_("Claimed"),
    "claimedBy": N_("Claimed by"),
    "waitsFor": N_("Waits for"),
}
"""What bulk jobs seek orders by, as the API names it."""
