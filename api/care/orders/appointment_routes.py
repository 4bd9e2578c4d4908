"""When can somebody come? Slots for visits, before and during an order, for channels and agents."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Body, Query
from fastapi.openapi.models import Example

from api.access.principal import Scope
from api.care.orders.appointment_bodies import SlotSearch, VisitResponse, VisitsResponse
from api.errors import Detail, Malformed, problem
from api.http.dependencies import AppointingDep, errors, needs
from api.http.visibility import VisibleOrderId
from api.tmf.tmf622.request import site_at
from orders.model.instants import Instant
from orders.model.order import Rejection

router = APIRouter(prefix="/care/v1", tags=["care"], dependencies=[needs(Scope.READ)])

_SEARCH: Final[dict[str, Example]] = {
    "fibre at an address": {
        "summary": "Before an order: when could somebody come?",
        "value": {
            "productOffering": {"id": "fibre-1000"},
            "relatedPlace": {"id": "site-1", "streetName": "Lindenstraße", "streetNr": "14", "city": "Berlin"},
        },
    }
}


@router.get(
    "/orders/{order_id}/appointments",
    summary="When somebody can come for an order",
    responses=errors(400, 404, 409, 503),
)
async def appointments(
    order_id: VisibleOrderId,
    appointing: AppointingDep,
    begin: Annotated[Instant | None, Query(alias="from", description="from now on without it")] = None,
    before: Annotated[Instant | None, Query(description="as far ahead as slots are offered without it")] = None,
) -> VisitsResponse:
    """Each visit that is still to come, with its appointment and the slots that are free.

    A slot is chosen by a change of kind `reschedule`, or by a PATCH of TMF622. 409 once the order has ended, 503 while
    the silo that has the slots does not answer.
    """
    if begin is not None and before is not None and before <= begin:
        raise Malformed([problem("before", "must be after from")])
    offered = await appointing.of_order(order_id, begin, before)
    return VisitsResponse(visits=tuple(map(VisitResponse.of, offered)))


@router.post("/appointments/search", summary="When somebody could come for an offering", responses=errors(400, 503))
async def search(
    body: Annotated[SlotSearch, Body(openapi_examples=_SEARCH)], appointing: AppointingDep
) -> VisitsResponse:
    """The visits that an offering calls for at a place, with the slots that are free. Nothing is kept of the question.

    A slot goes into the order as the `appointment` of an item, with `validFor` and `timeZone` as they are told here.
    """
    found: list[Detail] = []
    site = site_at(body.related_place, "relatedPlace", found)
    if site is None:
        raise Malformed(found)
    values = {each.name: each.value for each in body.product_characteristic}
    period = body.period
    try:
        offered = await appointing.search(
            body.product_offering.id, values, site, period.start_date_time, period.end_date_time
        )
    except Rejection as rejection:
        raise Malformed([problem("productOffering.id", reason.message) for reason in rejection.reasons]) from None
    return VisitsResponse(visits=tuple(map(VisitResponse.of, offered)))
