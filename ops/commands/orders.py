"""`orderpipe orders`: the list of orders."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.speaking import Api, Json, OlderThan, Token, at_the_door
from ops.terminal import terminal


def orders(
    find: Annotated[str | None, typer.Option(help="Words that it has: names, numbers, places.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Repeat it for several.", show_default="any")] = None,
    customer: Annotated[str | None, typer.Option(help="Of that one.", show_default="any")] = None,
    channel: Annotated[str | None, typer.Option(help="By that one.", show_default="any")] = None,
    external_id: Annotated[str | None, typer.Option(help="What its channel calls it.", show_default="any")] = None,
    offering: Annotated[str | None, typer.Option(help="With that.", show_default="any")] = None,
    silo: Annotated[str | None, typer.Option(help="That waits, since it refused.", show_default="any")] = None,
    late: Annotated[bool, typer.Option("--late", help="Expected later than promised.")] = False,
    older: OlderThan = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
    as_json: Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """List orders, the latest first."""
    from ops.client.fallout import long_ago
    from ops.client.orders import show_orders, states

    search = {
        "q": find,
        "state": states(state or []),
        "customer": customer,
        "channel": channel,
        "externalId": external_id,
        "offering": offering,
        "silo": silo,
        "inJeopardy": "true" if late else None,
        "orderedBefore": long_ago(older) if older is not None else None,
        "limit": limit,
    }
    at_the_door(api, token, lambda door: show_orders(door, search, terminal(), as_json=as_json))
