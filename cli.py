"""The `orderpipe` command. Each command only reads its arguments; what it does stands in `ops` or with the process."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

import logs
from ops.commands.bulk import bulk
from ops.commands.demand import demand
from ops.commands.fallout import fallout, retry
from ops.commands.orders import orders
from ops.commands.silos import silo, silos
from ops.commands.speaking import Api, Commands, OrShow, Token
from ops.commands.speaking import at_the_door as _at_the_door
from ops.commands.speaking import failed as _failed
from ops.commands.work_items import work_items
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

order = typer.Typer(
    cls=OrShow, help="One order: `order ID` shows where it is, why, and what comes next.", no_args_is_help=True
)
app.add_typer(order, name="order")
app.add_typer(bulk, name="bulk")
app.add_typer(work_items, name="work-items")

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


for command in (orders, fallout, retry, silos, silo, demand):
    app.command()(command)


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
    from worker import main, run

    try:
        run(main(Settings()))
    except (CatalogError, RegisterError, RuntimeError) as error:
        raise _failed(error) from error


@app.command()
def issuer(
    serve: Annotated[bool, typer.Option("--serve", help="Serve its login pages, too, on loopback.")] = False,
) -> None:
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
    if serve:
        from ops.local.login_pages import serve as serve_pages

        serve_pages(settings)


@app.command()
def console(
    role: Annotated[str, typer.Option("--as", help="agent, operator or reader.")] = "operator",
    name: Annotated[str, typer.Option(help="Who is written down as having asked.")] = "developer",
    show: Annotated[bool, typer.Option("--print", help="Print the link only.")] = False,
) -> None:
    """Open the care console of the stack on this machine in a browser, signed in: by a link that works once."""
    from ops.local.console import ConsoleError, link
    from ops.local.issuer import IssuerError

    try:
        address = link(Settings(), role, name)
    except (ConsoleError, IssuerError) as error:
        raise _failed(error) from error
    typer.echo(address)
    if not show:
        typer.launch(address)


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
