"""`orderpipe up`: the stack in the foreground, until Ctrl-C."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from ops.local.interrupt import until_interrupted
from ops.local.stack import Stack
from settings import ROOT, Settings


def run_up(settings: Settings, console: Console) -> None:
    """Run the stack and keep it alive until a signal comes.

    Raises:
        StackError: if it cannot run, or not go on.
    """
    asyncio.run(until_interrupted(_up(settings, console)))


async def _up(settings: Settings, console: Console) -> None:
    stack = Stack(settings)
    began = time.monotonic()
    with console.status("Starting Temporal, the simulated silos, a worker and the API ..."):
        await stack.start(lambda started: _tell_started(console, started))
    try:
        console.print(f"\n[bold]orderpipe is up[/bold] [dim]({time.monotonic() - began:.1f} s)[/dim]\n")
        console.print(_places(stack), highlight=False, soft_wrap=True)
        console.print("\nIn another terminal, so that the documentation's commands run as they stand:", soft_wrap=True)
        for line in exports(stack):
            console.print(f"  [bold]{escape(line)}[/bold]", highlight=False, soft_wrap=True)
        console.print(
            f"\nThe care console, signed in:\n  [bold]{command()} console[/bold]\n"
            f"\nTry it:\n  [bold]{command()} submit {_shown(ROOT / 'examples/orders/triple-play.json')} --wait[/bold]\n"
            "\nCtrl-C stops everything. Orders in flight go on at the next start.\n",
            highlight=False,
        )
        await stack.keep_alive(lambda news: _tell(console, news))
    finally:
        began = time.monotonic()
        with console.status("Stopping the API, the worker, the silos and Temporal ..."):
            await stack.stop()
        folder = _shown(stack.settings.data_dir)
        console.print(f"[dim]Stopped ({time.monotonic() - began:.1f} s). The orders are kept in {folder}.[/dim]")


def exports(stack: Stack) -> list[str]:
    """What to type in a shell so that the documentation's commands, and `orderpipe`, find this stack."""
    settings = stack.settings
    shell = {
        "API": settings.api_address,
        "SILOS": settings.silos_address,
        "TEMPORAL_ADDRESS": f"127.0.0.1:{settings.temporal_port}",
    }
    usual = {name: field.default for name, field in Settings.model_fields.items()}
    # What `orderpipe` itself has to know, where it would not guess it.
    usual["data_dir"] = Path.cwd() / usual["data_dir"]
    for name in (
        "data_dir",
        "api_port",
        "api_url",
        "silos_port",
        "silos_url",
        "issuer_port",
        "temporal_port",
        "temporal_ui_port",
    ):
        value = getattr(settings, name)
        if value != usual[name]:
            shell[f"ORDERPIPE_{name.upper()}"] = str(value)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in shell.items()]
    return [*lines, f"export TOKEN=$({command()} token)"] if stack.issuer is not None else lines


def command() -> str:
    """What a person types here to run `orderpipe`."""
    return "orderpipe" if shutil.which("orderpipe") else _shown(Path(sys.executable).with_name("orderpipe"))


def _tell_started(console: Console, started: str) -> None:
    console.print(f"  [green]✓[/green] {escape(started)}", highlight=False, soft_wrap=True)


def _tell(console: Console, news: str) -> None:
    console.print(f"[yellow]{time.strftime('%H:%M:%S')}[/yellow] {escape(news)}", highlight=False, soft_wrap=True)


def _places(stack: Stack) -> str:
    """A line for each process: where it is, and where its log."""
    settings = stack.settings
    places = (
        ("api", "Care console", f"{settings.api_address}/console/"),
        ("api", "API", f"{settings.api_address}/docs"),
        ("temporal", "Temporal's Web UI", settings.web_ui_address),
        ("temporal", "Temporal", f"127.0.0.1:{settings.temporal_port}"),
        ("silos", "Simulated silos", settings.silos_address),
        ("worker", "Worker", f"process {stack.processes['worker'].pid}"),
        ("worker", "Worker's metrics", f"http://{settings.metrics_address}/metrics"),
        ("api", "API's metrics", f"http://{settings.api_metrics_address}/metrics"),
    )
    width = max(len(where) for _, _, where in places)
    return "\n".join(
        f"  {what:<18} {where:<{width}}   [dim]{escape(_shown(stack.processes[key].log))}[/dim]"
        for key, what, where in places
    )


def _shown(path: Path) -> str:
    """A path as a person in the current folder would write it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
