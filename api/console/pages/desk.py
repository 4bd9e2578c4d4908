"""The desk: how everything stands, at a glance."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from api.blocking import run_blocking
from api.care.customers import customer_routes
from api.care.customers.customer_bodies import OrderListSearch
from api.care.silos import silo_routes
from api.console.page import CONSOLE, PageDep
from api.http.dependencies import LinksDep, Looker, RegisterDep, SilosDep
from orders.read_model.states import LifecycleState

router = APIRouter()

_SHOWN = 8


@router.get("/")
async def desk(page: PageDep, register: RegisterDep, silos: SilosDep, links: LinksDep, looker: Looker) -> Response:
    """Orders by state, what is late, what needs a person, and the silos."""
    if not looker.sees_every_order:
        return page.go(f"{CONSOLE}/orders")
    figures = await run_blocking(register.search.figures)
    late = await customer_routes.orders(
        _sought(inJeopardy=True, state=_OPEN, sort="promisedAt"), links, register, looker
    )
    held = await customer_routes.orders(_sought(state=[LifecycleState.HELD], sort="orderedAt"), links, register, looker)
    told = await silo_routes.silos(silos, links)
    return page.show(
        "desk.html",
        figures=figures,
        late=late,
        held=held,
        silos=told.silos,
        open_states=_OPEN,
        ended_states=_ENDED,
    )


_ENDED = (LifecycleState.COMPLETED, LifecycleState.CANCELLED, LifecycleState.REJECTED)
_OPEN = tuple(state for state in LifecycleState if state not in _ENDED)


def _sought(**given: object) -> OrderListSearch:
    return OrderListSearch.model_validate({**given, "limit": _SHOWN})
