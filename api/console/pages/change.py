"""Change an order: what can be changed, a preview of what that would do, and the change, bound to its preview."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from api.access.principal import Principal, Scope
from api.blocking import run_blocking
from api.care.orders import appointment_routes, order_routes
from api.care.orders.appointment_bodies import SlotResponse
from api.care.orders.change_bodies import ChangeBody, ChangeResponse, OptionsResponse, PreviewResponse
from api.console.asking import change_in
from api.console.page import CONSOLE, FormDep, Page, PageDep, in_path
from api.errors import Malformed, OrderClosed, Unavailable, problem, problems
from api.http.dependencies import Agent, AppointingDep, AskingDep, ChangingDep, LinksDep, VersionsDep, needs
from api.http.visibility import VisibleOrderId
from api.service.appointing import Appointing
from api.service.changing import Changing
from api.tmf.links import Links
from catalog_loader.catalog_files import UnknownCatalogVersion
from orders.change.request import ChangeState, Subject
from orders.model.catalog import Catalog

router = APIRouter(prefix="/orders/{order_id}/change", dependencies=[needs(Scope.CARE)])

_AT_ONCE: Final = 10
_BY_ADDRESS: Final = ("kind", "task", "silo", "item", "resolution")
"""What a link may ask a preview for: it changes nothing."""


@router.get("")
async def options(
    page: PageDep,
    order_id: VisibleOrderId,
    asking: AskingDep,
    changing: ChangingDep,
    appointing: AppointingDep,
    links: LinksDep,
    versions: VersionsDep,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
    slots_from: Annotated[date | None, Query(alias="slotsFrom")] = None,
) -> Response:
    """What can still be changed about the order and its items, and the slots that are free for its visits."""
    begin = datetime.combine(slots_from, time(), page.viewer.zone) if slots_from is not None else None
    order = await order_routes.order(order_id, asking, links)
    told = await order_routes.options(order_id, changing, offset, _AT_ONCE, skip)
    items = {item.id: item for item in order.items}
    return page.show(
        "change.html",
        order=order,
        told=told,
        items=items,
        offset=offset,
        slots_from=slots_from,
        slots_at=await _slots(order_id, told, appointing, begin),
        declared=await _declared(order.catalog, versions, {item.offering for item in order.items}),
    )


@router.get("/preview")
async def preview_of_a_link(
    page: PageDep, order_id: VisibleOrderId, changing: ChangingDep, links: LinksDep, agent: Agent
) -> Response:
    """What a change without fields to fill in would do."""
    given = {name: value for name, value in page.request.query_params.items() if name in _BY_ADDRESS}
    return await _previewed(page, order_id, change_in(given, page.viewer.zone), changing, links, agent)


@router.post("/preview")
async def preview_of_a_form(
    page: PageDep, order_id: VisibleOrderId, form: FormDep, changing: ChangingDep, links: LinksDep, agent: Agent
) -> Response:
    """What a change that was filled in would do."""
    return await _previewed(page, order_id, change_in(_text(form), page.viewer.zone), changing, links, agent)


@router.post("")
async def confirm(
    page: PageDep, order_id: VisibleOrderId, form: FormDep, changing: ChangingDep, links: LinksDep, agent: Agent
) -> Response:
    """Ask for what was previewed: at that fee, of that revision, with that impact."""
    fields = _text(form)
    asked = _read_json(fields.get("change"))
    seen: dict[str, Any] = {name: fields[name] for name in ("digest", "requestId") if fields.get(name)}
    if fields.get("revision", "").isdecimal():
        seen["expectedRevision"] = int(fields["revision"])
    if fields.get("fee"):
        seen["acceptFee"] = _read_json(fields["fee"])
    body = _body({**asked, **seen, "reason": fields.get("reason", "").strip() or asked.get("reason", "")})
    verdict = await order_routes.change(order_id, body, Response(), changing, links, agent, None, False)
    refused = isinstance(verdict, ChangeResponse) and verdict.state in (ChangeState.REJECTED, ChangeState.SUPERSEDED)
    if not refused:
        return page.go(f"{CONSOLE}/orders/{in_path(order_id)}", asked=body.request_id)
    before = {"fee": seen.get("acceptFee"), "expected": fields.get("expected") or None}
    return await _previewed(page, order_id, asked, changing, links, agent, refused=verdict, before=before)


async def _previewed(
    page: Page, order_id: str, asked: dict[str, Any], changing: Changing, links: Links, agent: Principal, **more: Any
) -> Response:
    body = _body(asked)
    told = await order_routes.change(order_id, body, Response(), changing, links, agent, None, True)
    assert isinstance(told, PreviewResponse), "a dry run is answered by a preview"
    return page.show(
        "preview.html",
        **{"refused": None, "before": None, **more},
        order_id=order_id,
        kind=body.kind,
        change=json.dumps(asked),
        reason=body.reason,
        request_id=uuid.uuid4().hex,
        told=told,
        fee=_fee(told),
        possible=told.state is not ChangeState.REJECTED,
        moves=body.kind.moves_the_target,
    )


def _fee(told: PreviewResponse) -> str | None:
    """The fee as it is accepted. A change has one currency."""
    return json.dumps(told.fees[0].model_dump(mode="json")) if told.fees else None


def _body(asked: dict[str, Any]) -> ChangeBody:
    try:
        return ChangeBody.model_validate(asked)
    except ValidationError as error:
        raise Malformed(problems(error)) from error


def _text(form: FormData) -> dict[str, str]:
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _read_json(text: str | None) -> dict[str, Any]:
    try:
        read = json.loads(text or "")
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise Malformed([problem("change", "cannot be read")])
    return read


@dataclass(frozen=True, slots=True)
class VisitSlots:
    """What is free for a visit, by the day at its site. `days` is None where any hour may be asked for.

    `unknown`: whoever has the slots does not answer now.
    """

    days: dict[date, list[SlotResponse]] | None = None
    unknown: bool = False
    zones: frozenset[str] = field(default_factory=frozenset)


async def _slots(
    order_id: str, told: OptionsResponse, appointing: Appointing, begin: datetime | None
) -> dict[str, VisitSlots]:
    """The slots of each site to which somebody has to come, if there is one that can have another visit."""
    sites = {
        option.name or ""
        for item in told.items
        for option in item.options
        if option.subject is Subject.APPOINTMENT and option.possible
    }
    if not sites:
        return {}
    try:
        offered = await appointment_routes.appointments(order_id, appointing, begin, None)
    except (Unavailable, OrderClosed):
        return dict.fromkeys(sites, VisitSlots(unknown=True))
    found = dict.fromkeys(sites, VisitSlots())
    for visit in offered.visits:
        if visit.site in found and visit.available_time_slot is not None:
            found[visit.site] = _by_day(visit.available_time_slot)
    return found


def _by_day(slots: tuple[SlotResponse, ...]) -> VisitSlots:
    days: dict[date, list[SlotResponse]] = {}
    for slot in slots:
        days.setdefault(date.fromisoformat(slot.valid_for.start_date_time[:10]), []).append(slot)
    return VisitSlots(days, zones=frozenset(slot.time_zone for slot in slots))


async def _declared(digest: str, versions: VersionsDep, offerings: set[str]) -> dict[str, Any]:
    """What values the characteristics of offerings may have, by the catalog that the order was sold from."""
    try:
        catalog: Catalog = await run_blocking(versions.load, digest)
    except UnknownCatalogVersion:
        return {}
    known = {name: catalog.offerings[name].specification for name in offerings if name in catalog.offerings}
    return {name: catalog.specifications[kind].characteristics for name, kind in known.items() if kind}
