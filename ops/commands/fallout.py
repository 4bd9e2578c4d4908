"""`orderpipe fallout` and `retry`: what needs a person, and having it tried again."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.commands.speaking import Api, Json, OlderThan, Token, at_the_door, failed
from ops.terminal import terminal


def fallout(
    silo: Annotated[str | None, typer.Option(help="Refused by that one.", show_default="any")] = None,
    operation: Annotated[str | None, typer.Option(help="Of that kind.", show_default="any")] = None,
    code: Annotated[str | None, typer.Option(help="With that code.", show_default="any")] = None,
    offering: Annotated[str | None, typer.Option(help="Of an order with that.", show_default="any")] = None,
    channel: Annotated[str | None, typer.Option(help="Of an order by that.", show_default="any")] = None,
    customer: Annotated[str | None, typer.Option(help="Of that one.", show_default="any")] = None,
    order_id: Annotated[str | None, typer.Option("--order", help="Of that one.", show_default="any")] = None,
    group: Annotated[str | None, typer.Option(help="Handed to that one.", show_default="any")] = None,
    severity: Annotated[list[str] | None, typer.Option(help="So grave. Repeatable.", show_default="any")] = None,
    claimed_by: Annotated[str | None, typer.Option(help="That somebody has.", show_default="anybody")] = None,
    unclaimed: Annotated[bool, typer.Option("--unclaimed", help="That nobody has.")] = False,
    late: Annotated[bool, typer.Option("--late", help="Of orders that are expected later than promised.")] = False,
    older: OlderThan = None,
    state: Annotated[str, typer.Option(help="open, waiting, underWay, over or all.")] = "open",
    sort: Annotated[str | None, typer.Option(help="Such as -attempts,since.", show_default="the oldest first")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
    summary: Annotated[bool, typer.Option("--summary", help="In numbers: by silo, operation and code.")] = False,
    as_json: Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """List the calls that a person is needed for: refused for good, or without any answer."""
    from ops.client.fallout import long_ago, severities, show_fallout, show_summary, states

    search = {
        "silo": silo,
        "operation": operation,
        "code": code,
        "offering": offering,
        "channel": channel,
        "customer": customer,
        "order": order_id,
        "group": group,
        "severity": severities(severity or ()),
        "claimedBy": claimed_by,
        "claimed": "false" if unclaimed else None,
        "inJeopardy": "true" if late else None,
        "sinceBefore": long_ago(older) if older is not None else None,
        "state": states(state),
    }
    if summary:
        at_the_door(api, token, lambda door: show_summary(door, search, terminal(), as_json=as_json))
    else:
        page = {**search, "sort": sort, "limit": limit}
        at_the_door(api, token, lambda door: show_fallout(door, page, terminal(), as_json=as_json))


def retry(
    order_id: Annotated[str, typer.Argument(metavar="ORDER")],
    task: Annotated[str | None, typer.Option(help="Of that one alone.", show_default="all")] = None,
    silo: Annotated[str | None, typer.Option(help="All that this one refused.", show_default="any")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For another program: the verdicts, a line each.")] = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Have silos asked again what they refused of an order. Exit status 1 if there is nothing to try again."""
    from ops.client.fallout import retry as try_again

    if task is not None and silo is not None:
        raise failed("Name a task or a silo, not both")
    granted = at_the_door(
        api, token, lambda door: try_again(door, order_id, terminal(), task=task, silo=silo, as_json=as_json)
    )
    raise typer.Exit(0 if granted else 1)
