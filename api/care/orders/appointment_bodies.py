"""Slots for visits, in TMF646's words."""

from __future__ import annotations

from typing import Self

from pydantic import ConfigDict, Field, JsonValue, model_validator

from api.care.orders.answer_bodies import AppointmentResponse
from api.service.appointing import OfferedVisit
from api.tmf.response_model import ResponseModel
from api.tmf.tmf622.bodies import Characteristic, Place, ProductOfferingRef
from api.tmf.tmf622.shapes import TmfBody
from orders.model.instants import Instant
from orders.planning.scheduling.visits import FreeSlot


class RequestedPeriod(TmfBody):
    """From when until when. Without an end it is as far ahead as slots are offered, without a start from now on."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    start_date_time: Instant | None = None
    end_date_time: Instant | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        start, end = self.start_date_time, self.end_date_time
        if start is not None and end is not None and end <= start:
            raise ValueError("must end after it starts")
        return self


class RequestedSlot(TmfBody):
    """The period in which somebody is wanted."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    valid_for: RequestedPeriod


class SlotSearch(TmfBody):
    """When could somebody come, if this were ordered for that place? `requestedTimeSlot` bounds the days."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    product_offering: ProductOfferingRef
    product_characteristic: tuple[Characteristic, ...] = ()
    related_place: Place
    requested_time_slot: tuple[RequestedSlot, ...] = Field(default=(), max_length=1)

    @property
    def period(self) -> RequestedPeriod:
        """The period asked for."""
        return self.requested_time_slot[0].valid_for if self.requested_time_slot else RequestedPeriod()


class PeriodResponse(ResponseModel):
    """From when until when, with the offset that clocks at the site have then."""

    start_date_time: str
    end_date_time: str


class SlotResponse(ResponseModel):
    """A slot. As it stands, with its `timeZone`, it is the `appointment` of an order item (TMF622).

    `remaining` is how many could still have it, where that is known.
    """

    id: str
    valid_for: PeriodResponse
    time_zone: str
    remaining: int | None

    @classmethod
    def of(cls, slot: FreeSlot) -> Self:
        """A slot as it is told."""
        period = PeriodResponse(start_date_time=slot.start.isoformat(), end_date_time=slot.over.isoformat())
        return cls(id=slot.id, valid_for=period, time_zone=slot.time_zone, remaining=slot.left)


class VisitResponse(ResponseModel):
    """A visit, the appointment made for it, and the slots that are free: null where none are offered.

    Then any hour may be asked for. `task` is null before there is an order.
    """

    title: str
    silo: str
    task: str | None
    site: str
    address: dict[str, JsonValue]
    appointment: AppointmentResponse | None
    available_time_slot: tuple[SlotResponse, ...] | None

    @classmethod
    def of(cls, offered: OfferedVisit) -> Self:
        """A visit as it is told."""
        visit, slots = offered.visit, offered.slots
        made = visit.appointment
        return cls(
            title=visit.title,
            silo=visit.silo,
            task=visit.task or None,
            site=visit.site.id,
            address=dict(visit.site.address),
            appointment=AppointmentResponse.model_validate(made) if made is not None else None,
            available_time_slot=None if slots is None else tuple(map(SlotResponse.of, slots)),
        )


class VisitsResponse(ResponseModel):
    """Every visit that is still to come, or would be. None: nobody has to come."""

    visits: tuple[VisitResponse, ...]
