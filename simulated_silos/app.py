"""The HTTP face of the simulated silos: TMF640, TMF641, plain JSON, and the steering below `/_sim`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from simulated_silos.faults import Faults
from simulated_silos.protocols import plain, tmf
from simulated_silos.protocols.tmf import Envelope, Malformed
from simulated_silos.silo import slots
from simulated_silos.silo.model import Answer, Call, Frozen, Outcome, Refusal, Service, Verb
from simulated_silos.silo.slots import SlotNumber
from simulated_silos.simulator import ResponseLost, Simulator
from simulated_silos.store import Pace

CUT = "silos.cut"
"""Under this name the server hands over what cuts the connection of a request (`scope["state"]`)."""

_Answer = Callable[[Request], Awaitable[Response]]
_NO_CONTENT = Response(status_code=204)
_SERVICES = TypeAdapter(list[Service])
_SERVICES_OF_ALL = TypeAdapter(dict[str, list[Service]])


class Complete(Frozen):
    """Which pending work to end, and how."""

    model_config = ConfigDict(strict=True)

    match: str = ""
    outcome: Literal["completed", "failed"] = "completed"
    code: Annotated[str, Field(min_length=1)] = "work_failed"


class Reach(Frozen):
    """Which pending work reaches a milestone, and which."""

    model_config = ConfigDict(strict=True)

    match: str = ""
    name: Annotated[str, Field(min_length=1)]


class Lose(Frozen):
    """Which thing to lose."""

    id: str


class _Connection(Response):
    """No answer at all: the connection is cut, or where there is none (calls in process), the loss is raised."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cut = scope.get("state", {}).get(CUT)
        if cut is None:
            raise ResponseLost
        cut()
        # The server has to see the connection gone, or it takes the missing answer for a fault of this application.
        while (await receive())["type"] != "http.disconnect":
            pass


def create_app(data_dir: Path | None = None, tokens: Mapping[str, str] = MappingProxyType({})) -> Starlette:
    """The silos as an ASGI application. With a data directory they outlive the process, without one they do not.

    `tokens` are what silos send along with their callbacks, by silo.
    """
    simulator = Simulator(data_dir, tokens=tokens)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        simulator.start()
        yield
        await simulator.close()

    routes = [*_steering(simulator), *_protocols(simulator), *_plain(simulator)]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.simulator = simulator
    return app


def _protocols(simulator: Simulator) -> list[Route]:
    """TMF640 and TMF641. Every silo answers to both."""

    def changing(verb: Verb, read: Callable[[Envelope, bytes, bool], Call]) -> _Answer:
        async def answer(request: Request) -> Response:
            silo, body = request.path_params["silo"], await request.body()
            envelope = tmf.envelope(verb, request.headers, request.path_params.get("id"))
            try:
                call = read(envelope, body, simulator.silo(silo).state.profile.keys)
            except Malformed as reason:
                refusal = Refusal(status=400, code="malformed", message=str(reason))
                return await _meet(simulator, silo, envelope, lambda: _note_refused(simulator, silo, envelope, refusal))
            envelope = Envelope(call.verb, call.id, call.key, call.order)
            return await _meet(simulator, silo, envelope, lambda: _answered(*simulator.take(silo, call)), call.inputs)

        return answer

    async def inspect(request: Request) -> Response:
        silo, service_id = request.path_params["silo"], request.path_params["id"]
        envelope = tmf.envelope(Verb.INSPECT, request.headers, service_id)
        return await _meet(simulator, silo, envelope, lambda: _inspect(simulator, silo, envelope))

    async def search(request: Request) -> Response:
        silo = request.path_params["silo"]
        try:
            failure = await simulator.failure(silo, None)
        except ResponseLost:
            return _Connection()
        if failure is not None:
            return _refused(failure)
        state = simulator.silo(silo).state
        if state.profile.slots is None:
            return _refused(Refusal(status=404, code="no_slots", message=f"{silo} has no slots"))
        try:
            return _json(slots.answered(state.diary, state.profile.slots, await request.body()))
        except slots.Malformed as reason:
            return _refused(Refusal(status=400, code="malformed", message=str(reason)))

    async def poll(request: Request) -> Response:
        silo, key = request.path_params["silo"], request.query_params.get("externalId")
        envelope = Envelope(Verb.POLL, None, key, request.headers.get("order-id"))
        return await _meet(simulator, silo, envelope, lambda: _poll(simulator, silo, envelope))

    return [
        Route("/{silo}/service", changing(Verb.PROVISION, tmf.read_service), methods=["POST"]),
        Route("/{silo}/service/{id:path}", changing(Verb.AMEND, tmf.read_service), methods=["PATCH"]),
        Route("/{silo}/service/{id:path}", changing(Verb.COMPENSATE, tmf.read_service), methods=["DELETE"]),
        Route("/{silo}/service/{id:path}", inspect, methods=["GET"]),
        Route("/{silo}/serviceOrder", changing(Verb.PROVISION, tmf.read_service_order), methods=["POST"]),
        Route("/{silo}/serviceOrder", poll, methods=["GET"]),
        Route("/{silo}/searchTimeSlot", search, methods=["POST"]),
    ]


def _plain(simulator: Simulator) -> list[Route]:
    """Plain JSON, as systems have it that know no standard: `simulated_silos.protocols.plain`."""

    def changing(verb: Verb) -> _Answer:
        async def answer(request: Request) -> Response:
            silo, body = request.path_params["silo"], await request.body()
            envelope = plain.envelope(verb, request.headers, request.path_params, request.query_params)
            try:
                call = plain.read(
                    envelope, request.path_params["operation"], body, simulator.silo(silo).state.profile.keys
                )
            except Malformed as reason:
                refusal = Refusal(status=400, code="malformed", message=str(reason))
                simulator.note(silo, envelope, Outcome.REFUSED, refusal.code, {})
                return _json(plain.refusal_json(refusal), 400)
            envelope = Envelope(call.verb, call.id, call.key, call.order)
            return await _meet(simulator, silo, envelope, lambda: _plainly(simulator.take(silo, call)[1]), call.inputs)

        return answer

    async def inspect(request: Request) -> Response:
        silo = request.path_params["silo"]
        envelope = plain.envelope(Verb.INSPECT, request.headers, request.path_params, request.query_params)
        return await _meet(simulator, silo, envelope, lambda: _told(silo, envelope))

    def _told(silo: str, envelope: Envelope) -> Response:
        service = simulator.silo(silo).state.service(envelope.id or "")
        known = service is not None
        simulator.note(silo, envelope, Outcome.APPLIED if known else Outcome.REFUSED, None if known else "unknown", {})
        return _json(plain.thing_json(service), 200 if known else 404)

    async def poll(request: Request) -> Response:
        silo, key = request.path_params["silo"], request.path_params["key"]
        envelope = Envelope(Verb.POLL, None, key, request.headers.get("order-id"))
        return await _meet(simulator, silo, envelope, lambda: _job(silo, envelope))

    def _job(silo: str, envelope: Envelope) -> Response:
        order = simulator.silo(silo).state.service_order(envelope.key or "")
        simulator.note(silo, envelope, Outcome.APPLIED, None, {})
        return _json(plain.job_json(order), 200 if order is not None else 404)

    return [
        Route("/{silo}/jobs/{key:path}", poll, methods=["GET"]),
        Route("/{silo}/things/{operation}", changing(Verb.PROVISION), methods=["POST"]),
        Route("/{silo}/things/{operation}/{id:path}", changing(Verb.AMEND), methods=["PUT"]),
        Route("/{silo}/things/{operation}/{id:path}", changing(Verb.COMPENSATE), methods=["DELETE"]),
        Route("/{silo}/things/{operation}/{id:path}", inspect, methods=["GET"]),
    ]


def _plainly(answer: Answer) -> Response:
    if answer.refusal is not None:
        return _json(plain.refusal_json(answer.refusal), answer.refusal.status)
    if answer.service_order is not None:
        return _json(plain.job_json(answer.service_order), 202)
    return _json(plain.thing_json(answer.service), 200)


async def _meet(
    simulator: Simulator,
    silo: str,
    envelope: Envelope,
    answer: Callable[[], Response],
    inputs: tmf.Characteristics | None = None,
) -> Response:
    """Let a call meet the silo's faults: before it takes effect, and on the way back."""
    order = simulator.order_of(silo, envelope)
    try:
        failure = await simulator.failure(silo, order)
    except ResponseLost:
        return _Connection()
    if failure is not None:
        simulator.note(silo, envelope, Outcome.FAILED, failure.code, inputs or {})
        return _refused(failure)
    response = answer()
    return _Connection() if simulator.silo(silo).faults_met_by(order).loses_response() else response


def _note_refused(simulator: Simulator, silo: str, envelope: Envelope, refusal: Refusal) -> Response:
    simulator.note(silo, envelope, Outcome.REFUSED, refusal.code, {})
    return _refused(refusal)


def _inspect(simulator: Simulator, silo: str, envelope: Envelope) -> Response:
    service = simulator.silo(silo).state.service(envelope.id or "")
    if service is None:
        refusal = Refusal(status=404, code="unknown_service", message=f"there is no {envelope.id}")
        return _note_refused(simulator, silo, envelope, refusal)
    simulator.note(silo, envelope, Outcome.APPLIED, None, {})
    return _json(tmf.service_json(service))


def _poll(simulator: Simulator, silo: str, envelope: Envelope) -> Response:
    if not envelope.key:
        refusal = Refusal(status=400, code="malformed", message="externalId is missing")
        return _note_refused(simulator, silo, envelope, refusal)
    order = simulator.silo(silo).state.service_order(envelope.key)
    if order is not None:
        envelope = Envelope(Verb.POLL, order.call.id, envelope.key, order.call.order)
    simulator.note(silo, envelope, Outcome.APPLIED, None, {})
    return _json(b"[" + (tmf.service_order_json(order) if order else b"") + b"]")


def _answered(outcome: Outcome, answer: Answer) -> Response:
    if answer.refusal is not None:
        response = _refused(answer.refusal)
    elif answer.service_order is not None:
        response = _json(tmf.service_order_json(answer.service_order), answer.status)
    elif answer.service is not None:
        response = _json(tmf.service_json(answer.service), answer.status)
    else:
        response = Response(status_code=answer.status)
    if outcome is Outcome.REPLAYED:
        response.headers["Idempotent-Replay"] = "true"
    return response


def _refused(refusal: Refusal) -> Response:
    response = _json(tmf.refusal_json(refusal), refusal.status)
    if refusal.retry_after_s is not None:
        response.headers["Retry-After"] = str(refusal.retry_after_s)
    return response


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")


_Wish = TypeVar("_Wish", bound=Frozen)


def _steering(simulator: Simulator) -> list[Route]:
    """The test interface."""

    def understood(kind: type[_Wish], do: Callable[[str, _Wish, str | None], Response]) -> _Answer:
        async def answer(request: Request) -> Response:
            try:
                wish = kind.model_validate_json(await request.body() or b"{}")
            except ValidationError as reason:
                lines = [f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in reason.errors()]
                return _refused(Refusal(status=400, code="malformed", message="; ".join(lines)))
            return do(request.path_params["silo"], wish, request.query_params.get("order"))

        return answer

    def put_faults(silo: str, faults: Faults, order: str | None) -> Response:
        simulator.set_faults(silo, faults, order)
        return _json(faults.model_dump_json().encode())

    def put_pace(silo: str, pace: Pace, _: str | None) -> Response:
        simulator.set_pace(silo, pace)
        return _json(pace.model_dump_json().encode())

    def put_slots(silo: str, number: SlotNumber, _: str | None) -> Response:
        simulator.set_slots(silo, number)
        return _json(number.model_dump_json().encode())

    def complete(silo: str, wish: Complete, _: str | None) -> Response:
        message = f"{wish.code}: the work failed"
        failure = Refusal(status=422, code=wish.code, message=message) if wish.outcome == "failed" else None
        return _json(json.dumps({"completed": simulator.complete(silo, wish.match, failure)}).encode())

    def reach(silo: str, wish: Reach, _: str | None) -> Response:
        return _json(json.dumps({"reached": simulator.reach(silo, wish.match, wish.name)}).encode())

    def lose(silo: str, wish: Lose, _: str | None) -> Response:
        if simulator.lose(silo, wish.id):
            return _NO_CONTENT
        return _refused(Refusal(status=404, code="unknown_service", message=f"there is no {wish.id}"))

    async def clear_faults(request: Request) -> Response:
        simulator.set_faults(request.path_params["silo"], None, request.query_params.get("order"))
        return _NO_CONTENT

    async def clear_pace(request: Request) -> Response:
        simulator.set_pace(request.path_params["silo"], None)
        return _NO_CONTENT

    async def clear_slots(request: Request) -> Response:
        simulator.set_slots(request.path_params["silo"], None)
        return _NO_CONTENT

    async def reset(_: Request) -> Response:
        simulator.reset()
        return _NO_CONTENT

    async def services(request: Request) -> Response:
        order, silo = request.query_params.get("order"), request.path_params.get("silo")
        if silo is None:
            return _json(_SERVICES_OF_ALL.dump_json(simulator.services(order)))
        return _json(_SERVICES.dump_json(simulator.silo(silo).state.services(order)))

    async def journal(request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdecimal():
            return _refused(Refusal(status=400, code="malformed", message=f"after is the seq of an entry, not {after}"))
        silo, order = request.path_params.get("silo"), request.query_params.get("order")
        return _json(simulator.journal.as_json(silo, order, int(after)))

    async def health(_: Request) -> Response:
        return _json(b'{"status":"ok"}')

    return [
        Route("/healthz", health),
        Route("/_sim/reset", reset, methods=["POST"]),
        Route("/_sim/services", services),
        Route("/_sim/journal", journal),
        Route("/_sim/{silo}/services", services),
        Route("/_sim/{silo}/journal", journal),
        Route("/_sim/{silo}/faults", understood(Faults, put_faults), methods=["PUT"]),
        Route("/_sim/{silo}/faults", clear_faults, methods=["DELETE"]),
        Route("/_sim/{silo}/pace", understood(Pace, put_pace), methods=["PUT"]),
        Route("/_sim/{silo}/pace", clear_pace, methods=["DELETE"]),
        Route("/_sim/{silo}/slots", understood(SlotNumber, put_slots), methods=["PUT"]),
        Route("/_sim/{silo}/slots", clear_slots, methods=["DELETE"]),
        Route("/_sim/{silo}/complete", understood(Complete, complete), methods=["POST"]),
        Route("/_sim/{silo}/milestone", understood(Reach, reach), methods=["POST"]),
        Route("/_sim/{silo}/lose", understood(Lose, lose), methods=["POST"]),
    ]
