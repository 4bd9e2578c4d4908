"""Work items: what orders ask people to do. They are claimed, spoken of, and told as done or not to be done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from api.access.principal import Scope
from api.care.fallout import work_routes
from api.care.fallout.work_bodies import FormField, ListedWorkItems, WorkItemPatch, WorkSearch
from api.console.fields import asked_in_address, body_of, text_of
from api.console.page import CONSOLE, FormDep, PageDep, in_path
from api.errors import Malformed, problem
from api.http.dependencies import Doer, Id, LinksDep, RegisterDep, WorkDoneDep, needs
from orders.read_model.work_state import WorkState

router = APIRouter(prefix="/work-items", dependencies=[needs(Scope.WORK)])

PAGE: Final = 50
DUE: Final = {"over": timedelta(), "day": timedelta(days=1), "week": timedelta(days=7)}
"""How far ahead what is to be done by then is looked for."""
_OUTPUT: Final = "outputs."
_SAID: Final = {
    "claim": ("note",),
    "release": ("note",),
    "handover": ("to", "group", "note"),
    "note": ("note",),
    "done": ("note",),
    "refuse": ("code", "reason", "note"),
}
"""Which fields each act takes; `done` those of the form too."""


@router.get("")
async def queue(page: PageDep, register: RegisterDep, links: LinksDep, doer: Doer) -> Response:
    """Those of one's groups and of none, what is due first comes first."""
    due = page.request.query_params.get("due", "")
    until = {"dueBefore": (page.viewer.now + DUE[due]).isoformat()} if due in DUE else {}
    asked, wrong = asked_in_address(page, WorkSearch, ("state",), without=("due",), limit=PAGE, **until)
    listed = ListedWorkItems(work_items=(), total=0, next_offset=None)
    if asked is not None:
        listed = await work_routes.work_items(asked, links, register, doer)
    return page.show(
        "work_items.html",
        asked=asked or WorkSearch(),
        due=due,
        wrong=wrong,
        listed=listed,
        states=WorkState,
        me=doer.name,
        groups=sorted(doer.groups),
    )


@router.get("/{work_item_id}")
async def one(page: PageDep, work_item_id: Id, register: RegisterDep, links: LinksDep, doer: Doer) -> Response:
    """What is to be done, by when, what is to be given back, who has it, and what was said."""
    told = await work_routes.one(work_item_id, links, register, doer)
    return page.show("work_item.html", work=told, me=doer.name)


@router.post("/{work_item_id}")
async def act(
    page: PageDep,
    work_item_id: Id,
    form: FormDep,
    register: RegisterDep,
    links: LinksDep,
    work_done: WorkDoneDep,
    doer: Doer,
) -> Response:
    """Do something about it: what the button says that was pressed."""
    fields = text_of(form)
    what = fields.get("do", "")
    asked: dict[str, Any] = {name: fields[name] for name in _SAID.get(what, ()) if name in fields}
    match what:
        case "claim" | "release":
            asked["claimed"] = what == "claim"
        case "done":
            declared = (await work_routes.one(work_item_id, links, register, doer)).form
            asked |= {"state": WorkState.DONE, "outputs": given_back(fields, declared)}
        case "refuse":
            asked["state"] = WorkState.REFUSED
        case "handover" | "note":
            pass
        case _:
            raise Malformed([problem("do", "is nothing that can be done about a work item")])
    if what == "handover" and not {"to", "group"} & asked.keys():
        raise Malformed([problem("to", "says to whom, or group to which group")])
    body = body_of(WorkItemPatch, asked)
    await work_routes.act(work_item_id, links, register, work_done, doer, body)
    # What was given to others may be out of sight by now.
    return page.go(f"{CONSOLE}/work-items" if what == "handover" else f"{CONSOLE}/work-items/{in_path(work_item_id)}")


def given_back(fields: Mapping[str, str], declared: Mapping[str, FormField]) -> dict[str, Any]:
    """The values of a form by name, each of the type that is declared for it. What was left empty is not given.

    Raises:
        Malformed: if one cannot be read as such.
    """
    given: dict[str, Any] = {}
    for field, text in fields.items():
        name = field.removeprefix(_OUTPUT)
        if name == field:
            continue
        kind = declared.get(name)
        given[name] = text if kind is None or (kind.type == "string" and kind.values is None) else _read(field, text)
    return given


def _read(field: str, text: str) -> Any:
    """Whatever is no plain text stands in the form as JSON."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise Malformed([problem(field, "cannot be read")]) from error
