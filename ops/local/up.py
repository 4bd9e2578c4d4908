"""`orderpipe up`: the stack in the foreground, until Ctrl-C."""

from __future__ import annotations

import asyncio
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
        await stack.start()
    try:
        console.print(f"\n[bold]orderpipe is up[/bold] [dim]({time.monotonic() - began:.1f} s)[/dim]\n")
        console.print(_places(stack), highlight=False, soft_wrap=True)
        if stack.issuer is not None:
            console.print("\nThe API wants a token. `submit` and `watch` make themselves one; for all else:")
            console.print(f"  [bold]{command()} token[/bold]", highlight=False, soft_wrap=True)
        console.print(
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


def command() -> str:
    """What a person types here to run `orderpipe`."""
    return "orderpipe" if shutil.which("orderpipe") else _shown(Path(sys.executable).with_name("orderpipe"))


def _tell(console: Console, news: str) -> None:
    console.print(f"[yellow]{time.strftime('%H:%M:%S')}[/yellow] {escape(news)}", highlight=False, soft_wrap=True)


def _places(stack: Stack) -> str:
    """A line for each process: where it is, and where its log."""
    settings = stack.settings
    places = (
        ("api", "API", f"{settings.api_address}/docs"),
        ("temporal", "Temporal's Web UI", settings.web_ui_address),
        ("temporal", "Temporal", f"127.0.0.1:{settings.temporal_port}"),
        ("silos", "Simulated silos", settings.silos_address),
        ("worker", "Worker", f"process {stack.processes['worker'].pid}"),
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
