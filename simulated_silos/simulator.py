"""The simulated silos together: states, journal, steering, pending work, and what is kept of it all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from simulated_silos.faults import FaultPlan, Faults
from simulated_silos.journal import Journal
from simulated_silos.profiles import Profiles, shipped_profiles
from simulated_silos.protocols import plain, tmf
from simulated_silos.protocols.callbacks import Callbacks
from simulated_silos.silo.model import (
    Answer,
    Call,
    Change,
    Characteristics,
    JournalEntry,
    Outcome,
    Refusal,
    Service,
    ServiceOrder,
    Verb,
)
from simulated_silos.silo.slots import SlotNumber
from simulated_silos.silo.state import SiloState
from simulated_silos.store import Pace, Record, Steering, Store

ALL = "*"


class ResponseLost(ConnectionResetError):
    """A call whose answer nobody will get: cut the connection."""


@dataclass(slots=True)
class Silo:
    """One silo with its steering; `pace` None is the profile's. An order with faults of its own meets no others."""

    state: SiloState
    faults: FaultPlan
    pace: Pace | None = None
    faults_of_orders: dict[str, FaultPlan] = field(default_factory=dict)

    def faults_met_by(self, order: str | None) -> FaultPlan:
        """The faults that the calls of an order meet, and the callbacks to it."""
        return self.faults_of_orders.get(order or "", self.faults)

    @property
    def completes_after_ms(self) -> int | None:
        """How long asynchronous work takes now, None is until told."""
        return (self.pace or self.state.profile).completes_after_ms


class Simulator:
    """Any number of silos. What a data directory holds of an earlier run is taken up, without one nothing is kept.

    `tokens` are what silos send along with their callbacks, to say who they are.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        profiles: Profiles | None = None,
        tokens: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._tokens = tokens
        self._profiles = profiles or shipped_profiles()
        self.callbacks = Callbacks()
        self._store = Store(data_dir)
        self._timers: dict[tuple[str, str], list[asyncio.TimerHandle]] = {}
        self._sleepers: set[asyncio.Future[None]] = set()
        self._started = False
        self._clear()
        for record in self._store.read():
            self._take_up(record)

    def start(self) -> None:
        """Set the clock going for the work that an earlier run left pending. Safe to repeat; needs a running loop."""
        if not self._started:
            self._started = True
            for name, silo in self.silos.items():
                for order in silo.state.pending():
                    self._set_timer(name, order)

    def halt(self) -> None:
        """Cut off the calls that are being delayed: the process is about to end."""
        for sleeper in self._sleepers:
            if not sleeper.done():
                sleeper.set_exception(ResponseLost())

    async def close(self) -> None:
        """Stop. Pending work stays pending in the data directory."""
        self.halt()
        self._stop_timers()
        await self.callbacks.close()
        self._store.close()

    def silo(self, name: str) -> Silo:
        """The silo of that name, which is made if need be."""
        silo = self.silos.get(name)
        if silo is None:
            faults = FaultPlan(name, self._faults_of_all)
            silo = self.silos[name] = Silo(SiloState(self._profiles.profile(name)), faults, self._pace_of_all)
        return silo

    # Calls

    async def failure(self, silo: str, order: str | None) -> Refusal | None:
        """Delay a call of an order as the faults say, and make it fail if they say so.

        Raises:
            ResponseLost: if everything was reset, or is about to stop, while the call was delayed.
        """
        # Where no server runs the application's lifespan (calls in process), the first call starts the clock.
        self.start()
        plan = self.silo(silo).faults_met_by(order)
        if plan.latency:
            loop = asyncio.get_running_loop()
            sleeper = loop.create_future()
            timer = loop.call_later(plan.latency, _wake, sleeper)
            self._sleepers.add(sleeper)
            try:
                await sleeper
            finally:
                self._sleepers.discard(sleeper)
                timer.cancel()
        return self.silo(silo).faults_met_by(order).failure()

    def take(self, name: str, call: Call) -> tuple[Outcome, Answer]:
        """Do what a call asks for, write it down, and answer."""
        silo = self.silo(name)
        names = silo.state.profile.names(silo.state.operation_of(call))
        forbidden = silo.faults_met_by(call.order).forbids(names, call.key or call.id)
        pace = silo.completes_after_ms
        due = None if pace is None else time.time() + pace / 1000
        decision = silo.state.decide(call, forbidden, due if call.asynchronous else None)
        code = decision.answer.refusal.code if decision.answer.refusal else None
        seq = self.journal.last_seq + 1
        entries = [_entry(seq, name, call.verb, decision.outcome, code, call.key, call.id, call.order, call.inputs)]
        if decision.landed:
            entries.append(_done(seq + 1, name, call, None))
        self._record(name, decision.change, *entries)
        order = decision.answer.service_order
        if order is not None and decision.outcome is Outcome.APPLIED and silo.state.at_work(order):
            self._set_timer(name, order)
        return decision.outcome, decision.answer

    def note(
        self, silo: str, envelope: tmf.Envelope, outcome: Outcome, code: str | None, inputs: Characteristics
    ) -> None:
        """Write a call down that changed nothing: a question, or one that failed or could not be understood."""
        order = self.order_of(silo, envelope)
        seq = self.journal.last_seq + 1
        entry = _entry(seq, silo, envelope.verb, outcome, code, envelope.key, envelope.id, order, inputs)
        self._record(silo, None, entry)

    def order_of(self, silo: str, envelope: tmf.Envelope) -> str | None:
        """The order that a call is about: the one that it names, else the last that changed the thing."""
        if envelope.order is not None or envelope.id is None:
            return envelope.order
        held = self.silo(silo).state.service(envelope.id)
        return held.order if held else None

    # Steering

    def services(self, order: str | None) -> dict[str, list[Service]]:
        """What each silo holds, of one order or of all."""
        return {name: silo.state.services(order) for name, silo in self.silos.items()}

    def set_faults(self, silo: str, faults: Faults | None, order: str | None = None) -> None:
        """Set the faults of a silo, or of all, also those that nobody called yet (`*`). None clears them.

        With an order, those that its calls meet instead of the silo's.
        """
        self._steer(Record(silo=silo, steering=Steering(kind="faults", faults=faults, order=order)))

    def set_pace(self, silo: str, pace: Pace | None) -> None:
        """Set how long asynchronous work takes that is accepted from now on. None goes back to the profile's."""
        self._steer(Record(silo=silo, steering=Steering(kind="pace", pace=pace)))

    def set_slots(self, silo: str, slots: SlotNumber | None) -> None:
        """Set how many visits there are in each window. None goes back to the profile's."""
        self._steer(Record(silo=silo, steering=Steering(kind="slots", slots=slots)))

    def complete(self, silo: str, match: str, failure: Refusal | None) -> int:
        """End pending work on things whose id contains `match` now, and say how much of it there was."""
        due = self._at_work(silo, match)
        for name, key in due:
            self._land(name, key, failure)
        return len(due)

    def reach(self, silo: str, match: str, milestone: str) -> int:
        """Have pending work on things whose id contains `match` reach a milestone, and say how much of it does."""
        return sum(self._reach(name, key, milestone) for name, key in self._at_work(silo, match))

    def lose(self, name: str, service_id: str) -> bool:
        """Lose a thing that is held, and tell whoever called last about it. False where it is not held."""
        silo = self.silo(name)
        url = silo.state.callback_url(service_id)
        lost = silo.state.lose(service_id)
        if lost is None:
            return False
        service, change = lost
        self._record(name, change)
        if url is not None:
            self._report(name, service.order, url, tmf.loss_event(service))
        return True

    def reset(self) -> None:
        """Empty everything: things, keys, pending work, journal, faults, pace, callbacks and calls under way."""
        self.halt()
        self._stop_timers()
        self.callbacks.abandon()
        self._store.clear()
        self._clear()

    # Inside

    def _at_work(self, silo: str, match: str) -> list[tuple[str, str]]:
        """Silo and key of the service orders at work on things whose id contains `match`."""
        return [
            (name, order.call.key)
            for name in (list(self.silos) if silo == ALL else [silo])
            for order in self.silo(name).state.pending()
            if match in order.call.id and order.call.key is not None
        ]

    def _clear(self) -> None:
        self.silos: dict[str, Silo] = {}
        self.journal = Journal()
        self._faults_of_all = Faults()
        self._pace_of_all: Pace | None = None
        for name in self._profiles.names:
            self.silo(name)

    def _record(self, silo: str, change: Change | None, *entries: JournalEntry) -> None:
        record = Record(silo=silo, change=change, entries=entries)
        self._store.append(record)
        self._take_up(record)

    def _steer(self, record: Record) -> None:
        self._store.append(record)
        self._take_up(record)

    def _take_up(self, record: Record) -> None:
        for entry in record.entries:
            self.journal.add(entry)
        if record.change is not None:
            self.silo(record.silo).state.apply(record.change)
        if record.steering is not None:
            self._take_up_steering(record.silo, record.steering)

    def _take_up_steering(self, name: str, steering: Steering) -> None:
        everywhere = name == ALL
        if steering.kind == "pace":
            if everywhere:
                self._pace_of_all = steering.pace
            for silo in self.silos.values() if everywhere else [self.silo(name)]:
                silo.pace = steering.pace
            return
        named = list(self.silos) if everywhere else [name]
        if steering.kind == "slots":
            for each in named:
                self.silo(each).state.diary.number = steering.slots.number if steering.slots is not None else None
            return
        if steering.order is not None:
            self._take_up_faults_of(steering.order, steering.faults, named)
            return
        faults = steering.faults or Faults()
        if everywhere:
            self._faults_of_all = faults
        for each in named:
            self.silo(each).faults = FaultPlan(each, faults)

    def _take_up_faults_of(self, order: str, faults: Faults | None, silos: list[str]) -> None:
        for name in silos:
            if faults is None:
                self.silo(name).faults_of_orders.pop(order, None)
            else:
                self.silo(name).faults_of_orders[order] = FaultPlan(name, faults)

    def _set_timer(self, silo: str, order: ServiceOrder) -> None:
        key = order.call.key
        if order.due is not None and key is not None:
            delay = max(0.0, order.due - time.time())
            loop = asyncio.get_running_loop()
            self._timers[silo, key] = [
                *(
                    # What comes along with the end needs no event of its own.
                    loop.call_later(delay * share, self._reach, silo, key, milestone)
                    for milestone, share in self.silo(silo).state.milestones(order).items()
                    if delay * share < delay
                ),
                loop.call_later(delay, self._land, silo, key),
            ]

    def _stop_timers(self) -> None:
        for timers in self._timers.values():
            for timer in timers:
                timer.cancel()
        self._timers.clear()

    def _land(self, name: str, key: str, failure: Refusal | None = None) -> None:
        """End the work of a service order, if it still has any, and call back."""
        for timer in self._timers.pop((name, key), ()):
            timer.cancel()
        silo = self.silo(name)
        landing = silo.state.land(key, failure, tmf.now())
        if landing is None:
            return
        order = landing.service_order
        self._record(name, landing.change, _done(self.journal.last_seq + 1, name, order.call, order.error))
        if order.call.callback_url is not None:
            self._report(name, order.call.order, order.call.callback_url, _event(order))

    def _reach(self, name: str, key: str, milestone: str) -> bool:
        """Have the work of a service order reach a milestone, if it is still to, and call back."""
        reached = self.silo(name).state.reach(key, milestone, tmf.now())
        if reached is None:
            return False
        order = reached.service_order
        self._record(name, reached.change)
        if order.call.callback_url is not None:
            self._report(name, order.call.order, order.call.callback_url, _event(order, on_the_way=True))
        return True

    def _report(self, name: str, order: str, url: str, event: bytes) -> None:
        copies = self.silo(name).faults_met_by(order).callback_copies()
        self.callbacks.send(url, event, copies, self._tokens.get(name))


def _event(order: ServiceOrder, *, on_the_way: bool = False) -> bytes:
    if order.call.plain:
        return plain.job_json(order)
    return tmf.milestone_event(order) if on_the_way else tmf.order_event(order)


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


def _entry(
    seq: int,
    silo: str,
    verb: str,
    outcome: Outcome,
    code: str | None,
    key: str | None,
    service_id: str | None,
    order: str | None,
    inputs: Characteristics,
) -> JournalEntry:
    return JournalEntry(
        seq=seq,
        time=tmf.now(),
        silo=silo,
        verb=verb,
        key=key,
        id=service_id,
        order=order,
        inputs=inputs,
        outcome=outcome,
        code=code,
    )


def _done(seq: int, silo: str, call: Call, error: Refusal | None) -> JournalEntry:
    """The entry of an asynchronous effect, or of its failure."""
    outcome = Outcome.REFUSED if error else Outcome.APPLIED
    code = error.code if error else None
    return _entry(seq, silo, f"{Verb(call.verb)}.done", outcome, code, call.key, call.id, call.order, call.inputs)
