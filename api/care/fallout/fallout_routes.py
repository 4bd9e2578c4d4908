"""The care API's view of fallout: calls that a person is needed for, who sees to each, and what was said about it.

Whoever sees an order sees its fallout. Who has it, and the story, are for care agents and operators, who alone act.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Body, Query

from api.access.principal import ANYBODY, Principal, Scope
from api.blocking import run_blocking
from api.care.fallout.fallout_bodies import (
    ClaimBody,
    FalloutGroupResponse,
    FalloutListSearch,
    FalloutSearch,
    FalloutStoryResponse,
    FalloutSummaryResponse,
    HandoverBody,
    ListedFallout,
    ListedFallouts,
    NoteBody,
    ReleaseBody,
    StoryResponse,
    WayResponse,
    sorts_of,
)
from api.errors import FalloutClaimed, FalloutOver, UnknownFallout
from api.http.dependencies import Agent, ChangingDep, Id, LinksDep, Reader, RegisterDep, errors
from api.http.visibility import visibility_of
from api.service.changing import Changing
from api.tmf.links import Links
from orders.model.instants import instant
from orders.read_model.answer_words import fallout_in_words
from orders.read_model.fallout import FalloutSort, FalloutState
from register import Register
from register.fallout import people
from register.fallout.query import OPEN, Fallout, FalloutQuery

log = structlog.get_logger()
router = APIRouter(prefix="/care/v1/fallout", tags=["care"])
_ME, _NO_MORE = ClaimBody(), ReleaseBody()


@router.get("", summary="Calls that a person is needed for", responses=errors(400, 503))
async def fallout(
    search: Annotated[FalloutListSearch, Query()], links: LinksDep, register: RegisterDep, reader: Reader
) -> ListedFallouts:
    """Of the orders that one sees, the oldest first. Those in flight show as they were a few seconds ago at most."""
    query = fallout_query(search, reader, sorts_of(search.sort), search.offset, search.limit)

    def answer() -> ListedFallouts:
        page = register.fallout.page(query)
        following = search.offset + len(page.fallout)
        return ListedFallouts(
            fallout=tuple(_listed(each, links, reader) for each in page.fallout),
            total=page.total,
            next_offset=following if page.fallout and following < page.total else None,
        )

    return await run_blocking(answer)


@router.get("/summary", summary="Fallout in numbers", responses=errors(400, 503))
async def summary(
    search: Annotated[FalloutSearch, Query()], register: RegisterDep, reader: Reader
) -> FalloutSummaryResponse:
    """By silo, operation and code: how much, since when, of how many orders, and how many of those are late."""
    found = await run_blocking(register.fallout.summary, fallout_query(search, reader))
    groups = tuple(FalloutGroupResponse.model_validate(group) for group in found.groups)
    return FalloutSummaryResponse(groups=groups, total=found.total, total_groups=found.total_groups)


@router.get("/{fallout_id}", summary="A fallout with its story", responses=errors(404, 503))
async def one(
    fallout_id: Id, links: LinksDep, register: RegisterDep, reader: Reader, changing: ChangingDep
) -> FalloutStoryResponse:
    """What was refused, what it means, what waits for it, who has it, how it can be set right, and how it ended."""
    return await _told(fallout_id, links, register, reader, changing)


@router.post("/{fallout_id}/claim", summary="See to a fallout", responses=errors(400, 404, 409, 503))
async def claim(
    fallout_id: Id, links: LinksDep, register: RegisterDep, agent: Agent, body: Annotated[ClaimBody, Body()] = _ME
) -> FalloutStoryResponse:
    """One person has it at a time: 409 names who. Whoever has it already may ask again."""
    by = _who(agent, body)
    return await _act(
        fallout_id, "claim", links, register, agent, lambda at: register.fallout.claim(fallout_id, by, at)
    )


@router.post("/{fallout_id}/handover", summary="Give a fallout to somebody else", responses=errors(400, 404, 409, 503))
async def hand_over(
    fallout_id: Id, links: LinksDep, register: RegisterDep, agent: Agent, body: Annotated[HandoverBody, Body()]
) -> FalloutStoryResponse:
    """To a person, who has it then, or to a group. For whoever has it, for anybody where nobody has; for operators."""
    by, anyone = _who(agent, body), agent.may(Scope.OPERATE)

    def do(at: datetime) -> bool:
        return register.fallout.hand_over(
            fallout_id, by, at, to=body.to, group=body.group, note=body.note, anyone=anyone
        )

    return await _act(fallout_id, "hand over", links, register, agent, do)


@router.post("/{fallout_id}/release", summary="See to a fallout no more", responses=errors(400, 404, 409, 503))
async def release(
    fallout_id: Id,
    links: LinksDep,
    register: RegisterDep,
    agent: Agent,
    body: Annotated[ReleaseBody, Body()] = _NO_MORE,
) -> FalloutStoryResponse:
    """Others may claim it then. For whoever has it, and for operators."""
    by, anyone = _who(agent, body), agent.may(Scope.OPERATE)

    def do(at: datetime) -> bool:
        return register.fallout.release(fallout_id, by, at, note=body.note, anyone=anyone)

    return await _act(fallout_id, "release", links, register, agent, do)


@router.post("/{fallout_id}/notes", summary="Say something about a fallout", responses=errors(400, 404, 503))
async def note(
    fallout_id: Id, links: LinksDep, register: RegisterDep, agent: Agent, body: Annotated[NoteBody, Body()]
) -> FalloutStoryResponse:
    """For its story, also where it is over, or somebody else has it."""
    by = _who(agent, body)

    def do(at: datetime) -> bool:
        return register.fallout.note(fallout_id, by, at, body.note)

    return await _act(fallout_id, "note", links, register, agent, do)


def fallout_query(
    search: FalloutSearch,
    reader: Principal,
    sort: tuple[tuple[FalloutSort, bool], ...] = (),
    offset: int = 0,
    limit: int = 0,
) -> FalloutQuery:
    """What is looked for, in the register's words, and whose the reader sees of that."""
    return FalloutQuery(
        state=tuple(search.state) or OPEN,
        silo=search.silo,
        operation=search.operation,
        code=search.code,
        offering=search.offering,
        channel=search.channel,
        customer=search.customer,
        order=search.order,
        group=search.group,
        severity=tuple(search.severity),
        claimed=search.claimed,
        claimed_by=search.claimed_by,
        in_jeopardy=search.in_jeopardy,
        since_from=search.since_from,
        since_before=search.since_before,
        visible_to=visibility_of(reader),
        sort=sort,
        offset=offset,
        limit=limit,
    )


def _who(agent: Principal, body: ClaimBody) -> str:
    """Who acts: whose the token is. On whose behalf is no matter here."""
    return body.requester or agent.name if agent is ANYBODY else agent.name


async def _act(
    fallout_id: str,
    verb: str,
    links: Links,
    register: Register,
    agent: Principal,
    do: Callable[[datetime], bool],
) -> FalloutStoryResponse:
    """Act on a fallout that the agent sees, and tell it as it is then."""
    await _seen(fallout_id, register, agent)
    try:
        done = await run_blocking(do, datetime.now(UTC))
    except people.Claimed as claimed:
        since = f"since {instant(claimed.at)}"
        raise FalloutClaimed(f"{claimed.by} has it {since}", "Have it handed over, or released, first") from claimed
    except people.FalloutOver as over:
        raise FalloutOver("It is over", "Nobody is needed for it any more") from over
    if not done:
        raise UnknownFallout(f"There is no fallout {fallout_id}")
    log.info("fallout acted on", fallout=fallout_id, act=verb)
    return await _told(fallout_id, links, register, agent)


async def _seen(fallout_id: str, register: Register, reader: Principal) -> Fallout:
    found = await run_blocking(register.fallout.find, fallout_id, visibility_of(reader))
    if found is None:
        raise UnknownFallout(f"There is no fallout {fallout_id}, or none that one may see")
    return found


async def _told(
    fallout_id: str, links: Links, register: Register, reader: Principal, changing: Changing | None = None
) -> FalloutStoryResponse:
    """A fallout; with the ways to set it right where its order is asked for them."""
    fallout = await _seen(fallout_id, register, reader)
    is_agent, record = reader.may(Scope.CARE), fallout.record
    story = await run_blocking(register.fallout.story, fallout_id) if is_agent else ()
    ways = None
    if changing is not None and is_agent and record.state is not FalloutState.OVER:
        ways = await changing.ways(fallout.order_id, record.task)
    href = links.changes(fallout.order_id)
    told: dict[str, object] = {
        "story": tuple(StoryResponse.model_validate(entry) for entry in story),
        "ways": ways
        and tuple(WayResponse.model_validate({**dict(way), "words": way.words, "href": href}) for way in ways),
    }
    return FalloutStoryResponse.model_validate({**dict(_listed(fallout, links, reader)), **told})


def _listed(fallout: Fallout, links: Links, reader: Principal) -> ListedFallout:
    record, sees_people = fallout.record, reader.may(Scope.CARE)
    meaning = fallout_in_words(record)
    told = {
        **dict(record),
        **{name: value for name, value in dict(fallout).items() if name != "record"},
        "href": links.fallout(record.id),
        "order_href": links.care(fallout.order_id),
        "meaning": str(meaning),
        "meaning_wording": meaning,
    }
    if not sees_people:
        told |= {"claimed_by": None, "claimed_at": None, "group": None, "hand": None}
    return ListedFallout.model_validate(told)
