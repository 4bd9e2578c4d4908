"""`orderpipe work-items`: what people are asked to do, and what they say of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer
from pydantic import JsonValue

from ops.commands.speaking import Api, Json, OrShow, Token, at_the_door
from ops.terminal import terminal

work_items = typer.Typer(
    cls=OrShow, help="What people are asked to do: `work-items` lists what is open, `work-items ID` shows one."
)

_Work = Annotated[str, typer.Argument(metavar="ID", help="Of the work item.")]
_Said = Annotated[str, typer.Option(help="What others should know.", show_default="nothing")]


@work_items.callback(invoke_without_command=True)
def list_work_items(
    ctx: typer.Context,
    group: Annotated[str | None, typer.Option(help="Of that one.", show_default="any")] = None,
    order_id: Annotated[str | None, typer.Option("--order", help="Of that one.", show_default="any")] = None,
    silo: Annotated[str | None, typer.Option(help="Of that one.", show_default="any")] = None,
    claimed_by: Annotated[str | None, typer.Option(help="That somebody has.", show_default="anybody")] = None,
    unclaimed: Annotated[bool, typer.Option("--unclaimed", help="That nobody has.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="That should be done by now.")] = False,
    state: Annotated[str, typer.Option(help="open, done, refused, fallenAway or all.")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
    as_json: Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """List what people are asked to do, what is due first comes first."""
    from ops.client.work_items import now, show_work_items, states

    if ctx.invoked_subcommand is not None:
        return
    search = {
        "group": group,
        "order": order_id,
        "silo": silo,
        "claimedBy": claimed_by,
        "claimed": "false" if unclaimed else None,
        "dueBefore": now() if overdue else None,
        "state": states(state),
        "limit": limit,
    }
    at_the_door(api, token, lambda door: show_work_items(door, search, terminal(), as_json=as_json))


@work_items.command("show")
def show_work(work_item: _Work, as_json: Json = False, api: Api = None, token: Token = None) -> None:
    """Show a work item: what is to be done, what is to be given back, and its story."""
    _work(work_item, None, api, token, as_json=as_json)


@work_items.command("claim")
def claim_work(work_item: _Work, note: _Said = "", as_json: Json = False, api: Api = None, token: Token = None) -> None:
    """Have a work item, which is nobody else's then."""
    _work(work_item, {"claimed": True, "note": note}, api, token, as_json=as_json)


@work_items.command("release")
def release_work(
    work_item: _Work, note: _Said = "", as_json: Json = False, api: Api = None, token: Token = None
) -> None:
    """Have a work item no more: others may claim it."""
    _work(work_item, {"claimed": False, "note": note}, api, token, as_json=as_json)


@work_items.command("done")
def work_done(
    work_item: _Work,
    outputs: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE...", help="What came of it.")] = None,
    note: _Said = "",
    as_json: Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Tell that a work item is done, with what its form asks for."""
    from ops.client.work_items import outputs_of

    done = {"state": "done", "outputs": outputs_of(outputs or []), "note": note}
    _work(work_item, done, api, token, as_json=as_json)


@work_items.command("refuse")
def refuse_work(
    work_item: _Work,
    reason: Annotated[str, typer.Option(help="Why it cannot be done.")],
    code: Annotated[str, typer.Option(help="For programs.", show_default="refused_by_hand")] = "",
    as_json: Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Tell that a work item cannot be done: its order waits for a person then."""
    _work(work_item, {"state": "refused", "reason": reason, "code": code}, api, token, as_json=as_json)


@work_items.command("note")
def note_work(
    work_item: _Work,
    text: Annotated[str, typer.Argument()],
    as_json: Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Say something about a work item."""
    _work(work_item, {"note": text}, api, token, as_json=as_json)


def _work(
    work_item: str, act: Mapping[str, JsonValue] | None, api: str | None, token: str | None, *, as_json: bool
) -> None:
    from ops.client.work_items import show_work_item

    at_the_door(api, token, lambda door: show_work_item(door, work_item, act, terminal(), as_json=as_json))
