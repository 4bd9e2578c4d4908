"""What all silo protocols have in common: four verbs on a task, one way to be refused, one way to fail.

A protocol is one class. It need not know what a refusal means for the ledger, nor how calls on a silo without
idempotency keys are retried: both are settled here, in `perform`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from orders.fulfilment.messages import SiloCall
from orders.model.catalog import Silo
from orders.model.values import Inputs, Verb
from orders.reconcile.outcome import Outcome, OutcomeKind, kept_of

PROBED = "probe/orderpipe/is-it-back/0"
"""A service that no silo holds."""
UNKNOWN_SERVICE = "unknown_service"
ALREADY_PROVISIONED = "already_provisioned"


class Refused(Exception):
    """A silo's final no to a call that changes something, with the HTTP status and when to ask again, if it says so."""

    def __init__(self, code: str, reason: str, *, status: int = 0, retry_after: timedelta | None = None) -> None:
        super().__init__(f"{code}: {reason}")
        self.outcome = Outcome(
            OutcomeKind.REFUSED,
            code=code,
            reason=reason,
            status=status,
            retry_after_s=retry_after.total_seconds() if retry_after is not None else 0.0,
        )
        self.code = code
        self.reason = reason


class SiloUnavailable(ApplicationError):
    """A call without a usable answer: to be tried again, under the same key.

    It is no defect of ours, so neither logs nor error metrics count it. `may_still_land`: nobody knows whether the silo
    is still at it, so it may yet do what it was asked for.
    """

    def __init__(self, message: str, *, may_still_land: bool = False, retry_after: timedelta | None = None) -> None:
        super().__init__(
            message,
            type="SiloUnavailable",
            next_retry_delay=retry_after,
            category=ApplicationErrorCategory.BENIGN,
        )
        self.may_still_land = may_still_land


@dataclass(frozen=True, slots=True)
class Holding:
    """What a silo holds under a service id. Not `active` is what was acknowledged and whose effect is to come."""

    characteristics: Inputs
    active: bool = True

    @property
    def outcome(self) -> Outcome:
        """The outcome of a call that led to this."""
        if not self.active:
            return Outcome(OutcomeKind.ACKNOWLEDGED)
        return Outcome(OutcomeKind.DONE, self.characteristics)

    def has(self, inputs: Inputs) -> bool:
        """True if it has these inputs. Those that are null do not count: a silo may leave them out, or fill them in."""
        return all(value is None or self.characteristics.get(name) == value for name, value in inputs.items())

    def has_no_others(self, inputs: Inputs) -> bool:
        """True if it also has nothing where these inputs are null."""
        return all(value is not None or self.characteristics.get(name) is None for name, value in inputs.items())


class SiloProtocol(ABC):
    """How one silo is spoken to: four methods, and `inspect` where the silo can be asked for more than what it holds.

    Every method may raise `SiloUnavailable`; those that change something may also raise `Refused`.
    """

    @abstractmethod
    async def provision(self, call: SiloCall) -> Outcome:
        """Have `call.service` made with `call.inputs`."""

    @abstractmethod
    async def amend(self, call: SiloCall) -> Outcome:
        """Have what is held changed to `call.inputs`, which are complete."""

    @abstractmethod
    async def compensate(self, call: SiloCall) -> Outcome:
        """Have what is held undone; safe when nothing was ever provisioned."""

    @abstractmethod
    async def held(self, call: SiloCall) -> Holding | None:
        """What the silo holds under the call's service id."""

    async def probe(self) -> None:
        """Ask the silo something that changes nothing, to see whether it answers: return where it does.

        A protocol that knows no such question may return at once: then the first calls tell.
        """
        await self.held(SiloCall("probe", PROBED, PROBED, "probe", {}))

    async def inspect(self, call: SiloCall) -> Outcome:
        """Ask what became of the awaited call or, without one, whether the service is held (done) or not (lost).

        Judged by what is held: an awaited call counts as done only when its effect is there to see.
        """
        holding = await self.held(call)
        if call.awaited is None:
            return holding.outcome if holding else Outcome(OutcomeKind.LOST)
        if call.awaited is Verb.COMPENSATE:
            return Outcome(OutcomeKind.DONE if holding is None else OutcomeKind.ACKNOWLEDGED)
        if holding is None:
            # A provision that is not to be seen may still land; only what was there before can be lost.
            return Outcome(OutcomeKind.LOST if call.awaited is Verb.AMEND else OutcomeKind.ACKNOWLEDGED)
        amended = call.awaited is not Verb.AMEND or holding.has(call.inputs)
        return holding.outcome if amended else Outcome(OutcomeKind.ACKNOWLEDGED)


async def perform(
    protocol: SiloProtocol, silo: Silo, verb: Verb, call: SiloCall, attempt: int, *, still_out: bool = False
) -> Outcome:
    """One attempt of a call, counted from 1, to its outcome. A refusal is an outcome too: it is never raised.

    `still_out`: the attempt before this one may be under way at another worker.

    Raises:
        SiloUnavailable: if there is no usable answer. For a silo without keys that is told only when the call cannot
            take effect any more.
    """
    try:
        if silo.retry == "inspect" and verb is not Verb.INSPECT:
            return kept_of(await to_the_end(_without_keys(protocol, silo, verb, call, attempt, still_out)))
        return kept_of(await _do(protocol, verb, call))
    except Refused as refused:
        lost = verb is Verb.AMEND and refused.code == UNKNOWN_SERVICE
        return kept_of(replace(refused.outcome, kind=OutcomeKind.LOST) if lost else refused.outcome)


def _do(protocol: SiloProtocol, verb: Verb, call: SiloCall) -> Awaitable[Outcome]:
    match verb:
        case Verb.PROVISION:
            return protocol.provision(call)
        case Verb.AMEND:
            return protocol.amend(call)
        case Verb.COMPENSATE:
            return protocol.compensate(call)
        case Verb.INSPECT:
            return protocol.inspect(call)


async def _without_keys(
    protocol: SiloProtocol, silo: Silo, verb: Verb, call: SiloCall, attempt: int, still_out: bool
) -> Outcome:
    """One attempt on a silo that would do twice what it is told twice: look before repeating, wait before giving up."""
    if still_out:
        await asyncio.sleep((silo.call_timeout * 2).total_seconds())  # Its look, and its call.
    if attempt > 1 or still_out:
        outcome = _done_already(verb, call, await protocol.held(call))
        if outcome is not None:
            return outcome
    try:
        return await _do(protocol, verb, call)
    except Refused as refused:
        # The first attempt of this activity may still repeat an older one's call: a person can ask for that.
        if verb is Verb.PROVISION and refused.code == ALREADY_PROVISIONED:
            outcome = _done_already(verb, call, await protocol.held(call))
            # Held otherwise than asked for: a person must look, and as refused it would count as not held at all.
            return outcome or Outcome(OutcomeKind.UNKNOWN, code=refused.code, reason=refused.reason)
        if verb is Verb.COMPENSATE and refused.code == UNKNOWN_SERVICE:
            return Outcome(OutcomeKind.DONE)
        raise
    except SiloUnavailable as unavailable:
        # Waited for here and not before the next attempt: after the last one there is no next, and whatever is then
        # decided, such as to compensate, must not be overtaken by this call.
        if unavailable.may_still_land:
            await asyncio.sleep(silo.call_timeout.total_seconds())
        raise


def _done_already(verb: Verb, call: SiloCall, holding: Holding | None) -> Outcome | None:
    """The outcome of a call whose effect is there to see, else None."""
    if verb is Verb.COMPENSATE:
        return Outcome(OutcomeKind.DONE) if holding is None else None
    if holding is None or not holding.has(call.inputs):
        return None
    if verb is Verb.AMEND and not holding.has_no_others(call.inputs):
        return None
    return holding.outcome


_T = TypeVar("_T")


async def to_the_end(work: Coroutine[None, None, _T]) -> _T:
    """Await work that a stopping worker must not break off: the next attempt could not tell if it may still land."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    return task.result()
