"""Orders in files: a JSON file holds one order or a list of them, an NDJSON file one a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pydantic import JsonValue

STDIN = "-"
_ONE_A_LINE = (".ndjson", ".jsonl")

Body: TypeAlias = dict[str, JsonValue]
"""A TMF622 `ProductOrder_Create`, as it stands in the file."""


@dataclass(frozen=True, slots=True)
class OrderInFile:
    """An order, or what is wrong with what stands in its place. `place` is `file:line`, and `#n` in a list."""

    place: str
    body: Body | None = None
    problem: str = ""


def read_orders(files: Iterable[str]) -> Iterator[OrderInFile]:
    """The orders of all files, in order; `-` is standard input. Files of a line each are read as they are needed."""
    for name in files:
        yield from _orders_in(name)


def _orders_in(name: str) -> Iterator[OrderInFile]:
    shown = "standard input" if name == STDIN else name
    try:
        if name.endswith(_ONE_A_LINE):
            with Path(name).open(encoding="utf-8") as lines:
                yield from _lines(shown, lines)
            return
        text = sys.stdin.read() if name == STDIN else Path(name).read_text(encoding="utf-8")
    except OSError as error:
        yield OrderInFile(shown, problem=f"cannot be read: {error.strerror}")
        return
    except UnicodeDecodeError as error:
        yield OrderInFile(shown, problem=f"is not UTF-8: {error.reason} at byte {error.start}")
        return
    yield from _document(shown, text) if _is_one_document(text) else _lines(shown, text.splitlines())


def _is_one_document(text: str) -> bool:
    """False where each line stands for itself: the first is whole, and others follow."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        return True
    try:
        json.loads(lines[0])
    except ValueError:
        return True
    return False


def _document(name: str, text: str) -> Iterator[OrderInFile]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        yield OrderInFile(f"{name}:{error.lineno}", problem=_not_json(error))
        return
    if isinstance(content, list):
        for number, each in enumerate(content, start=1):
            yield _order(f"{name}#{number}", each)
    else:
        yield _order(name, content)


def _lines(name: str, lines: Iterable[str]) -> Iterator[OrderInFile]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{name}:{number}"
        try:
            content = json.loads(line.rstrip("\r\n"))
        except json.JSONDecodeError as error:
            yield OrderInFile(place, problem=_not_json(error))
        else:
            yield _order(place, content)


def _order(place: str, content: object) -> OrderInFile:
    if not isinstance(content, dict):
        return OrderInFile(place, problem="is not an order: an order is a JSON object")
    return OrderInFile(place, body=content)


def _not_json(error: json.JSONDecodeError) -> str:
    return f"is not JSON: {error.msg} at column {error.colno}"
