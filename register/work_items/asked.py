"""What a call of an order means for a work item: opened, changed, to be undone, or fallen away. No SQL.

The calls on one thing are numbered. One that comes again changes nothing, and one that a newer has overtaken does not
take effect any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from orders.model.values import Verb
from orders.model.writing.text import as_json
from orders.read_model.work_state import WorkState
from orders.reconcile.outcome import Outcome, OutcomeKind
from register.work_items.item import Asked, WorkAct, WorkItem, item_id

OVERTAKEN: Final = "overtaken"
"""The code of a call that a newer one has overtaken."""
_LONGEST_NOTE: Final = 1000


class Step(NamedTuple):
    """What a call does to a work item: columns as they are from now on, and what its story says of that."""

    columns: dict[str, Any]
    act: WorkAct
    note: str = ""


def first(verb: Verb, asked: Asked, at: datetime) -> Step | None:
    """What the first call ever on a thing does. None: there is nothing to amend.

    An undoing of what never was leaves a mark, so that a call that it overtook makes nothing.
    """
    if verb is Verb.AMEND:
        return None
    unwanted = verb is Verb.COMPENSATE
    columns = {
        "id": item_id(asked.service),
        "service": asked.service,
        "silo": asked.silo,
        "operation": asked.operation,
        "established": False,
        "older": [],
        "outputs": {},
        "begun_at": None,
        "claimed_by": None,
        "claimed_at": None,
        **_wanted(verb, asked, at),
        "group_name": asked.group,
    }
    if unwanted:
        return Step({**columns, "state": WorkState.FALLEN_AWAY.value, "over_at": at}, WorkAct.FALLEN_AWAY)
    return Step(columns, WorkAct.OPENED)


def following(verb: Verb, asked: Asked, item: WorkItem, at: datetime) -> Step | None:
    """What a call does to a work item that is there. None: nothing."""
    if asked.number <= item.number or item.is_gone or verb is Verb.INSPECT:
        return None
    if verb is Verb.COMPENSATE:
        return _undoing(asked, item, at)
    if not item.established and item.state is WorkState.REFUSED and verb is Verb.AMEND:
        return None
    still = Verb.AMEND if item.established else Verb.PROVISION
    changes = "\n".join(_changes(item, asked))
    return Step({**_wanted(still, asked, at), "older": _older(item)}, WorkAct.CHANGED, changes[:_LONGEST_NOTE])


def answer(verb: Verb, number: int, item: WorkItem | None) -> Outcome:
    """What is told of a call, as things are."""
    undoes = verb is Verb.COMPENSATE
    if item is None or item.is_gone:
        return Outcome(OutcomeKind.DONE if undoes else OutcomeKind.LOST)
    if undoes and item.verb is not Verb.COMPENSATE:
        return Outcome(OutcomeKind.REFUSED, code=OVERTAKEN, reason="a newer call wants it kept")
    if item.verb is Verb.COMPENSATE and not undoes:
        return Outcome(OutcomeKind.ACKNOWLEDGED)
    if item.state is WorkState.DONE:
        return Outcome(OutcomeKind.DONE, item.outputs)
    if item.state is WorkState.REFUSED:
        if number > item.number:  # It was not taken on: there is nothing that could be amended.
            return Outcome(OutcomeKind.LOST)
        return Outcome(OutcomeKind.REFUSED, code=item.code, reason=item.reason)
    return Outcome(OutcomeKind.ACKNOWLEDGED)


def _wanted(verb: Verb, asked: Asked, at: datetime) -> dict[str, Any]:
    return {
        "order_id": asked.order_id,
        "state": WorkState.OPEN.value,
        "verb": verb.value,
        "number": asked.number,
        "title": asked.title,
        "instructions": asked.instructions,
        "inputs": asked.inputs,
        "form": {name: declared.model_dump(mode="json") for name, declared in asked.form.items()},
        "code": "",
        "reason": "",
        "opened_at": at,
        "due_at": asked.due_at,
        "over_at": None,
    }


def _undoing(asked: Asked, item: WorkItem, at: datetime) -> Step:
    begun = item.begun_at is not None or item.claimed_by is not None
    if not item.established and (not begun or item.state is WorkState.REFUSED):
        ended = {"order_id": asked.order_id, "number": asked.number, "older": _older(item)}
        return Step({**ended, "state": WorkState.FALLEN_AWAY.value, "over_at": at}, WorkAct.FALLEN_AWAY)
    # What was done is told with it, as it was done.
    kept = {"inputs": item.inputs, "form": {}, "older": _older(item)}
    return Step({**_wanted(Verb.COMPENSATE, asked, at), **kept}, WorkAct.CALLED_OFF)


def _older(item: WorkItem) -> list[int]:
    """The calls that a newer one takes over with this: those that nobody has an answer to yet."""
    return [*item.older, item.number] if item.state is WorkState.OPEN else []


def _changes(item: WorkItem, asked: Asked) -> Iterator[str]:
    for name in sorted({**item.inputs, **asked.inputs}):
        before, after = item.inputs.get(name), asked.inputs.get(name)
        if before != after:
            yield f"{name}: {as_json(before)}, now {as_json(after)}"
