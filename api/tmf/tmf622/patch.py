"""`PATCH /productOrder/{id}`: what a patch makes of an order's resource, and the change that this asks for.

The resource is rendered, patched, and compared with what it was: the difference is the change. No operation of a patch
is translated by itself (docs/decisions/0007-patch-by-comparison.md).

What orderpipe reads of an order becomes an amendment. All else, such as notes and contacts, is in the order's document,
which the amendment brings anew: it comes back as it was written, and no silo is called for it.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from jsonpatch import JsonPatch, JsonPatchConflict, JsonPatchException, JsonPatchTestFailed
from jsonpointer import JsonPointerException
from pydantic import JsonValue, TypeAdapter, ValidationError

from api.errors import ChangeRefused, Detail, Malformed, PatchConflict, problem, problems
from api.tmf.json_body import Json, require_sound
from api.tmf.tmf622.bodies import MoneyBody
from api.tmf.tmf622.merge import ITEMS, difference, merged, names_of, walk
from api.tmf.tmf622.ours import GONE, Shown, settle, without_ours
from api.tmf.tmf622.request import fitting, to_request
from orders.change.request import ChangeKind, ChangeRequest, ItemUpdate
from orders.model.budget import DOCUMENT
from orders.model.order import OrderRequest, RequestedItem, Wishes
from orders.model.values import Money
from register.recording.documents import digest_of

JSON_PATCH = "application/json-patch+json"
MEDIA_TYPES = ("application/merge-patch+json", "application/json", JSON_PATCH)

PATCH_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            **{
                media_type: {"schema": {"type": "object", "title": "ProductOrder_Update", "additionalProperties": True}}
                for media_type in MEDIA_TYPES[:2]
            },
            JSON_PATCH: {
                "schema": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["op", "path"],
                        "properties": {
                            "op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]},
                            "path": {"type": "string"},
                            "from": {"type": "string"},
                            "value": {},
                        },
                    },
                }
            },
        },
    }
}
"""The documentation of the body, which is read as it comes."""

MOST_OPERATIONS = 500
LARGEST_RESULT = DOCUMENT.most
"""Characters. A JSON patch can copy what it has copied."""

NOTHING_SHOWN = Shown()

_WIRE = {
    "action": "action",
    "parent": ITEMS,
    "relies_on": "productOrderItemRelationship",
    "product": "product.id",
    "relies_on_products": "product.productRelationship",
    "bundled_by": "product.productRelationship",
    "status": "product.status",
    "billing_account": "product.billingAccount",
    "appointment": "appointment",
}

JsonPatchDocument: TypeAlias = list[Json]
_OPERATIONS = TypeAdapter(JsonPatchDocument)
_OBJECT = TypeAdapter(Json)


def read_patch(content_type: str, raw: bytes) -> tuple[str, JsonValue]:
    """A patch's media type, and its content, of the header and the body that it came with.

    Raises:
        Malformed: if it is of another type, or is no JSON.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise Malformed([problem("body", f"must be sent as content-type {', '.join(MEDIA_TYPES)}")])
    try:
        document: JsonValue = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Malformed([problem("body", str(error))]) from error
    require_sound(document)
    return media_type, document


def patched(resource: Json, media_type: str, document: JsonValue) -> Json:
    """The resource as a patch would have it.

    Raises:
        Malformed: if the document is no such patch.
        PatchConflict: if a JSON patch does not fit what the order is now.
    """
    try:
        if media_type == JSON_PATCH:
            return _json_patched(deepcopy(resource), _OPERATIONS.validate_python(document))
        patch = _OBJECT.validate_python(document)
    except ValidationError as error:
        raise Malformed(problems(error, "body")) from error
    _check_items(patch.get(ITEMS), ITEMS)
    return merged(resource, patch)


def _check_items(items: JsonValue, path: str) -> None:
    """Items are merged by their ids, so that each needs one."""
    if items is None:
        return
    if not isinstance(items, list):
        raise Malformed([problem(path, "must be a list of items")])
    for n, item in enumerate(items):
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            raise Malformed([problem(f"{path}[{n}].id", "is required: items are merged by their ids")])
        _check_items(item.get(ITEMS), f"{path}[{n}].{ITEMS}")


def _json_patched(resource: Json, operations: JsonPatchDocument) -> Json:
    if len(operations) > MOST_OPERATIONS:
        raise Malformed([problem("body", f"takes up to {MOST_OPERATIONS} operations")])
    for n, operation in enumerate(operations):
        try:
            resource = _applied(JsonPatch([operation]), resource, n)
        except (JsonPatchException, JsonPointerException, TypeError, ValueError) as error:
            raise Malformed([problem(f"[{n}]", str(error)[:200])]) from error
        if not isinstance(resource, dict):
            raise Malformed([problem(f"[{n}]", "leaves no order")])
        if operation.get("op") == "copy" and len(json.dumps(resource)) > LARGEST_RESULT:
            raise Malformed([problem(f"[{n}]", "makes the order too large")])
    return resource


def _applied(patch: JsonPatch, resource: Json, n: int) -> Json:
    try:
        return patch.apply(resource, in_place=True)
    except (JsonPatchConflict, JsonPatchTestFailed, JsonPointerException) as error:
        raise PatchConflict(f"Operation {n} does not fit the order as it is now", str(error)[:200]) from error


@dataclass(frozen=True, slots=True)
class Amendment:
    """What a patch asks for: a change, and the document that it gives to the order, if that is another."""

    change: ChangeRequest
    document: Json | None


def to_change(
    document: Json, before: Json, after: Json, request_id: str, shown: Shown = NOTHING_SHOWN
) -> Amendment | None:
    """The amendment that makes `after` of `before`, two states of an order's resource. None if they are the same.

    `document` is the order's, as amended: what `before` shows of it. `shown` is what the order has shown earlier. An
    item whose state `after` has as cancelled is one to be removed, and so is one that it lacks.

    Raises:
        Malformed: naming the path of whatever is wrong, or cannot be changed.
        ChangeRefused: where the order would contradict itself.
    """
    after = deepcopy(after)
    fee = _fee(after.pop("acceptFee", None))
    found: list[Detail] = []
    states = {str(item.get("id")): item.get("state") for item in walk(before.get(ITEMS))}
    remove = settle(before, after, document, shown, found)
    if found:
        raise Malformed(found)
    old, new = to_request(before), to_request(after)
    items_before, items_after = ({item.id: item for item in request.items} for request in (old, new))
    contradictions = [reason for reason in new.contradictions if reason not in old.contradictions]
    if contradictions:
        raise ChangeRefused(contradictions)
    updates = [
        _update(items_before[item_id], item, found)
        for item_id, item in items_after.items()
        if item_id in items_before and item != items_before[item_id]
    ]
    remove |= {item_id for item_id in items_before.keys() - items_after.keys() if states.get(item_id) not in GONE}
    content = difference(without_ours(before, document), without_ours(after, document))
    moved = _moved(old, new, found)
    if found:
        raise Malformed(found)
    if not content and not remove:
        return None
    written = merged(document, content) if content else None
    change = fitting(
        ChangeRequest,
        request_id=request_id,
        kind=ChangeKind.AMEND,
        add=tuple(item for item_id, item in items_after.items() if item_id not in items_before),
        update=tuple(update for update in updates if update.id not in remove),
        remove=tuple(sorted(remove)),
        requested_start=moved.get("requestedStartDate"),
        requested_completion=moved.get("requestedCompletionDate"),
        priority=new.priority if new.priority != old.priority else None,
        accept_fee=fee,
        document=digest_of(written) if written is not None else None,
        attributes=names_of(content),
    )
    return Amendment(change, written)


def _fee(value: JsonValue) -> Money | None:
    if value is None:
        return None
    try:
        return MoneyBody.model_validate(value).money
    except ValidationError as error:
        raise Malformed(problems(error, "acceptFee")) from error


def _moved(old: OrderRequest, new: OrderRequest, found: list[Detail]) -> dict[str, datetime]:
    """The dates that differ."""
    if new.customer_id != old.customer_id:
        found.append(problem("relatedParty", f"the order is that of customer {old.customer_id} for good"))
    if new.channel != old.channel:
        found.append(problem("channel", f"the order is that of channel {old.channel} for good"))
    moved: dict[str, datetime] = {}
    for name, before, after in (
        ("requestedStartDate", old.requested_start, new.requested_start),
        ("requestedCompletionDate", old.requested_completion, new.requested_completion),
    ):
        if before is not None and after is None:
            found.append(problem(name, "can be moved, not taken away"))
        elif after is not None and after != before:
            moved[name] = after
    return moved


def _update(before: RequestedItem, after: RequestedItem, found: list[Detail]) -> ItemUpdate:
    for name in ("action", "parent", "relies_on", "product", "relies_on_products", "bundled_by"):
        if getattr(before, name) != getattr(after, name):
            found.append(_of_item(after.id, _WIRE[name], "is the item's for good: remove the item, and add another"))
    if before.site is not None and after.site is None:
        found.append(_of_item(after.id, "product.place", "can be another, not none"))
    given_up = before.characteristics.keys() - after.characteristics.keys()
    new = {name: value for name, value in after.characteristics.items() if before.characteristics.get(name) != value}
    return fitting(
        ItemUpdate,
        ITEMS,
        id=after.id,
        offering=after.offering if after.offering != before.offering else None,
        characteristics={**new, **dict.fromkeys(given_up)},
        quantity=after.quantity if after.quantity != before.quantity else None,
        site=after.site if after.site != before.site else None,
        wishes=_wishes(before, after, found),
    )


def _wishes(before: RequestedItem, after: RequestedItem, found: list[Detail]) -> Wishes:
    """What an item asks of its product that it did not ask before."""
    old = dict(before.wishes)
    for name in ("status", "billing_account", "appointment"):
        if old[name] is not None and getattr(after.wishes, name) is None:
            found.append(_of_item(after.id, _WIRE[name], "can be another, not none"))
    return Wishes.model_validate({name: value for name, value in after.wishes if value != old[name]})


def _of_item(item_id: str, name: str, message: str) -> Detail:
    return Detail(code="malformed", path=f"{ITEMS}.{name}", item=item_id, message=message)
