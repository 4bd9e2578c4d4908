"""`python -m tests.soak`: random histories on the real engine. What fails is made short, and told as a script."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ops.process import StackError
from tests.e2e.running import StackPipe, quick_folder, running_stack
from tests.soak.judging import judge
from tests.soak.performing import perform
from tests.soak.random_scripts import random_script
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
    arguments = parser.parse_args()
    if arguments.script:
        scripts = [read(arguments.script)]
    else:
        first = arguments.seed * 1_000_000
        scripts = [random_script(first + number) for number in range(arguments.histories)]
    try:
        sys.exit(asyncio.run(_soak(scripts, arguments.out, arguments.shrink)))
    except StackError as error:
        sys.exit(f"soak: {error}")


async def _soak(scripts: Sequence[Script], out: Path, most_told: int) -> int:
    began = time.monotonic()

    def say(news: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {news}", flush=True)

    failed: list[tuple[Script, list[str]]] = []
    with quick_folder("orderpipe-soak-") as folder:
        async with running_stack(folder, attempts=_RETRY_ATTEMPTS) as pipe:
            say(f"everything runs; {len(scripts)} histories, from {scripts[0].name} on")
            done = 0
            for some in _batches(scripts):
                failed += await _failing(pipe, some)
                done += len(some)
                say(f"{done} of {len(scripts)} histories, {len(failed)} failed")
            for number, (script, flaws) in enumerate(failed):
                say(f"{script.name} failed:")
                print("".join(f"    {flaw}\n" for flaw in flaws), end="", flush=True)
                short = await _shorter(pipe, script, flaws) if number < most_told else script
                file = _kept(short, out)
                say(f"to see it again: make soak SCRIPT={file}, which is\n{written(short)}")
    return 1 if failed else 0


def _batches(scripts: Sequence[Script]) -> Iterator[Sequence[Script]]:
    for start in range(0, len(scripts), AT_A_TIME):
        yield scripts[start : start + AT_A_TIME]


async def _failing(pipe: StackPipe, scripts: Sequence[Script]) -> list[tuple[Script, list[str]]]:
    """The scripts that fail, as they were met, with what is wrong."""
    await pipe.clean()
    performed = await perform(pipe, scripts)
    judged = await judge(pipe, performed)
    return [(each.met, flaws) for each, flaws in zip(performed, judged, strict=True) if flaws]


async def _shorter(pipe: StackPipe, script: Script, flaws: list[str]) -> Script:
    """A shorter script that fails as this one does, or the script itself."""
    kinds = {_kind(flaw) for flaw in flaws}

    async def fails(shorter: Script) -> bool:
        found = await _failing(pipe, [shorter])
        return any(kinds & {_kind(flaw) for flaw in its} for _, its in found)

    return await shrunk(script, Script.shorter, fails, MOST_TRIES)


def _kept(script: Script, out: Path) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"{script.name}.json"
    file.write_text(written(script), encoding="utf-8")
    return file


def _kind(flaw: str) -> str:
    """A flaw without its ids and numbers: a shorter history that fails otherwise is another finding."""
    return re.sub(r"\S*\d\S*", "#", flaw)


if __name__ == "__main__":
    main()
