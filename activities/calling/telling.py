"""What a worker tells of its calls on silos: refusals and outages as lines of the log, all of them as numbers.

While a silo is down, each call on it fails again and again: that it began is one line, that it is over is one more.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final

import structlog
from temporalio import activity

from activities.protocols.protocol import SiloUnavailable
from logs import code
from orders.fulfilment.messages import SiloCall
from orders.model.catalog import Silo
from orders.model.values import Verb
from orders.reconcile.outcome import Outcome, OutcomeKind

log = structlog.get_logger()

CALLS: Final = "orderpipe_silo_calls"
SECONDS: Final = "orderpipe_silo_call_seconds"
UNAVAILABLE: Final = "unavailable"
"""The outcome of an attempt without a usable answer; it is made again."""


@dataclass
class _Outage:
    """The first attempt in a row that has failed, and how many others since. Times are of the monotonic clock."""

    since: float
    last: float
    failed: int = 1


class Telling:
    """What one worker tells of one silo."""

    def __init__(self, silo: Silo) -> None:
        self._silo = silo.name
        self._outage: _Outage | None = None
        self._over = 0.0

    async def of(self, verb: Verb, call: SiloCall, number: int, attempt: Awaitable[Outcome]) -> Outcome:
        """Await an attempt, the call's so many-th, and tell what is to be told of it."""
        began = time.monotonic()
        told = log.bind(order=call.order_id, task=call.service, silo=self._silo, verb=verb.value, attempt=number)
        try:
            outcome = await attempt
        except SiloUnavailable:
            self._count(verb, UNAVAILABLE, began)
            self._failed(began, told)
            raise
        self._count(verb, outcome.kind.value, began)
        self._answered(began)
        if outcome.kind is OutcomeKind.REFUSED:  # The code is the silo's own; anything else may tell of somebody.
            told.warning("call refused", code=code(outcome.code))
        else:
            told.debug("call answered", outcome=outcome.kind.value)
        return outcome

    def given_up(self, verb: Verb, call: SiloCall, number: int) -> None:
        """Tell that the so many-th attempt of a call was the last one, if its activity will not be tried again."""
        info = activity.info()
        most = info.retry_policy.maximum_attempts if info.retry_policy is not None else 0
        if most and info.attempt >= most:
            told = log.bind(order=call.order_id, task=call.service, silo=self._silo, verb=verb.value, attempt=number)
            told.warning("call given up: the retry budget is spent")

    def _failed(self, began: float, told: structlog.stdlib.BoundLogger) -> None:
        if self._outage is not None:
            self._outage.failed += 1
            self._outage.last = time.monotonic()
            told.debug("call failed")
        elif began >= self._over:  # Else it was made in the outage before.
            self._outage = _Outage(began, time.monotonic())
            told.warning("silo does not answer: outage begun")

    def _answered(self, began: float) -> None:
        """An answer ends the outage, if it was asked for after the last failure."""
        outage = self._outage
        if outage is None or began < outage.last:
            return
        self._outage, self._over = None, time.monotonic()
        took = round(self._over - outage.since, 1)
        log.warning("silo answers again: outage over", silo=self._silo, seconds=took, failed=outage.failed)

    def _count(self, verb: Verb, outcome: str, began: float) -> None:
        of = {"silo": self._silo, "verb": verb.value, "outcome": outcome}
        meter = activity.metric_meter()
        meter.create_counter(CALLS, "Attempts of calls on silos.").add(1, of)
        meter.create_histogram_float(SECONDS, "How long attempts of calls on silos took.", "s").record(
            time.monotonic() - began, of
        )
