"""Plain JSON, as a system has it that knows no standard: things by operation and reference, and jobs by their key.

    POST   /things/{operation}               {"reference": ..., "settings": {...}}
    PUT    /things/{operation}/{reference}   {"settings": {...}}
    DELETE /things/{operation}/{reference}
    GET    /things/{operation}/{reference}   200 with the thing, or 404
    GET    /jobs/{key}                       200 with the job, or 404

With `?reply_to=` the work is done later: it is answered with 202 and a job, and the job is posted there once it ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from pydantic import JsonValue

from simulated_silos.protocols.tmf import Envelope, Malformed, call_of
from simulated_silos.silo.model import Call, Refusal, Service, ServiceOrder, ServiceOrderState, ServiceState, Verb

_STATE: Final = {
    ServiceOrderState.ACKNOWLEDGED: "working",
    ServiceOrderState.COMPLETED: "done",
    ServiceOrderState.FAILED: "failed",
    ServiceOrderState.CANCELLED: "cancelled",
}


def envelope(verb: Verb, headers: Mapping[str, str], path: Mapping[str, Any], query: Mapping[str, str]) -> Envelope:
    """The envelope of a call."""
    return Envelope(
        verb, path.get("id"), headers.get("idempotency-key"), headers.get("order-id"), query.get("reply_to")
    )


def read(envelope: Envelope, operation: str, body: bytes, keyed: bool) -> Call:
    """A call that changes something. `keyed`: the silo knows idempotency keys.

    Raises:
        Malformed: if it does not say what to do to what on whose behalf.
    """
    content = _object(body) if envelope.verb is not Verb.COMPENSATE else {}
    settings = content.get("settings", {})
    reference = envelope.id or content.get("reference")
    if not isinstance(settings, dict) or not (reference is None or isinstance(reference, str)):
        raise Malformed("the body is no thing")
    asynchronous = envelope.callback_url is not None
    return call_of(envelope, reference, operation, settings, keyed, asynchronous=asynchronous, plain=True)


def thing_json(service: Service | None) -> bytes:
    """A thing, or that there is none."""
    if service is None or service.state is ServiceState.TERMINATED:
        return _dump({"state": "none"})
    state = "active" if service.state is ServiceState.ACTIVE else "working"
    return _dump(
        {
            "reference": service.id,
            "state": state,
            "settings": service.characteristics,
            "given": cast("dict[str, JsonValue]", service.outputs),
        }
    )


def job_json(order: ServiceOrder | None) -> bytes:
    """A job, or that there is none."""
    if order is None:
        return _dump({"state": "none"})
    job: dict[str, JsonValue] = {
        "job": order.call.key,
        "for": order.call.order,
        "reference": order.call.id,
        "state": _STATE[order.state],
        "given": cast("dict[str, JsonValue]", order.outputs),
        "reached": cast("dict[str, JsonValue]", order.milestones),
    }
    if order.error is not None:
        job["error"] = {"code": order.error.code, "text": order.error.message}
    return _dump(job)


def refusal_json(refusal: Refusal) -> bytes:
    """Why a call was not done."""
    return _dump({"state": "refused", "error": {"code": refusal.code, "text": refusal.message}})


def _object(body: bytes) -> dict[str, JsonValue]:
    try:
        content: object = json.loads(body)
    except (ValueError, RecursionError) as reason:
        raise Malformed(f"the body is no JSON: {reason}") from None
    if not isinstance(content, dict):
        raise Malformed("the body is no object")
    return cast("dict[str, JsonValue]", content)


def _dump(content: dict[str, JsonValue]) -> bytes:
    return json.dumps(content).encode()
