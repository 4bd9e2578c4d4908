"""Slots of a silo for visits, asked for as TMF646 Appointment has it: `POST /searchTimeSlot`."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, JsonValue

from activities.protocols.http_client import SiloBody, SiloHttp, understood
from orders.model.instants import Instant, instant
from orders.model.silos.capacity import Slots
from orders.planning.scheduling.visits import FreeSlot, Visit


class Period(SiloBody):
    """From when until when."""

    start_date_time: Instant
    end_date_time: Instant


class OfferedSlot(SiloBody):
    """A `TimeSlot`. `remaining` is how many could have it, where a silo tells that."""

    id: str | None = None
    valid_for: Period
    remaining: int | None = None


class RelatedPlace(SiloBody):
    """Where somebody is to come: a site with its address."""

    model_config = ConfigDict(extra="allow")

    id: str


class RelatedEntity(SiloBody):
    """The visit that slots are wanted for: what it has taken itself is free to it."""

    id: str
    referred_type: str = Field(default="Service", alias="@referredType")


class SearchTimeSlot(SiloBody):
    """The question and, with `availableTimeSlot`, the answer."""

    requested_time_slot: tuple[OfferedSlot, ...] = ()
    related_place: RelatedPlace | None = None
    related_entity: tuple[RelatedEntity, ...] = ()
    available_time_slot: tuple[OfferedSlot, ...] = ()


async def ask_for_slots(
    http: SiloHttp, slots: Slots, place: str, visit: Visit, begin: datetime, end: datetime
) -> list[FreeSlot]:
    """The slots that a silo offers for a visit between two instants, by the clock at the site.

    Raises:
        SiloUnavailable: if there is no answer that can be used.
    """
    address: dict[str, JsonValue] = {name: value for name, value in visit.site.address.items() if name != "id"}
    question = SearchTimeSlot(
        requested_time_slot=(OfferedSlot(valid_for=Period(start_date_time=begin, end_date_time=end)),),
        related_place=RelatedPlace.model_validate({**address, "id": visit.site.id}),
        related_entity=(RelatedEntity(id=visit.task),) if visit.task else (),
    )
    content = question.model_dump_json(by_alias=True, exclude_none=True)
    headers = {"Content-Type": "application/json"}
    answer = await http.exchange("POST", "/searchTimeSlot", headers, content=content, query={})
    if not answer.is_success:
        raise http.unusable(answer)
    name = slots.zone_of(place)
    zone = ZoneInfo(name)
    offered = understood(SearchTimeSlot, answer.content).available_time_slot
    found = [
        FreeSlot(
            start=each.valid_for.start_date_time.astimezone(zone),
            end=each.valid_for.end_date_time.astimezone(zone),
            time_zone=name,
            id=each.id or instant(each.valid_for.start_date_time),
            left=each.remaining,
        )
        for each in offered
        if each.remaining != 0 and each.valid_for.start_date_time < each.valid_for.end_date_time
    ]
    return sorted(found, key=lambda slot: slot.start)
