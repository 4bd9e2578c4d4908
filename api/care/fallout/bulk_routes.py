"""The care API's bulk work: what all orders that fit are asked for, and what became of it with each.

For agents and operators who see every order: a token of one customer cannot ask many orders for anything.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, TypeAlias

import structlog
from fastapi import APIRouter, Body, Depends, Header, Query, Response

from api.access.principal import Principal
from api.blocking import run_blocking
from api.care.customers.customer_routes import order_query
from api.care.fallout.bulk_bodies import (
    ActionResponse,
    BulkBody,
    BulkOrderResponse,
    BulkOrdersResponse,
    BulkPreviewResponse,
    JobResponse,
    JobsResponse,
    SampledOrderResponse,
    SteerBody,
)
from api.care.fallout.fallout_routes import fallout_query
from api.errors import Forbidden, Malformed, UnknownJob, problem
from api.http.dependencies import Agent, BulkDep, Id, LinksDep, Offset, RegisterDep, errors
from api.tmf.links import Links
from api.tmf.tmf622.request import fitting
from orders.change.bulk import FOR_MANY, BulkAction, request_id
from orders.change.request import ChangeKind, fingerprint, misfits
from orders.read_model.fallout import FalloutState
from orders.read_model.jobs.bulk import UNDECIDED, BulkJob, BulkOrder, BulkState, BulkStatus, JobState, StopAt
from orders.read_model.jobs.bulk_words import status_in_words
from register.bulk.query import Sought

log = structlog.get_logger()
router = APIRouter(prefix="/care/v1/bulk", tags=["care"])
_NO_MORE = SteerBody()


def _of_every_order(agent: Agent) -> Principal:
    if not agent.sees_every_order:
        raise Forbidden("The token is that of one customer", "Many orders are asked by who sees every order")
    return agent


BulkAgent: TypeAlias = Annotated[Principal, Depends(_of_every_order)]
"""Whoever takes care of all orders, and not of one customer's alone."""

Limit: TypeAlias = Annotated[int, Query(ge=1, le=1000)]


@router.post(
    "",
    summary="Ask all orders that fit for the same",
    status_code=202,
    responses={200: {"model": BulkPreviewResponse, "description": "What it would be over: a dry run"}}
    | errors(400, 409, 503),
)
async def begin(
    body: Annotated[BulkBody, Body()],
    response: Response,
    bulk: BulkDep,
    links: LinksDep,
    agent: BulkAgent,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=100)] = None,
    dry_run: Annotated[bool, Query(alias="dryRun")] = False,
) -> JobResponse | BulkPreviewResponse:
    """Retry, hold, release, cancel or reschedule them, or give them another priority.

    All that fit are frozen now, up to 100,000, and then asked by ordinary changes, each under the request id
    `<job>.<order>`. With `dryRun=true` nothing is begun: the answer tells how many fit, the first few, and a digest.

    409 `nothing_fits`; 409 `preview_outdated` where the digest is another by now.
    """
    action = _action(body)
    sought = _sought(body, agent)
    if dry_run:
        found = await bulk.preview(sought)
        response.status_code = 200
        sample = tuple(
            SampledOrderResponse.model_validate({**dict(each), "href": links.care(each.order_id)})
            for each in found.sample
        )
        return BulkPreviewResponse(total=found.total, digest=found.digest, sample=sample)
    requester, channel = agent.requester(body.requester), agent.channel_for(body.channel) or ""
    asked = body.model_dump(mode="json", exclude={"request_id", "requester", "channel"}, exclude_defaults=True)
    job = fitting(
        BulkJob,
        id=_job_id(body.request_id or idempotency_key or str(uuid.uuid4())),
        action=action,
        sought=_as_written(body),
        requester=requester,
        channel=channel,
        reason=body.reason,
        rate=body.rate,
        stop_at=StopAt(number=body.stop_at.number, share=body.stop_at.share),
    )
    status = await bulk.begin(job, sought, digest=fingerprint(requester, channel, asked), previewed=body.digest)
    log.info("bulk work begun", job=job.id, kind=action.kind.value, orders=status.counts.total)
    return _job(status, links)


@router.get("", summary="Bulk work", responses=errors(503))
async def jobs(
    register: RegisterDep, links: LinksDep, agent: BulkAgent, offset: Offset = 0, limit: Limit = 100
) -> JobsResponse:
    """The latest first."""
    page = await run_blocking(register.bulk.page, offset, limit)
    told = tuple(_job(status, links) for status in page.jobs)
    return JobsResponse(jobs=told, total=page.total, next_offset=_next(offset, told, page.total))


@router.get("/{job_id}", summary="One job of bulk work", responses=errors(404, 503))
async def one(job_id: Id, register: RegisterDep, links: LinksDep, agent: BulkAgent) -> JobResponse:
    """What it asks for, by whom and why, how fast, and how many of its orders are where."""
    status = await run_blocking(register.bulk.find, job_id)
    if status is None:
        raise UnknownJob(f"There is no job {job_id}")
    return _job(status, links)


@router.get("/{job_id}/orders", summary="The orders of a job", responses=errors(400, 404, 503))
async def orders(
    job_id: Id,
    register: RegisterDep,
    links: LinksDep,
    agent: BulkAgent,
    state: Annotated[list[BulkState] | None, Query()] = None,
    offset: Offset = 0,
    limit: Limit = 200,
) -> BulkOrdersResponse:
    """A page of them, those in any of some states or all: asked, accepted or rejected and why, and what came of it."""
    if await run_blocking(register.bulk.find, job_id) is None:
        raise UnknownJob(f"There is no job {job_id}")
    page = await run_blocking(register.bulk.orders, job_id, state or (), offset, limit)
    told = tuple(_order(job_id, each, links) for each in page.orders)
    return BulkOrdersResponse(orders=told, total=page.total, next_offset=_next(offset, told, page.total))


@router.post("/{job_id}/stop", summary="Ask no more orders", responses=errors(400, 404, 503))
async def stop(
    job_id: Id, bulk: BulkDep, links: LinksDep, agent: BulkAgent, body: Annotated[SteerBody, Body()] = _NO_MORE
) -> JobResponse:
    """For good. What was asked already is not taken back, and what becomes of it is told all the same."""
    return await _steer(job_id, JobState.STOPPED, bulk, links, agent, body)


@router.post("/{job_id}/pause", summary="Ask no more orders for now", responses=errors(400, 404, 503))
async def pause(
    job_id: Id, bulk: BulkDep, links: LinksDep, agent: BulkAgent, body: Annotated[SteerBody, Body()] = _NO_MORE
) -> JobResponse:
    """Until it is resumed."""
    return await _steer(job_id, JobState.PAUSED, bulk, links, agent, body)


@router.post("/{job_id}/resume", summary="Go on asking orders", responses=errors(400, 404, 503))
async def resume(
    job_id: Id, bulk: BulkDep, links: LinksDep, agent: BulkAgent, body: Annotated[SteerBody, Body()] = _NO_MORE
) -> JobResponse:
    """After a pause. What was stopped stays so."""
    return await _steer(job_id, JobState.ASKING, bulk, links, agent, body)


async def _steer(
    job_id: str, to: JobState, bulk: BulkDep, links: Links, agent: Principal, body: SteerBody
) -> JobResponse:
    status = await bulk.steer(job_id, to, agent.requester(body.requester) or agent.name, body.reason)
    log.info("bulk work steered", job=job_id, to=to.value)
    return _job(status, links)


def _action(body: BulkBody) -> BulkAction:
    """What each order is asked for.

    Raises:
        Malformed: naming what does not fit its kind.
    """
    wanted = body.action
    silo = wanted.silo or (body.fallout.silo if body.fallout is not None and wanted.kind is ChangeKind.RETRY else None)
    fields = {
        "silo": silo,
        "priority": wanted.priority,
        "requested_start": wanted.requested_start_date,
        "requested_completion": wanted.requested_completion_date,
    }
    if wanted.kind not in FOR_MANY:
        raise Malformed([problem("action.kind", f"many orders are asked for {', '.join(FOR_MANY)}")])
    if wanted.kind is ChangeKind.RETRY and silo is None:
        raise Malformed([problem("action.silo", "says of which silo what was refused is tried again")])
    unfit = [problem(_PATHS.get(name or "", "action"), said) for name, said in misfits(wanted.kind, fields)]
    if unfit:
        raise Malformed(unfit)
    return fitting(BulkAction, "action", kind=wanted.kind, **fields)


_PATHS = {
    "silo": "action.silo",
    "priority": "action.priority",
    "requested_start": "action.requestedStartDate",
    "requested_completion": "action.requestedCompletionDate",
}


def _sought(body: BulkBody, agent: Principal) -> Sought:
    if body.fallout is not None:
        query = fallout_query(body.fallout, agent)
        # What somebody has acted on is under way already, and would be rejected.
        waiting = body.action.kind is ChangeKind.RETRY and not body.fallout.state
        return replace(query, state=(FalloutState.WAITING,)) if waiting else query
    assert body.orders is not None
    return order_query(body.orders, agent)


def _as_written(body: BulkBody) -> dict[str, object]:
    return {
        name: search.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        for name, search in (("fallout", body.fallout), ("orders", body.orders))
        if search is not None
    }


def _job_id(request: str) -> str:
    """The same for the same request id; short, since it begins the request id that each order is asked under."""
    return hashlib.sha256(request.encode()).hexdigest()[:12]


def _job(status: BulkStatus, links: Links) -> JobResponse:
    job, counts = status.job, status.counts
    href = links.job(job.id)
    return JobResponse.model_validate(
        {
            **dict(job),
            **{name: value for name, value in dict(status).items() if name not in ("job", "counts")},
            "action": ActionResponse.model_validate(job.action),
            "href": href,
            "orders": f"{href}/orders",
            "web_ui": links.web_ui_of_job(job.id),
            "total": counts.total,
            "accepted": counts.total - counts.of(*UNDECIDED, BulkState.REJECTED),
            "counts": {state: counts.of(state) for state in BulkState},
            "told": status_in_words(status),
        }
    )


def _order(job_id: str, order: BulkOrder, links: Links) -> BulkOrderResponse:
    change = links.change(order.order_id, request_id(job_id, order.order_id))
    return BulkOrderResponse.model_validate({**dict(order), "href": links.care(order.order_id), "change": change})


def _next(offset: int, told: Iterable[object], total: int) -> int | None:
    following = offset + len(tuple(told))
    return following if following > offset and following < total else None
