"""What a part of the benchmark is given, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.kinds import Kind


@dataclass(frozen=True)
class Plan:
    """How much is measured. `growth` are numbers of tasks, `in_flight` of orders; each attack goes on for `attack_s`.

    `say` tells of progress.
    """

    sections: tuple[str, ...]
    kinds: tuple[Kind, ...]
    rounds: int
    quick: bool
    growth: tuple[int, ...]
    in_flight: tuple[int, ...]
    attacks: tuple[str, ...]
    attack_s: float
    say: Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """A part of the report: figures by top-level key of the JSON report, and the same for people as Markdown."""

    figures: dict[str, dict[str, Any]]
    markdown: str


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table, the first column to the left and all others to the right."""
    lines = [head, ("---", *("---:" for _ in head[1:])), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
