"""Whether a cancelled order was undone from the top: nothing before what was built on it, by the catalog's own word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from orders.model.catalog import Catalog, Dependency, EdgeKind, ProductSpecification
from simulated_silos.silo.model import JournalEntry, Outcome


def undone_too_early(catalog: Catalog, journal: Iterable[JournalEntry]) -> list[str]:
    """What was compensated for the last time before the last compensation of what was built on it.

    The journal is that of one cancelled order. Where one of several tasks of a name may be meant, none is looked at.
    """
    last: dict[str, int] = {}
    for entry in journal:
        if entry.outcome is Outcome.APPLIED and entry.verb in ("compensate", "compensate.done") and entry.id:
            last[entry.id.rsplit("/", 1)[0]] = entry.seq
    named: defaultdict[str, list[str]] = defaultdict(list)
    for task in last:
        named[task.split("/", 1)[1]].append(task)
    return [
        f"{below} was undone before {above}"
        for upper, lower in _built_on(catalog)
        for above in named[upper]
        for below in _meant(above, named[lower])
        if last[below] < last[above]
    ]


def _built_on(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """`specification/task` of everything that builds on something, with what it builds on."""
    for specification in catalog.specifications.values():
        for task in specification.tasks.values():
            for dependency in task.depends_on:
                if dependency.kind is EdgeKind.BUILDS_ON:
                    for name in _names(catalog, specification, dependency):
                        yield f"{specification.name}/{task.name}", name


def _names(catalog: Catalog, specification: ProductSpecification, dependency: Dependency) -> list[str]:
    if dependency.of is None:
        return [dependency.task if "/" in dependency.task else f"{specification.name}/{dependency.task}"]
    others = [other for other in catalog.specifications.values() if other.role == dependency.of]
    return [f"{other.name}/{dependency.task}" for other in others]


def _meant(above: str, candidates: list[str]) -> list[str]:
    """The task of the same product, else the only one of that name in the order."""
    same = [task for task in candidates if task.split("/")[0] == above.split("/")[0]]
    return same or (candidates if len(candidates) == 1 else [])
