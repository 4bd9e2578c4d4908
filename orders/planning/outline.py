"""An offering's plan in outline: the tasks that its templates call for, and what each waits for.

It is what the catalog says of one product of each kind, before anybody has ordered: what a value leaves out, and what
is shared with other products, only an order decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import JsonValue

from orders.model.catalog import EVERY, Awaited, Catalog, ProductOffering, Scope, TaskRef, TaskTemplate
from orders.model.values import CharacteristicName, Name


@dataclass(frozen=True, slots=True)
class OutlineTask:
    """A task by its `specification/name`. `when` are the values for which alone it is called for.

    `after` are tasks of the same outline that it waits for, `outside` those of products beside it, as `role/name`.
    """

    task: str
    title: str
    silo: Name
    operation: Name
    serves: Scope
    awaits: Awaited
    usually: timedelta
    no_return: Literal["hard", "soft"] | None
    when: dict[CharacteristicName, JsonValue]
    after: tuple[str, ...]
    outside: tuple[str, ...]


def outline(catalog: Catalog, offering: ProductOffering) -> tuple[OutlineTask, ...]:
    """The tasks of an offering; of a bundle, of the offerings that fill its roles unless an order says otherwise."""
    brought: dict[str, _Brought] = {}
    for part in _parts(catalog, offering):
        if part.specification is None:
            continue
        own = catalog.specifications[part.specification]
        for specification, template in catalog.templates(own.name):
            fixed = {name: part.characteristics[name] for name in template.when if name in part.characteristics}
            if any(template.when[name] != value for name, value in fixed.items()):
                continue
            key = f"{specification.name}/{template.name}"
            found = brought.setdefault(key, _Brought(specification.name, template, set()))
            if own.role is not None:
                found.roles.add(own.role)
    return tuple(_told(key, each, brought) for key, each in brought.items())


@dataclass(frozen=True, slots=True)
class _Brought:
    specification: str
    template: TaskTemplate
    roles: set[str]
    """Of the products that bring it."""


def _parts(catalog: Catalog, offering: ProductOffering) -> Iterator[ProductOffering]:
    if not offering.bundle:
        yield offering
    for component in offering.bundle.values():
        chosen = component.default or (component.offerings[0] if not component.optional else None)
        if chosen is not None:
            yield from _parts(catalog, catalog.offerings[chosen])


def _told(key: str, brought: _Brought, every: dict[str, _Brought]) -> OutlineTask:
    template = brought.template
    after: dict[str, None] = {}
    outside: dict[str, None] = {}
    for edge in template.depends_on:
        found = [name for name, each in every.items() if name != key and _is_meant(edge, brought, each)]
        after.update(dict.fromkeys(found))
        if not found and edge.of not in (None, EVERY) and not edge.optional:
            outside[f"{edge.of}/{edge.task.rpartition('/')[2]}"] = None
    gate = template.point_of_no_return
    return OutlineTask(
        task=key,
        title=template.title or template.name,
        silo=template.silo,
        operation=template.operation,
        serves=template.scope,
        awaits=template.awaits,
        usually=template.duration,
        no_return=gate.kind if gate is not None else None,
        when=template.when,
        after=tuple(after),
        outside=tuple(outside),
    )


def _is_meant(edge: TaskRef, by: _Brought, other: _Brought) -> bool:
    specification, _, name = edge.task.rpartition("/")
    if edge.of == EVERY:
        return other.template.goes_by(name)
    if specification and other.specification != specification:
        return False
    if edge.of is not None:
        return other.template.name == name and edge.of in other.roles
    return other.template.name == name and (bool(specification) or other.specification == by.specification)
