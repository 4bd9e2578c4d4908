"""Where the tasks of a plan stand in its picture: to the right of all that they wait for, in pixels, without markup."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.care.catalog.catalog_routes import PlannedTaskResponse

WIDTH: Final = 216
HEIGHT: Final = 46
_ASIDE: Final = 48
_BELOW: Final = 14
_MARGIN: Final = 4


@dataclass(frozen=True, slots=True)
class Node:
    """A task, with its upper left corner."""

    task: PlannedTaskResponse
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Edge:
    """From the right side of a task to the left side of one that waits for it."""

    x1: int
    y1: int
    x2: int
    y2: int
    bend: int
    """How far along the way the curve is half up or down."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole picture."""

    width: int
    height: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph_of(tasks: Sequence[PlannedTaskResponse]) -> Graph:
    """The picture of a plan: a column for each step, tasks beside those that they wait for."""
    steps = _steps(tasks)
    columns: dict[int, list[PlannedTaskResponse]] = defaultdict(list)
    for task in tasks:
        columns[steps[task.task]].append(task)
    tallest = max((len(column) for column in columns.values()), default=0)
    places: dict[str, Node] = {}
    for step in sorted(columns):
        column = sorted(columns[step], key=lambda task: _middle(task, places))
        for row, task in enumerate(column):
            y = _MARGIN + round((row + (tallest - len(column)) / 2) * (HEIGHT + _BELOW))
            places[task.task] = Node(task, _MARGIN + step * (WIDTH + _ASIDE), y)
    edges = tuple(
        _edge(places[before], node) for node in places.values() for before in node.task.after if before in places
    )
    width = 2 * _MARGIN + max((node.x + WIDTH for node in places.values()), default=0)
    height = 2 * _MARGIN + max((node.y + HEIGHT for node in places.values()), default=0)
    return Graph(width, height, tuple(places.values()), edges)


def _steps(tasks: Sequence[PlannedTaskResponse]) -> dict[str, int]:
    """How many tasks stand before each, one after another, at most."""
    steps = {task.task: 0 for task in tasks}
    # As often as there are tasks: then no chain is longer, and a circle would be walked no further.
    for _ in tasks:
        for task in tasks:
            steps[task.task] = max((steps[name] + 1 for name in task.after if name in steps), default=0)
    return {name: min(step, len(tasks) - 1) for name, step in steps.items()}


def _middle(task: PlannedTaskResponse, places: dict[str, Node]) -> float:
    """How far down those stand that it waits for, on average."""
    before = [places[name].y for name in task.after if name in places]
    return sum(before) / len(before) if before else 0


def _edge(before: Node, after: Node) -> Edge:
    x1, x2 = before.x + WIDTH, after.x
    return Edge(x1, before.y + HEIGHT // 2, x2, after.y + HEIGHT // 2, x2 - _ASIDE // 2)
