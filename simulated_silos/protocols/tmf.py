"""Between HTTP and the state machine: TMF640 and TMF641 bodies read into calls, answers and events written."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import JsonValue, ValidationError

from simulated_silos.protocols.tmf_bodies import (
    Characteristic,
    ErrorMessage,
    Event,
    EventType,
    Milestone,
    ServiceApiBody,
    ServiceBody,
    ServiceErrorBody,
    ServiceOrderBody,
    ServiceOrderItem,
    Specification,
    Subject,
    Terminated,
)
from simulated_silos.silo.model import (
    Call,
    Characteristics,
    Refusal,
    Service,
    ServiceOrder,
    ServiceOrderState,
    ServiceState,
    Verb,
    split_id,
)

ACTIONS = {"add": Verb.PROVISION, "modify": Verb.AMEND, "delete": Verb.COMPENSATE}
_ACTION_OF = {verb: action for action, verb in ACTIONS.items()}
_STATE_ON_WIRE = {
    ServiceState.ACTIVE: "active",
    ServiceState.PENDING: "inactive",
    ServiceState.TERMINATED: "terminated",
}
_STATE_AFTER = {
    (ServiceOrderState.ACKNOWLEDGED, Verb.PROVISION): ServiceState.PENDING,
    (ServiceOrderState.ACKNOWLEDGED, Verb.AMEND): ServiceState.PENDING,
    (ServiceOrderState.ACKNOWLEDGED, Verb.COMPENSATE): ServiceState.ACTIVE,
    (ServiceOrderState.COMPLETED, Verb.PROVISION): ServiceState.ACTIVE,
    (ServiceOrderState.COMPLETED, Verb.AMEND): ServiceState.ACTIVE,
    (ServiceOrderState.COMPLETED, Verb.COMPENSATE): ServiceState.TERMINATED,
    (ServiceOrderState.FAILED, Verb.PROVISION): ServiceState.TERMINATED,
    (ServiceOrderState.FAILED, Verb.AMEND): ServiceState.ACTIVE,
    (ServiceOrderState.FAILED, Verb.COMPENSATE): ServiceState.ACTIVE,
    (ServiceOrderState.CANCELLED, Verb.PROVISION): ServiceState.TERMINATED,
    (ServiceOrderState.CANCELLED, Verb.AMEND): ServiceState.TERMINATED,
    (ServiceOrderState.CANCELLED, Verb.COMPENSATE): ServiceState.ACTIVE,
}
"""The service that a service order tells of."""


class Malformed(Exception):
    """A call that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What can be known of a call before its body is read: verb, thing, idempotency key, order, callback address."""

    verb: Verb
    id: str | None = None
    key: str | None = None
    order: str | None = None
    callback_url: str | None = None


def envelope(verb: Verb, headers: Mapping[str, str], service_id: str | None = None) -> Envelope:
    """The envelope of a call."""
    key = headers.get("idempotency-key")
    return Envelope(verb, service_id, key, headers.get("order-id"), headers.get("callback-url"))


def read_service(envelope: Envelope, body: bytes, keyed: bool) -> Call:
    """A TMF640 call that changes something. `keyed`: the silo knows idempotency keys.

    Raises:
        Malformed: if it does not say what to do to what on whose behalf.
    """
    if envelope.verb is Verb.COMPENSATE:
        return call_of(envelope, envelope.id, "", {}, keyed, asynchronous=False)
    service = _parse(ServiceBody, body)
    if service.state != "active":
        raise Malformed(f"a service is asked for as active, not as {service.state}")
    if envelope.id is not None and service.id not in (None, envelope.id):
        raise Malformed(f"the path names {envelope.id}, the body {service.id}")
    inputs = _inputs(service)
    return call_of(envelope, envelope.id or service.id, _operation(service), inputs, keyed, asynchronous=False)


def read_service_order(envelope: Envelope, body: bytes, keyed: bool) -> Call:
    """A TMF641 service order, as a call. `keyed`: the silo knows idempotency keys.

    Raises:
        Malformed: if it does not say what to do to what on whose behalf.
    """
    order = _parse(ServiceOrderBody, body)
    if order.external_id is None:
        raise Malformed("externalId is missing")
    if envelope.key not in (None, order.external_id):
        raise Malformed(f"Idempotency-Key is {envelope.key}, externalId {order.external_id}")
    item = order.service_order_item[0]
    envelope = Envelope(ACTIONS[item.action], item.service.id, order.external_id, envelope.order, envelope.callback_url)
    operation = item.service.service_specification.id if item.service.service_specification else ""
    if not operation and envelope.verb is not Verb.COMPENSATE:
        raise Malformed("serviceSpecification is missing")
    return call_of(envelope, item.service.id, operation, _inputs(item.service), keyed, asynchronous=True)


def service_json(service: Service) -> bytes:
    """A service as TMF640 has it, with inputs and outputs alike as characteristics."""
    return _dump(_service_body(service))


def service_order_json(order: ServiceOrder) -> bytes:
    """A service order as TMF641 has it."""
    return _dump(_service_order_body(order))


def refusal_json(refusal: Refusal) -> bytes:
    """An error body."""
    body = ServiceErrorBody(code=refusal.code, reason=refusal.code.replace("_", " "), message=refusal.message)
    return body.model_dump_json().encode()


def order_event(order: ServiceOrder) -> bytes:
    """The event that tells of the end of a service order."""
    subject = Subject(service_order=_service_order_body(order))
    return _event("ServiceOrderStateChangeEvent", order.call.order, subject)


def milestone_event(order: ServiceOrder) -> bytes:
    """The event that tells that a service order has reached a milestone."""
    subject = Subject(service_order=_service_order_body(order))
    return _event("ServiceOrderMilestoneEvent", order.call.order, subject)


def loss_event(service: Service) -> bytes:
    """The event that tells that a silo lost a thing."""
    return _event(
        "ServiceStateChangeEvent", service.order, Subject(service=Terminated(id=service.id, state="terminated"))
    )


def now() -> str:
    """The time, as it is written."""
    return datetime.now(UTC).isoformat()


_Body = TypeVar("_Body", bound=ServiceApiBody)


def _dump(body: ServiceApiBody) -> bytes:
    # What was never set is left out; what was set to null is not: a characteristic's value may be null.
    return body.model_dump_json(by_alias=True, exclude_unset=True).encode()


def _parse(kind: type[_Body], body: bytes) -> _Body:
    try:
        return kind.model_validate_json(body)
    except ValidationError as reason:
        first = reason.errors(include_url=False, include_context=False)[0]
        raise Malformed(f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}") from reason


def _operation(service: ServiceBody) -> str:
    if service.service_specification is None:
        raise Malformed("serviceSpecification is missing")
    return service.service_specification.id


def _inputs(service: ServiceBody) -> Characteristics:
    inputs = {characteristic.name: characteristic.value for characteristic in service.service_characteristic}
    if len(inputs) != len(service.service_characteristic):
        raise Malformed("a characteristic is given twice")
    return inputs


def call_of(
    envelope: Envelope,
    service_id: str | None,
    operation: str,
    inputs: Characteristics,
    keyed: bool,
    *,
    asynchronous: bool,
    plain: bool = False,
) -> Call:
    """A call by what was read of it.

    Raises:
        Malformed: if it does not say what to do to what on whose behalf.
    """
    if service_id is None:
        raise Malformed("the id of the service is missing")
    try:
        split_id(service_id)
    except ValueError as reason:
        raise Malformed(str(reason)) from None
    if not envelope.order:
        raise Malformed("Order-Id is missing")
    if envelope.callback_url is not None and not envelope.callback_url.startswith(("http://", "https://")):
        raise Malformed(f"Callback-Url is not an absolute address: {envelope.callback_url}")
    return Call(
        verb=envelope.verb,
        id=service_id,
        key=envelope.key,
        n=_number(service_id, envelope.key) if keyed else 0,
        operation=operation,
        inputs=inputs,
        order=envelope.order,
        callback_url=envelope.callback_url,
        asynchronous=asynchronous,
        plain=plain,
    )


def _number(service_id: str, key: str | None) -> int:
    if key is None:
        raise Malformed("Idempotency-Key is missing")
    of, _, number = key.rpartition("/")
    if of != service_id or not (number.isascii() and number.isdecimal()):
        raise Malformed(f"an idempotency key is <service id>/<n>: {key} for {service_id}")
    return int(number)


def _service_body(service: Service) -> ServiceBody:
    values: dict[str, JsonValue] = {**service.characteristics, **service.outputs}
    body = ServiceBody.model_construct(
        id=service.id,
        state=_STATE_ON_WIRE[service.state],
        service_characteristic=[Characteristic.model_construct(name=n, value=v) for n, v in values.items()],
    )
    if service.operation:
        body.service_specification = Specification.model_construct(id=service.operation)
    return body


def _service_order_body(order: ServiceOrder) -> ServiceOrderBody:
    call = order.call
    task, generation = split_id(call.id)
    service = Service.model_construct(
        id=call.id,
        order=call.order,
        task=task,
        generation=generation,
        operation=call.operation,
        characteristics=call.inputs,
        outputs=order.outputs,
        state=_STATE_AFTER[order.state, call.verb],
    )
    item = ServiceOrderItem.model_construct(
        id="1", action=_ACTION_OF[call.verb], state=order.state, service=_service_body(service)
    )
    body = ServiceOrderBody.model_construct(
        id=order.id, external_id=call.key, state=order.state, service_order_item=[item]
    )
    if order.error is not None:
        reason = order.error.code.replace("_", " ")
        body.error_message = [ErrorMessage(code=order.error.code, reason=reason, message=order.error.message)]
    if order.milestones:
        body.milestone = [
            Milestone.model_construct(name=name, status="Completed", milestone_date=time)
            for name, time in order.milestones.items()
        ]
    return body


def _event(kind: EventType, order: str, subject: Subject) -> bytes:
    event = Event(event_id=str(uuid.uuid4()), event_time=now(), event_type=kind, correlation_id=order, event=subject)
    return _dump(event)
