"""What of an order's resource is ours to tell, and moves by itself: to send it back as it was read is no wish.

A client that reads an order, changes a note and sends all of it back sends states, dates and notes of ours along, as
they were when it read them. What the order has shown before is no wish, even if it has moved since. What it has never
shown is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import JsonValue, TypeAdapter, ValidationError

from api.errors import Detail, problem
from api.tmf.json_body import Body, Json
from api.tmf.tmf622.merge import ITEMS, walk
from orders.model.instants import Instant, instant
from orders.read_model.records import Transition
from orders.read_model.states import LifecycleState

OURS: Final = {
    "id": "is the order's for good",
    "href": "is the order's for good",
    "externalId": "is the order's for good",
    "orderDate": "is the order's for good",
    "state": "is told, not set; POST /cancelProductOrder cancels an order",
    "completionDate": "is told, not set",
    "expectedCompletionDate": "is told, not set",
    "cancellationDate": "is told, not set; POST /cancelProductOrder cancels an order",
    "cancellationReason": "is told, not set; POST /cancelProductOrder cancels an order",
}
GONE: Final = (LifecycleState.CANCELLED, LifecycleState.PENDING_CANCELLATION)

_AUTHOR: Final = "orderpipe"
_OF_OUR_NOTES: Final = {"@type", "id", "author", "date", "text"}
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


@dataclass(frozen=True, slots=True)
class Shown:
    """What an order has shown before: its states, those of its items by id, and when it had ended."""

    states: frozenset[str] = frozenset()
    items: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ends: frozenset[str] = frozenset()


def shown_by(moves: Iterable[Transition]) -> Shown:
    """What an order has shown before, by its moves from state to state."""
    states, ends = set[str](), set[str]()
    items: dict[str, set[str]] = {}
    for move in moves:
        if move.milestone is not None:
            continue
        if move.item is not None:
            items.setdefault(move.item, set()).add(move.after)
        else:
            states.add(move.after)
            ends.add(instant(move.at))
    return Shown(frozenset(states), {item: frozenset(each) for item, each in items.items()}, frozenset(ends))


def has_moved(before: Body, after: Body) -> bool:
    """True where states, or dates at which the order ended, are not as they are now: what was shown before counts."""
    states = {str(item.get("id")): item.get("state") for item in walk(before.get(ITEMS))}
    return any(before.get(name) != after.get(name) for name in ("state", "completionDate", "cancellationDate")) or any(
        item.get("state") not in (None, states.get(str(item.get("id")))) for item in walk(after.get(ITEMS))
    )


def settle(before: Json, after: Json, document: Body, shown: Shown, found: list[Detail]) -> set[str]:
    """Give `after` what is ours as it is now, and tell which items it wants cancelled, with those in them.

    What it asks for otherwise, of that which is ours, is added to `found`. `document` is what clients have written.
    """
    for name, why in OURS.items():
        if before.get(name) == after.get(name):
            continue
        if not _was_shown(name, after.get(name), shown):
            found.append(problem(name, why))
        elif before.get(name) is None:
            del after[name]
        else:
            after[name] = before[name]
    _settle_notes(before, after, document)
    return set(_settle_items(before, after, shown, found))


def _was_shown(name: str, value: JsonValue, shown: Shown) -> bool:
    match name:
        case "state":
            return _is_one_of(shown.states, value)
        case "completionDate" | "cancellationDate":
            return _is_one_of(shown.ends, value)
        case "expectedCompletionDate":
            # An estimate is another at each look, and nobody keeps them: any is taken for one that was told.
            return _is_instant(value)
        case _:
            return False


def _is_one_of(known: frozenset[str], value: JsonValue) -> bool:
    # Anything may be sent: lists and objects cannot be looked up.
    return isinstance(value, str) and value in known


def _is_instant(value: JsonValue) -> bool:
    try:
        _INSTANT.validate_python(value)
    except ValidationError:
        return False
    return True


def _settle_notes(before: Json, after: Json, document: Body) -> None:
    """Notes of ours come and go: those that come back are left out, and those of now put in their place."""
    if not isinstance(after.get("note"), list | None):
        return
    written = [note for note in _notes(after) if not is_our_note(note, document)]
    notes = [*written, *(note for note in _notes(before) if is_our_note(note, document))]
    if notes or "note" in before:
        after["note"] = notes
    elif _notes(after):
        del after["note"]


def is_our_note(note: JsonValue, document: Body) -> bool:
    """True for a note that tells where an order is, or why it was rejected, and that no client has written."""
    if not isinstance(note, dict) or note.get("author") != _AUTHOR or note.get("@type") != "Note":
        return False
    return note.keys() <= _OF_OUR_NOTES and note not in _notes(document)


def _notes(resource: Body) -> list[JsonValue]:
    notes = resource.get("note")
    return notes if isinstance(notes, list) else []


def _settle_items(before: Json, after: Json, shown: Shown, found: list[Detail]) -> Iterator[str]:
    states = {str(item.get("id")): item.get("state") for item in walk(before.get(ITEMS))}
    for item in walk(after.get(ITEMS)):
        item_id, wanted = str(item.get("id")), item.get("state")
        state = states.get(item_id)
        if state is None:
            item.pop("state", None)
            continue
        item["state"] = state
        if wanted is None or wanted == state:
            continue
        if wanted == LifecycleState.CANCELLED:
            yield from (str(gone.get("id")) for gone in walk([item]) if states.get(str(gone.get("id"))) not in GONE)
        elif not _is_one_of(shown.items.get(item_id, frozenset()), wanted):
            why = "is told, not set, but for cancelled, which removes the item"
            found.append(Detail(code="malformed", path=f"{ITEMS}.state", item=item_id, message=why))


def without_ours(resource: Json, document: Body) -> Json:
    """A resource without what is ours: as clients wrote it, or want it. `document` is what they have written."""
    kept: Json = {name: value for name, value in resource.items() if name not in OURS}
    if any(is_our_note(note, document) for note in _notes(resource)):
        kept["note"] = [note for note in _notes(resource) if not is_our_note(note, document)]
        if not kept["note"] and "note" not in document:
            del kept["note"]
    if ITEMS in kept:
        kept[ITEMS] = _items_without_states(kept[ITEMS])
    return kept


def _items_without_states(items: JsonValue) -> JsonValue:
    if not isinstance(items, list):
        return items
    return [
        {
            name: _items_without_states(value) if name == ITEMS else value
            for name, value in item.items()
            if name != "state"
        }
        if isinstance(item, dict)
        else item
        for item in items
    ]
