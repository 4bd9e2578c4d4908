"""What the care API answers to "where is it, why, what comes next, and when"."""

from __future__ import annotations

from datetime import datetime

from pydantic import JsonValue

from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from orders.model.values import Verb
from orders.model.writing.wording import Wording
from orders.read_model.answer import WaitsFor


class SiteResponse(ResponseModel):
    """Where an item is installed."""

    id: str
    address: dict[str, JsonValue]


class AppointmentResponse(ResponseModel):
    """When somebody comes to a site, by the clock of its time zone."""

    site: str
    start: datetime
    end: datetime | None
    time_zone: str


class NowResponse(ResponseModel):
    """A task that is under way, awaited, tried again later by a rule of the catalog, or needs somebody.

    What the catalog says of a refusal is told by language, to agents and to customers.

    `since` is when its silo was called, took it on, or refused it; `expected` when it is usually done, by its
    appointment if there is one. `numbers` are what silos have given out for it and for what it stands on: tracking,
    serial and telephone numbers. `attempts`, `nextTry` and `lastError` of a call under way are told in the answer for
    one order, null where it was not asked for again yet.
    """

    task: str
    title: str
    verb: Verb
    waits_for: WaitsFor
    silo: str
    items: tuple[str, ...]
    more_items: int
    site: str | None
    since: InstantOut | None
    expected: InstantOut | None
    appointment: AppointmentResponse | None
    attempts: int | None
    next_try: InstantOut | None
    last_error: str | None
    last_error_wording: Wording | None
    milestones: dict[str, str]
    numbers: dict[str, tuple[JsonValue, ...]]
    for_agents: dict[str, str]
    for_customers: dict[str, str]


class NextResponse(ResponseModel):
    """A task that follows, and the titles of what it comes `after`. `expected` is null where nobody can know yet."""

    task: str
    title: str
    title_wording: Wording
    verb: Verb
    site: str | None
    after: tuple[str, ...]
    expected: InstantOut | None


class WaitResponse(ResponseModel):
    """What the order as a whole waits for, in words. `until` is null where somebody has to act first."""

    kind: WaitsFor
    what: str
    what_wording: Wording
    task: str | None
    silo: str | None
    since: InstantOut | None
    until: InstantOut | None


class ShortAnswer(ResponseModel):
    """Where an order is, in one sentence, what it waits for, and why it is late since when.

    Beside each sentence stands its wording, for clients that speak another language: a `template` in English, and by
    name the `values` for its places. A value is text, or a wording itself.
    """

    summary: str
    summary_wording: Wording
    waits_for: WaitResponse | None
    late_because: str | None
    late_because_wording: Wording | None
    late_since: InstantOut | None


class AnswerResponse(ShortAnswer):
    """Where an order is, why, what comes next, and when.

    `decides` is the task on the critical path. `moreNow` and `moreNext` count what is left out.
    """

    decides: str | None
    now: tuple[NowResponse, ...]
    more_now: int
    next: tuple[NextResponse, ...]
    more_next: int
