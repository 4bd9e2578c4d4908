"""`python -m tests.soak`: random histories on the real engine. What fails is made short, and told as a script."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from catalog_loader.catalog_files import read_catalog
from ops.local.process import StackError
from register import Register
from tests.e2e.running import StackPipe, quick_folder, running_stack
from tests.soak.judges.orders import judge
from tests.soak.people import People, people_at_work
from tests.soak.performed import Performed
from tests.soak.performing import perform
from tests.soak.random_histories.scripts import random_script
from tests.soak.script import Script, read, written
from tests.soak.shrinking import shrunk

AT_A_TIME = 100
"""Histories between two comparisons with fresh orders."""

MOST_TRIES = 40
_RETRY_ATTEMPTS = 5
"""Few enough that an outage spends a retry budget, and a person has to ask again."""


def main() -> None:
    """Read the arguments and run. Exits with 1 where a history failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Random histories on the real engine.")
    parser.add_argument("--histories", type=int, default=200, help="how many (200)")
    parser.add_argument("--seed", type=int, default=1, help="of the first; the others count on from it (1)")
    parser.add_argument("--script", type=Path, help="run this one script instead")
    parser.add_argument("--shrink", type=int, default=3, help="how many of those that fail are made short (3)")
    parser.add_argument("--out", type=Path, default=Path(".soak"), help="folder for the scripts of what failed (.soak)")
    parser.add_argument("--hostile", action="store_true", help="with hostile messages among the steps")
    parser.add_argument("--bulk", type=int, help="calls that silos take in bulk (as in the shipped catalog)")
    arguments = parser.parse_args()
    if arguments.script:
        scripts = [read(arguments.script)]
    else:
        first = arguments.seed * 1_000_000
        scripts = [random_script(first + number, hostile=arguments.hostile) for number in range(arguments.histories)]
    try:
        sys.exit(asyncio.run(_soak(scripts, arguments.out, arguments.shrink, arguments.bulk)))
    except StackError as error:
        sys.exit(f"soak: {error}")


@dataclass(frozen=True)
class Failure:
    """A history that failed: its script as it was met, what is wrong, and the history of its workflow."""

    script: Script
    flaws: list[str]
    history: str


async def _soak(scripts: Sequence[Script], out: Path, most_shrunk: int, bulk: int | None) -> int:
    began = time.monotonic()

    def say(news: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {news}", flush=True)

    failures: list[Failure] = []
    with quick_folder("orderpipe-soak-") as folder:
        async with running_stack(folder, attempts=_RETRY_ATTEMPTS, bulk=bulk) as pipe, people_at_work(pipe) as people:
            say(f"everything runs; {len(scripts)} histories, from {scripts[0].name} on")
            done = 0
            for some in _batches(scripts):
                for failure in await _failing(pipe, people, some):
                    failures.append(failure)
                    say(f"{failure.script.name} fails: {failure.flaws[0]}")
                done += len(some)
                say(f"{done} of {len(scripts)} histories, {len(failures)} failed")
            learned = await asyncio.to_thread(_learned, pipe)
            say(f"it was learned how long {learned} kinds of work take")
            for number, failure in enumerate(failures):
                say(f"{failure.script.name} failed:")
                print("".join(f"    {flaw}\n" for flaw in failure.flaws), end="", flush=True)
                short = await _shortened(pipe, people, failure) if number < most_shrunk else failure
                if short is None:
                    say("it does not fail every time, nor can it be made short")
                    short = failure
                file = _kept(short, out)
                say(f"to see it again: make soak SCRIPT={file}, which is\n{written(short.script)}")
    return 1 if failures else 0


def _learned(pipe: StackPipe) -> int:
    """Learn from all orders that have ended, whatever became of them, and tell how many kinds of work were seen."""
    with closing(Register(pipe.settings.register_address)) as register:
        while register.durations.learn(read_catalog(pipe.settings.catalog_dir)):
            pass
        return len(register.durations.sketches())


def _batches(scripts: Sequence[Script]) -> Iterator[Sequence[Script]]:
    for start in range(0, len(scripts), AT_A_TIME):
        yield scripts[start : start + AT_A_TIME]


async def _failing(pipe: StackPipe, people: People, scripts: Sequence[Script]) -> list[Failure]:
    await pipe.clean()
    people.willing = False
    performed = await perform(pipe, scripts)
    people.willing = True
    judged = await judge(pipe, performed)
    return [
        Failure(each.met, flaws, await _history(pipe, each))
        for each, flaws in zip(performed, judged, strict=True)
        if flaws
    ]


async def _history(pipe: StackPipe, performed: Performed) -> str:
    """The histories of the workflows of a script, a line each."""
    orders = [each.order for each in performed.all() if each.order and not each.turned_away]
    return "".join([f"{(await pipe.handle(order).fetch_history()).to_json()}\n" for order in orders])


async def _shortened(pipe: StackPipe, people: People, failure: Failure) -> Failure | None:
    """The shortest that was found of what fails in the same way. None where it does not fail alone, and again."""
    kinds = {_kind(flaw) for flaw in failure.flaws}
    shortest: Failure | None = None

    async def fails(shorter: Script) -> bool:
        nonlocal shortest
        for found in await _failing(pipe, people, [shorter]):
            if kinds & {_kind(flaw) for flaw in found.flaws}:
                shortest = Failure(shorter, found.flaws, found.history)
                return True
        return False

    if await fails(failure.script):
        await shrunk(failure.script, Script.shorter, fails, MOST_TRIES)
    return shortest


def _kept(failure: Failure, out: Path) -> Path:
    """Keeps script and workflow history, and tells the script's file."""
    out.mkdir(parents=True, exist_ok=True)
    out.joinpath(f"{failure.script.name}.history.json").write_text(failure.history, encoding="utf-8")
    file = out / f"{failure.script.name}.json"
    file.write_text(written(failure.script), encoding="utf-8")
    return file


def _kind(flaw: str) -> str:
    """A flaw without its ids and numbers: a shorter history that fails otherwise is another finding."""
    return re.sub(r"\S*\d\S*", "#", flaw)


if __name__ == "__main__":
    main()
