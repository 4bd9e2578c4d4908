"""An order that there never was, and every kind of message about it: templates are tried with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from orders.model.messaging import Topic
from orders.model.order import TimeSlot
from orders.model.values import Money
from orders.news.message import Content, FeeTold, Message, MessageState, Precision, Thing, Visit
from orders.read_model.states import LifecycleState
from orders.read_model.views import GivenView, ItemView, OrderView

_AT: Final = datetime(2031, 3, 3, 9, 30, tzinfo=UTC)
_SLOT: Final = TimeSlot(start=_AT, end=_AT + timedelta(hours=3), time_zone="Europe/Berlin")
_VISIT: Final = Visit(site="S1", slot=_SLOT, address=("Lindenweg 7", "10115 Berlin"))
_OPEN_END: Final = _VISIT.model_copy(update={"slot": _SLOT.model_copy(update={"end": None}), "address": ()})
_FEE: Final = FeeTold(change="C1", fee=Money(amount=Decimal("9.90"), currency="EUR"))
_THING: Final = Thing(event=1, milestone="handed-over", task="O1/delivery/ship-parcel", items=("1",))


@dataclass(frozen=True, slots=True)
class Sample:
    """A message, its order, and the customer's name if that is known."""

    message: Message
    order: OrderView
    name: str


def samples() -> Iterator[Sample]:
    """All of them, of every topic with all that it can say."""
    for topic, contents in _CONTENTS.items():
        for content in contents:
            for name in ("Anna Muster", ""):
                message = Message(topic=topic, number=1, state=MessageState.SENDING, due=_AT, content=content)
                yield Sample(message, _ORDER, name)


_CONTENTS: Final = {
    Topic.RECEIVED: (
        Content(date=_AT, items=("1", "2"), visits=(_VISIT,)),
        Content(date=_AT, precision=Precision.HOUR, items=("1",)),
        Content(items=("1",)),
    ),
    Topic.DATE: (
        Content(date=_AT, date_before=_AT - timedelta(days=2)),
        Content(date=_AT, date_before=_AT + timedelta(days=2)),
        Content(date=_AT, precision=Precision.HOUR),
    ),
    Topic.VISIT: (Content(visits=(_VISIT,)), Content(visits=(_OPEN_END,)), Content(called_off=(_VISIT,))),
    Topic.VISIT_REMINDER: (Content(visits=(_VISIT,)), Content(visits=(_OPEN_END,))),
    Topic.SHIPPED: (Content(things=(_THING,)), Content(things=(_THING.model_copy(update={"task": "unknown"}),))),
    Topic.ACTIVE: (Content(things=(_THING, _THING)),),
    Topic.NEEDS_YOU: (Content(change="C1", fees=(_FEE,)), Content(change="C1", whole=True)),
    Topic.CANCELLED: (
        Content(items=("1", "2"), called_off=(_VISIT,), fees=(_FEE,), whole=True),
        Content(items=("1",)),
    ),
    Topic.REJECTED: (Content(reasons=("It is not sold any more.",), whole=True), Content(whole=True)),
    Topic.DONE: (Content(items=("1", "2"), fees=(_FEE,), whole=True), Content(items=("1",), whole=True)),
}

_ORDER: Final = OrderView(
    id="O1",
    external_id="web-1",
    customer_id="C1",
    channel="web",
    state=LifecycleState.IN_PROGRESS,
    revision=1,
    catalog="",
    ordered_at=_AT - timedelta(days=5),
    requested_start=None,
    requested_completion=None,
    promised_at=_AT,
    expected_at=_AT,
    completed_at=None,
    in_jeopardy=False,
    items=tuple(
        ItemView(
            id=item,
            offering=offering,
            action="add",
            state=LifecycleState.IN_PROGRESS,
            quantity=1,
            products=(),
            characteristics={},
        )
        for item, offering in (("1", "Fibre 1000"), ("2", "Voice line"))
    ),
    silos=(),
    fallout=(),
    changes=(),
    given=(GivenView(task=_THING.task, silo="s", name="tracking_id", value="TRK-0000042", items=("1",), since=""),),
)
