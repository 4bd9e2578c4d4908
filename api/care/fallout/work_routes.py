"""Work items: what orders ask people to do. Whoever may do them sees those of their groups, and of none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Body, Query

from api.access.principal import ANYBODY, Principal, Scope
from api.blocking import run_blocking
from api.care.fallout.fallout_bodies import StoryResponse
from api.care.fallout.work_bodies import ListedWorkItem, ListedWorkItems, WorkItemPatch, WorkItemResponse, WorkSearch
from api.errors import Forbidden, UnknownWorkItem, WorkItemOver
from api.http.dependencies import Doer, Id, LinksDep, RegisterDep, WorkDoneDep, errors
from api.service.work_done import claimed_by_another
from api.tmf.links import Links
from orders.read_model.work_state import WorkState
from register import Register
from register.hands import Claimed, Over
from register.work_items.item import Sight, WorkItem, WorkQuery

log = structlog.get_logger()
router = APIRouter(prefix="/care/v1/work-items", tags=["care"])


@router.get("", summary="What people are asked to do", responses=errors(400, 503))
async def work_items(
    search: Annotated[WorkSearch, Query()], links: LinksDep, register: RegisterDep, doer: Doer
) -> ListedWorkItems:
    """Of one's groups, and of none. What is due first comes first."""
    query = WorkQuery(
        state=tuple(search.state) or (WorkState.OPEN,),
        order=search.order,
        silo=search.silo,
        operation=search.operation,
        group=search.group,
        claimed=search.claimed,
        claimed_by=search.claimed_by,
        due_before=search.due_before,
        sight=sight_of(doer),
        offset=search.offset,
        limit=search.limit,
    )

    def answer() -> ListedWorkItems:
        page = register.work_items.page(query)
        following = search.offset + len(page.items)
        return ListedWorkItems(
            work_items=tuple(ListedWorkItem.model_validate(_told(item, links)) for item in page.items),
            total=page.total,
            next_offset=following if page.items and following < page.total else None,
        )

    return await run_blocking(answer)


@router.get("/{work_item_id}", summary="A work item with its story", responses=errors(404, 503))
async def one(work_item_id: Id, links: LinksDep, register: RegisterDep, doer: Doer) -> WorkItemResponse:
    """What is to be done, by when, what is to be given back, who has it, and what was said."""
    return await _answer(work_item_id, links, register, sight_of(doer))


@router.patch("/{work_item_id}", summary="Do something about a work item", responses=errors(400, 404, 409, 503))
async def act(
    work_item_id: Id,
    links: LinksDep,
    register: RegisterDep,
    work_done: WorkDoneDep,
    doer: Doer,
    body: Annotated[WorkItemPatch, Body()],
) -> WorkItemResponse:
    """One person has it at a time: 409 names who. What is told as done, or refused, has reached its order.

    Handing over and release is for whoever has it; operators take it from others. Whoever ends it has it, or nobody
    has.
    """
    item = await _found(work_item_id, register, sight_of(doer))
    by = body.requester or doer.name if doer is ANYBODY else doer.name
    match body.state:
        case WorkState.DONE:
            await work_done.done(item, by, body.outputs, body.note)
        case WorkState.REFUSED:
            await work_done.refused(item, by, body.code, body.reason, body.note)
        case _:
            await _hand(item, by, body, register, anyone=doer.may(Scope.OPERATE))
    log.info("work item acted on", work_item=item.id, state=body.state)
    return await _answer(work_item_id, links, register, None)


async def _hand(item: WorkItem, by: str, body: WorkItemPatch, register: Register, *, anyone: bool) -> None:
    hands, now = register.work_items.hands, datetime.now(UTC)

    def do() -> None:
        if body.to is not None or body.group is not None:
            hands.hand_over(item.id, by, now, to=body.to, group=body.group, note=body.note, anyone=anyone)
        elif body.claimed is False:
            hands.release(item.id, by, now, note=body.note, anyone=anyone)
        elif body.claimed:
            hands.claim(item.id, by, now)
        if body.claimed or body.to is not None:
            register.work_items.begin(item.id, now)
        if body.note and (body.claimed or (body.claimed is None and body.to is None and body.group is None)):
            hands.note(item.id, by, now, body.note)

    try:
        await run_blocking(do)
    except Claimed as claimed:
        raise claimed_by_another(claimed) from claimed
    except Over as over:
        raise WorkItemOver("It is over", "Nobody is to do it any more") from over


def sight_of(doer: Principal) -> Sight | None:
    """Whose work items somebody sees. None: all.

    Raises:
        Forbidden: if the token is that of a customer.
    """
    if doer.customer is not None:
        raise Forbidden("A customer sees no work items", f"The token is that of {doer.customer}")
    return None if doer.may(Scope.OPERATE) else Sight(doer.groups)


async def _found(work: str, register: Register, sight: Sight | None) -> WorkItem:
    found = await run_blocking(register.work_items.find, work, sight)
    if found is None:
        raise UnknownWorkItem(f"There is no work item {work}, or none that one may see")
    return found


async def _answer(work: str, links: Links, register: Register, sight: Sight | None) -> WorkItemResponse:
    """A work item with its story. One that was just given to others is told once more: in no sight but that of all."""
    found = await _found(work, register, sight)
    story = await run_blocking(register.work_items.story, work)
    entries = tuple(StoryResponse.model_validate(entry) for entry in story)
    return WorkItemResponse.model_validate({**_told(found, links), "story": entries})


def _told(item: WorkItem, links: Links) -> dict[str, object]:
    return {**dict(item), "href": links.work_item(item.id), "order_href": links.care(item.order_id)}
