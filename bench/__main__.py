"""`python -m bench`: measure, and write `bench/report.md` and `bench/report.json`.

With `--sections`, the report tells the others as they were measured last.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
import tempfile
import time
from pathlib import Path

from bench.attacks import section as attacks
from bench.attacks.attack import ATTACKS
from bench.kinds import KINDS
from bench.report import write_report
from bench.section import Part, Plan
from bench.sections import (
    changes,
    console,
    demand,
    growth,
    in_flight,
    preview,
    profile,
    promises,
    register,
    throughput,
    waiting,
)
from bench.stack import running_stack
from ops.local.process import StackError

ON_THE_STACK = {
    "throughput": throughput.run,
    "growth": growth.run,
    "changes": changes.run,
    "waiting": waiting.run,
    "preview": preview.run,
    "register": register.run,
    "attacks": attacks.run,
    "console": console.run,
    "profile": profile.run,
    "in_flight": in_flight.run,
}
"""What needs all that runs, in the order of the report. Orders in flight come last: they stay where they are."""
ON_THE_CORE = {"promises": promises.run, "demand": demand.run}
"""What needs nothing to run but the core."""
SECTIONS = (*ON_THE_STACK, *ON_THE_CORE)
"""What is measured, in the order of the report."""


def main() -> None:
    """Read the arguments, measure and report."""
    arguments = _arguments()
    # The sandbox runs the modules of a workflow anew for each one; where their bytecode is not kept, compiling them
    # would be much of what is measured.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.monotonic()

    def say(news: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {news}", flush=True)

    plan = Plan(
        sections=tuple(arguments.sections),
        kinds=tuple(kind for kind in KINDS if kind.name in arguments.kinds),
        rounds=arguments.rounds or (1 if arguments.quick else 7),
        quick=arguments.quick,
        growth=(10, 100) if arguments.quick else (10, 100, 1000),
        in_flight=tuple(arguments.in_flight or ((30,) if arguments.quick else (1000, 10_000))),
        attacks=tuple(arguments.attacks),
        attack_s=arguments.seconds or (3 if arguments.quick else 30),
        say=say,
    )
    try:
        parts = asyncio.run(_measure(plan))
    except StackError as error:
        sys.exit(f"bench: {error}")
    command = shlex.join(["python", "-m", "bench", *sys.argv[1:]])
    for file in write_report(arguments.out, command, parts, SECTIONS):
        say(f"wrote {file}")


async def _measure(plan: Plan) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    if any(name in plan.sections for name in ON_THE_STACK):
        with tempfile.TemporaryDirectory(prefix="orderpipe-bench-") as folder:
            async with running_stack(Path(folder)) as bench:
                plan.say("everything runs")
                for name, measure in ON_THE_STACK.items():
                    if name in plan.sections:
                        parts[name] = await measure(bench, plan)
    return parts | {name: measure(plan) for name, measure in ON_THE_CORE.items() if name in plan.sections}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures orderpipe.")
    names = [kind.name for kind in KINDS]
    parser.add_argument("--quick", action="store_true", help="under half a minute: to see that it works, not to quote")
    parser.add_argument(
        "--kinds", nargs="+", choices=names, default=names, metavar="KIND", help=f"of {', '.join(names)} (all)"
    )
    sections = list(SECTIONS)
    parser.add_argument(
        "--sections",
        nargs="+",
        choices=sections,
        default=sections,
        metavar="NAME",
        help=f"of {', '.join(sections)} (all)",
    )
    names = list(ATTACKS)
    parser.add_argument(
        "--attacks", nargs="+", choices=names, default=names, metavar="NAME", help=f"of {', '.join(names)} (all)"
    )
    parser.add_argument("--seconds", type=float, help="of each attack (30, quick: 3)")
    parser.add_argument("--in-flight", nargs="+", type=int, metavar="ORDERS", help="that wait (1000 10000, quick: 30)")
    parser.add_argument("--rounds", type=int, help="turns of each contender (7, quick: 1)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the report (bench)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
