"""A customer who reads what is sent, on a clock that goes as told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from orders.model.messaging import Messaging, QuietHours, Topic
from orders.model.order import Appointment, Site
from orders.news.message import Message, MessageState
from orders.news.news import news_of
from orders.news.telling import moves
from orders.read_model.records import EventKind, OrderEvent
from orders.read_model.states import LifecycleState
from orders.read_model.views import OrderView
from tests.given.registers import a_view, an_item

BEGUN = datetime(2031, 3, 3, 9, tzinfo=UTC)
"""A Monday, ten o'clock in Berlin."""
RULES_ZONE = ZoneInfo("Europe/Berlin")
FOLD = timedelta(minutes=3)
RULES = Messaging(
    sender="Telecom <orders@telecom.example>",
    provider="Telecom",
    time_zone="Europe/Berlin",
    fold=FOLD,
    folds={Topic.RECEIVED: timedelta()},
    quiet=QuietHours.model_validate({"begin": "21:00", "end": "08:00"}),
    milestones={"handed-over": Topic.SHIPPED, "line-active": Topic.ACTIVE},
    visit_over=("visit-done",),
)
HOME = Site(id="S1", address={"streetName": "Lindenweg", "streetNr": "7", "postcode": "10115", "city": "Berlin"})


def an_order(**changes: Any) -> OrderView:
    """An order in flight, promised for Friday afternoon."""
    item = an_item("1", state=LifecycleState.IN_PROGRESS, site=HOME)
    begun = {
        "state": LifecycleState.IN_PROGRESS,
        "ordered_at": BEGUN,
        "promised_at": BEGUN + timedelta(days=4, hours=6),
        "expected_at": BEGUN + timedelta(days=4),
        "completed_at": None,
        "items": (item,),
        "body": None,
    }
    return a_view(**{**begun, **changes})


def late(by: timedelta) -> dict[str, Any]:
    """What is different about an order that is expected so much later than promised."""
    return {"in_jeopardy": True, "expected_at": an_order().promised_at + by}  # pyright: ignore[reportOptionalOperand]


def at_home(day: int, hour: int, hours: int = 3) -> Appointment:
    """A visit so many days after the order was made, by the clock in Berlin."""
    start = datetime(2031, 3, 3 + day, hour, tzinfo=RULES_ZONE)
    return Appointment(site="S1", start=start, end=start + timedelta(hours=hours), time_zone="Europe/Berlin")


def reached(number: int, milestone: str, task: str = "O1/t/t", items: Sequence[str] = ("1",)) -> OrderEvent:
    """A milestone as an order tells it."""
    data: dict[str, Any] = {"milestone": milestone, "task": task, "items": list(items)}
    return OrderEvent(number=number, at=BEGUN, kind=EventKind.MILESTONE, data=data)


class Customer:
    """Gets what is due, as the register and the courier would have it."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.now = BEGUN

    def hears(self, order: OrderView, *milestones: OrderEvent, after: timedelta = timedelta()) -> None:
        """News of an order is worked out, some time after what was before. Nothing goes out yet."""
        self.now += after
        decided = moves(news_of(order, milestones, self.messages, RULES, self.now), self.messages)
        told = {(each.topic, each.subject, each.number): each for each in decided.replaced}
        gone = {(each.topic, each.subject, each.number) for each in decided.withdrawn}
        for place, message in enumerate(self.messages):
            key = (message.topic, message.subject, message.number)
            if key in gone:
                self.messages[place] = message.model_copy(update={"state": MessageState.WITHDRAWN})
            else:
                self.messages[place] = told.get(key, message)
        self.messages += decided.added

    def gets(self, after: timedelta = timedelta()) -> list[Message]:
        """What goes out by then, some time after what was before."""
        self.now += after
        out: list[Message] = []
        for place, message in enumerate(self.messages):
            if message.state is MessageState.WAITING and message.due <= self.now:
                self.messages[place] = message.model_copy(update={"state": MessageState.SENT})
                out.append(self.messages[place])
        return out

    def topics(self, after: timedelta = timedelta()) -> list[str]:
        """The topics of what goes out by then."""
        return [str(message.topic) for message in self.gets(after)]


def a_customer(order: OrderView | None = None) -> Customer:
    """One who knows that the order was received, and what was promised."""
    customer = Customer()
    customer.hears(order or an_order())
    assert customer.topics() == ["received"]
    return customer
