"""JSON merge patches (RFC 7396) on product orders. Unlike other lists, those of order items are merged by item id.

An item is found wherever it is nested; one that is not there yet joins the list that it stands in. Libraries for merge
patches replace lists whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice

from pydantic import JsonValue

from api.tmf.json_body import Json
from orders.change.request import MOST_ATTRIBUTES
from orders.model.writing.text import printable

ITEMS = "productOrderItem"
_LONGEST_NAME = 200


def merged(document: Mapping[str, JsonValue], patch: Mapping[str, JsonValue]) -> Json:
    """The document with a patch applied. Neither is changed, though the result shares parts with both."""
    result = _merged(document, {name: value for name, value in patch.items() if name != ITEMS})
    items = patch.get(ITEMS)
    if isinstance(items, list):
        result[ITEMS] = _merged_items(result.get(ITEMS), items)
    return result


def _merged(document: JsonValue | Mapping[str, JsonValue], patch: Mapping[str, JsonValue]) -> Json:
    result = dict(document) if isinstance(document, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merged(result.get(name), value) if isinstance(value, dict) else value
    return result


def _merged_items(items: JsonValue, patches: list[JsonValue]) -> list[JsonValue]:
    known = {str(item.get("id")) for item in walk(items)}
    new: dict[str, list[Json]] = {}
    changes: dict[str, Json] = {}
    _sort_out(patches, "", known, changes, new)
    return [*_rebuilt(items, changes, new), *new.get("", [])]


def _sort_out(
    patches: JsonValue, parent: str, known: set[str], changes: dict[str, Json], new: dict[str, list[Json]]
) -> None:
    """Tell patches of known items from items that are new below a known one, or below none."""
    for patch in patches if isinstance(patches, list) else ():
        if not isinstance(patch, dict):
            continue
        item_id = str(patch.get("id"))
        if item_id in known:
            own = {name: value for name, value in patch.items() if name != ITEMS}
            changes[item_id] = {**changes.get(item_id, {}), **own}
            _sort_out(patch.get(ITEMS), item_id, known, changes, new)
        else:
            new.setdefault(parent, []).append(_merged({}, patch))


def _rebuilt(items: JsonValue, changes: Mapping[str, Json], new: Mapping[str, list[Json]]) -> list[JsonValue]:
    rebuilt: list[JsonValue] = []
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict):
            rebuilt.append(item)
            continue
        item_id = str(item.get("id"))
        result = _merged(item, changes.get(item_id, {}))
        nested = [*_rebuilt(item.get(ITEMS), changes, new), *new.get(item_id, [])]
        if nested or ITEMS in item:
            result[ITEMS] = nested
        rebuilt.append(result)
    return rebuilt


def difference(before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]) -> Json:
    """The smallest patch that makes one order of the other, but for items that are gone: those it cannot tell."""
    patch = _difference({**before, ITEMS: None}, {**after, ITEMS: None})
    known = {str(item.get("id")): item for item in walk(before.get(ITEMS))}
    items = list(_item_differences(after.get(ITEMS), None, known))
    if items:
        patch[ITEMS] = items
    return patch


def names_of(patch: Mapping[str, JsonValue]) -> dict[str, tuple[str, ...]]:
    """The attributes that a patch is about, the first of very many, by item id.

    Under the empty one stand those of the order itself.
    """
    found: dict[str, list[str]] = {}
    for item, name in islice(_names(patch), MOST_ATTRIBUTES):
        found.setdefault(item, []).append(printable(name, _LONGEST_NAME))
    return {item: tuple(names) for item, names in found.items()}


def _names(patch: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    yield from (("", name) for name in patch if name != ITEMS)
    for item in walk(patch.get(ITEMS)):
        yield from ((str(item.get("id")), name) for name in _item_names(item))


def _item_names(item: Mapping[str, JsonValue]) -> Iterator[str]:
    for name, value in item.items():
        if name == "product" and isinstance(value, dict):
            yield from (f"{name}.{inner}" for inner in value)
        elif name not in ("id", ITEMS):
            yield name


def _item_differences(items: JsonValue, parent: str | None, known: Mapping[str, Json]) -> Iterator[JsonValue]:
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict):
            continue
        item_id = str(item.get("id"))
        before = known.get(item_id)
        if before is None:
            yield item if parent is None else {"id": parent, ITEMS: [item]}
            continue
        patch = _difference({**before, ITEMS: None}, {**item, ITEMS: None})
        if patch:
            yield {"id": item_id, **patch}
        yield from _item_differences(item.get(ITEMS), item_id, known)


def _difference(before: Mapping[str, JsonValue], after: Mapping[str, JsonValue]) -> Json:
    patch: Json = {name: None for name, value in before.items() if value is not None and after.get(name) is None}
    for name, value in after.items():
        old = before.get(name)
        if value is None:
            continue
        if isinstance(old, dict) and isinstance(value, dict):
            if inner := _difference(old, value):
                patch[name] = inner
        elif json.dumps(old, sort_keys=True) != json.dumps(value, sort_keys=True):  # 1, 1.0 and true differ here.
            patch[name] = value
    return patch


def walk(items: JsonValue) -> Iterator[Json]:
    """All items of a list, and the items nested in them."""
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            yield item
            yield from walk(item.get(ITEMS))
