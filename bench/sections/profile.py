"""Which part of the program uses the worker's CPU time, from samples of its stacks taken by py-spy."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from pydantic import BaseModel

from bench.contenders import WORKER, Contender
from bench.kinds import Kind
from bench.load import run_block
from bench.processes.cpu import cpu_seconds_by_thread
from bench.processes.stacks import NATIVE, Stack, by_function, by_part, read_stacks
from bench.section import Part, Plan, table
from bench.stack import Benched

SAMPLES_PER_S = 100
FUNCTIONS = 15


class ProfileError(Exception):
    """There can be no profile here. Says why."""


class Profile(BaseModel):
    """Of one kind of order: milliseconds of the worker's CPU time per order.

    `functions` are orderpipe's own that cost most, with all that they call.
    """

    worker_cpu_ms: dict[str, float]
    bare_worker_cpu_ms: dict[str, float]
    functions: dict[str, float]


class _Sampled(BaseModel):
    parts: dict[str, float]
    functions: dict[str, float]


async def run(bench: Benched, plan: Plan) -> Part:
    """Every kind in turn; in quick runs the first one only."""
    found: dict[str, Profile] = {}
    try:
        for kind in plan.kinds[: 1 if plan.quick else None]:
            block = kind.fewer(8) if plan.quick else kind
            ours, bare = [await _sample(bench, contender, block) for contender in bench.contenders]
            found[kind.name] = Profile(
                worker_cpu_ms=ours.parts, bare_worker_cpu_ms=bare.parts, functions=ours.functions
            )
            plan.say(f"profile: {kind.title}")
    except ProfileError as error:
        return Part({"profile": {}}, f"## Profile of the worker\n\nThere is none: {error}")
    figures = {name: one.model_dump() for name, one in found.items()}
    titles = {kind.name: kind.title for kind in plan.kinds}
    return Part({"profile": figures}, "\n\n".join(_markdown(titles[name], one) for name, one in found.items()))


async def _sample(bench: Benched, contender: Contender, kind: Kind) -> _Sampled:
    await bench.fresh_silos()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stacks.txt"
        sampler = await _start_py_spy(contender.pids[WORKER], file)
        before = cpu_seconds_by_thread(contender.pids[WORKER])
        try:
            block = await run_block(contender, kind)
        finally:
            after = cpu_seconds_by_thread(contender.pids[WORKER])
            sampler.send_signal(signal.SIGINT)
            complaint, _ = await sampler.communicate()
        if not file.exists():
            raise ProfileError(f"py-spy failed: {complaint.decode(errors='replace').strip()}")
        with file.open(encoding="utf-8") as lines:
            stacks = list(read_stacks(lines))
    used = {thread: seconds - before.get(thread, ("", 0.0))[1] for thread, (_, seconds) in after.items()}
    return _charged(stacks, used, block.cpu_s[WORKER], kind.orders)


def _charged(stacks: list[Stack], used_s: dict[int, float], total_s: float, orders: int) -> _Sampled:
    """CPU time by part: that of Python's threads by their samples, the rest is native."""
    python = {stack.thread for stack in stacks}
    samples = by_part(stacks)
    # Where the system does not tell threads apart, all of it counts as Python's.
    python_s = sum(used_s.get(thread, 0.0) for thread in python) if used_s else total_s
    ms_per_sample = 1000 * python_s / max(1, samples.total()) / orders
    parts = {part: count * ms_per_sample for part, count in samples.most_common()}
    parts[NATIVE] = 1000 * max(0.0, total_s - python_s) / orders
    functions = by_function(stacks).most_common(FUNCTIONS)
    return _Sampled(parts=parts, functions={name: count * ms_per_sample for name, count in functions})


async def _start_py_spy(pid: int, file: Path) -> asyncio.subprocess.Process:
    """py-spy, sampling.

    Raises:
        ProfileError: if it cannot be run, or may not look into the process.
    """
    program = Path(sys.executable).with_name("py-spy")
    if not program.exists():
        raise ProfileError("py-spy is not installed")
    sampler = await asyncio.create_subprocess_exec(
        # Only who holds the interpreter's lock: threads that wait are not always told from those that work.
        *(program, "record", "--pid", str(pid), "--format", "raw", "--threads", "--gil"),
        *("--rate", str(SAMPLES_PER_S), "--duration", "3600", "--output", file),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert sampler.stdout is not None
    told = b""
    while b"Sampling process" not in told:
        line = await sampler.stdout.readline()
        if not line:
            raise ProfileError(f"py-spy may not look into the worker: {told.decode(errors='replace').strip()}")
        told += line
    return sampler


def _markdown(title: str, profile: Profile) -> str:
    ours, bare = profile.worker_cpu_ms, profile.bare_worker_cpu_ms
    rows = [
        (part, f"{ours.get(part, 0):.2f}", f"{bare.get(part, 0):.2f}", f"{ours.get(part, 0) - bare.get(part, 0):+.2f}")
        for part in sorted({**ours, **bare}, key=lambda part: -ours.get(part, 0))
    ]
    total = (sum(ours.values()), sum(bare.values()))
    summary = ("all", f"{total[0]:.2f}", f"{total[1]:.2f}", f"{total[0] - total[1]:+.2f}")
    functions = [(f"`{name}`", f"{ms:.2f}") for name, ms in profile.functions.items()]
    return "\n\n".join(
        [
            f"## Profile of the worker: {title}",
            "Milliseconds of CPU time per order, while being sampled, which itself costs some. The largest part of the "
            f"price is: {max(rows, key=lambda row: float(row[3]))[0]}.",
            table(("part", "orderpipe", "bare", "price"), [*rows, summary]),
            "Orderpipe's own functions with all that they call:",
            table(("function", "ms per order"), functions),
        ]
    )
