"""Sampled stacks of a worker, and which part of the program each sample is charged to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

ORDERS = "order core (`orders`)"
WORKFLOW = "workflow code (`workflows`)"
ACTIVITIES = "activities (`activities`)"
PAYLOADS = "payloads (pydantic, json, zlib)"
SANDBOX = "workflow sandbox"
SDK = "Temporal SDK, Python"
HTTP = "HTTP client"
ASYNCIO = "asyncio"
REGISTER = "register (SQLAlchemy)"
OTHER = "other Python"
NATIVE = "Temporal SDK, native threads"

# The first that fits decides.
_PARTS = (
    (PAYLOADS, ("workflows/sdk/codec.py", "temporalio/converter", "temporalio/contrib/pydantic", "pydantic/", "json/")),
    (SANDBOX, ("temporalio/worker/workflow_sandbox/", "<frozen importlib")),
    (SDK, ("temporalio/", "google/")),
    (ORDERS, ("orders/",)),
    (WORKFLOW, ("workflows/", "bench/")),
    (ACTIVITIES, ("activities/",)),
    (HTTP, ("httpx2/", "httpcore2/", "h11/", "h2/", "anyio/", "sniffio/", "ssl.py", "idna/")),
    (REGISTER, ("sqlalchemy/", "sqlite3/")),
    (ASYNCIO, ("asyncio/", "selectors.py")),
)
_OWN = ("orders/", "workflows/", "activities/", "bench/")
_THREAD = re.compile(r"^thread \((\d+)\)")
_FRAME = re.compile(r"^(?P<function>.*) \((?P<file>[^()]*?)(:\d+)?\)$")


@dataclass(frozen=True)
class Stack:
    """A stack from the outermost frame to the innermost, as function and file, and how often it was seen."""

    thread: int
    frames: tuple[tuple[str, str], ...]
    samples: int

    @property
    def part(self) -> str:
        """What it is charged to: the innermost frame that belongs to a part. The standard library is its caller's."""
        if any(_begins_import(outer, inner) for outer, inner in pairwise(self.frames)):
            return SANDBOX
        for _, file in reversed(self.frames):
            for part, places in _PARTS:
                if file.startswith(places):
                    return part
        return OTHER

    @property
    def own_functions(self) -> set[str]:
        """Our own functions on it."""
        return {f"{file}: {function}" for function, file in self.frames if file.startswith(_OWN)}


def read_stacks(lines: Iterable[str]) -> Iterator[Stack]:
    """What `py-spy record --format raw --threads` wrote."""
    for line in lines:
        names, _, samples = line.rstrip("\n").rpartition(" ")
        root, *frames = names.split(";")
        thread = _THREAD.match(root)
        if thread is None or not samples.isdecimal():
            continue
        yield Stack(int(thread[1]), tuple(_frame(frame) for frame in frames), int(samples))


def by_part(stacks: Iterable[Stack]) -> Counter[str]:
    """Samples by part."""
    found: Counter[str] = Counter()
    for stack in stacks:
        found[stack.part] += stack.samples
    return found


def by_function(stacks: Iterable[Stack]) -> Counter[str]:
    """Samples by our own function, those that it called included."""
    found: Counter[str] = Counter()
    for stack in stacks:
        for function in stack.own_functions:
            found[function] += stack.samples
    return found


def _frame(text: str) -> tuple[str, str]:
    match = _FRAME.match(text)
    return (match["function"], match["file"]) if match else (text, "")


def _begins_import(outer: tuple[str, str], inner: tuple[str, str]) -> bool:
    """The sandbox runs the modules of a workflow anew for each workflow."""
    return inner[0] == "<module>" and outer[1].startswith("<frozen importlib")
