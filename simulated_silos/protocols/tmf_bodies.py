"""The JSON bodies of TMF640 and TMF641, as far as the silos speak them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from simulated_silos.silo.model import ServiceOrderState


class ServiceApiBody(BaseModel):
    """Camel case outside, snake case inside; what is not known is ignored, as TM Forum bodies carry much else."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Characteristic(ServiceApiBody):
    """A name with a value."""

    name: str
    value: JsonValue


class Specification(ServiceApiBody):
    """Names the operation."""

    id: Annotated[str, Field(min_length=1)]


class ServiceBody(ServiceApiBody):
    """A TMF640 service; `id` is left open by calls whose path names it."""

    id: str | None = None
    state: Literal["active", "inactive", "terminated"] = "active"
    service_specification: Specification | None = None
    service_characteristic: list[Characteristic] = []


class ServiceOrderItem(ServiceApiBody):
    """What a TMF641 service order asks for. There is exactly one in an order."""

    id: str = "1"
    action: Literal["add", "modify", "delete"]
    state: ServiceOrderState | None = None
    service: ServiceBody


class ErrorMessage(ServiceApiBody):
    """Why a service order failed."""

    code: str
    reason: str
    message: str


class Milestone(ServiceApiBody):
    """A stage that the work of a service order has reached."""

    name: str
    status: str = "Completed"
    milestone_date: str


class ServiceOrderBody(ServiceApiBody):
    """A TMF641 service order."""

    id: str | None = None
    external_id: str | None = None
    state: ServiceOrderState | None = None
    error_message: list[ErrorMessage] | None = None
    milestone: list[Milestone] | None = None
    service_order_item: Annotated[list[ServiceOrderItem], Field(min_length=1, max_length=1)]


class Terminated(ServiceApiBody):
    """A service that is no more."""

    id: str
    state: Literal["terminated"] = "terminated"


class Subject(ServiceApiBody):
    """What an event is about: one of the two."""

    service_order: ServiceOrderBody | None = None
    service: Terminated | None = None


EventType: TypeAlias = Literal["ServiceOrderStateChangeEvent", "ServiceOrderMilestoneEvent", "ServiceStateChangeEvent"]


class Event(ServiceApiBody):
    """What a silo POSTs to a callback address."""

    event_id: str
    event_time: str
    event_type: EventType
    correlation_id: str
    event: Subject


class ServiceErrorBody(ServiceApiBody):
    """What a refused or failed call is answered with."""

    code: str
    reason: str
    message: str
