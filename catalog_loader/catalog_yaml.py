"""YAML as the catalog reads it: keys that stand twice are found, and every path keeps its line for error messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias, cast

import yaml
from pydantic import JsonValue

YamlPath: TypeAlias = tuple[str, ...]
"""Keys, and numbers in lists, from the top of a file."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """What is wrong with a file, and where: its line where known (from 1), and the path inside the file."""

    file: str
    path: str
    reason: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.path, self.reason) if part)


class YamlFile:
    """One file: its content as plain values, and the line of every path in it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[FileProblem] = []
        self._lines: dict[YamlPath, int] = {}

    def load(self, text: str) -> JsonValue:
        """The file's content. What is wrong with its YAML is in `found`."""
        try:
            node = cast("yaml.Node | None", yaml.compose(text, Loader=_Plain))
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else None
            reason = ", ".join(part for part in (error.context, error.problem) if part)
            self.found.append(FileProblem(self.file, "", f"is no YAML: {reason}", line))
            return None
        except yaml.YAMLError as error:
            self.found.append(FileProblem(self.file, "", f"is no YAML: {error}"))
            return None
        return None if node is None else self._value(node, (), ())

    def place(self, path: YamlPath) -> str:
        """`file:line` of a path, or of the nearest thing around it."""
        return f"{self.file}:{self._line(path)}"

    def problem(self, path: YamlPath, reason: str) -> FileProblem:
        """A problem at a path in this file."""
        return FileProblem(self.file, ".".join(path), reason, self._line(path))

    def _line(self, path: YamlPath) -> int:
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _value(self, node: yaml.Node, path: YamlPath, above: tuple[yaml.Node, ...]) -> JsonValue:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if node in above:
            self.found.append(self.problem(path, "an anchor that holds itself"))
            return None
        if isinstance(node, yaml.MappingNode):
            return self._map(node, path, (*above, node))
        if isinstance(node, yaml.SequenceNode):
            return [self._value(part, (*path, str(n)), (*above, node)) for n, part in enumerate(node.value)]
        return (
            _scalar(cast("str", node.value)) if cast("yaml.ScalarNode", node).style is None else cast("str", node.value)
        )

    def _map(self, node: yaml.MappingNode, path: YamlPath, above: tuple[yaml.Node, ...]) -> JsonValue:
        content: dict[str, JsonValue] = {}
        for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            if not isinstance(key, yaml.ScalarNode):
                self.found.append(self.problem(path, "a key must be plain text"))
                continue
            name = cast("str", key.value)
            inner = (*path, name)
            if name in content:
                line = key.start_mark.line + 1
                reason = f"the key stands here twice, first in line {self._line(inner)}"
                self.found.append(FileProblem(self.file, ".".join(inner), reason, line))
                continue
            self._lines[inner] = key.start_mark.line + 1
            content[name] = self._value(value, inner, above)
        return content


class _Plain(yaml.SafeLoader):
    """Reads every plain scalar as text: `_scalar` decides what it is."""


_Plain.yaml_implicit_resolvers = {}


def _scalar(text: str) -> JsonValue:
    """Null, booleans and numbers as in JSON. All else is text: NO (Norway), 2026-01-01, 0711 and +4930123 too."""
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?(0|[1-9][0-9]*)", text):
        return int(text)
    if re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text
