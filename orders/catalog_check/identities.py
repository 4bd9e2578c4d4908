"""Whether what a task template says of its outputs makes sense: which identify a thing, and which are shown."""

from __future__ import annotations

from collections.abc import Iterator

from orders.model.catalog import OnChange, Scope, TaskTemplate, Undo


def output_problems(template: TaskTemplate) -> Iterator[tuple[str, str]]:
    """(field, reason) of everything wrong with a template's identities, and with what is shown."""
    for name in template.shown:
        if name not in template.outputs:
            yield "shown", f"the task has no output {name} (it has: {', '.join(template.outputs) or 'none'})"
    for name, identity in template.identities.items():
        field = f"identities.{name}"
        if name not in template.outputs:
            known = ", ".join(template.outputs) or "none"
            yield field, f"the task has no such output (it has: {known})"
        if template.undo is not Undo.ALWAYS:
            yield field, f"with undo {template.undo.value} nothing is held that could be kept or asked for again"
        if template.scope is not Scope.PRODUCT and not identity.keep:
            yield field, "has no effect: what products share is no part of what is installed, and keep is not said"
        given = template.inputs.get(identity.asked_by or "")
        if given is not None and given.on_change is not OnChange.REPLACE:
            yield f"{field}.asked_by", f"another {identity.asked_by} is another thing: that input has on_change replace"
