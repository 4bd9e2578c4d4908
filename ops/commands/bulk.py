"""`orderpipe bulk`: the commands that ask many orders for the same."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ops.commands.speaking import Api, Json, OlderThan, OrShow, Token, at_the_door
from ops.terminal import terminal

bulk = typer.Typer(
    cls=OrShow,
    help="Many orders at once: `bulk retry --silo tv` asks them, `bulk` lists what was asked, `bulk ID` tells how far "
    "it is.",
    invoke_without_command=True,
)


@bulk.callback()
def list_bulk_work(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 20,
    as_json: Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Many orders at once. Without a command: what many orders were asked for, the latest first."""
    if context.invoked_subcommand is None:
        from ops.client.bulk import show_jobs

        at_the_door(api, token, lambda door: show_jobs(door, terminal(), limit=limit, as_json=as_json))


@bulk.command("retry", help="Have a silo asked again what it refused.")
@bulk.command("hold", help="Begin nothing new for them.")
@bulk.command("release", help="Have them go on after a hold.")
@bulk.command("priority", help="Give them another priority.")
@bulk.command("cancel", help="Cancel them, where that costs no fee.")
@bulk.command("reschedule", help="Ask for other dates.")
def ask_many_orders(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why: it is kept.")],
    silo: Annotated[str | None, typer.Option(help="That wait, since it refused.", show_default="any")] = None,
    operation: Annotated[str | None, typer.Option(help="Refused of that kind.", show_default="any")] = None,
    code: Annotated[str | None, typer.Option(help="Refused with that code.", show_default="any")] = None,
    offering: Annotated[str | None, typer.Option(help="With that.", show_default="any")] = None,
    channel: Annotated[str | None, typer.Option(help="By that one.", show_default="any")] = None,
    customer: Annotated[str | None, typer.Option(help="Of that one.", show_default="any")] = None,
    group: Annotated[str | None, typer.Option(help="Handed to that one.", show_default="any")] = None,
    severity: Annotated[list[str] | None, typer.Option(help="So grave. Repeatable.", show_default="any")] = None,
    unclaimed: Annotated[bool, typer.Option("--unclaimed", help="That nobody has.")] = False,
    find: Annotated[str | None, typer.Option(help="Words that they have.", show_default="any")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Repeat it for several.", show_default="any")] = None,
    late: Annotated[bool, typer.Option("--late", help="Expected later than promised.")] = False,
    older: OlderThan = None,
    priority: Annotated[int | None, typer.Option(min=0, max=4, help="Of `priority`: from 0, the highest.")] = None,
    start: Annotated[str | None, typer.Option(help="Of `reschedule`: not before that.")] = None,
    completion: Annotated[str | None, typer.Option(help="Of `reschedule`: wanted by then.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=50, help="Orders a second at most.")] = 5.0,
    stop_at: Annotated[str, typer.Option("--stop-at", help="Failures: 50, 20% or never.")] = "50%",
    request: Annotated[
        str | None, typer.Option("--request-id", help="The same begins one job.", show_default="a new one")
    ] = None,
    digest: Annotated[str | None, typer.Option(help="Those of a dry run or none.", show_default="any")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show which, and ask none.")] = False,
    watched: Annotated[bool, typer.Option("--watch", help="Until it is known what came of it.")] = False,
    as_json: Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Ask all orders that fit for the same. Exit status 1 if none fits or, with --watch, if any has failed."""
    import uuid

    from ops.client import bulk as doing
    from ops.client.fallout import long_ago, severities
    from ops.client.orders import states

    search = {
        "silo": silo,
        "operation": operation,
        "code": code,
        "offering": offering,
        "channel": channel,
        "customer": customer,
        "group": group,
        "severity": severities(severity or ()),
        "claimed": False if unclaimed else None,
        "inJeopardy": True if late else None,
        "q": find,
        "state": states(state or []),
    }
    body = doing.body_of(
        context.info_name or "",
        search,
        {"priority": priority, "requestedStartDate": start, "requestedCompletionDate": completion},
        long_ago(older) if older is not None else None,
        reason=reason,
        rate=rate,
        stopAt=doing.stop_at(stop_at),
        digest=digest,
        # So that asking again, where no answer came, begins no second one.
        requestId=request or str(uuid.uuid4()),
    )
    if dry_run:
        going = at_the_door(api, token, lambda door: doing.preview(door, body, terminal(), as_json=as_json))
    else:
        going = at_the_door(
            api, token, lambda door: doing.begin(door, body, terminal(), watched=watched, as_json=as_json)
        )
    raise typer.Exit(0 if going else 1)


@bulk.command("show")
def show_job(
    job_id: Annotated[str, typer.Argument(metavar="ID")],
    listed: Annotated[bool, typer.Option("--orders", help="List its orders, and what came of each.")] = False,
    state: Annotated[
        list[str] | None, typer.Option(help="Of --orders: such as rejected; repeat it.", show_default="any")
    ] = None,
    watched: Annotated[bool, typer.Option("--watch", help="Until it is known what came of it.")] = False,
    as_json: Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Show how far a job is; `bulk ID` is the same. With --watch, exit status 1 if any order has failed."""
    from ops.client import bulk as doing

    async def show(door: Any) -> bool:
        if listed:
            await doing.show_orders(door, job_id, tuple(state or ()), terminal(), as_json=as_json)
            return True
        return await doing.show_job(door, job_id, terminal(), watched=watched, as_json=as_json)

    raise typer.Exit(0 if at_the_door(api, token, show) else 1)


@bulk.command("stop", help="Ask no more orders, for good.")
@bulk.command("pause", help="Ask no more orders for now.")
@bulk.command("resume", help="Go on after a pause.")
def steer_job(
    context: typer.Context,
    job_id: Annotated[str, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option(help="Why: it is kept.")] = "",
    as_json: Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Stop a job, or have it pause or go on. What was asked already is not taken back."""
    from ops.client.bulk import steer

    verb = context.info_name or ""
    at_the_door(api, token, lambda door: steer(door, job_id, verb, reason, terminal(), as_json=as_json))
