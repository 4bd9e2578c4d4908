"""Demand: what silos will be asked for, by silo, place and day, and when what there is runs out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from activities.foreseeing import Foreseeing
from api.access.principal import Scope
from api.care.silos import demand_routes
from api.care.silos.demand_bodies import DemandResponse
from api.console.charts import by_operation, by_place
from api.console.fields import asked_in_address
from api.console.page import PageDep
from api.errors import Malformed
from api.http.dependencies import ForeseeingDep, needs
from orders.model.silos.capacity import Per
from orders.model.writing.text import NO_NUL

router = APIRouter(dependencies=[needs(Scope.CARE)])

_AHEAD: Final = timedelta(days=60)
_CHARTS: Final = 24
_LINES: Final = 50
_NOTHING: Final = DemandResponse(lines=(), shortages=(), behind=0)

_Name = Annotated[str, Field(max_length=200, pattern=NO_NUL)]


class _Asked(BaseModel):
    """What the address asks for."""

    model_config = ConfigDict(populate_by_name=True)

    silo: _Name | None = None
    operation: _Name | None = None
    place: _Name | None = None
    kind: _Name | None = None
    begin: date = Field(alias="from", default_factory=lambda: datetime.now(UTC).date())
    before: date | None = None
    offset: Annotated[int, Field(ge=0, lt=2**31)] = 0

    @property
    def end(self) -> date:
        """The day after the last one."""
        return self.before or min(self.begin, date.max - _AHEAD) + _AHEAD


@router.get("/demand")
async def demand(page: PageDep, foreseeing: ForeseeingDep) -> Response:
    """A chart for each operation, or for each place where a silo is asked for; all days as a table below."""
    asked, wrong = asked_in_address(page, _Asked)
    found: DemandResponse | None = None
    if asked is not None:
        try:
            found = await _demand(asked, foreseeing)
        except Malformed as error:
            wrong = tuple(error.details)
    asked = asked or _Asked()
    told, one = found or _NOTHING, asked.silo is not None
    capacities = (await demand_routes.capacities(foreseeing)).capacities
    a_day = {(each.silo, each.operation): each.per is Per.DAY for each in capacities}
    charts = by_place(told, asked.begin, asked.end, a_day) if one else by_operation(told, asked.begin, asked.end)
    following = asked.offset + _LINES
    return page.show(
        "demand.html",
        400 if wrong else 200,
        asked=asked,
        wrong=wrong,
        told=told,
        charts=charts[:_CHARTS],
        more=max(len(charts) - _CHARTS, 0),
        silos=sorted({each.silo for each in capacities}),
        lines=told.lines[asked.offset : following],
        following=following if following < len(told.lines) else None,
        last=asked.end - timedelta(days=1),
    )


@router.get("/demand.csv")
async def as_file(page: PageDep, foreseeing: ForeseeingDep) -> Response:
    """The same days as a file for spreadsheets."""
    asked, wrong = asked_in_address(page, _Asked)
    if asked is None:
        raise Malformed(list(wrong))
    answer: Any = await _demand(asked, foreseeing, "csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="demand.csv"'
    return answer


async def _demand(asked: _Asked, foreseeing: Foreseeing, as_: Any = "json") -> Any:
    return await demand_routes.demand(
        foreseeing, asked.silo, asked.operation, asked.place, asked.kind, asked.begin, asked.end, as_
    )
