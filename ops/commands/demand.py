"""`orderpipe demand`: what orders will still ask of silos, what there is, and when it runs out."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.speaking import Api, Json, Token, at_the_door, failed
from ops.terminal import terminal


def demand(
    silo: Annotated[str | None, typer.Option(show_default="all")] = None,
    operation: Annotated[str | None, typer.Option(show_default="all")] = None,
    place: Annotated[str | None, typer.Option(help="Such as a town.", show_default="all")] = None,
    kind: Annotated[str | None, typer.Option(help="Such as a sku.", show_default="all")] = None,
    begin: Annotated[str | None, typer.Option("--from", metavar="DAY", show_default="today")] = None,
    before: Annotated[str | None, typer.Option("--before", metavar="DAY", show_default="60 days later")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet.")] = False,
    as_json: Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Tell what orders will still ask of silos, by day, place and kind, what there is, and when it runs out."""
    from ops.client.demand import show_demand

    if as_csv and as_json:
        raise failed("--csv and --json are two forms: take one")
    search = {"silo": silo, "operation": operation, "place": place, "kind": kind, "from": begin, "before": before}
    form = "csv" if as_csv else "json" if as_json else "table"
    at_the_door(api, token, lambda door: show_demand(door, search, terminal(), form=form))
