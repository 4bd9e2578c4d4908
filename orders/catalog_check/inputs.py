"""Whether the inputs of a task template make sense: every `${...}` must have one value when the task's turn comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orders.model.catalog import Catalog, Dependency, InputTemplate, ProductSpecification, Scope, Silo, TaskTemplate
from orders.model.expressions import Reference, references, stray_markers, whole_reference

_SERVES = {
    Scope.PRODUCT: "a product",
    Scope.ITEM: "all products of an item",
    Scope.SITE: "all products at a site",
    Scope.ORDER: "a whole order",
}
_REACH = {
    "product": {Scope.PRODUCT},
    "char": {Scope.PRODUCT, Scope.ITEM},
    "item": {Scope.PRODUCT, Scope.ITEM},
    "site": {Scope.PRODUCT, Scope.ITEM, Scope.SITE},
    "appointment": {Scope.PRODUCT, Scope.ITEM, Scope.SITE},
    "order": set(Scope),
}
"""In which scopes a namespace has one value. The products of an item share its characteristics and its site."""

_NAMES = {
    "product": {"id", "offering", "specification", "status", "billing_account"},
    "item": {"id", "offering"},
    "appointment": {"start", "end", "time_zone"},
    "order": {"id", "customer", "channel", "requested_start", "requested_completion"},
}


@dataclass(frozen=True, slots=True)
class Target:
    """A template that a dependency can lead to, and the specification that defines it."""

    specification: str
    template: TaskTemplate

    @property
    def name(self) -> str:
        """`specification/task`."""
        return f"{self.specification}/{self.template.name}"


def targets_of(catalog: Catalog, silo: Silo) -> dict[str, list[Target]]:
    """By operation, the tasks that call for it; none for the one that bills fees."""
    found: dict[str, list[Target]] = {} if silo.fees is None else {silo.fees: []}
    for specification in catalog.specifications.values():
        for template in specification.tasks.values():
            if template.silo == silo.name:
                found.setdefault(template.operation, []).append(Target(specification.name, template))
    return found


def input_problems(
    template: TaskTemplate, hosts: Sequence[ProductSpecification], targets: Sequence[Sequence[Target]]
) -> Iterator[tuple[str, str]]:
    """(input, reason) of everything wrong with a template's inputs.

    `hosts` are the specifications of the products that bring the template, `targets` what each of its dependencies
    can lead to.
    """
    check = _Inputs(template, hosts, targets)
    for name, given in template.inputs.items():
        for reason in check.reasons(given):
            yield name, reason


@dataclass(frozen=True, slots=True)
class _Inputs:
    template: TaskTemplate
    hosts: Sequence[ProductSpecification]
    targets: Sequence[Sequence[Target]]

    def reasons(self, given: InputTemplate) -> Iterator[str]:
        if stray_markers(given.value):
            yield "has a ${ that is no reference: they are written ${namespace.name}"
        is_whole = whole_reference(given.value) is not None
        for reference in dict.fromkeys(references(given.value)):
            text = f"${{{reference.namespace}.{reference.name}}}"
            if reference.is_output:
                if not is_whole:
                    yield f"{text} must be the whole value: outputs are not known when an order is planned"
                reasons = self._output(reference)
            elif reference.namespace == "each":
                if not is_whole:
                    yield f"{text} must be the whole value: it is a list"
                reasons = self._each(reference)
            else:
                reasons = self._context(reference)
            for reason in reasons:
                yield f"{text}: {reason}"

    def _output(self, reference: Reference) -> Iterator[str]:
        named = [
            (dependency, targets)
            for dependency, targets in zip(self.template.depends_on, self.targets, strict=True)
            if dependency.alias == reference.namespace
        ]
        if not named:
            yield f"no dependency of the task is called {reference.namespace}"
        if len(named) > 1:
            yield f"{len(named)} dependencies are called {reference.namespace}: tell them apart with `as`"
        for dependency, targets in named:
            for target in targets:
                if reference.name not in target.template.outputs:
                    known = ", ".join(target.template.outputs) or "none"
                    yield f"{target.name} has no such output (it has: {known})"
                if not self._always(dependency, target.template):
                    yield f"{target.name} does not run whenever this task does: say optional: true if that is meant"

    def _always(self, dependency: Dependency, other: TaskTemplate) -> bool:
        """True where an output is sure to be there, or said to be optional. Those of roles are checked elsewhere."""
        mine = self.template
        if dependency.optional or dependency.of is not None:
            return True
        return set(mine.applies_on) <= set(other.applies_on) and other.when.items() <= mine.when.items()

    def _each(self, reference: Reference) -> Iterator[str]:
        if self.template.scope is Scope.PRODUCT:
            yield "a task of scope product serves one product: there is nothing to list"
        namespace, _, name = reference.name.rpartition(".")
        namespace = namespace or "product"
        if namespace in ("product", "char", "item", "site", "appointment"):
            yield from self._named(namespace, name)
        else:
            yield "only product, char, item, site and appointment differ from product to product"

    def _context(self, reference: Reference) -> Iterator[str]:
        if self.template.scope in _REACH[reference.namespace]:
            yield from self._named(reference.namespace, reference.name)
        else:
            serves = _SERVES[self.template.scope]
            yield f"the task serves {serves}, with more than one {reference.namespace}: ${{each.…}} lists them"

    def _named(self, namespace: str, name: str) -> Iterator[str]:
        if namespace == "char":
            lacking = [host.name for host in self.hosts if name not in host.characteristics]
            if lacking:
                yield f"{', '.join(lacking)} has no characteristic {name!r}"
        elif namespace == "site":
            yield from self._at_a_site()
        elif name not in _NAMES[namespace]:
            yield f"{namespace} has no {name!r} (it has: {', '.join(sorted(_NAMES[namespace]))})"
        elif namespace == "appointment":
            yield from self._at_a_site()

    def _at_a_site(self) -> Iterator[str]:
        lacking = [host.name for host in self.hosts if host.site == "none"]
        if lacking:
            yield f"{', '.join(lacking)} has no site"
