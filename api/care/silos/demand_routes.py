"""What orders will still ask of silos, what there is, and when it runs out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, Literal

import structlog
from fastapi import APIRouter, Body, Query, Response

from api.access.principal import Scope
from api.blocking import run_blocking
from api.care.silos.demand_bodies import (
    CapacitiesResponse,
    CapacityBody,
    CapacityResponse,
    DemandResponse,
    StatedResponse,
    as_csv,
)
from api.errors import Malformed, UnknownCapacity, problem
from api.http.dependencies import ForeseeingDep, Id, Operator, errors, needs
from orders.model.silos.capacity import Capacity, StatedCapacity
from orders.model.writing.text import Line
from register.demand.counting import DemandQuery

log = structlog.get_logger()
router = APIRouter(prefix="/care/v1", tags=["care"], dependencies=[needs(Scope.CARE)])

_AHEAD: Final = timedelta(days=60)
_MOST: Final = timedelta(days=400)
_CATCH_UP_S: Final = 2.0


@router.get(
    "/demand",
    summary="What silos will be asked for",
    response_model=DemandResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}} | errors(400, 503),
)
async def demand(
    foreseeing: ForeseeingDep,
    silo: Line | None = None,
    operation: Line | None = None,
    place: Annotated[str | None, Query(max_length=200)] = None,
    kind: Annotated[str | None, Query(max_length=200)] = None,
    begin: Annotated[date | None, Query(alias="from", description="today without it")] = None,
    before: Annotated[date | None, Query(description="60 days later without it")] = None,
    as_: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Response | DemandResponse:
    """By silo, operation, place, kind and day: how much orders in flight and future-dated ones ask for.

    With `from` in the past it also tells what was asked for, for 35 days after an order has ended. `format=csv` gives
    the lines alone.
    """
    begin = begin or datetime.now(UTC).date()
    before = before or begin + _AHEAD
    if not begin < before <= begin + _MOST:
        raise Malformed([problem("before", f"must be after from, by {_MOST.days} days at most")])
    behind = await run_blocking(foreseeing.catch_up, _CATCH_UP_S)
    found = await run_blocking(foreseeing.demand, DemandQuery(begin, before, silo, operation, place, kind))
    if as_ == "csv":
        return Response(as_csv(found), media_type="text/csv", headers={"Orders-Behind": str(behind)})
    return DemandResponse.model_validate({**dict(found), "behind": behind})


@router.get("/capacities", summary="What silos can do", responses=errors(503))
async def capacities(foreseeing: ForeseeingDep) -> CapacitiesResponse:
    """Every capacity of the catalog, with the numbers that count now."""
    found = await run_blocking(foreseeing.capacities)
    stated = await run_blocking(foreseeing.stated)
    return CapacitiesResponse(capacities=tuple(_told(each, stated.get(each.name)) for each in found.values()))


@router.put("/capacities/{name}", summary="Tell what a silo can do", responses=errors(400, 404, 503))
async def tell(
    name: Id, body: Annotated[CapacityBody, Body()], foreseeing: ForeseeingDep, operator: Operator
) -> CapacityResponse:
    """It counts in place of what the catalog says, with what is delivered later. For operators."""
    by = operator.requester(body.requester)
    told = {"number": body.number, "numbers": body.numbers, "deliveries": body.deliveries}
    found = await run_blocking(foreseeing.state, name, StatedCapacity(at=datetime.now(UTC), by=by, **told))
    if found is None:
        raise UnknownCapacity(f"The catalog has no capacity {name}")
    log.info("capacity told", capacity=name, by=by)
    return _told(*found)


@router.delete(
    "/capacities/{name}", summary="Go back to what the catalog says", status_code=204, responses=errors(404, 503)
)
async def forget(name: Id, foreseeing: ForeseeingDep, operator: Operator) -> None:
    """What was told of it counts no more. For operators."""
    if not await run_blocking(foreseeing.forget, name):
        raise UnknownCapacity(f"The catalog has no capacity {name}")
    log.info("capacity forgotten", capacity=name, by=operator.requester(""))


def _told(capacity: Capacity, stated: StatedCapacity | None) -> CapacityResponse:
    by = StatedResponse.model_validate(stated) if stated is not None else None
    return CapacityResponse.model_validate({**dict(capacity), "stated": by})
