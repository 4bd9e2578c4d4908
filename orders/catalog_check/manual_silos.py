"""Whether what people are asked to do makes sense: what it names, and what tasks ask of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from orders.catalog_check.characteristics import characteristic_problems
from orders.catalog_check.inputs import Target, targets_of
from orders.model.catalog import Catalog, Protocol, Silo
from orders.model.expressions import references, stray_markers
from orders.model.silos.manual_silo import ManualOperation


def manual_problems(catalog: Catalog, silo: Silo) -> Iterator[tuple[str, str]]:
    """(field, reason) of everything wrong with a silo whose work people do."""
    if silo.protocol is not Protocol.MANUAL:
        if silo.manual is not None:
            yield "manual", f"has no effect: the protocol is {silo.protocol}"
        return
    if silo.manual is None:
        yield "manual", "is missing: what people are asked to do"
        return
    if silo.address:
        yield "address", "has no effect: people have none"
    if silo.retry == "inspect":
        yield "retry", "has no effect: a work item has its key"
    if silo.fees is not None:
        yield "fees", "fees are billed by a system"
    tasks = targets_of(catalog, silo)
    for name, operation in silo.manual.operations.items():
        for field, reason in _operation(operation, tasks.pop(name, ())):
            yield f"manual.operations.{name}.{field}", reason
    for name, missing in tasks.items():
        if missing:
            asked_by = ", ".join(target.name for target in missing)
            yield "manual.operations", f"there is no {name}, which {asked_by} calls for"


def _operation(operation: ManualOperation, tasks: Sequence[Target]) -> Iterator[tuple[str, str]]:
    if operation.due is not None and operation.due <= timedelta():
        yield "due", "must be more than nothing"
    if operation.title != " ".join(operation.title.split()) or not operation.title.isprintable():
        yield "title", "must be a line of plain text"
    for field, text in (("title", operation.title), ("instructions", operation.instructions)):
        if stray_markers(text):
            yield field, "has a ${ that is no reference: they are written ${namespace.name}"
        for reference in dict.fromkeys(references(text)):
            known = reference.namespace == "input" and any(reference.name in task.template.inputs for task in tasks)
            if tasks and not known:
                yield field, f"${{{reference.namespace}.{reference.name}}}: is no input of {tasks[0].name}"
    for name, declared in operation.outputs.items():
        for field, reason in characteristic_problems(declared):
            yield f"outputs.{name}{field}", reason
        if declared.default is not None:
            yield f"outputs.{name}.default", "has no effect: a person says what it is"
    for task in tasks:
        for name in task.template.outputs:
            declared = operation.outputs.get(name)
            if declared is None or not declared.required:
                yield "outputs", f"{task.name} needs the output {name}: the form must have it, with required: true"
