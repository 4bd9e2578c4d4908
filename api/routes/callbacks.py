"""Where silos report: TMF641 service orders that are done or on their way, TMF640 services that are no more."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import APIRouter
from pydantic import Field, JsonValue, model_validator

from activities.protocols.tmf640 import Service
from activities.protocols.tmf641 import ServiceOrder
from api.errors import Malformed, problem
from api.http.dependencies import GatheringDep, ReportingSilo, errors
from api.tmf.tmf622.shapes import TmfBody
from orders.fulfilment.messages import SiloEvent
from orders.model.writing.json_values import require_json
from orders.model.writing.text import Name
from orders.reconcile.given import fitting
from orders.reconcile.ledger import parse_key, parse_service_id
from orders.reconcile.outcome import OutcomeKind, kept_of

log = structlog.get_logger()
router = APIRouter(prefix="/callbacks", tags=["callbacks"])


class Subject(TmfBody):
    """What an event is about: one of the two."""

    service_order: ServiceOrder | None = None
    service: Service | None = None


class Event(TmfBody):
    """A TM Forum event. `correlationId` is the order on whose behalf the call was made: its `Order-Id` header."""

    event_type: Annotated[str, Field(pattern=r"^Service(Order)?[A-Z][A-Za-z]*Event$")]
    correlation_id: Annotated[Name, Field(min_length=1)]
    event: Subject

    @model_validator(mode="before")
    @classmethod
    def _is_sound(cls, value: JsonValue) -> JsonValue:
        """Refused whole: half of what a silo reports would count as all of it."""
        return require_json(value)


@router.post("/{silo}", status_code=204, summary="Report what became of a call", responses=errors(400, 404, 503))
async def report(silo: ReportingSilo, event: Event, gathering: GatheringDep) -> None:
    """Tell an order what a silo did for it, under the silo's own token.

    503 asks for the event to be sent again; a repeated one does no harm. States on the way to an end without a
    milestone, and event types that say nothing about either, are taken and not passed on. The others go to the order
    with what else comes in for it at about the same time, and are answered when they have.
    """
    reported = to_silo_event(silo, event)
    if reported is not None:
        await gathering.hand_on(event.correlation_id, reported)
        what = reported.key or reported.service
        log.info("silo reported", order=event.correlation_id, task=what, silo=silo, outcome=reported.kind.value)


def to_silo_event(silo: str, event: Event) -> SiloEvent | None:
    """What an event means to an order, or None if nothing.

    Raises:
        Malformed: if it does not say what it is about.
    """
    match event.event_type:
        case "ServiceOrderStateChangeEvent" | "ServiceOrderMilestoneEvent":
            return _silo_event(silo, event.event.service_order)
        case "ServiceStateChangeEvent":
            return _lost(silo, event.event.service)
        case _:
            return None


def _silo_event(silo: str, service_order: ServiceOrder | None) -> SiloEvent | None:
    path = "event.serviceOrder"
    if service_order is None:
        raise Malformed([problem(path, "is required")])
    if service_order.state is None:
        raise Malformed([problem(f"{path}.state", "is required")])
    key = service_order.external_id
    if key is None:
        raise Malformed([problem(f"{path}.externalId", "is required: the idempotency key of the call")])
    try:
        parse_key(key)
    except ValueError as error:
        message = "is no idempotency key: `<task key>/<generation>/<number>`"
        raise Malformed([problem(f"{path}.externalId", message)]) from error
    outcome = fitting(kept_of(service_order.outcome))
    if not outcome.says_something:
        return None
    return SiloEvent(
        silo=silo,
        kind=outcome.kind,
        key=key,
        outputs=outcome.outputs,
        code=outcome.code,
        reason=outcome.reason,
        milestones=outcome.milestones,
    )


def _lost(silo: str, service: Service | None) -> SiloEvent | None:
    path = "event.service"
    if service is None:
        raise Malformed([problem(path, "is required")])
    try:
        parse_service_id(service.id or "")
    except ValueError as error:
        raise Malformed([problem(f"{path}.id", "is no service id: `<task key>/<generation>`")]) from error
    if service.state != "terminated":
        return None
    return SiloEvent(silo=silo, kind=OutcomeKind.LOST, service=service.id or "")
