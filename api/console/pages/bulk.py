"""Bulk jobs: what many orders are asked for at once. Tried dry first, then begun, followed, and stopped."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.access.principal import Principal, Scope
from api.care.fallout import bulk_routes
from api.care.fallout.bulk_bodies import BulkBody, BulkPreviewResponse, JobResponse, SteerBody
from api.care.fallout.bulk_routes import BulkAgent
from api.console.asking_many import of_fallout, wanted
from api.console.fields import body_of, text_of
from api.console.page import CONSOLE, FormDep, Page, PageDep, in_path
from api.errors import Detail, Malformed, PreviewOutdated, problem
from api.http.dependencies import BulkDep, Id, LinksDep, Offset, RegisterDep, needs
from api.service.bulk import Bulk
from api.tmf.links import Links
from orders.change.bulk import FOR_MANY
from orders.read_model.answer import WaitsFor
from orders.read_model.fallout import FalloutState
from orders.read_model.jobs.bulk import FASTEST, BulkState, JobState
from orders.read_model.states import LifecycleState

router = APIRouter(prefix="/bulk", dependencies=[needs(Scope.CARE)])

PAGE: Final = 50
_STEER: Final = {"stop": bulk_routes.stop, "pause": bulk_routes.pause, "resume": bulk_routes.resume}


@router.get("")
async def jobs(page: PageDep, register: RegisterDep, links: LinksDep, agent: BulkAgent, offset: Offset = 0) -> Response:
    """Every job, the latest first."""
    told = await bulk_routes.jobs(register, links, agent, offset, PAGE)
    return page.show("bulk.html", told=told, offset=offset)


@router.get("/new")
async def new(page: PageDep, agent: BulkAgent) -> Response:
    """What is to be asked, and of which orders; the address may have some of that."""
    given = {name: value for name, value in page.request.query_params.items() if value.strip()}
    return _asks(page, given, ())


@router.post("/preview")
async def preview(page: PageDep, form: FormDep, bulk: BulkDep, links: LinksDep, agent: BulkAgent) -> Response:
    """What the job would be over: nothing is begun."""
    given = text_of(form)
    try:
        asked = wanted(given, page.viewer.zone)
        return await _previewed(page, given, asked, bulk, links, agent)
    except Malformed as malformed:
        return _asks(page, given, malformed.details)


@router.post("")
async def begin(page: PageDep, form: FormDep, bulk: BulkDep, links: LinksDep, agent: BulkAgent) -> Response:
    """Begin with just those orders that were previewed, or show those that it would be by now."""
    fields = text_of(form)
    given = _read(fields.get("given"))
    asked = wanted(given, page.viewer.zone)
    held = {name: fields[name] for name in ("digest", "requestId") if name in fields}
    try:
        told = await bulk_routes.begin(body_of(BulkBody, asked | held), Response(), bulk, links, agent, None, False)
    except PreviewOutdated:
        return await _previewed(page, given, asked, bulk, links, agent, outdated=True)
    assert isinstance(told, JobResponse), "what is no dry run is answered by a job"
    return page.go(f"{CONSOLE}/bulk/{in_path(told.id)}")


@router.get("/{job_id}")
async def one(
    page: PageDep,
    job_id: Id,
    register: RegisterDep,
    links: LinksDep,
    agent: BulkAgent,
    state: Annotated[list[BulkState] | None, Query()] = None,
    offset: Offset = 0,
) -> Response:
    """How far a job is, and what became of it with each order."""
    job = await bulk_routes.one(job_id, register, links, agent)
    listed = await bulk_routes.orders(job_id, register, links, agent, state, offset, PAGE)
    return page.show(
        "bulk_job.html",
        job=job,
        listed=listed,
        offset=offset,
        chosen=tuple(state or ()),
        asks=job.state in (JobState.ASKING, JobState.PAUSED),
    )


@router.post("/{job_id}")
async def steer(page: PageDep, job_id: Id, form: FormDep, bulk: BulkDep, links: LinksDep, agent: BulkAgent) -> Response:
    """Stop it, or have it pause or go on: what the button says that was pressed."""
    fields = text_of(form)
    do = _STEER.get(fields.get("do", ""))
    if do is None:
        raise Malformed([problem("do", "is nothing that can be done with a job")])
    body = body_of(SteerBody, {name: fields[name] for name in ("reason",) if name in fields})
    await do(job_id, bulk, links, agent, body)
    return page.go(f"{CONSOLE}/bulk/{in_path(job_id)}")


def _asks(page: Page, given: dict[str, str], wrong: tuple[Detail, ...]) -> Response:
    """The form, with what was filled in and what is wrong with that."""
    return page.show(
        "bulk_new.html",
        400 if wrong else 200,
        given=given,
        wrong=wrong,
        of_fallout=of_fallout(given),
        kinds=FOR_MANY,
        fallout_states=FalloutState,
        order_states=LifecycleState,
        waits_for=WaitsFor,
        fastest=FASTEST,
        silos=sorted(page.request.app.state.provided.catalog.catalog.silos),
    )


async def _previewed(
    page: Page,
    given: dict[str, str],
    asked: dict[str, Any],
    bulk: Bulk,
    links: Links,
    agent: Principal,
    *,
    outdated: bool = False,
) -> Response:
    body = body_of(BulkBody, asked)
    told = await bulk_routes.begin(body, Response(), bulk, links, agent, None, True)
    assert isinstance(told, BulkPreviewResponse), "a dry run is answered by a preview"
    return page.show(
        "bulk_preview.html",
        told=told,
        body=body,
        sought=(asked.get("fallout") or asked.get("orders") or {}),
        of_fallout=of_fallout(given),
        given=given,
        kept=json.dumps(given),
        request_id=uuid.uuid4().hex,
        outdated=outdated,
    )


def _read(text: str | None) -> dict[str, str]:
    """The fields that were filled in, as the preview has kept them."""
    try:
        read = json.loads(text or "")
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict) or not all(isinstance(value, str) for value in read.values()):
        raise Malformed([problem("given", "cannot be read")])
    return read
