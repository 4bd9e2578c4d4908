"""Fallout: the queue of calls that a person is needed for, and each with its story and the ways out of it."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from api.access.principal import Scope
from api.care.fallout import fallout_routes
from api.care.fallout.fallout_bodies import (
    ClaimBody,
    FalloutListSearch,
    FalloutSummaryResponse,
    HandoverBody,
    ListedFallouts,
    NoteBody,
    ReleaseBody,
    WayResponse,
)
from api.console.fields import asked_in_address, body_of, text_of
from api.console.page import CONSOLE, FormDep, Page, PageDep, in_path
from api.http.dependencies import Agent, ChangingDep, Id, LinksDep, Looker, RegisterDep, needs
from orders.read_model.fallout import FalloutState
from orders.tracking.what_if.ways import Way

router = APIRouter(prefix="/fallout", dependencies=[needs(Scope.LOOK)])

PAGE: Final = 50
_BY_CHANGE: Final = (Way.CORRECTED, Way.ITEM_CANCELLED)
"""Those that change what the customer is to have: they are asked for where everything is that can be changed."""


@router.get("")
async def queue(page: PageDep, register: RegisterDep, links: LinksDep, looker: Looker) -> Response:
    """What is looked for of it, and how much there is by silo, operation and code."""
    asked, wrong = asked_in_address(page, FalloutListSearch, ("state",), limit=PAGE)
    listed = ListedFallouts(fallout=(), total=0, next_offset=None)
    groups = FalloutSummaryResponse(groups=(), total=0, total_groups=0)
    if asked is not None:
        listed = await fallout_routes.fallout(asked, links, register, looker)
        groups = await fallout_routes.summary(asked, register, looker)
    return page.show(
        "fallouts.html",
        asked=asked or FalloutListSearch(),
        wrong=wrong,
        listed=listed,
        groups=groups,
        states=FalloutState,
        me=looker.name,
        silos=sorted(page.request.app.state.provided.catalog.catalog.silos),
    )


@router.get("/{fallout_id}")
async def one(
    page: PageDep, fallout_id: Id, register: RegisterDep, links: LinksDep, changing: ChangingDep, looker: Looker
) -> Response:
    """What was refused, what waits for it, who has it, and what each way out would do."""
    told = await fallout_routes.one(fallout_id, links, register, looker, changing)
    by_change = tuple(way for way in told.ways or () if way.way in _BY_CHANGE and way.possible)
    return page.show(
        "fallout.html",
        fallout=told,
        ways=tuple(way for way in told.ways or () if way.way not in _BY_CHANGE),
        by_change=by_change,
        fields={way.way: fields_of(way) for way in told.ways or ()},
        me=looker.name,
    )


@router.post("/{fallout_id}/claim")
async def claim(page: PageDep, fallout_id: Id, register: RegisterDep, links: LinksDep, agent: Agent) -> Response:
    """See to it."""
    await fallout_routes.claim(fallout_id, links, register, agent, ClaimBody())
    return _back(page, fallout_id)


@router.post("/{fallout_id}/release")
async def release(
    page: PageDep, fallout_id: Id, form: FormDep, register: RegisterDep, links: LinksDep, agent: Agent
) -> Response:
    """See to it no more."""
    body = body_of(ReleaseBody, _only(form, "note"))
    await fallout_routes.release(fallout_id, links, register, agent, body)
    return _back(page, fallout_id)


@router.post("/{fallout_id}/handover")
async def hand_over(
    page: PageDep, fallout_id: Id, form: FormDep, register: RegisterDep, links: LinksDep, agent: Agent
) -> Response:
    """Give it to somebody else."""
    body = body_of(HandoverBody, _only(form, "to", "group", "note"))
    await fallout_routes.hand_over(fallout_id, links, register, agent, body)
    return _back(page, fallout_id)


@router.post("/{fallout_id}/notes")
async def note(
    page: PageDep, fallout_id: Id, form: FormDep, register: RegisterDep, links: LinksDep, agent: Agent
) -> Response:
    """Say something about it."""
    await fallout_routes.note(fallout_id, links, register, agent, body_of(NoteBody, _only(form, "note")))
    return _back(page, fallout_id)


def fields_of(way: WayResponse) -> dict[str, str]:
    """What a person fills in for a way, by the field of its form: reasons, and what is given or was got by hand."""
    values = "inputs" if way.way is Way.OTHER_INPUT else "outputs"
    return {
        name if name == "reason" else f"{values}.{name}": name
        for name in way.takes
        if name != "requester"  # That is who is logged in.
    }


def _only(form: FormDep, *names: str) -> dict[str, str]:
    return {name: value for name, value in text_of(form).items() if name in names}


def _back(page: Page, fallout_id: str) -> Response:
    return page.go(f"{CONSOLE}/fallout/{in_path(fallout_id)}")
