"""The `query` of a subscription: which events it asks for, as `eventType=A,B&productOrder.channel.id=web`.

TMF622 leaves the language open. Here, as in TMF630, conditions are joined by `&` and must all hold; `,` stands between
values of which one must.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl

from api.errors import Detail, Malformed, problem
from orders.read_model.journal import CancellationState
from orders.read_model.records import EventKind
from orders.read_model.states import LifecycleState
from orders.read_model.subscription import EventFilter

EVENT_TYPES: Final = {
    EventKind.CREATED: "ProductOrderCreateEvent",
    EventKind.STATE_CHANGED: "ProductOrderStateChangeEvent",
    EventKind.ATTRIBUTES_CHANGED: "ProductOrderAttributeValueChangeEvent",
    EventKind.DELETED: "ProductOrderDeleteEvent",
    EventKind.INFORMATION_REQUIRED: "ProductOrderInformationRequiredEvent",
    EventKind.CANCELLATION_REQUESTED: "CancelProductOrderCreateEvent",
    EventKind.CANCELLATION_STATE_CHANGED: "CancelProductOrderStateChangeEvent",
    EventKind.CANCELLATION_INFORMATION_REQUIRED: "CancelProductOrderInformationRequiredEvent",
    EventKind.MILESTONE: "ProductOrderMilestoneEvent",
    EventKind.JEOPARDY: "ProductOrderJeopardyAlertEvent",
}
"""The eight events of TMF622 v4, and two of v5 that it does not have, under the names that they have there."""

_KINDS: Final = {name: kind for kind, name in EVENT_TYPES.items()}
_STATES: Final = frozenset((*LifecycleState, *CancellationState))

_FIELDS: Final = {
    "eventType": "kinds",
    "state": "states",
    "productOrder.id": "orders",
    "customer": "customers",
    "relatedParty.id": "customers",
    "channel": "channels",
    "channel.id": "channels",
    "offering": "offerings",
    "productOrderItem.productOffering.id": "offerings",
}
"""What may be asked for, and the field of `EventFilter` that it stands for."""


def read_query(query: str) -> EventFilter:
    """What a query asks for; an empty one asks for everything.

    Raises:
        Malformed: naming each part that cannot be understood.
    """
    found: list[Detail] = []
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in parse_qsl(query.removeprefix("?"), keep_blank_values=True):
        field = _field(name)
        if field is None:
            found.append(_wrong(f"{name} cannot be asked for; these can: {', '.join(_FIELDS)}"))
            continue
        values = tuple(dict.fromkeys(part.strip() for part in value.split(",")))
        if field in fields:
            found.append(_wrong(f"{name} is asked for twice: one of several values is written {name}=a,b"))
        if "" in values:
            found.append(_wrong(f"{name} is given no value, or an empty one"))
            continue
        found += [_wrong(f"{name}: {reason}") for reason in _CHECKS.get(field, _anything)(values)]
        fields[field] = values
    if found:
        raise Malformed(found)
    return EventFilter(
        kinds=tuple(_KINDS[name] for name in fields.pop("kinds", ())),
        **fields,
    )


def _field(name: str) -> str | None:
    """The filter's field for a name, which may stand as it does within an event: `event.productOrder.state`."""
    name = name.removeprefix("event.")
    return _FIELDS.get(name) or _FIELDS.get(name.removeprefix("productOrder."))


def _unknown_types(values: tuple[str, ...]) -> list[str]:
    return [f"there is no event {value}; there are {', '.join(_KINDS)}" for value in values if value not in _KINDS]


def _unknown_states(values: tuple[str, ...]) -> list[str]:
    known = ", ".join(sorted(_STATES))
    return [f"there is no state {value}; there are {known}" for value in values if value not in _STATES]


def _anything(values: tuple[str, ...]) -> list[str]:
    return []


_CHECKS: Final[dict[str, Callable[[tuple[str, ...]], list[str]]]] = {
    "kinds": _unknown_types,
    "states": _unknown_states,
}


def _wrong(message: str) -> Detail:
    return problem("query", message)
