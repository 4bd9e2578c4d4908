"""The condition of a silo: whether it is called, why not, and what happens next.

Everything here is decided by time and by what is told; the workflow `silo-<name>` keeps it and acts on it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import Field

from orders.health.steering import By, SiloCommand, Steer, Throttle, Window
from orders.model.catalog import Silo
from orders.model.instants import moment
from orders.model.silos.breaker import Breaker
from orders.model.values import Frozen
from orders.model.writing.wording import Sentence, Words, joined

STEPS: Final = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Of the granted rate, one after the other, once a silo is back."""
LOWEST_RATE: Final = 1.0
"""Calls a second of a step. Temporal counts lower rates very roughly."""
MOST_WINDOWS: Final = 50


_PAUSED: Final = Sentence("paused")
_WINDOW: Final = Sentence("maintenance window")
_WINDOW_UNTIL: Final = Sentence("maintenance window until {at}")
_LOOKED_AT: Final = Sentence("when looked at: {error}")
_THROTTLED: Final = Sentence("throttled to {rate} a second")
_BACK: Final = Sentence("back from a maintenance window")
_ANSWERS_AGAIN: Final = Sentence("it answers again: the rate comes back in steps")
_OWN: Final = {each.template: each for each in (_BACK, _ANSWERS_AGAIN)}
"""Why a silo is as it is, as far as we say that: the rest are words of whoever had it left alone."""


class Stage(StrEnum):
    """What the breaker of a silo is at: calls go, calls wait, or they come back in steps."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "halfOpen"


class SiloState(StrEnum):
    """Whether a silo is called: by its breaker, unless a person or a maintenance window has it left alone."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "halfOpen"
    PAUSED = "paused"
    WINDOW = "window"


class Terms(Frozen):
    """What the catalog says of a silo, as far as its condition depends on it."""

    rate_per_second: float
    breaker: Breaker

    @classmethod
    def of(cls, silo: Silo) -> Terms:
        """Those of a silo."""
        return cls(rate_per_second=silo.rate_per_second, breaker=silo.breaker)


class Condition(Frozen):
    """All that is kept of one silo. `due` is when to look whether it is back, or when the next step of its rate begins.

    `version` counts what was told of it; `probes` how often it was looked at in vain, the last time with that `error`.
    """

    silo: str
    terms: Terms
    since: datetime
    stage: Stage = Stage.CLOSED
    why: str = ""
    step: int = 0
    probes: int = 0
    error: str = ""
    due: datetime | None = None
    paused: By | None = None
    throttle: Throttle | None = None
    windows: tuple[Window, ...] = Field(default=(), max_length=MOST_WINDOWS)
    in_window: bool = False
    version: int = 0

    # What it comes to

    def window(self, now: datetime) -> Window | None:
        """The maintenance window that is on, if one is: of several the one that lasts longest."""
        on = [window for window in self.windows if window.is_on(now)]
        return max(on, key=lambda window: (window.end is None, window.end or now), default=None)

    def state(self, now: datetime) -> SiloState:
        """Whether the silo is called."""
        if self.paused is not None:
            return SiloState.PAUSED
        return SiloState.WINDOW if self.window(now) is not None else SiloState(self.stage.value)

    def rate(self, now: datetime) -> float | None:
        """Calls a second that are made now: 0 for none. None where nothing but the silo's grant counts."""
        if self.state(now) in (SiloState.PAUSED, SiloState.WINDOW, SiloState.OPEN):
            return 0.0
        granted = self.terms.rate_per_second
        rates = [] if self.throttle is None else [self.throttle.rate_per_second]
        if self.stage is Stage.HALF_OPEN:
            rates.append(max(granted * STEPS[self.step], min(granted, LOWEST_RATE)))
        return min([granted, *rates]) if rates else None

    def reason(self, now: datetime) -> str:
        """Why the silo is not called as usual, in words. Empty where it is."""
        return str(self.wording(now))

    def wording(self, now: datetime) -> Words:
        """The same, to be told in any language."""
        if self.paused is not None:
            return self.paused.added_to(_PAUSED())
        window = self.window(now)
        if window is not None:
            until = window.end
            return window.added_to(_WINDOW() if until is None else _WINDOW_UNTIL(at=moment(until)))
        told: list[Words] = [] if self.stage is Stage.CLOSED else [_OWN[self.why]() if self.why in _OWN else self.why]
        if self.stage is Stage.OPEN and self.error:
            told.append(_LOOKED_AT(error=self.error))
        if self.throttle is not None:
            told.append(self.throttle.added_to(_THROTTLED(rate=f"{self.throttle.rate_per_second:g}")))
        return joined(told)

    def probes_at(self, now: datetime) -> bool:
        """True when it is time to look whether the silo is back."""
        return self.state(now) is SiloState.OPEN and self.due is not None and self.due <= now

    def next(self, now: datetime) -> datetime | None:
        """When something is to be done again. None while nothing is planned, and nothing wrong."""
        ahead = [at for window in self.windows for at in (window.start, window.end) if at is not None and at > now]
        waits = self.state(now) in (SiloState.PAUSED, SiloState.WINDOW)
        return min([*ahead, *([] if self.due is None or waits else [self.due])], default=None)

    # What happens to it

    def at(self, now: datetime) -> Condition:
        """The same as time has gone on: windows begin and end, and the rate comes back step by step."""
        on = self.window(now) is not None
        kept = tuple(window for window in self.windows if window.end is None or window.end > now)
        after = self.model_copy(update={"windows": kept, "in_window": on})
        if self.in_window and not on and self.paused is None:
            return after._half_open(now, _BACK.template)
        if on and not self.in_window:
            return after.model_copy(update={"since": now})
        if after.state(now) is SiloState.HALF_OPEN and after.due is not None and after.due <= now:
            return after._stepped(now)
        return after

    def under(self, terms: Terms) -> Condition:
        """The same by what the catalog says now."""
        return self.model_copy(update={"terms": terms})

    def opened(self, now: datetime, why: str) -> Condition:
        """Left alone, since it fails; looked at after a pause, which grows with each time in vain."""
        if not self.terms.breaker.enabled:
            return self
        probes = 0 if self.stage is Stage.CLOSED else self.probes
        since = self.since if self.stage is Stage.OPEN else now
        return self.model_copy(
            update={
                "stage": Stage.OPEN,
                "since": since,
                "why": why,
                "step": 0,
                "probes": probes,
                "error": "",
                "due": now + self._pause(probes),
            }
        )

    def probed(self, now: datetime, error: str) -> Condition:
        """Looked at: it is back unless there was an error."""
        if self.stage is not Stage.OPEN:
            return self
        if not error:
            return self._half_open(now, _ANSWERS_AGAIN.template)
        probes = self.probes + 1
        return self.model_copy(update={"probes": probes, "due": now + self._pause(probes), "error": error})

    def steered(self, now: datetime, command: SiloCommand) -> Condition:
        """As somebody wants it. What is so already stays as it is."""
        by = By(by=command.by, reason=command.reason, at=now)
        match command.steer:
            case Steer.PAUSE:
                kept = self.paused is not None
                return self if kept else self.model_copy(update={"paused": by, "since": now})
            case Steer.RESUME:
                return self._closed(now).model_copy(update={"paused": None})
            case Steer.THROTTLE:
                throttle = None
                if command.rate_per_second is not None:
                    throttle = Throttle(**dict(by), rate_per_second=command.rate_per_second)
                return self.model_copy(update={"throttle": throttle})
            case Steer.OPEN_WINDOW:
                window = Window(**dict(by), id=command.window, start=command.start or now, end=command.end)
                others = tuple(each for each in self.windows if each.id != window.id)
                planned = tuple(sorted((*others, window), key=lambda each: each.start))
                return self.model_copy(update={"windows": planned}).at(now)
            case Steer.CLOSE_WINDOW:
                # Without an id, the one that is on.
                on = self.window(now)
                closed = command.window or (on.id if on is not None else "")
                kept = tuple(each for each in self.windows if each.id != closed)
                return self.model_copy(update={"windows": kept}).at(now)

    def misfit(self, now: datetime, command: SiloCommand) -> str:
        """Why what somebody wants cannot be done, in words. Empty where it can."""
        match command.steer:
            case Steer.OPEN_WINDOW if len(self.windows) >= MOST_WINDOWS:
                return f"{MOST_WINDOWS} windows are planned: no more are taken"
            case Steer.CLOSE_WINDOW if command.window and command.window not in {each.id for each in self.windows}:
                return f"there is no window {command.window}"
            case Steer.CLOSE_WINDOW if not command.window and self.window(now) is None:
                return "there is no window that is on"
            case _:
                return ""

    def _half_open(self, now: datetime, why: str) -> Condition:
        return self.model_copy(
            update={
                "stage": Stage.HALF_OPEN,
                "since": now,
                "why": why,
                "step": 0,
                "due": now + self.terms.breaker.step,
            }
        )

    def _stepped(self, now: datetime) -> Condition:
        if self.step + 1 == len(STEPS):
            return self._closed(now)
        return self.model_copy(update={"step": self.step + 1, "due": now + self.terms.breaker.step})

    def _closed(self, now: datetime) -> Condition:
        since = self.since if self.stage is Stage.CLOSED and self.paused is None else now
        return self.model_copy(
            update={"stage": Stage.CLOSED, "since": since, "why": "", "step": 0, "probes": 0, "error": "", "due": None}
        )

    def _pause(self, probes: int) -> timedelta:
        breaker = self.terms.breaker
        return min(breaker.pause * 2 ** min(probes, 20), breaker.longest_pause)
