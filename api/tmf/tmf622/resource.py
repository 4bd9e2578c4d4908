"""The core's view of an order as a TMF622 v4 `ProductOrder`: its document, as clients wrote it, and what is told of it.

What changes have amended since stands in place of what it replaces, and nothing else of the document is touched.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from copy import deepcopy
from datetime import datetime

from pydantic import JsonValue, TypeAdapter, ValidationError

from api.tmf.json_body import Body, Json
from api.tmf.tmf622.merge import ITEMS, walk
from api.tmf.tmf622.request import order_href
from api.tmf.tmf622.wishes import is_site, show_wishes
from orders.change.request import ChangeKind, ChangeState
from orders.fulfilment.amended import CHARACTERISTIC
from orders.model.instants import Instant, instant, moment
from orders.model.order import Site
from orders.model.values import Action
from orders.read_model.states import LifecycleState
from orders.read_model.views import ItemView, OrderView

_OURS = ("state", "orderDate", "completionDate", "expectedCompletionDate", "cancellationDate", "cancellationReason")
"""What only the provider can know, whatever was submitted."""

_WHERE, _LATE = "where", "late"
"""Ids of our notes on an order in flight."""

_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


def to_resource(document: Body | None, view: OrderView, base_url: str) -> Json:
    """An order's document, as amended, plus id, href, states and dates. None for a document that was lost."""
    resource: Json = {"id": view.id, "href": order_href(base_url, view.id), **as_amended(document, view)}
    for name in _OURS:
        resource.pop(name, None)
    resource |= {"id": view.id, "href": order_href(base_url, view.id)}
    resource.setdefault("@type", "ProductOrder")
    resource |= {"externalId": view.external_id, "state": view.state, "orderDate": instant(view.ordered_at)}
    _tell_the_end(resource, view)
    _note_answer(resource, view)
    states = {item.id: item.state for item in view.items}
    for item in walk(resource.get(ITEMS)):
        if (state := states.get(str(item.get("id")))) is not None:
            item["state"] = state
    return resource


def as_amended(document: Body | None, view: OrderView) -> Json:
    """An order's document with the items that it does not know, and with what is asked for now of all others.

    Of one that was lost, what the core has read of it is told.
    """
    resource: Json = deepcopy(dict(document)) if document is not None else _as_read(view)
    _add_later_items(resource, view)
    _move(resource, "requestedStartDate", view.requested_start)
    _move(resource, "requestedCompletionDate", view.requested_completion)
    if str(resource.get("priority") or 4) != str(view.priority) and resource.get("priority") != view.priority:
        resource["priority"] = str(view.priority)
    amended = {item.id: item for item in view.items if item.amended or view.appointments}
    for item in walk(resource.get(ITEMS)) if amended else ():
        if (known := amended.get(str(item.get("id")))) is not None:
            _amend(item, known)
            show_wishes(item, known, view.appointments)
    return resource


def told_beside(document: Body | None, view: OrderView) -> Json:
    """The attributes of an order's resource that are otherwise in its document, or not there; null if not shown."""
    resource, written = to_resource(document, view, ""), document or {}
    return {
        name: resource.get(name)
        for name in {**written, **resource}
        if name != "href" and json.dumps(resource.get(name)) != json.dumps(written.get(name))
    }


def _as_read(view: OrderView) -> Json:
    customer: Json = {"id": view.customer_id, "role": "customer", "@referredType": "Customer"}
    return {"channel": [{"id": view.channel}], "relatedParty": [customer]}


def _move(resource: Json, name: str, at: datetime | None) -> None:
    """Show an instant, unless the very same one is shown: that stays as it was written."""
    try:
        written = _INSTANT.validate_python(resource.get(name))
    except ValidationError:
        written = None
    if at is not None and written != at:
        resource[name] = instant(at)


def _tell_the_end(resource: Json, view: OrderView) -> None:
    """When and why it ended, what it waits for, or when it should end."""
    match view.state:
        case LifecycleState.REJECTED:
            _note_reasons(resource, view, date=instant(view.ordered_at))
            _tell_reasons(resource, view)
        case LifecycleState.PENDING if view.reasons:
            _note_reasons(resource, view, date=instant(view.ordered_at))
        case LifecycleState.HELD if view.reasons:
            _note_reasons(resource, view)
        case LifecycleState.CANCELLED | LifecycleState.PENDING_CANCELLATION:
            resource["cancellationReason"] = _cancellation_reason(view)
            if view.completed_at is not None:
                resource["cancellationDate"] = instant(view.completed_at)
        case _ if view.completed_at is not None:
            resource["completionDate"] = instant(view.completed_at)
        case _ if expected := view.expected_at:
            resource["expectedCompletionDate"] = instant(expected)


def _note_answer(resource: Json, view: OrderView) -> None:
    """Where an order in flight is, and why it is late. What its notes say already is not said twice."""
    if view.completed_at is not None or view.reasons:
        return
    answer, told = view.answer, dict[str, str]()
    if answer.waits_for is not None:
        told[_WHERE] = answer.summary
    if answer.late_because:
        since = f" (since {moment(answer.late_since)})" if answer.late_since is not None else ""
        told[_LATE] = f"Expected later than promised{since}: {answer.late_because}"
    _note(resource, told.items())


def _note_reasons(resource: Json, view: OrderView, **when: str) -> None:
    """Why it was rejected, waits, or was abandoned."""
    _note(resource, ((reason.code, reason.message) for reason in view.reasons), **when)


def _note(resource: Json, told: Iterable[tuple[str, str]], **when: str) -> None:
    """Add notes of ours behind those of clients: the one place that v4 has for it."""
    ours: list[JsonValue] = [
        {"@type": "Note", "id": code, "author": "orderpipe", **when, "text": text} for code, text in told
    ]
    if ours:
        notes = resource.get("note")
        resource["note"] = [*(notes if isinstance(notes, list) else ()), *ours]


def _tell_reasons(resource: Json, view: OrderView) -> None:
    """Why it was rejected, in v5's form for programs."""
    date = instant(view.ordered_at)
    resource["productOrderErrorMessage"] = [
        {
            "@type": "ProductOrderErrorMessage",
            "code": reason.code,
            "reason": reason.message,
            "timestamp": date,
            "productOrderItem": [
                {"@type": "ProductOrderItemRef", "productOrderId": view.id, "productOrderItemId": item_id}
                for item_id in ([reason.item] if reason.item else ())
            ],
        }
        for reason in view.reasons
    ]


def _cancellation_reason(view: OrderView) -> str:
    reasons = [
        verdict.reason
        for verdict in view.changes
        if verdict.kind is ChangeKind.CANCEL and verdict.state in (ChangeState.ACCEPTED, ChangeState.APPLIED)
    ]
    return reasons[-1] if reasons else ""


def _add_later_items(resource: Json, view: OrderView) -> None:
    """Items that were not submitted: components that a bundle brought along, and what was added since."""
    top = resource.setdefault(ITEMS, [])
    shown = {str(item.get("id")): item for item in walk(top)}
    for item in view.items:
        if item.id in shown:
            continue
        added = shown[item.id] = _new_item(item)
        above = shown.get(item.parent or "")
        siblings = above.setdefault(ITEMS, []) if above is not None else top
        if isinstance(siblings, list):
            siblings.append(added)


def _amend(item: Json, view: ItemView) -> None:
    """Put what the item asks for now in place of what it asked for, where that was amended."""
    if "quantity" in view.amended and item.get("quantity", 1) != view.quantity:
        item["quantity"] = view.quantity
    offering = item.get("productOffering")
    if "offering" in view.amended and (not isinstance(offering, dict) or offering.get("id") != view.offering):
        item["productOffering"] = {"id": view.offering}
    names = {name.removeprefix(CHARACTERISTIC) for name in view.amended if name.startswith(CHARACTERISTIC)}
    if names:
        _amend_characteristics(_product_of(item), view.characteristics, names)
    if "site" in view.amended and view.site is not None:
        _amend_site(_product_of(item), view.site)


def _product_of(item: Json) -> Json:
    product = item.get("product")
    if not isinstance(product, dict):
        product = item["product"] = {"@type": "Product"}
    return product


def _amend_characteristics(product: Json, now: Mapping[str, JsonValue], names: Collection[str]) -> None:
    """Tell those named by their values, with whatever else was written about them; without a value one is gone."""
    written = product.get("productCharacteristic")
    listed = [entry for entry in written if isinstance(entry, dict)] if isinstance(written, list) else []
    told: list[JsonValue] = []
    for entry in listed:
        name = str(entry.get("name"))
        if name not in names or name in now:
            stays = name not in names or entry.get("value") == now[name]
            told.append(entry if stays else {**entry, "value": now[name]})
    known = {str(entry.get("name")) for entry in listed}
    told += _characteristics({name: value for name, value in now.items() if name in names and name not in known})
    if told != listed:
        product["productCharacteristic"] = told


def _amend_site(product: Json, site: Site) -> None:
    places = product.get("place")
    listed = [place for place in places if isinstance(place, dict)] if isinstance(places, list) else []
    if all(place.get("id") != site.id for place in listed):
        others = [place for place in listed if not is_site(str(place.get("role", "")))]
        product["place"] = [*others, _place(site)]


def _characteristics(values: Mapping[str, JsonValue]) -> list[JsonValue]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _new_item(view: ItemView) -> Json:
    product: Json = {"@type": "Product"}
    if view.action != Action.ADD:
        product["id"] = view.products[0]
    if view.characteristics:
        product["productCharacteristic"] = _characteristics(view.characteristics)
    if view.site is not None:
        product["place"] = [_place(view.site)]
    item: Json = {
        "@type": "ProductOrderItem",
        "id": view.id,
        "action": view.action,
        "quantity": view.quantity,
        "productOffering": {"id": view.offering},
        "product": product,
    }
    if view.relies_on:
        item["productOrderItemRelationship"] = [
            {"id": other, "relationshipType": "reliesOn"} for other in view.relies_on
        ]
    return item


def _place(site: Site) -> Json:
    return {"@type": "GeographicAddress", **site.address, "id": site.id, "role": "installationAddress"}
