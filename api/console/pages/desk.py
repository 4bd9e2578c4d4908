"""The desk: how everything stands, at a glance."""

from __future__ import annotations

import asyncio
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from api.access.principal import Principal, Scope
from api.blocking import run_blocking
from api.care.customers import customer_routes
from api.care.customers.customer_bodies import OrderListSearch
from api.care.fallout import bulk_routes, jeopardy_routes, work_routes
from api.care.fallout.bulk_bodies import JobResponse
from api.care.fallout.jeopardy_routes import JeopardySearch
from api.care.fallout.work_bodies import ListedWorkItems, WorkSearch
from api.care.silos import silo_routes
from api.console.page import CONSOLE, PageDep
from api.console.pages.jeopardy import LEVELS, by_level
from api.http.dependencies import Caller, LinksDep, RegisterDep, SilosDep
from api.tmf.links import Links
from orders.read_model.states import ENDS, LifecycleState
from register import Register

router = APIRouter()

_SHOWN = 8
_LATEST = 50
"""Jobs among which those under way are looked for."""


def _comer(caller: Caller) -> Principal:
    caller.require(Scope.LOOK if not caller.may(Scope.WORK) else Scope.WORK)
    return caller


Comer: TypeAlias = Annotated[Principal, Depends(_comer)]
"""Whoever has a page of their own to begin with."""


@router.get("/")
async def desk(page: PageDep, register: RegisterDep, silos: SilosDep, links: LinksDep, looker: Comer) -> Response:
    """Orders by state, what is late, what needs a person, and the silos. Who only does work items begins with those."""
    if not looker.may(Scope.LOOK):
        return page.go(f"{CONSOLE}/work-items")
    if not looker.sees_every_order:
        return page.go(f"{CONSOLE}/orders")
    # Each is asked of the register or of Temporal: one meanwhile of the others.
    figures, late, held, told, endangered, (jobs, work) = await asyncio.gather(
        run_blocking(register.search.figures),
        customer_routes.orders(_sought(inJeopardy=True, state=_OPEN, sort="promisedAt"), links, register, looker),
        customer_routes.orders(_sought(state=[LifecycleState.HELD], sort="orderedAt"), links, register, looker),
        silo_routes.silos(silos, links),
        jeopardy_routes.jeopardy(JeopardySearch(limit=1), links, register, looker),
        asyncio.gather(_jobs(register, links, looker), _work(register, links, looker)),
    )
    return page.show(
        "desk.html",
        figures=figures,
        danger=by_level(endangered.counts),
        levels=LEVELS,
        jobs=jobs,
        work=work,
        me=looker.name,
        late=late,
        held=held,
        silos=told.silos,
        open_states=_OPEN,
        ended_states=ENDS,
    )


_OPEN = tuple(state for state in LifecycleState if state not in ENDS)


async def _jobs(register: Register, links: Links, looker: Principal) -> tuple[JobResponse, ...] | None:
    """Of the latest bulk jobs those of which not all is known yet. None for who has nothing to do with them."""
    if not looker.may(Scope.CARE):
        return None
    told = await bulk_routes.jobs(register, links, looker, 0, _LATEST)
    return tuple(job for job in told.jobs if job.settled_at is None)[:_SHOWN]


async def _work(register: Register, links: Links, looker: Principal) -> ListedWorkItems | None:
    """What somebody has claimed and not done yet. None for who does no work items."""
    if not looker.may(Scope.WORK):
        return None
    mine = WorkSearch.model_validate({"claimedBy": looker.name, "limit": _SHOWN})
    return await work_routes.work_items(mine, links, register, looker)


def _sought(**given: object) -> OrderListSearch:
    return OrderListSearch.model_validate({**given, "limit": _SHOWN})
