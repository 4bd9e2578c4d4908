"""The state machine of one silo: what it holds, which keys it has seen, which work is pending. No HTTP, no clock.

Each question (`decide`, `land`, `lose`) is answered with a `Change` and alters nothing; `apply` takes a change in.
Written down and applied again in the same order, the changes give the same state: that is all that durability needs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace

from simulated_silos.profiles import Profile
from simulated_silos.silo.model import (
    Answer,
    Call,
    Change,
    Decision,
    Landing,
    Outcome,
    Outputs,
    Refusal,
    SeenKey,
    Service,
    ServiceOrder,
    ServiceOrderState,
    ServiceState,
    Thing,
    Verb,
    split_id,
)
from simulated_silos.silo.outputs import Values
from simulated_silos.silo.slots import Diary


class SiloState:
    """One silo."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._things: dict[str, Thing] = {}
        self._service_orders: dict[str, ServiceOrder] = {}
        self._keys: dict[str, SeenKey] = {}
        self._by_order: dict[str, dict[str, None]] = {}
        self._values = Values(profile)
        self.diary = Diary(profile)

    # What there is

    def service(self, service_id: str) -> Service | None:
        """The thing of that id, if it is held or pending."""
        thing = self._things.get(service_id)
        return thing.service if thing else None

    def services(self, order: str | None = None) -> list[Service]:
        """What is held or pending; with an order, only what that order had a hand in."""
        ids = self._things if order is None else self._by_order.get(order, {})
        return [service for service in map(self.service, ids) if service]

    def service_order(self, key: str) -> ServiceOrder | None:
        """The service order that was placed under a key."""
        return self._service_orders.get(key)

    def pending(self) -> Iterator[ServiceOrder]:
        """The service orders that are at work, one for each thing at most."""
        for thing in self._things.values():
            if thing.pending:
                yield self._service_orders[thing.pending]

    def at_work(self, order: ServiceOrder) -> bool:
        """True while that service order has work to do that no newer one took over."""
        thing = self._things.get(order.call.id)
        return thing is not None and thing.pending == order.call.key

    def callback_url(self, service_id: str) -> str | None:
        """Where events about a thing go: the address that the last call on it gave."""
        thing = self._things.get(service_id)
        return thing.callback_url if thing else None

    def operation_of(self, call: Call) -> str:
        """The operation that a call is about, which a deletion need not name; empty where nobody knows it."""
        held = self.service(call.id)
        return call.operation or (held.operation if held else "")

    # What to do

    def decide(self, call: Call, forbidden: Refusal | None = None, due: float | None = None) -> Decision:
        """Answer a call. `forbidden` refuses whatever is not a repetition; `due` is when asynchronous work is done."""
        if self.profile.keys and call.key is not None:
            seen = self._keys.get(call.key)
            if seen is not None:
                return _repeated(call, seen)
            if self._late(call):
                return self._too_late(call)
        refusal = forbidden or self._refusal(call)
        if refusal is not None:
            # A refusal belongs to its key: a repetition that overtakes or follows it must not be done after all.
            answer = Answer(status=refusal.status, refusal=refusal)
            return Decision(Outcome.REFUSED, answer, Change(key=self._seen(call, answer)))
        return self._accept(call, due) if call.asynchronous else self._do(call)

    def milestones(self, order: ServiceOrder) -> dict[str, float]:
        """The milestones still to come of a service order that makes something: each after what share of its time."""
        held = self.service(order.call.id)
        if held is None or held.state is not ServiceState.PENDING or order.call.verb is Verb.COMPENSATE:
            return {}
        known = self.profile.operation(order.call.operation).milestones
        return {name: share for name, share in known.items() if name not in order.milestones}

    def reach(self, key: str, milestone: str, time: str) -> Landing | None:
        """Have the work of the service order under a key reach a milestone. None where it has, or has no work to do."""
        order = self._service_orders.get(key)
        if order is None or not self.at_work(order) or milestone in order.milestones:
            return None
        reached = [
            replace(carried, milestones={**order.milestones, milestone: time})
            for carried in (order, *(self._service_orders[key] for key in order.carries))
        ]
        return Landing(reached[0], Change(service_orders=tuple(reached)))

    def land(self, key: str, failure: Refusal | None = None, time: str = "") -> Landing | None:
        """End the work of the service order under a key, well or with a failure. None where it has no work to do.

        When it ends well, the milestones that it has not reported by then are behind as well.
        """
        order = self._service_orders.get(key)
        if order is None or not self.at_work(order):
            return None
        thing = self._things[order.call.id]
        failure = failure or self._values.taken(order.call)
        if failure is None:
            order = replace(order, milestones={**order.milestones, **dict.fromkeys(self.milestones(order), time)})
            after, count = self._effect(order.call)
            state = ServiceOrderState.COMPLETED
        else:
            held = thing.service if thing.service and thing.service.state is ServiceState.ACTIVE else None
            after, count, state = replace(thing, service=held, pending=None), None, ServiceOrderState.FAILED
        outputs = after.service.outputs if after.service else {}
        ended = [
            replace(carried, state=state, outputs=outputs, error=failure, milestones=order.milestones)
            for carried in (order, *(self._service_orders[key] for key in order.carries))
        ]
        return Landing(ended[0], Change(thing=after, service_orders=tuple(ended), count=count))

    def lose(self, service_id: str) -> tuple[Service, Change] | None:
        """Lose a thing that is held, and any work that is pending on it. None where it is not held."""
        thing = self._things.get(service_id)
        if thing is None or thing.service is None or thing.service.state is not ServiceState.ACTIVE:
            return None
        orders = self._taken_over(thing, ServiceOrderState.CANCELLED)
        return thing.service, Change(thing=replace(thing, service=None, pending=None), service_orders=orders)

    def apply(self, change: Change) -> None:
        """Take a change in."""
        if change.count is not None:
            self._values.count = change.count
        if change.key is not None:
            self._keys[change.key.key] = change.key
        for order in change.service_orders:
            if order.call.key is not None:
                self._service_orders[order.call.key] = order
        if change.thing is not None:
            self._put(change.thing)

    # Refusals and repetitions

    def _seen(self, call: Call, answer: Answer) -> SeenKey | None:
        if not self.profile.keys or call.key is None:
            return None
        return SeenKey(key=call.key, verb=call.verb, fingerprint=_fingerprint(call), answer=answer)

    def _late(self, call: Call) -> bool:
        thing = self._things.get(call.id)
        return thing is not None and (call.n < thing.n or (thing.gone and call.verb is Verb.PROVISION))

    def _too_late(self, call: Call) -> Decision:
        """Answer a call that a newer one overtook: it is replayed, and does nothing."""
        thing = self._things[call.id]
        if call.asynchronous:
            order, others = self._overtaken(call, thing)
            answer = Answer(status=200, service_order=order)
            change = Change(service_orders=(order, *others), key=self._seen(call, answer), count=self._values.count + 1)
            return Decision(Outcome.REPLAYED, answer, change)
        if call.verb is Verb.COMPENSATE:
            answer = Answer(status=204)
        else:
            answer = Answer(status=200, service=thing.service or _service(call, ServiceState.TERMINATED, {}))
        return Decision(Outcome.REPLAYED, answer, Change(key=self._seen(call, answer)))

    def _overtaken(self, call: Call, thing: Thing) -> tuple[ServiceOrder, tuple[ServiceOrder, ...]]:
        """The service order of a call that came too late, and the one at work that it now goes along with, if any."""
        order = ServiceOrder(id=self._order_id(), call=call, state=ServiceOrderState.COMPLETED)
        if call.verb is Verb.COMPENSATE:
            return order, ()
        work = self._service_orders[thing.pending] if thing.pending else None
        if thing.service is None or (work and work.call.verb is Verb.COMPENSATE):
            return replace(order, state=ServiceOrderState.CANCELLED), ()
        if work is not None:
            carrying = replace(work, carries=(*work.carries, call.key))
            return replace(order, state=ServiceOrderState.ACKNOWLEDGED), (carrying,)
        return replace(order, outputs=thing.service.outputs), ()

    def _refusal(self, call: Call) -> Refusal | None:
        thing = self._things.get(call.id)
        held = thing.service if thing else None
        if call.verb is Verb.PROVISION and held is not None:
            return Refusal(status=409, code="already_provisioned", message=f"{call.id} is held already")
        if call.verb is Verb.AMEND:
            work = self._service_orders[thing.pending] if thing and thing.pending else None
            leaving = work is not None and work.call.verb is Verb.COMPENSATE
            if held is None or leaving:
                return Refusal(status=404, code="unknown_service", message=f"there is no {call.id}")
        if call.verb is Verb.COMPENSATE:
            # Only a silo without keys minds: with keys it is always safe to take back what may never have been done.
            if held is None and not self.profile.keys:
                return Refusal(status=404, code="unknown_service", message=f"there is no {call.id}")
            return None
        return self._values.taken(call) or self.diary.taken(call)

    # Effects

    def _do(self, call: Call) -> Decision:
        """Do a synchronous call. Work that is pending on the thing is settled by it."""
        thing = self._things.get(call.id)
        after, count = self._effect(call)
        deleted = call.verb is Verb.COMPENSATE
        others = self._taken_over(thing, ServiceOrderState.CANCELLED if deleted else ServiceOrderState.COMPLETED)
        status = {Verb.PROVISION: 201, Verb.COMPENSATE: 204}.get(call.verb, 200)
        answer = Answer(status=status, service=after.service)
        change = Change(thing=after, service_orders=others, key=self._seen(call, answer), count=count)
        return Decision(Outcome.APPLIED, answer, change)

    def _accept(self, call: Call, due: float | None) -> Decision:
        """Acknowledge an asynchronous call; the deletion of what is not there yet, or never was, is done at once."""
        thing = self._touched(call)
        order = ServiceOrder(id=self._order_id(), call=call, state=ServiceOrderState.ACKNOWLEDGED, due=due)
        held, work = thing.service, self._service_orders[thing.pending] if thing.pending else None
        others: tuple[ServiceOrder, ...] = ()
        landed = False
        if work is not None and (call.verb is work.call.verb or call.verb is Verb.AMEND):
            order = replace(order, carries=(*work.carries, thing.pending), milestones=work.milestones)
        elif work is not None:
            others = self._taken_over(thing, ServiceOrderState.CANCELLED)
        if call.verb is Verb.COMPENSATE and (held is None or held.state is ServiceState.PENDING):
            thing, _ = self._effect(call)
            order, landed = replace(order, state=ServiceOrderState.COMPLETED), True
        elif call.verb is not Verb.COMPENSATE and (held is None or held.state is ServiceState.PENDING):
            thing = replace(thing, service=_service(call, ServiceState.PENDING, {}), pending=call.key)
        else:
            thing = replace(thing, pending=call.key)
        answer = Answer(status=201, service_order=order)
        change = Change(
            thing=thing, service_orders=(order, *others), key=self._seen(call, answer), count=self._values.count + 1
        )
        return Decision(Outcome.APPLIED, answer, change, landed)

    def _effect(self, call: Call) -> tuple[Thing, int]:
        """The thing as a call leaves it, and how far the outputs have counted then."""
        thing = replace(self._touched(call), pending=None)
        if call.verb is Verb.COMPENSATE:
            return replace(thing, service=None, gone=True), self._values.count
        outputs, count = self._values.outputs(call, thing.service.outputs if thing.service else {})
        return replace(thing, service=_service(call, ServiceState.ACTIVE, outputs), gone=False), count

    def _touched(self, call: Call) -> Thing:
        """The thing that a call is about, with what any accepted call leaves on it."""
        thing = self._things.get(call.id) or Thing(id=call.id)
        orders = thing.orders if call.order in thing.orders else (*thing.orders, call.order)
        return replace(
            thing, n=max(thing.n, call.n), orders=orders, callback_url=call.callback_url or thing.callback_url
        )

    def _taken_over(self, thing: Thing | None, state: ServiceOrderState) -> tuple[ServiceOrder, ...]:
        """The service orders at work on a thing, ended."""
        if thing is None or thing.pending is None:
            return ()
        work = self._service_orders[thing.pending]
        outputs = thing.service.outputs if thing.service else {}
        keys = (thing.pending, *work.carries)
        return tuple(replace(self._service_orders[key], state=state, outputs=outputs) for key in keys)

    def _order_id(self) -> str:
        return f"SO-{self._values.count + 1:07d}"

    def _put(self, thing: Thing) -> None:
        before = self._things.get(thing.id)
        self._values.pass_on(before.service if before else None, thing.service)
        self.diary.pass_on(before.service if before else None, thing.service)
        self._things[thing.id] = thing
        for order in thing.orders:
            self._by_order.setdefault(order, {})[thing.id] = None


def _repeated(call: Call, seen: SeenKey) -> Decision:
    if seen.verb is not call.verb or seen.fingerprint != _fingerprint(call):
        message = f"{seen.key} was used for another call"
        refusal = Refusal(status=409, code="key_reused", message=message)
        return Decision(Outcome.REFUSED, Answer(status=409, refusal=refusal), None)
    return Decision(Outcome.REPLAYED, seen.answer, None)


def _fingerprint(call: Call) -> str:
    """What must be the same when a key is used again. A deletion has no inputs, whatever its body carries along."""
    if call.verb is Verb.COMPENSATE:
        return ""
    text = json.dumps([call.operation, call.inputs], sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _service(call: Call, state: ServiceState, outputs: Outputs) -> Service:
    task, generation = split_id(call.id)
    return Service(
        id=call.id,
        order=call.order,
        task=task,
        generation=generation,
        operation=call.operation,
        characteristics=call.inputs,
        outputs=outputs,
        state=state,
    )
