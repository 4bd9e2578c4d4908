"""The core's events as TMF622 v4 tells them: their names, their envelopes, and what each says of its order.

Milestones and jeopardy are not in v4; they come as v5 has them, around a v4 order. A created order is told in full, as
it was submitted; all else by reference, with what the event is about. Its items are those concerned, or all where none
is in particular: v4 knows no order without items.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx2
from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue, field_validator
from pydantic.alias_generators import to_camel

from api.events.changed_attributes import ChangedAttributes
from api.events.event_query import EVENT_TYPES
from api.tmf.json_body import Json
from api.tmf.links import Links
from api.tmf.money import fees_out
from api.tmf.tmf622.cancel import errors_of
from api.tmf.tmf622.merge import ITEMS, walk
from api.tmf.tmf622.resource import to_resource
from orders.model.instants import instant
from orders.model.values import Money
from orders.read_model.jeopardy import JeopardyLevel
from orders.read_model.journal import CancellationState
from orders.read_model.records import EventKind, OrderEvent
from orders.read_model.states import LifecycleState
from orders.read_model.views import OrderView
from register.cancellations import cancellation_id


@dataclass(frozen=True, slots=True)
class WireEvent:
    """An event on the wire: its `eventId`, its `eventType`, and the whole of it as JSON."""

    id: str
    type: str
    content: Json

    def body(self) -> bytes:
        """What is sent."""
        return json.dumps(self.content, ensure_ascii=False, separators=(",", ":")).encode()


def listener_url(callback: str, event: WireEvent) -> str:
    """Where an event goes: `<callback>/listener/productOrderCreateEvent`. A query that the callback has stays."""
    url = httpx2.URL(callback)
    path, mark, query = url.raw_path.decode().partition("?")
    name = event.type[:1].lower() + event.type[1:]
    return str(url.copy_with(raw_path=f"{path.rstrip('/')}/listener/{name}{mark}{query}".encode()))


def to_event(order: OrderView, event: OrderEvent, links: Links) -> WireEvent:
    """An event on the wire, around its order as that is now. What the event itself says is as it was then.

    Raises:
        ValueError: if the event does not say what its kind has to.
    """
    telling = _Telling(order, event, links)
    about, payload = _TOLD[event.kind](telling)
    event_id, kind, at = f"{order.id}-{event.number}", EVENT_TYPES[event.kind], instant(event.at)
    content: Json = {
        "eventId": event_id,
        "eventTime": at,
        "eventType": kind,
        "correlationId": order.id,
        "domain": "Commercial",
        "title": kind,
        "description": f"Product order {order.id} {about}",
        "priority": str(order.priority),
        "timeOcurred": at,
        "event": payload,
    }
    if event.kind is EventKind.ATTRIBUTES_CHANGED:
        content["fieldPath"] = ",".join(telling.changed().paths)
    return WireEvent(event_id, kind, content)


_JEOPARDY: Final = {
    JeopardyLevel.NONE: ("is expected in time again", "Normal"),
    JeopardyLevel.AT_RISK: ("may come later than promised", "Warning"),
    JeopardyLevel.IN_JEOPARDY: ("is expected later than promised", "Hazard"),
    JeopardyLevel.MISSED: ("is later than promised", "Critical"),
}


class _Data(BaseModel):
    """What events say in the core's words; `orders.read_model.journal` lists the keys of each kind."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, hide_input_in_errors=True)

    state: str = ""
    items: dict[str, JsonValue] = {}
    order: tuple[str, ...] = ()
    attributes: dict[str, tuple[str, ...]] = {}
    fees: tuple[Money, ...] = ()
    change: str = ""
    fallout: tuple[Json, ...] = ()
    milestone: str = ""
    task: str = ""
    in_jeopardy: bool = False
    level: JeopardyLevel | None = None
    expected_at: AwareDatetime | None = None

    @property
    def danger(self) -> JeopardyLevel:
        """How bad it is. Events had no levels once."""
        return self.level or (JeopardyLevel.IN_JEOPARDY if self.in_jeopardy else JeopardyLevel.NONE)

    @field_validator("items", mode="before")
    @classmethod
    def _named(cls, value: JsonValue) -> JsonValue:
        """Where nothing more is said of them, items come as a list of ids."""
        return dict.fromkeys(map(str, value)) if isinstance(value, list) else value


class _Telling:
    """One event being told: each method gives a phrase about the order, and the payload."""

    def __init__(self, order: OrderView, event: OrderEvent, links: Links) -> None:
        self.order = order
        self.event = event
        self.links = links
        self.data = _Data.model_validate(event.data)
        self.id = f"{order.id}-{event.number}"
        self.at = instant(event.at)

    def created(self) -> tuple[str, Json]:
        items = _ids(self.order.body)
        then = self.order.model_copy(
            update={
                "state": LifecycleState.ACKNOWLEDGED,
                "revision": 1,
                "reasons": (),
                "expected_at": None,
                "completed_at": None,
                "items": tuple(
                    item.model_copy(update={"state": LifecycleState.ACKNOWLEDGED, "amended": ()})
                    for item in self.order.items
                    if item.id in items
                ),
            }
        )
        return "was submitted", {"productOrder": to_resource(self.order.body, then, self.links.api)}

    def state_changed(self) -> tuple[str, Json]:
        states = {item: {"state": state} for item, state in self.data.items.items()}
        return f"is {self.data.state}", self.about_order({"state": self.data.state}, states)

    def attributes_changed(self) -> tuple[str, Json]:
        now = to_resource(self.order.body, self.order, self.links.api)
        changed = self.changed()
        payload = self.about_order(changed.values(now, self.order), changed.items_now(now))
        return f"was changed: {', '.join(changed.paths)}", payload

    def changed(self) -> ChangedAttributes:
        """What is different by an amendment."""
        items = {
            item: [str(name) for name in names] for item, names in self.data.items.items() if isinstance(names, list)
        }
        return ChangedAttributes(self.data.order, items, self.data.attributes)

    def deleted(self) -> tuple[str, Json]:
        return "was deleted", self.about_order()

    def information_required(self) -> tuple[str, Json]:
        if self.data.change:
            about = f"has a question: change {self.data.change} costs a fee that it does not accept"
            return about, self.about_order({"fee": fees_out(self.data.fees)})
        tasks = ", ".join(str(fallout.get("task")) for fallout in self.data.fallout)
        return f"needs a person to look at it: {tasks}", self.about_order()

    def cancellation_requested(self) -> tuple[str, Json]:
        return "shall be cancelled", self.about_cancellation(CancellationState.ACKNOWLEDGED)

    def cancellation_state_changed(self) -> tuple[str, Json]:
        return f"shall be cancelled: {self.data.state}", self.about_cancellation(self.data.state)

    def cancellation_information_required(self) -> tuple[str, Json]:
        about = "can only be cancelled at a fee that the request does not accept"
        return about, self.about_cancellation(CancellationState.IN_PROGRESS)

    def milestone(self) -> tuple[str, Json]:
        milestone: Json = {
            "@type": "ProductOrderMilestone",
            "id": self.id,
            "name": self.data.milestone,
            "message": self.data.task,
            "milestoneDate": self.at,
            "status": "Completed",
            "productOrderItem": self.item_refs(),
        }
        concerned = {item: {} for item in self.data.items}
        payload = self.about_order({"productOrderMilestone": [milestone]}, concerned)
        return f"has reached the milestone {self.data.milestone}", payload

    def jeopardy(self) -> tuple[str, Json]:
        about, kind = _JEOPARDY[self.data.danger]
        alert: Json = {
            "@type": "ProductOrderJeopardyAlert",
            "id": self.id,
            "name": "promised date",
            "alertDate": self.at,
            "jeopardyType": kind,
            "message": about,
            "productOrderItem": self.item_refs(),
        }
        attributes: Json = {"productOrderJeopardyAlert": [alert]}
        if self.data.expected_at:
            attributes["expectedCompletionDate"] = instant(self.data.expected_at)
        return about, self.about_order(attributes)

    def about_order(self, attributes: Json | None = None, concerned: Mapping[str, Json] | None = None) -> Json:
        """A reference to the order, with what is told of it and of some items: of all, if of none in particular."""
        order, told = self.order, concerned or {}
        items = [item for item in order.items if item.id in told] or order.items
        return {
            "productOrder": {
                "id": order.id,
                "href": self.links.tmf622(order.id),
                "@type": "ProductOrder",
                "externalId": order.external_id,
                "channel": [{"id": order.channel}],
                "relatedParty": [{"id": order.customer_id, "role": "customer", "@referredType": "Customer"}],
                **(attributes or {}),
                "productOrderItem": [{"id": item.id, "action": item.action, **told.get(item.id, {})} for item in items],
            }
        }

    def about_cancellation(self, state: str) -> Json:
        """The cancellation that a change asks for."""
        order = self.order
        verdict = order.verdict_on(self.data.change)
        cancellation = cancellation_id(order.id, self.data.change)
        told: Json = {
            "id": cancellation,
            "href": self.links.cancellation(cancellation),
            "@type": "CancelProductOrder",
            "state": state,
            "productOrder": {
                "id": order.id,
                "href": self.links.tmf622(order.id),
                "@referredType": "ProductOrder",
            },
        }
        if verdict is not None and verdict.reason:
            told["cancellationReason"] = verdict.reason
        if self.data.fees:
            told["fee"] = fees_out(self.data.fees)
        if state == CancellationState.DONE:
            told["effectiveCancellationDate"] = self.at
        if state == CancellationState.TERMINATED_WITH_ERROR and verdict is not None:
            told |= errors_of(verdict)
        return {"cancelProductOrder": told}

    def item_refs(self) -> list[JsonValue]:
        """The items concerned, as v5 refers to them."""
        return [
            {"@type": "ProductOrderItemRef", "productOrderId": self.order.id, "productOrderItemId": item}
            for item in self.data.items
        ]


_TOLD: Final = {
    EventKind.CREATED: _Telling.created,
    EventKind.STATE_CHANGED: _Telling.state_changed,
    EventKind.ATTRIBUTES_CHANGED: _Telling.attributes_changed,
    EventKind.DELETED: _Telling.deleted,
    EventKind.INFORMATION_REQUIRED: _Telling.information_required,
    EventKind.CANCELLATION_REQUESTED: _Telling.cancellation_requested,
    EventKind.CANCELLATION_STATE_CHANGED: _Telling.cancellation_state_changed,
    EventKind.CANCELLATION_INFORMATION_REQUIRED: _Telling.cancellation_information_required,
    EventKind.MILESTONE: _Telling.milestone,
    EventKind.JEOPARDY: _Telling.jeopardy,
}


def _ids(order: Mapping[str, JsonValue] | None) -> set[str]:
    return {str(item.get("id")) for item in walk((order or {}).get(ITEMS))}
