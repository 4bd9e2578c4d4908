"""Silos: how each is, what waits for it, and what operators do with it by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import Response

from api.access.principal import Scope
from api.care.silos import silo_routes
from api.care.silos.silo_bodies import SiloPatch
from api.console.fields import body_of, text_of
from api.console.page import CONSOLE, FormDep, PageDep, in_path
from api.errors import Malformed, problem
from api.http.dependencies import Id, LinksDep, Operator, SilosDep, needs

router = APIRouter(prefix="/silos", dependencies=[needs(Scope.LOOK)])

_PLAIN: Final = {
    "pause": {"paused": True},
    "resume": {"paused": False},
    "unthrottle": {"throttle": 0},
}


@router.get("")
async def silos(page: PageDep, desk: SilosDep, links: LinksDep) -> Response:
    """Every silo, those that are waited for most first."""
    told = await silo_routes.silos(desk, links)
    return page.show("silos.html", silos=told.silos)


@router.get("/{name}")
async def silo(page: PageDep, name: Id, desk: SilosDep, links: LinksDep) -> Response:
    """One silo, and what can be done with it."""
    return page.show("silo.html", silo=await silo_routes.silo(name, desk, links))


@router.post("/{name}")
async def steer(
    page: PageDep, name: Id, form: FormDep, desk: SilosDep, links: LinksDep, operator: Operator
) -> Response:
    """Do something with it: what the button says that was pressed."""
    body = body_of(SiloPatch, _asked(text_of(form), page.viewer.zone))
    await silo_routes.steer(name, body, desk, links, operator)
    return page.go(f"{CONSOLE}/silos/{in_path(name)}")


def _asked(fields: dict[str, str], zone: ZoneInfo) -> dict[str, Any]:
    """What a form asks for, in the words of the care API."""
    what, why = fields.get("do", ""), {"reason": fields.get("reason", "")}
    if what in _PLAIN:
        return {**_PLAIN[what], **why}
    if what == "throttle":
        return {"throttle": fields.get("rate"), **why}
    if what == "close":
        return {"closeWindow": {"id": fields.get("window")}, **why}
    if what == "window":
        times = {name: _instant(name, fields[name], zone) for name in ("start", "end") if name in fields}
        return {"openWindow": times, **why}
    raise Malformed([problem("do", "is nothing that can be done with a silo")])


def _instant(name: str, text: str, zone: ZoneInfo) -> str:
    """An instant as a browser's field has it: by the viewer's clock."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).isoformat()
    except ValueError as error:
        raise Malformed([problem(name, "is no date and time")]) from error
