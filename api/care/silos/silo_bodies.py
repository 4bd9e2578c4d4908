"""What the care API tells of silos, and what can be done with them by hand."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from api.tmf.tmf622.shapes import TmfBody
from orders.health.condition import SiloState, Stage
from orders.health.steering import SiloCommand, Steer
from orders.model.budget import LONGEST_TEXT
from orders.model.instants import Instant
from orders.model.writing.identifiers import Identifier
from orders.model.writing.text import Line, Name
from orders.model.writing.wording import Wording


class ByResponse(ResponseModel):
    """Who has done something, why and when."""

    by: str
    reason: str
    at: InstantOut


class ThrottleResponse(ByResponse):
    """Calls a second, in place of what is granted."""

    rate_per_second: float


class WindowResponse(ByResponse):
    """A maintenance window that is on, or to come. Without an `end` it lasts until somebody closes it."""

    id: str
    start: InstantOut
    end: InstantOut | None
    on: bool


class BreakerResponse(ResponseModel):
    """What the breaker is at. While it is open, `nextLook` is when to see whether the silo is back."""

    enabled: bool
    stage: Stage
    looked_in_vain: int
    next_look: InstantOut | None


class RateResponse(ResponseModel):
    """Calls a second: `granted`, made at most `now` by all workers together, and `measured` within the last minute."""

    granted: float
    now: float
    measured: float


class CallsResponse(ResponseModel):
    """How calls went within the breaker's window: failed ones had no usable answer. Latencies are in milliseconds."""

    answered: int
    failed: int
    error_share: float
    p50_ms: float | None
    p95_ms: float | None


class QueueResponse(ResponseModel):
    """Activities that wait for the silo, one or several calls each, as far as Temporal counts them."""

    length: int
    age_seconds: float


class SiloHealthResponse(ResponseModel):
    """A silo: whether it is called (`state`), since when, why not as usual (`reason`), and what that comes to.

    `workers` have called it lately; those `aside` cannot reach it while others can. `ordersWaiting` are orders in
    flight that wait for it, for some seconds at least, or for a person because of it.
    """

    name: str
    title: str
    href: str
    state: SiloState
    since: InstantOut | None
    reason: str
    reason_wording: Wording
    rate: RateResponse
    breaker: BreakerResponse
    calls: CallsResponse
    queue: QueueResponse
    orders_waiting: int
    workers: int
    aside: tuple[str, ...]
    paused: ByResponse | None
    throttle: ThrottleResponse | None
    windows: tuple[WindowResponse, ...]


class SilosResponse(ResponseModel):
    """Every silo of the catalog."""

    silos: tuple[SiloHealthResponse, ...]


class WindowBody(TmfBody):
    """A maintenance window: from now without `start`, until somebody closes it without `end`.

    One of the same `id` is replaced. Without an id it gets one.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    id: Identifier | None = None
    start: Instant | None = None
    end: Instant | None = None

    @model_validator(mode="after")
    def _in_order(self) -> WindowBody:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("a window ends after it starts")
        return self


class CloseBody(TmfBody):
    """Which window is closed, or given up before it begins: without an `id` the one that is on."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    id: Identifier | None = None


class SiloPatch(TmfBody):
    """One thing to be done with a silo, and why.

    `paused`: true has its calls wait, false lets them go again at once, whatever the breaker is at. `throttle`: calls
    a second, 0 lifts it. `requester` counts where no tokens are asked for.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    paused: bool | None = None
    throttle: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] | None = None
    open_window: WindowBody | None = None
    close_window: CloseBody | None = None
    reason: Annotated[Line, Field(max_length=LONGEST_TEXT)] = ""
    requester: Name = ""

    @model_validator(mode="after")
    def _one_thing(self) -> SiloPatch:
        given = [self.paused, self.throttle, self.open_window, self.close_window]
        if sum(each is not None for each in given) != 1:
            raise ValueError("one of paused, throttle, openWindow and closeWindow is needed")
        return self

    def command(self, by: str, fresh_id: str) -> SiloCommand:
        """What is wanted."""
        reason = self.reason
        if self.paused is not None:
            return SiloCommand(steer=Steer.PAUSE if self.paused else Steer.RESUME, by=by, reason=reason)
        if self.throttle is not None:
            return SiloCommand(steer=Steer.THROTTLE, by=by, reason=reason, rate_per_second=self.throttle or None)
        if self.open_window is not None:
            made = self.open_window
            return SiloCommand(
                steer=Steer.OPEN_WINDOW,
                by=by,
                reason=reason,
                window=made.id or fresh_id,
                start=made.start,
                end=made.end,
            )
        closed = self.close_window.id if self.close_window is not None else None
        return SiloCommand(steer=Steer.CLOSE_WINDOW, by=by, reason=reason, window=closed or "")
