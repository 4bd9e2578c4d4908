"""Whether shared tasks make sense: what products bring for them by name, and which changes have one done again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from orders.model.catalog import EVERY, SITE, Catalog, ProductSpecification, Scope, TaskRef, TaskTemplate
from orders.model.values import Action

Node: TypeAlias = tuple[str, str]
"""A template: the specification that defines it, and its name there."""


def shared_problems(
    catalog: Catalog, template: TaskTemplate, hosts: Sequence[ProductSpecification]
) -> Iterator[tuple[str, str]]:
    """(field, reason) of what is wrong with a template as a shared task, or with what it is to a shared one.

    `hosts` are the specifications of the products that bring the template.
    """
    for reason in _on_change_of(template, hosts):
        yield "on_change_of", reason
    for reason in _counts_as(catalog, template, hosts):
        yield "counts_as", reason
    if template.scope is Scope.SITE:
        for host in hosts:
            if host.site == "none":
                yield "scope", f"is site, but {host.name} has no site"


def brought(
    catalog: Catalog, template: TaskTemplate, hosts: Sequence[ProductSpecification], ref: TaskRef
) -> tuple[list[Node], str | None]:
    """What the products that bring a shared task have by a name, and what is wrong: where it must be, each has it."""
    if not template.shared:
        return [], f'of: "*" is for shared tasks: a task of scope product names whose {ref.task} it means'
    found: dict[Node, None] = {}
    lacking: list[str] = []
    for host in hosts:
        its = [(owner.name, task.name) for owner, task in catalog.templates(host.name) if task.goes_by(ref.task)]
        found.update(dict.fromkeys(its))
        if not its:
            lacking.append(host.name)
    reason = None
    if hosts and not found:
        reason = f"no product that brings this task has a task {ref.task}, or one that counts_as it"
    elif lacking and not ref.optional:
        whose = ", ".join(lacking)
        reason = f"{whose} has no task {ref.task}, nor one that counts_as it, so this one never runs for it"
    return list(found), reason


def _on_change_of(template: TaskTemplate, hosts: Sequence[ProductSpecification]) -> Iterator[str]:
    if template.on_change_of and template.scope is Scope.PRODUCT:
        yield "is for tasks of another scope: what a product has, it keeps"
    elif template.on_change_of and Action.MODIFY not in template.applies_on:
        yield "has no effect: the task does not apply on modify"
    for name in template.on_change_of:
        if name != SITE and not any(name in host.characteristics for host in hosts):
            yield f"no product with this task has a characteristic {name}"


def _counts_as(catalog: Catalog, template: TaskTemplate, hosts: Sequence[ProductSpecification]) -> Iterator[str]:
    """A name that nothing takes is a slip: the task would be left out of what it is meant for."""
    name = template.counts_as
    if name is None:
        return
    if template.shared:
        yield "is for tasks of scope product: a shared task takes what products bring"
        return
    takers = _takers(catalog, name)
    for host in hosts:
        if not any(taker == host.name or taker in host.includes for taker in takers):
            hint = f"include {', '.join(takers)}" if takers else 'no shared task has it in depends_on with of: "*"'
            yield f"no shared task of {host.name} takes {name}: {hint}"


def _takers(catalog: Catalog, name: str) -> list[str]:
    """The specifications with a shared task that takes what products bring by a name."""
    return [
        specification.name
        for specification in catalog.specifications.values()
        if any(
            template.shared and any(ref.of == EVERY and ref.task == name for ref in template.depends_on)
            for template in specification.tasks.values()
        )
    ]
