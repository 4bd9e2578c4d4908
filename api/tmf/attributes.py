"""What a resource can be filtered and sorted by: the attributes that it has by its standard, and those of ours.

A path that begins with another one is refused, as is one that goes on below an attribute without parts, or ends like an
operator that others have: it would find nothing, and nobody would see why. Further down anything goes, since whoever
sends a resource may extend it there (TMF630 part 2). An attribute that the standard has and no resource uses finds
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from api.errors import Detail, Malformed, problem
from api.tmf.tmf630 import ListQuery, no_operator

_EVERYWHERE: Final = "id href @baseType @schemaLocation @type"
_OPERATORS_ELSEWHERE: Final = frozenset(
    [
        "ne",
        "regex",
        "like",
        "in",
        "nin",
        "not",
        "contains",
        "startswith",
        "endswith",
        "between",
        "exists",
        "isnull",
        "isnotnull",
        "eqi",
        "nei",
    ]
)


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of a resource's first level: `plain` ones, and those that have `parts`."""

    resource: str
    plain: frozenset[str]
    parts: frozenset[str]

    @classmethod
    def of(cls, resource: str, plain: str, parts: str) -> Attributes:
        """Attributes by their names, with those that every resource has."""
        return cls(resource, frozenset(f"{_EVERYWHERE} {plain}".split()), frozenset(parts.split()))

    def require(self, query: ListQuery) -> None:
        """Return if the resource can be filtered and sorted like that.

        Raises:
            Malformed: naming each path that it cannot have.
        """
        filters = ((f"query.{one.path[:100]}", one.path) for one in query.filters)
        order = (("query.sort", by.path) for by in query.sort)
        found = [detail for parameter, path in (*filters, *order) for detail in self._problems(parameter, path)]
        if found:
            raise Malformed(found)

    def _problems(self, parameter: str, path: str) -> Iterator[Detail]:
        first, *further = path.split(".")
        if first not in self.plain | self.parts:
            names = ", ".join(sorted(self.plain | self.parts))
            yield problem(parameter, f"a {self.resource} has no attribute {first}, but {names}")
        elif further and further[-1].lower() in _OPERATORS_ELSEWHERE:
            yield problem(parameter, no_operator(f".{further[-1]}"))
        elif further and first in self.plain:
            yield problem(parameter, f"{first} has no parts; {no_operator('.' + further[-1])}")
