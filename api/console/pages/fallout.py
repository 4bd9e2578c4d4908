"""Fallout: the queue of calls that a person is needed for, and each with its story and the ways out of it."""

from __future__ import annotations

from typing import Final, NamedTuple

from fastapi import APIRouter
from fastapi.responses import Response

from api.access.principal import Principal, Scope
from api.care import fallout_routes, order_routes
from api.care.change_bodies import ChangeBody, PreviewResponse
from api.care.fallout_bodies import (
    ClaimBody,
    FalloutListSearch,
    FalloutSummaryResponse,
    HandoverBody,
    ListedFallouts,
    NoteBody,
    ReleaseBody,
)
from api.console.fields import asked_in_address, body_of, text_of
from api.console.page import CONSOLE, FormDep, Page, PageDep, in_path
from api.errors import ApiError
from api.http.dependencies import Agent, ChangingDep, Id, LinksDep, Looker, RegisterDep, needs
from api.service.changing import Changing
from api.tmf.links import Links
from orders.change.request import ChangeKind, ChangeState, Resolution
from orders.read_model.fallout import FalloutState

router = APIRouter(prefix="/fallout", dependencies=[needs(Scope.LOOK)])

PAGE: Final = 50
_WAYS: Final = (
    (ChangeKind.RETRY, None),
    (ChangeKind.RESOLVE, Resolution.DONE),
    (ChangeKind.RESOLVE, Resolution.KEPT),
    (ChangeKind.RESOLVE, Resolution.SUNK),
)


class Way(NamedTuple):
    """A way out of a fallout, and what it would do; None where the order cannot tell that now."""

    kind: ChangeKind
    resolution: Resolution | None
    told: PreviewResponse | None

    @property
    def possible(self) -> bool:
        """Whether it would be done if it was asked for now."""
        return self.told is not None and self.told.state is not ChangeState.REJECTED


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
    ways: tuple[Way, ...] = ()
    if told.state is not FalloutState.OVER and looker.may(Scope.CARE):
        ways = tuple([await _way(told.order_id, told.task, *way, changing, links, looker) for way in _WAYS])
    return page.show("fallout.html", fallout=told, ways=ways, me=looker.name)


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


async def _way(
    order_id: str,
    task: str,
    kind: ChangeKind,
    resolution: Resolution | None,
    changing: Changing,
    links: Links,
    agent: Principal,
) -> Way:
    body = ChangeBody(kind=kind, task=task, resolution=resolution)
    try:
        told = await order_routes.change(order_id, body, Response(), changing, links, agent, None, True)
    except ApiError:  # The order has ended, or does not answer: the fallout's story is shown all the same.
        return Way(kind, resolution, None)
    assert isinstance(told, PreviewResponse), "a dry run is answered by a preview"
    return Way(kind, resolution, told)


def _only(form: FormDep, *names: str) -> dict[str, str]:
    return {name: value for name, value in text_of(form).items() if name in names}


def _back(page: Page, fallout_id: str) -> Response:
    return page.go(f"{CONSOLE}/fallout/{in_path(fallout_id)}")
