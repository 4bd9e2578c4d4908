"""The query of a subscription."""

from __future__ import annotations

import pytest

from api.errors import Malformed
from api.events.event_query import EVENT_TYPES, read_query
from orders.read_model.records import EventKind
from orders.read_model.subscription import EventFilter


@pytest.mark.parametrize("query", ["", "?"])
def test_an_empty_query_asks_for_everything(query: str) -> None:
    assert read_query(query) == EventFilter()


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("eventType=ProductOrderStateChangeEvent", EventFilter(kinds=(EventKind.STATE_CHANGED,))),
        (
            "eventType=ProductOrderCreateEvent, ProductOrderMilestoneEvent",
            EventFilter(kinds=(EventKind.CREATED, EventKind.MILESTONE)),
        ),
        (
            "state=completed,cancelled&channel=web&customer=C1&offering=mobile",
            EventFilter(
                states=("completed", "cancelled"), channels=("web",), customers=("C1",), offerings=("mobile",)
            ),
        ),
        (
            "event.productOrder.state=completed&productOrder.channel.id=web&relatedParty.id=C1",
            EventFilter(states=("completed",), channels=("web",), customers=("C1",)),
        ),
        ("productOrder.id=web-1&productOrder.productOrderItem.productOffering.id=a%26b",
         EventFilter(orders=("web-1",), offerings=("a&b",))),
        ("state=done", EventFilter(states=("done",))),
    ],
)  # fmt: skip
def test_a_query_asks_for_what_it_names(query: str, wanted: EventFilter) -> None:
    assert read_query(query) == wanted


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("evenType=ProductOrderCreateEvent", "query: evenType cannot be asked for; these can: eventType, state"),
        ("id=web-1", "id cannot be asked for"),
        ("eventType=OrderCreateEvent", "eventType: there is no event OrderCreateEvent; there are ProductOrderCreate"),
        ("productOrder.state=finished", "productOrder.state: there is no state finished; there are acknowledged"),
        ("channel=web&channel=shop", "channel is asked for twice: one of several values is written channel=a,b"),
        ("customer=", "customer is given no value"),
        ("customer=C1,,C2", "customer is given no value, or an empty one"),
        ("customer", "customer is given no value"),
        ("$.event.productOrder", r"\$.event.productOrder cannot be asked for"),
    ],
)
def test_a_part_that_can_not_be_understood_is_named(query: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        read_query(query)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(Malformed) as refused:
        read_query("eventType=X,Y&colour=red")
    assert len(refused.value.details) == 3


def test_every_kind_of_event_has_a_name_of_its_own() -> None:
    assert set(EVENT_TYPES) == set(EventKind)
    assert len(set(EVENT_TYPES.values())) == len(EventKind)
