"""The `orderpipe` command. Each command only reads its arguments; what it does stands in `ops` or with the process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from pydantic import JsonValue

import logs
from ops.commands.bulk import bulk
from ops.commands.speaking import Api, Commands, OrShow, Token
from ops.commands.speaking import at_the_door as _at_the_door
from ops.commands.speaking import failed as _failed
from ops.terminal import terminal
from settings import PRIVATE_UMASK, VERSION, Settings

# Everything else is imported where it is needed: a silo needs no Temporal, and a submission no web server.


app = typer.Typer(
    cls=Commands,
    help="The order pipe of a communications service provider: every order is one durable Temporal workflow.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
catalog = typer.Typer(help="What is sold, and how it is fulfilled.", no_args_is_help=True)
app.add_typer(catalog, name="catalog")
register = typer.Typer(help="Orders in SQL, for longer than Temporal keeps them.", no_args_is_help=True)
app.add_typer(register, name="register")
products = typer.Typer(help="The installed base: what customers have.", no_args_is_help=True)
app.add_typer(products, name="products")

work = typer.Typer(help="What people are asked to do. Without a command, what is open is listed.")
app.add_typer(work, name="work-items")

order = typer.Typer(
    cls=OrShow, help="One order: `order ID` shows where it is, why, and what comes next.", no_args_is_help=True
)
app.add_typer(order, name="order")
app.add_typer(bulk, name="bulk")

Host = Annotated[str | None, typer.Option(help="Where to listen.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Where to listen.", show_default="by the settings")]


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"orderpipe {VERSION}")
        raise typer.Exit


@app.callback()
def orderpipe(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version, and end.")
    ] = False,
) -> None:
    """What comes before every command: what it logs, and that its files are its owner's alone."""
    settings = Settings()
    logs.configure(settings.log_level, as_json=settings.log_format == "json")
    os.umask(PRIVATE_UMASK)


@app.command()
def up() -> None:
    """Run everything on this machine: Temporal with its Web UI, silos, a worker, the API. Ctrl-C stops it."""
    from ops.local.process import StackError
    from ops.local.up import run_up

    try:
        run_up(Settings(), terminal())
    except StackError as error:
        raise _failed(error) from error


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running at the end, until Ctrl-C.")] = False,
) -> None:
    """Show the whole pipe at work, in about half a minute: orders, changes, a failing silo, and what the silos hold."""
    from ops.demo.walkthrough import run_demo
    from ops.local.process import StackError

    try:
        done = run_demo(Settings(), terminal(), keep=keep)
    except StackError as error:
        raise _failed(error) from error
    raise typer.Exit(0 if done else 1)


@app.command()
def submit(
    files: Annotated[list[str], typer.Argument(help="JSON or NDJSON; - is standard input.", metavar="FILE...")],
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every order has ended.")] = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Submit orders. Exit status 1 if any was refused, or (with --wait) did not complete."""
    from ops.client.submit import submit as submit_orders

    taken_in = _at_the_door(api, token, lambda door: submit_orders(door, files, terminal(), wait=wait))
    raise typer.Exit(0 if taken_in else 1)


@app.command()
def watch(order_id: Annotated[str, typer.Argument(metavar="ID")], api: Api = None, token: Token = None) -> None:
    """Watch an order until it ends."""
    from ops.client.watch import watch as watch_order

    _at_the_door(api, token, lambda door: watch_order(door, order_id, terminal()))


@app.command()
def orders(
    find: Annotated[str | None, typer.Option(help="Words that it has: names, numbers, places.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Repeat it for several.", show_default="any")] = None,
    customer: Annotated[str | None, typer.Option(help="Of that one.", show_default="any")] = None,
    channel: Annotated[str | None, typer.Option(help="By that one.", show_default="any")] = None,
    external_id: Annotated[str | None, typer.Option(help="What its channel calls it.", show_default="any")] = None,
    offering: Annotated[str | None, typer.Option(help="With that.", show_default="any")] = None,
    silo: Annotated[str | None, typer.Option(help="That waits, since it refused.", show_default="any")] = None,
    late: Annotated[bool, typer.Option("--late", help="Expected later than promised.")] = False,
    older: Annotated[
        str | None, typer.Option("--older-than", metavar="TIME", help="15m, 2h or 3d.", show_default="any age")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False,
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
    _at_the_door(api, token, lambda door: show_orders(door, search, terminal(), as_json=as_json))


@app.command()
def fallout(
    silo: Annotated[str | None, typer.Option(help="Refused by that one.", show_default="any")] = None,
    operation: Annotated[str | None, typer.Option(help="Of that kind.", show_default="any")] = None,
    code: Annotated[str | None, typer.Option(help="With that code.", show_default="any")] = None,
    offering: Annotated[str | None, typer.Option(help="Of an order with that.", show_default="any")] = None,
    channel: Annotated[str | None, typer.Option(help="Of an order by that.", show_default="any")] = None,
    customer: Annotated[str | None, typer.Option(help="Of that one.", show_default="any")] = None,
    order_id: Annotated[str | None, typer.Option("--order", help="Of that one.", show_default="any")] = None,
    group: Annotated[str | None, typer.Option(help="Handed to that one.", show_default="any")] = None,
    claimed_by: Annotated[str | None, typer.Option(help="That somebody has.", show_default="anybody")] = None,
    unclaimed: Annotated[bool, typer.Option("--unclaimed", help="That nobody has.")] = False,
    late: Annotated[bool, typer.Option("--late", help="Of orders that are expected later than promised.")] = False,
    older: Annotated[
        str | None, typer.Option("--older-than", metavar="TIME", help="15m, 2h or 3d.", show_default="any age")
    ] = None,
    state: Annotated[str, typer.Option(help="open, waiting, underWay, over or all.")] = "open",
    sort: Annotated[str | None, typer.Option(help="Such as -attempts,since.", show_default="the oldest first")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
    summary: Annotated[bool, typer.Option("--summary", help="In numbers: by silo, operation and code.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """List the calls that a person is needed for: refused for good, or without any answer."""
    from ops.client.fallout import long_ago, show_fallout, show_summary, states

    search = {
        "silo": silo,
        "operation": operation,
        "code": code,
        "offering": offering,
        "channel": channel,
        "customer": customer,
        "order": order_id,
        "group": group,
        "claimedBy": claimed_by,
        "claimed": "false" if unclaimed else None,
        "inJeopardy": "true" if late else None,
        "sinceBefore": long_ago(older) if older is not None else None,
        "state": states(state),
    }
    if summary:
        _at_the_door(api, token, lambda door: show_summary(door, search, terminal(), as_json=as_json))
    else:
        page = {**search, "sort": sort, "limit": limit}
        _at_the_door(api, token, lambda door: show_fallout(door, page, terminal(), as_json=as_json))


@app.command()
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
        raise _failed("Name a task or a silo, not both")
    granted = _at_the_door(
        api, token, lambda door: try_again(door, order_id, terminal(), task=task, silo=silo, as_json=as_json)
    )
    raise typer.Exit(0 if granted else 1)


@app.command()
def silos(
    as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """List the silos: whether each is called, what waits for it, and how its calls went lately."""
    from ops.client.silos import show_silos

    _at_the_door(api, token, lambda door: show_silos(door, terminal(), as_json=as_json))


@app.command()
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
    as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Show a silo; pause it, let it go again, throttle it, or plan, open and close a maintenance window.

    Times are written as in ISO 8601, or as +90s, +15m, +2h or +3d from now.
    """
    from ops.client.silos import Act, patch_of, show_silo, steer_silo

    if act not in {each.value for each in Act}:
        raise _failed(f"{act} cannot be done with a silo: there are {', '.join(Act)}")
    if act == Act.SHOW:
        _at_the_door(api, token, lambda door: show_silo(door, name, terminal(), as_json=as_json))
        return
    patch = patch_of(Act(act), value, start=start, end=end, close=close, reason=reason)
    _at_the_door(api, token, lambda door: steer_silo(door, name, patch, terminal(), as_json=as_json))


_Work = Annotated[str, typer.Argument(metavar="ID", help="Of the work item.")]
_Said = Annotated[str, typer.Option(help="What others should know.", show_default="nothing")]
_Json = Annotated[bool, typer.Option("--json", help="For another program.")]


@work.callback(invoke_without_command=True)
def work_items(
    ctx: typer.Context,
    group: Annotated[str | None, typer.Option(help="Of that one.", show_default="any")] = None,
    order_id: Annotated[str | None, typer.Option("--order", help="Of that one.", show_default="any")] = None,
    silo: Annotated[str | None, typer.Option(help="Of that one.", show_default="any")] = None,
    claimed_by: Annotated[str | None, typer.Option(help="That somebody has.", show_default="anybody")] = None,
    unclaimed: Annotated[bool, typer.Option("--unclaimed", help="That nobody has.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="That should be done by now.")] = False,
    state: Annotated[str, typer.Option(help="open, done, refused, fallenAway or all.")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
    as_json: _Json = False,
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
    _at_the_door(api, token, lambda door: show_work_items(door, search, terminal(), as_json=as_json))


@work.command("show")
def show_work(work_item: _Work, as_json: _Json = False, api: Api = None, token: Token = None) -> None:
    """Show a work item: what is to be done, what is to be given back, and its story."""
    _work(work_item, None, api, token, as_json=as_json)


@work.command("claim")
def claim_work(
    work_item: _Work, note: _Said = "", as_json: _Json = False, api: Api = None, token: Token = None
) -> None:
    """Have a work item, which is nobody else's then."""
    _work(work_item, {"claimed": True, "note": note}, api, token, as_json=as_json)


@work.command("release")
def release_work(
    work_item: _Work, note: _Said = "", as_json: _Json = False, api: Api = None, token: Token = None
) -> None:
    """Have a work item no more: others may claim it."""
    _work(work_item, {"claimed": False, "note": note}, api, token, as_json=as_json)


@work.command("done")
def work_done(
    work_item: _Work,
    outputs: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE...", help="What came of it.")] = None,
    note: _Said = "",
    as_json: _Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Tell that a work item is done, with what its form asks for."""
    from ops.client.work_items import outputs_of

    done = {"state": "done", "outputs": outputs_of(outputs or []), "note": note}
    _work(work_item, done, api, token, as_json=as_json)


@work.command("refuse")
def refuse_work(
    work_item: _Work,
    reason: Annotated[str, typer.Option(help="Why it cannot be done.")],
    code: Annotated[str, typer.Option(help="For programs.", show_default="refused_by_hand")] = "",
    as_json: _Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Tell that a work item cannot be done: its order waits for a person then."""
    _work(work_item, {"state": "refused", "reason": reason, "code": code}, api, token, as_json=as_json)


@work.command("note")
def note_work(
    work_item: _Work,
    text: Annotated[str, typer.Argument()],
    as_json: _Json = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Say something about a work item."""
    _work(work_item, {"note": text}, api, token, as_json=as_json)


def _work(
    work_item: str, act: Mapping[str, JsonValue] | None, api: str | None, token: str | None, *, as_json: bool
) -> None:
    from ops.client.work_items import show_work_item

    _at_the_door(api, token, lambda door: show_work_item(door, work_item, act, terminal(), as_json=as_json))


@catalog.command("check")
def check_catalog(
    folder: Annotated[Path | None, typer.Argument(metavar="PATH", show_default="by the settings")] = None,
) -> None:
    """Check a catalog: print each problem with file, path and reason, or its version and what it holds."""
    from ops.maintenance.catalog_report import check_catalog as check

    raise typer.Exit(0 if check(folder or Settings().catalog_dir, terminal()) else 1)


@register.command("rebuild")
def rebuild_register() -> None:
    """Write again what orders have written, from Temporal's histories. Drops nothing; can run beside everything."""
    from ops.maintenance.register_rebuild import run_rebuild

    raise typer.Exit(0 if run_rebuild(Settings(), terminal()) else 1)


@register.command("abandoned")
def abandoned_orders() -> None:
    """Find orders whose workflow was ended from outside, and have them told as held in place of under way."""
    from ops.maintenance.abandoned_orders import run_abandoned

    run_abandoned(Settings(), terminal())


@register.command("forget")
def forget_customer(customer_id: Annotated[str, typer.Argument(metavar="CUSTOMER")]) -> None:
    """Have a customer's orders of before now found by their ids alone: no more by names, numbers or places."""
    from ops.maintenance.forgotten_customers import run_forget

    run_forget(Settings(), customer_id, terminal())


@products.command("unlock")
def unlock_products(order_id: Annotated[str, typer.Argument(metavar="ORDER")]) -> None:
    """Let other orders touch the products of one whose workflow was ended from outside, or never started."""
    from ops.maintenance.product_locks import run_unlock

    run_unlock(Settings(), order_id, terminal())


@order.command("show")
def show_order(
    order_id: Annotated[str, typer.Argument(metavar="ID")],
    timeline: Annotated[bool, typer.Option("--timeline", help="Show each task too, by when it began.")] = False,
    api: Api = None,
    token: Token = None,
) -> None:
    """Show where an order is, why, what comes next, and when. `order ID` is the same."""
    from ops.client.watch import show

    _at_the_door(api, token, lambda door: show(door, order_id, terminal(), timeline=timeline))


@order.command("rescue")
def rescue_order(
    order_id: Annotated[str, typer.Argument(metavar="ORDER")],
    drop: Annotated[
        list[int] | None,
        typer.Option("--drop", metavar="EVENT", help="Go on without what came in as that event; repeat it."),
    ] = None,
    keep_all: Annotated[
        bool, typer.Option("--keep-all", help="Go on with all that came in: the defect is mended.")
    ] = False,
) -> None:
    """Have an order go on whose workflow task fails for ever. Without an option, tell only what it may fail on."""
    from ops.maintenance.order_rescue import run_rescue

    goes_on = run_rescue(Settings(), order_id, drop or (), reset=bool(drop) or keep_all, console=terminal())
    raise typer.Exit(0 if goes_on else 1)


@app.command("api")
def run_api(host: Host = None, port: Port = None) -> None:
    """Run the API."""
    from api.access.guard import AccessError, check_exposure
    from api.app import create_app
    from api.server import run
    from catalog_loader.catalog_files import CatalogError

    settings = Settings()
    host = host or settings.api_host
    try:
        check_exposure(settings, host)
        served = create_app(settings)
    except (AccessError, CatalogError) as error:
        raise _failed(error) from error
    run(served, host, settings.api_port if port is None else port)


@app.command("simulated-silos")
def simulated_silos(
    host: Host = None,
    port: Port = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Keep everything in this folder.", show_default="in memory only")
    ] = None,
) -> None:
    """Run the simulated silos."""
    from simulated_silos.profiles import ProfileError
    from simulated_silos.server import serve
    from simulated_silos.store import StoreError

    settings = Settings()
    try:
        tokens = {silo: current for silo, (current, *_) in settings.read_silo_secrets().items()}
        serve(host or "127.0.0.1", settings.silos_port if port is None else port, data_dir, tokens)
    except (OSError, ValueError, ProfileError, StoreError) as error:
        raise _failed(error) from error


@app.command()
def worker() -> None:
    """Run a worker: it does the orders' work, and calls the silos."""
    from catalog_loader.catalog_files import CatalogError
    from register.engine import RegisterError
    from worker import main

    try:
        asyncio.run(main(Settings()))
    except (CatalogError, RegisterError, RuntimeError) as error:
        raise _failed(error) from error


@app.command()
def issuer() -> None:
    """Make a development issuer in the data folder, and secrets for the silos, where there are none yet.

    `orderpipe up` does so by itself. Never in production: whoever reads the folder may do everything.
    """
    from catalog_loader.catalog_files import CatalogError, read_catalog
    from ops.local.issuer import DevelopmentIssuer

    settings = Settings()
    try:
        DevelopmentIssuer(settings).prepare(read_catalog(settings.catalog_dir).silos)
    except (CatalogError, OSError) as error:
        raise _failed(error) from error


@app.command()
def token(
    scope: Annotated[
        list[str] | None,
        typer.Option(help="orders:submit, orders:read, work, care or operate; repeat it.", show_default="operate"),
    ] = None,
    channel: Annotated[str | None, typer.Option(help="The channel that it speaks for.", show_default="none")] = None,
    customer: Annotated[str | None, typer.Option(help="The only customer it is for.", show_default="any")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="A group whose work items it is for; repeat it.", show_default="none")
    ] = None,
    subject: Annotated[str, typer.Option(help="Who is written down as having asked.")] = "developer",
    minutes: Annotated[int, typer.Option(min=1, help="How long it lasts.")] = 720,
) -> None:
    """Print a token for the stack on this machine, made by its development issuer."""
    from datetime import timedelta

    from api.access.principal import Scope
    from ops.local.issuer import DevelopmentIssuer, IssuerError

    try:
        scopes = [Scope(name) for name in scope or [Scope.OPERATE]]
        made = DevelopmentIssuer(Settings()).token(
            scopes,
            subject=subject,
            channel=channel,
            customer=customer,
            groups=group or (),
            lifetime=timedelta(minutes=minutes),
        )
    except ValueError as error:
        raise _failed(f"There is no such scope: {error}") from error
    except IssuerError as error:
        raise _failed(error) from error
    typer.echo(made)


def main() -> None:
    """The command line, to its very end.

    The SDK's threads outlive its clients. One that calls into Python while Python is taken down aborts the process, and
    a command that did all that it should ends with a status that nobody gave it. So it is not taken down, but left.
    """
    status: object = 0
    try:
        app()
    except SystemExit as ended:
        status = ended.code
    if "temporalio" not in sys.modules or not isinstance(status, int | None):
        sys.exit(status)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)


if __name__ == "__main__":
    main()
