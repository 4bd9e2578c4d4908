"""The core's view of an order as a TMF622 v4 `ProductOrder`: what was submitted, brought up to date."""

from __future__ import annotations

from copy import deepcopy

from pydantic import JsonValue

from api.tmf.json_body import Body, Json
from api.tmf.tmf622_merge import ITEMS, merged, walk
from api.tmf.tmf622_request import order_href
from api.tmf.tmf622_wishes import is_site, show_wishes
from orders.change.request import ChangeKind, ChangeState
from orders.model.instants import instant
from orders.model.order import Site
from orders.model.values import Action
from orders.read_model.states import LifecycleState
from orders.read_model.views import ItemView, OrderView

_OURS = ("state", "orderDate", "completionDate", "expectedCompletionDate")
"""What only the provider can know, whatever was submitted."""


def to_resource(body: Body, view: OrderView, base_url: str) -> Json:
    """The body as submitted, plus id, href, states and dates, the items that came later, and what was amended.

    Where an amendment changed what an item asks for, the item shows what is asked for now.
    """
    resource: Json = {"id": view.id, "href": order_href(base_url, view.id), **deepcopy(dict(body))}
    _add_later_items(resource, view)
    for content in view.contents:
        resource = merged(resource, deepcopy(content))
    for name in _OURS:
        resource.pop(name, None)
    resource |= {"id": view.id, "href": order_href(base_url, view.id)}
    resource.setdefault("@type", "ProductOrder")
    resource |= {"externalId": view.external_id, "state": view.state, "orderDate": instant(view.ordered_at)}
    if view.revision > 1:
        if view.requested_start is not None:
            resource["requestedStartDate"] = instant(view.requested_start)
        if view.requested_completion is not None:
            resource["requestedCompletionDate"] = instant(view.requested_completion)
        if resource.get("priority", "4") != str(view.priority):
            resource["priority"] = str(view.priority)
    _tell_the_end(resource, view)
    _bring_items_up_to_date(resource, view)
    return resource


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
        case _ if expected := view.expected_at or view.promised_at:
            resource["expectedCompletionDate"] = instant(expected)


def _note_reasons(resource: Json, view: OrderView, **when: str) -> None:
    """Why it was rejected, waits, or was abandoned: as notes, the one place that v4 has for it."""
    notes = resource.get("note")
    resource["note"] = [
        *(notes if isinstance(notes, list) else ()),
        *(
            {"@type": "Note", "id": reason.code, "author": "orderpipe", **when, "text": reason.message}
            for reason in view.reasons
        ),
    ]


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
                for item_id in (reason.item.split(", ") if reason.item else ())
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


def _bring_items_up_to_date(resource: Json, view: OrderView) -> None:
    views = {item.id: item for item in view.items}
    for item in walk(resource.get(ITEMS)):
        known = views.get(str(item.get("id")))
        if known is None:
            continue
        item["state"] = known.state
        if view.revision > 1:
            _amend(item, known)
            show_wishes(item, known, view.appointments)


def _amend(item: Json, view: ItemView) -> None:
    """Put what the item asks for now in place of what it asked for first."""
    if item.get("quantity", 1) != view.quantity:
        item["quantity"] = view.quantity
    offering = item.get("productOffering")
    if not isinstance(offering, dict) or offering.get("id") != view.offering:
        item["productOffering"] = {"id": view.offering}
    product = item.get("product")
    if not isinstance(product, dict):
        product = item["product"] = {"@type": "Product"}
    if view.characteristics:
        product["productCharacteristic"] = _characteristics(view, product.get("productCharacteristic"))
    places = product.get("place")
    listed = [place for place in places if isinstance(place, dict)] if isinstance(places, list) else []
    if view.site is not None and listed and all(place.get("id") != view.site.id for place in listed):
        others = [place for place in listed if not is_site(str(place.get("role", "")))]
        product["place"] = [*others, _place(view.site)]


def _characteristics(view: ItemView, submitted: JsonValue = None) -> list[JsonValue]:
    """All characteristics, with whatever else was submitted about those that are still there."""
    listed = submitted if isinstance(submitted, list) else []
    before = {str(entry.get("name")): entry for entry in listed if isinstance(entry, dict)}
    return [{**before.get(name, {}), "name": name, "value": value} for name, value in view.characteristics.items()]


def _new_item(view: ItemView) -> Json:
    product: Json = {"@type": "Product"}
    if view.action != Action.ADD:
        product["id"] = view.products[0]
    if view.characteristics:
        product["productCharacteristic"] = _characteristics(view)
    if view.site is not None:
        product["place"] = [_place(view.site)]
    item: Json = {
        "@type": "ProductOrderItem",
        "id": view.id,
        "action": view.action,
        "quantity": view.quantity,
        "state": view.state,
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
