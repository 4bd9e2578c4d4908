"""`orderpipe silos` and `silo NAME`: how the silos are, and what is done with one by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.speaking import Api, Json, Token, at_the_door, failed
from ops.terminal import terminal


def silos(
    as_json: Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """List the silos: whether each is called, what waits for it, and how its calls went lately."""
    from ops.client.silos import show_silos

    at_the_door(api, token, lambda door: show_silos(door, terminal(), as_json=as_json))


def silo(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    act: Annotated[str, typer.Argument(metavar="[pause|resume|throttle|window]", show_default="show it")] = "show",
    value: Annotated[
        str | None, typer.Argument(metavar="[RATE|off|ID]", help="Of a throttle, or a window.", show_default="none")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Of a window.", show_default="now")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Of a window.", show_default="until it is closed")
    ] = None,
    close: Annotated[bool, typer.Option("--close", help="Close a window, or give it up.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for others to read.")] = "",
    as_json: Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Show a silo; pause it, let it go again, throttle it, or plan, open and close a maintenance window.

    Times are written as in ISO 8601, or as +90s, +15m, +2h or +3d from now.
    """
    from ops.client.silos import Act, patch_of, show_silo, steer_silo

    if act not in {each.value for each in Act}:
        raise failed(f"{act} cannot be done with a silo: there are {', '.join(Act)}")
    if act == Act.SHOW:
        at_the_door(api, token, lambda door: show_silo(door, name, terminal(), as_json=as_json))
        return
    patch = patch_of(Act(act), value, start=start, end=end, close=close, reason=reason)
    at_the_door(api, token, lambda door: steer_silo(door, name, patch, terminal(), as_json=as_json))
