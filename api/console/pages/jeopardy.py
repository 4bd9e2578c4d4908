"""Jeopardy: orders whose promise is in danger, because of what, and what would help."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from api.care.fallout import jeopardy_routes
from api.care.fallout.jeopardy_routes import JeopardyCountResponse, JeopardyListResponse, JeopardySearch
from api.console.fields import asked_in_address
from api.console.page import PageDep
from api.http.dependencies import LinksDep, Looker, RegisterDep
from orders.read_model.jeopardy import JeopardyCause, JeopardyLevel

router = APIRouter(prefix="/jeopardy")

PAGE: Final = 50
LEVELS: Final = (JeopardyLevel.MISSED, JeopardyLevel.IN_JEOPARDY, JeopardyLevel.AT_RISK)
"""The worst first."""


@router.get("")
async def queue(page: PageDep, register: RegisterDep, links: LinksDep, looker: Looker) -> Response:
    """What is looked for of it, and how much there is by level, cause and silo."""
    asked, wrong = asked_in_address(page, JeopardySearch, ("level",), limit=PAGE)
    listed = JeopardyListResponse(orders=(), counts=(), total=0, next_offset=None)
    if asked is not None:
        listed = await jeopardy_routes.jeopardy(asked, links, register, looker)
    return page.show(
        "jeopardy.html",
        asked=asked or JeopardySearch(),
        wrong=wrong,
        listed=listed,
        by_level=by_level(listed.counts),
        levels=LEVELS,
        causes=JeopardyCause,
        silos=sorted(page.request.app.state.provided.catalog.catalog.silos),
    )


def by_level(counts: tuple[JeopardyCountResponse, ...]) -> dict[JeopardyLevel, int]:
    """How many orders there are of each level."""
    return {level: sum(each.orders for each in counts if each.level is level) for level in LEVELS}
