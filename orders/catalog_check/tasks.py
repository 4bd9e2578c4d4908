"""Whether the task templates of a catalog make sense: what they refer to, whether they can run, and in which order."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter

from pydantic import JsonValue

from orders.catalog_check.identities import output_problems
from orders.catalog_check.inputs import Target, input_problems
from orders.catalog_check.shared import Node, brought, shared_problems
from orders.model.catalog import (
    EVERY,
    Awaited,
    Catalog,
    Dependency,
    OnChange,
    ProductOffering,
    ProductSpecification,
    Replacement,
    Scope,
    TaskRef,
    TaskTemplate,
    Undo,
)
from orders.model.expressions import CONTEXT_NAMESPACES
from orders.model.values import Action
from orders.planning.items import value_problem

LIVE = frozenset({Action.ADD, Action.MODIFY, Action.NO_CHANGE})
"""The actions after which a product is there to be relied on."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What makes no sense, and where: a path such as `specifications.voice-line.tasks.activate-line.inputs.number`."""

    path: str
    reason: str


def sold(catalog: Catalog, specification: ProductSpecification) -> list[ProductOffering]:
    """The offerings of a specification."""
    return [offering for offering in catalog.offerings.values() if offering.specification == specification.name]


def task_problems(catalog: Catalog) -> list[Problem]:
    """Everything about the catalog's task templates that makes no sense."""
    return _Tasks(catalog).problems()


class _Tasks:
    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.found: list[Problem] = []
        self.waits_for: dict[Node, set[Node]] = defaultdict(set)
        self.by_role: dict[str, list[ProductSpecification]] = defaultdict(list)
        for specification in catalog.specifications.values():
            if specification.role is not None:
                self.by_role[specification.role].append(specification)

    def problems(self) -> list[Problem]:
        templates = [
            _Template(self, specification, template)
            for specification in self.catalog.specifications.values()
            for template in specification.tasks.values()
        ]
        for template in templates:
            template.check()
        self._circles()
        for template in templates:
            template.check_release()
        return self.found

    def add(self, path: str, reason: str) -> None:
        self.found.append(Problem(path, reason))

    def waits(self, task: Node, other: Node) -> bool:
        """True where a task waits for another, directly or through others."""
        seen: set[Node] = set()
        rest = [task]
        while rest:
            for before in self.waits_for[rest.pop()] - seen:
                if before == other:
                    return True
                seen.add(before)
                rest.append(before)
        return False

    def _circles(self) -> None:
        """Name each circle of waiting once: one edge of it is taken out, until none is left."""
        rest = {node: set(before) for node, before in self.waits_for.items()}
        while True:
            try:
                TopologicalSorter(rest).prepare()
            except CycleError as error:
                circle: list[Node] = error.args[1][::-1]
                start = circle.index(min(circle[:-1]))
                circle = [*circle[start:-1], *circle[:start], circle[start]]
                way = " -> ".join(_name(node) for node in circle)
                self.add(_path(circle[0], "depends_on"), f"waits for itself: {way}")
                rest[circle[0]].discard(circle[1])
            else:
                return


class _Template:
    """One template, in all the specifications of products that bring it: its hosts."""

    def __init__(self, tasks: _Tasks, specification: ProductSpecification, template: TaskTemplate) -> None:
        self.tasks = tasks
        self.catalog = tasks.catalog
        self.specification = specification
        self.template = template
        self.node: Node = (specification.name, template.name)
        self.hosts = [
            other
            for other in self.catalog.specifications.values()
            if (other is specification and other.role is not None) or specification.name in other.includes
        ]

    def check(self) -> None:
        template = self.template
        if template.title != " ".join(template.title.split()) or not template.title.isprintable() or not template.title:
            self.add("title", "must be a line of plain text: people are told of the task by it")
        if template.name in CONTEXT_NAMESPACES:
            self.add("", f"${{{template.name}.…}} has a meaning of its own: give the task another name")
        self._actions()
        for field, reason in (*shared_problems(self.catalog, template, self.hosts), *output_problems(template)):
            self.add(field, reason)
        self._silo()
        self._when()
        targets = [
            [Target(specification, self._template((specification, task))) for specification, task in nodes]
            for nodes in (self._dependency(n, ref) for n, ref in enumerate(template.depends_on))
        ]
        for name, reason in input_problems(template, self.hosts, targets):
            self.add(f"inputs.{name}", reason)

    def add(self, field: str, reason: str) -> None:
        self.tasks.add(_path(self.node, field), reason)

    # What it does, and when

    def _silo(self) -> None:
        template = self.template
        silo = self.catalog.silos.get(template.silo)
        if silo is None:
            self.add("silo", f"there is no silo {template.silo!r}")
        elif silo.answers_at_once:
            at_once = f"{silo.name} answers at once: nothing waits there"
            if template.amend_while_waiting:
                self.add("amend_while_waiting", at_once)
            if template.awaits is not Awaited.SILO:
                self.add("awaits", at_once)
            if template.undo is Undo.UNTIL_DONE:
                self.add("undo", f"{at_once}, so until_done is never")
            if template.point_of_no_return is not None and template.point_of_no_return.milestone is not None:
                self.add("point_of_no_return.milestone", at_once)
        if template.duration < timedelta():
            self.add("duration", "is less than nothing")
        point = template.point_of_no_return
        if point is not None and not point.verbs:
            self.add("point_of_no_return.verbs", "names no verb: the point means nothing")
        reached_after = point.reached_after if point is not None else None
        if reached_after is not None and not timedelta() <= reached_after <= template.duration:
            self.add("point_of_no_return.reached_after", "is not within the duration of the task")

    def _actions(self) -> None:
        template = self.template
        missing = [action.value for action in sorted(LIVE - set(template.applies_on))]
        if not template.applies_on:
            self.add("applies_on", "names no action: the task never runs")
        elif template.scope is Scope.PRODUCT and 0 < len(missing) < len(LIVE):
            what = f"does not name {', '.join(missing)}: that would take back what the product has"
            self.add("applies_on", f"{what}. A task of one order only has another scope")

    def _when(self) -> None:
        for name, value in self.template.when.items():
            reasons = [reason for host in self.hosts if (reason := _impossible(host, name, value))]
            for reason in reasons:
                self.add(f"when.{name}", reason)
            if reasons:
                continue
            offerings = [offering for host in self.hosts for offering in sold(self.catalog, host)]
            if offerings and all(offering.characteristics.get(name, value) != value for offering in offerings):
                self.add(f"when.{name}", f"is never {value!r}: every offering fixes another value")

    # What it waits for

    def _dependency(self, n: int, ref: Dependency) -> list[Node]:
        path = f"depends_on.{n}"
        targets = self._targets(path, ref)
        self.tasks.waits_for[self.node].update(targets)
        if ref.alias in CONTEXT_NAMESPACES:
            self.add(path, f"${{{ref.alias}.…}} has a meaning of its own: give it another name with `as`")
        for target in targets:
            other = self._template(target)
            if ref.of is None and not self._together(other):
                self.add(path, f"{_name(target)} is never in the same plan")
            elif (
                ref.of is not None
                and ref.of != EVERY
                and self._required(ref)
                and (other.when or not set(other.applies_on) >= LIVE)
            ):
                reason = f"{_name(target)} is not there for every product of role {ref.of}: say optional: true"
                self.add(path, reason)
        there = self.tasks.by_role.get(ref.of, []) if ref.of and ref.of != EVERY else []
        if there and self._required(ref) and not any(sold(self.catalog, other) for other in there):
            self.add(path, f"no offering sells a product of role {ref.of}: the task can never run")
        return targets

    def _required(self, ref: TaskRef) -> bool:
        """True where an order is refused for lack of the product. A shared task takes what products there are."""
        return not ref.optional and self.template.scope is Scope.PRODUCT

    def _targets(self, path: str, ref: TaskRef) -> list[Node]:
        """The templates that a reference can name. What is wrong with it is added to what was found."""
        if ref.of is None:
            return self._own(path, ref)
        if ref.of == EVERY:
            found, reason = brought(self.catalog, self.template, self.hosts, ref)
            if reason:
                self.add(path, reason)
            return found
        if "/" in ref.task:
            self.add(path, f"{ref.task}: only a task of the very specification with the role {ref.of} can be named")
            return []
        there = self.tasks.by_role.get(ref.of, [])
        if not there:
            self.add(path, f"no specification has the role {ref.of!r}")
            return []
        found = [(other.name, ref.task) for other in there if ref.task in other.tasks]
        missing = [other.name for other in there if ref.task not in other.tasks]
        if not found or (missing and self._required(ref)):
            self.add(path, f"there is no task {ref.task!r} in {', '.join(missing)} (role {ref.of})")
        return found

    def _own(self, path: str, ref: TaskRef) -> list[Node]:
        name, _, task = ref.task.rpartition("/")
        owner = self.catalog.specifications.get(name) if name else self.specification
        if owner is None:
            self.add(path, f"there is no specification {name!r}")
            return []
        if task not in owner.tasks:
            self.add(path, f"there is no task {task!r} in {owner.name}")
            return []
        without = [host.name for host in self.hosts if owner is not host and owner.name not in host.includes]
        if without and (not ref.optional or len(without) == len(self.hosts)):
            whose = ", ".join(without)
            self.add(path, f"{whose} does not include {owner.name}" + ("" if ref.optional else ", nor is it optional"))
        return [(owner.name, task)]

    def _template(self, node: Node) -> TaskTemplate:
        return self.catalog.specifications[node[0]].tasks[node[1]]

    # What is let go after it

    def check_release(self) -> None:
        """Whether an old generation that waits for other tasks can ever be let go by that rule."""
        template = self.template
        for n, ref in enumerate(template.release_after):
            path = f"release_after.{n}"
            targets = self._targets(path, ref)
            if template.replacement is Replacement.BREAK_BEFORE_MAKE:
                self.add(path, "has no effect: with break_before_make the old one goes before the new one is made")
            elif not any(given.on_change is OnChange.REPLACE for given in template.inputs.values()):
                self.add(path, "has no effect: no input of the task says on_change: replace")
            for target in targets:
                if target == self.node:
                    self.add(path, "names the task itself")
                elif ref.of is None and not self._together(self._template(target)):
                    self.add(path, f"{_name(target)} is never in the same plan")
                elif self.tasks.waits(self.node, target):
                    self.add(path, f"has no effect: the new one waits for {_name(target)} anyway")

    def _together(self, other: TaskTemplate) -> bool:
        """False where a product cannot have both tasks."""
        mine = self.template
        agree = all(other.when.get(name, value) == value for name, value in mine.when.items())
        return agree and bool(set(mine.applies_on) & set(other.applies_on))


def _impossible(host: ProductSpecification, name: str, value: JsonValue) -> str | None:
    declared = host.characteristics.get(name)
    if declared is None:
        return f"{host.name} has no such characteristic"
    if value is None:
        return f"{host.name} requires a value" if declared.required else None
    problem = value_problem(declared, value)
    return f"{host.name}: {problem}" if problem else None


def _name(node: Node) -> str:
    return "/".join(node)


def _path(node: Node, field: str) -> str:
    path = f"specifications.{node[0]}.tasks.{node[1]}"
    return f"{path}.{field}" if field else path
