"""The calls of one activity on a silo, one or several: each under its own key, to its own outcome.

What is known is told at the latest `Silo.patience` after the first outcome, and what is not, as still open. A call that
is under way then goes on in this process, where the activity that asks for it next finds it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import structlog
from temporalio.exceptions import ApplicationError

from activities.calling.grant import Grant
from activities.calling.health import Health
from activities.calling.telling import Telling
from activities.protocols.protocol import SiloProtocol, SiloUnavailable, perform, to_the_end
from orders.fulfilment.messages import Open, OpenCall, SiloAnswers, SiloCall, SiloCalls
from orders.model.budget import cut
from orders.model.catalog import Silo
from orders.model.values import Verb
from orders.reconcile.given import fitting
from orders.reconcile.outcome import LONGEST_REASON, Outcome

KEPT_S: Final = 60.0
"""How long the outcome of a call that went on is kept for whoever asks for it. Then it is made again, under its key."""

log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class _Made:
    """A call on its way to an outcome."""

    call: SiloCall
    begun: bool = False


_Task: TypeAlias = "asyncio.Task[Outcome]"


@dataclass(slots=True)
class _Batch:
    """The calls of one activity, in order, each by what makes it. `tried` counts this attempt too."""

    verb: Verb
    asked: SiloCalls
    tried: int
    made: dict[_Task, _Made] = field(default_factory=dict)

    def begin_no_more(self) -> None:
        for task, made in self.made.items():
            if not made.begun:
                task.cancel()

    @property
    def has_outcomes(self) -> bool:
        return any(map(_has_outcome, self.made))

    @property
    def has_failed(self) -> bool:
        return any(isinstance(_error_of(task), SiloUnavailable) for task in self.made)


class Batches:
    """Makes the calls on one silo."""

    def __init__(self, protocol: SiloProtocol, silo: Silo, grant: Grant, telling: Telling, health: Health) -> None:
        self._protocol = protocol
        self._silo = silo
        self._grant = grant
        self._telling = telling
        self._health = health
        self._going_on: dict[tuple[Verb, str, str], _Task] = {}

    async def make(self, verb: Verb, asked: SiloCalls, attempt: int) -> SiloAnswers:
        """Make one attempt, counted from 1, of each call.

        Raises:
            SiloUnavailable: if no call has a usable answer, for Temporal to try all of them again. Not where the silo
                is to be left alone: Temporal would count that.
        """
        batch = _Batch(verb, asked, asked.tried + attempt)
        self._begin(batch)
        patience = self._silo.patience.total_seconds()
        deadline = asyncio.get_running_loop().call_later(patience, batch.begin_no_more)
        try:
            await self._until_told(batch)
        except asyncio.CancelledError:  # The worker stops.
            for task in batch.made:
                task.cancel()
            await to_the_end(_ended(batch.made))
            if not batch.has_outcomes:
                raise
        finally:
            deadline.cancel()
        return self._told(batch, alone=batch.has_failed and await self._health.left_alone())

    def _begin(self, batch: _Batch) -> None:
        first = True
        for call in batch.asked.calls:
            made = _Made(call)
            task = self._going_on.pop(_name(batch.verb, call), None)
            if task is not None:
                made.begun = True
            else:
                task = asyncio.create_task(self._perform(batch, made, first=first))
                first = False
            batch.made[task] = made
        if first:
            self._grant.begin_none()

    async def _perform(self, batch: _Batch, made: _Made, *, first: bool) -> Outcome:
        await self._grant.begin(first=first)
        made.begun = True
        still_out = batch.asked.going_on
        try:
            made_so = perform(self._protocol, self._silo, batch.verb, made.call, batch.tried, still_out=still_out)
            counted = self._health.of(made.call, made_so)
            outcome = fitting(await self._telling.of(batch.verb, made.call, batch.tried, counted))
            return replace(outcome, tried=batch.tried)
        finally:
            self._grant.end()

    async def _until_told(self, batch: _Batch) -> None:
        """Wait until every call has ended, or those with an outcome have waited long enough for the others.

        What waits for a call that goes on elsewhere is not told apart: nobody would know how long to wait for it.
        """
        loop = asyncio.get_running_loop()
        together = batch.asked.going_on and self._silo.retry == "inspect"
        until: float | None = None
        while under_way := [task for task in batch.made if not task.done()]:
            if until is None and batch.has_outcomes and not together:
                until = loop.time() + self._silo.patience.total_seconds()
            patience = None if until is None else until - loop.time()
            if patience is not None and patience <= 0:
                return
            await asyncio.wait(under_way, timeout=patience, return_when=asyncio.FIRST_COMPLETED)

    def _told(self, batch: _Batch, *, alone: bool) -> SiloAnswers:
        failed = {task: error for task in batch.made if (error := _error_of(task)) is not None}
        answers = [self._answer(batch, task, made, alone=alone) for task, made in batch.made.items()]
        pauses = {answer.retry_after_s for answer in answers if isinstance(answer, OpenCall)}
        if not alone:
            for task in failed:
                self._telling.given_up(batch.verb, batch.made[task].call, batch.tried)
        if len(failed) == len(batch.made) and len(pauses) == 1 and not alone:
            raise _as_one(batch, failed)
        for task, error in failed.items():
            if not isinstance(error, SiloUnavailable):
                log.error("a call failed for a defect of ours", key=batch.made[task].call.key, exc_info=error)
        return SiloAnswers(answers)

    def _answer(self, batch: _Batch, task: _Task, made: _Made, *, alone: bool) -> Outcome | OpenCall:
        if _has_outcome(task):
            return task.result()
        if alone and isinstance(error := _error_of(task), SiloUnavailable):
            # A silo without keys is looked into before a call is repeated: its first attempt has to count for that.
            tried = max(batch.tried - 1, 0 if self._silo.retry == "key" else 1)
            return OpenCall(Open.LEFT_ALONE, tried, cut(str(error), LONGEST_REASON))
        if (error := _error_of(task)) is not None:
            delay = error.next_retry_delay if isinstance(error, ApplicationError) else None
            # Whole seconds: calls that were asked for the same patience are to be made again together.
            seconds = None if delay is None else math.ceil(delay.total_seconds())
            return OpenCall(Open.NO_ANSWER, batch.tried, cut(str(error), LONGEST_REASON), seconds)
        if not made.begun:
            task.cancel()
            return OpenCall(Open.GOING_ON if batch.asked.going_on else Open.NOT_MADE, batch.tried - 1)
        if task.done():
            return OpenCall(Open.NO_ANSWER, batch.tried, "the worker stopped")
        self._go_on(_name(batch.verb, made.call), task)
        return OpenCall(Open.GOING_ON, batch.tried - 1)

    def _go_on(self, name: tuple[Verb, str, str], task: _Task) -> None:
        def forget() -> None:
            if self._going_on.get(name) is task:
                del self._going_on[name]

        def ended(_: _Task) -> None:
            _error_of(task)  # Else Python complains of an error that nobody asked for.
            task.get_loop().call_later(KEPT_S, forget)

        self._going_on[name] = task
        task.add_done_callback(ended)


def _name(verb: Verb, call: SiloCall) -> tuple[Verb, str, str]:
    return verb, call.order_id, call.key


async def _ended(tasks: Iterable[_Task]) -> None:
    await asyncio.wait(tasks)


def _has_outcome(task: _Task) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _error_of(task: _Task) -> Exception | None:
    error = task.exception() if task.done() and not task.cancelled() else None
    return error if isinstance(error, Exception) else None


def _as_one(batch: _Batch, failed: dict[_Task, Exception]) -> Exception:
    """What to raise where every call has failed: for one call its own error, else one that tells which failed how."""
    first = next(iter(failed.values()))
    if len(failed) == 1:
        return first
    by_reason: dict[str, list[str]] = {}
    for task, error in failed.items():
        if not isinstance(error, SiloUnavailable):
            return error
        by_reason.setdefault(error.message, []).append(batch.made[task].call.key)
    told = "; ".join(f"{reason}: {', '.join(keys)}" for reason, keys in by_reason.items())
    delay = first.next_retry_delay if isinstance(first, SiloUnavailable) else None
    return SiloUnavailable(f"{len(failed)} calls without a usable answer: {told}", retry_after=delay)
