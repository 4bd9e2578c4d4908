"""Subscriptions: what concerns whom, what is pending for each, and one process at a time to deliver it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from orders.read_model.records import EventKind, OrderEvent, OrderRecord
from orders.read_model.states import LifecycleState
from orders.read_model.subscription import EventFilter
from register import Register
from register.events.deliveries import LONGEST_PAUSE, PATIENCE, Delivery, Lease, pause_after
from register.events.subscriptions import (
    MOST_OF_AN_OWNER,
    AlreadySubscribed,
    Subscription,
    SubscriptionEnded,
    SubscriptionStatus,
    TooManySubscriptions,
)
from register.tables.events import DELIVERIES
from tests.given.registers import NOON, a_view, an_item

# Events are queued by the real clock.
NOW = datetime.now(UTC)
SOON = NOW + timedelta(minutes=1)
LATER = SOON + timedelta(seconds=30)


def subscribe(register: Register, subscription_id: str = "S1", **changes: Any) -> Subscription:
    told: dict[str, Any] = {
        "id": subscription_id,
        "callback": f"https://{subscription_id}.example",
        "query": "",
        "filter": EventFilter(),
        "owner": "shop",
        "channel": None,
        "customer_id": None,
        "secret": SecretStr("a secret of sixteen or more"),
        "created_at": NOW,
    }
    subscription = Subscription(**told | changes)
    register.subscriptions.add(subscription)
    return subscription


def an_event(number: int, kind: EventKind = EventKind.STATE_CHANGED, **data: Any) -> OrderEvent:
    return OrderEvent(number=number, at=NOON, kind=kind, data=data)


def record(register: Register, *events: OrderEvent, order_id: str = "O1", version: int = 1, **order: Any) -> None:
    register.records.record(OrderRecord(version=version, view=a_view(order_id, **order), events=events))


def lease(register: Register, now: datetime = SOON) -> list[Lease]:
    return register.deliveries.lease(now, now + timedelta(seconds=30), 10)


def take(register: Register, now: datetime = SOON) -> tuple[Lease, list[Delivery]]:
    [held] = lease(register, now)
    return held, register.deliveries.batch(held, 50)


def status(register: Register, subscription_id: str = "S1") -> SubscriptionStatus:
    found = register.subscriptions.find(subscription_id)
    assert found is not None
    return found


def numbers(deliveries: list[Delivery]) -> list[int]:
    return [delivery.event.number for delivery in deliveries if delivery.event]


def heard(register: Register, subscription_id: str) -> int:
    return status(register, subscription_id).pending


def test_an_event_is_pending_for_a_subscription_with_its_order_as_it_is(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1, state="acknowledged"), an_event(2, state="completed"))
    _, deliveries = take(register)
    assert [delivery.event for delivery in deliveries] == [
        an_event(1, state="acknowledged"),
        an_event(2, state="completed"),
    ]
    assert all(delivery.order == a_view() for delivery in deliveries)


def test_a_record_that_comes_twice_is_told_once(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1))
    record(register, an_event(1))
    record(register, an_event(1), an_event(2), version=2)
    assert numbers(take(register)[1]) == [1, 2]


def test_what_was_before_a_subscription_is_not_told_to_it(register: Register) -> None:
    record(register, an_event(1))
    subscribe(register)
    record(register, an_event(1), an_event(2), version=2)
    assert numbers(take(register)[1]) == [2]


def test_what_is_written_again_without_being_news_is_told_to_nobody(register: Register) -> None:
    subscribe(register)
    with register.database.writing() as connection:
        register.records.write(connection, OrderRecord(version=1, view=a_view(), events=(an_event(1),)))
    assert lease(register) == []


@pytest.mark.parametrize(
    ("wanted", "numbers_heard"),
    [
        (EventFilter(), [1, 2, 3]),
        (EventFilter(kinds=(EventKind.CREATED, EventKind.MILESTONE)), [1, 3]),
        (EventFilter(states=("completed",)), [2]),
        (EventFilter(kinds=(EventKind.CREATED,), states=("completed",)), []),
        (EventFilter(offerings=("mobile-s", "fibre")), [1, 2, 3]),
        (EventFilter(offerings=("fibre",)), []),
        (EventFilter(orders=("O1",), customers=("C1",), channels=("shop",)), [1, 2, 3]),
        (EventFilter(orders=("O2",)), []),
        (EventFilter(customers=("C2",)), []),
        (EventFilter(channels=("web",)), []),
    ],
)
def test_a_filter_lets_through_what_fits_all_of_it(
    register: Register, wanted: EventFilter, numbers_heard: list[int]
) -> None:
    subscribe(register, filter=wanted)
    events = an_event(1, EventKind.CREATED), an_event(2, state="completed"), an_event(3, EventKind.MILESTONE)
    record(register, *events, items=(an_item("1", "bundle"), an_item("2", "mobile-s")))
    found = lease(register)
    assert numbers([each for held in found for each in register.deliveries.batch(held, 50)]) == numbers_heard


def test_a_channel_hears_of_its_own_customers_whichever_channel_they_order_from(register: Register) -> None:
    subscribe(register, "web", channel="web")
    subscribe(register, "shop", channel="shop")
    subscribe(register, "care")
    record(register, an_event(1), order_id="O1", channel="shop", customer_id="C1")
    assert [heard(register, each) for each in ("web", "shop", "care")] == [0, 1, 1]
    record(register, an_event(1), order_id="O2", channel="web", customer_id="C1")
    assert [heard(register, each) for each in ("web", "shop", "care")] == [1, 2, 2]
    record(register, an_event(2), order_id="O1", channel="shop", customer_id="C1", version=2)
    record(register, an_event(1), order_id="O3", channel="shop", customer_id="C2")
    assert [heard(register, each) for each in ("web", "shop", "care")] == [2, 4, 4]
    record(register, an_event(1), order_id="O4", channel="web", customer_id="C2", state=LifecycleState.REJECTED)
    record(register, an_event(2), order_id="O3", channel="shop", customer_id="C2", version=2)
    # It hears of the one that was rejected, which is its own, and of no other of that customer.
    assert [heard(register, each) for each in ("web", "shop", "care")] == [3, 6, 6]


def test_who_stands_for_one_customer_hears_of_that_one_only(register: Register) -> None:
    subscribe(register, channel="web", customer_id="C1")
    record(register, an_event(1), order_id="O1", channel="shop", customer_id="C1")
    record(register, an_event(1), order_id="O2", channel="web", customer_id="C2")
    _, deliveries = take(register)
    assert [delivery.order.id for delivery in deliveries if delivery.order] == ["O1"]


def test_the_same_is_not_subscribed_twice(register: Register) -> None:
    subscribe(register, callback="https://a.example")
    with pytest.raises(AlreadySubscribed, match="S1"):
        subscribe(register, "S2", callback="https://a.example")
    subscribe(register, "S3", callback="https://a.example", query="channel=web")
    subscribe(register, "S4", callback="https://a.example", owner="web")
    register.subscriptions.end("S1", NOW)
    subscribe(register, "S5", callback="https://a.example")


def test_an_owner_has_so_many_subscriptions_and_no_more(register: Register) -> None:
    for n in range(MOST_OF_AN_OWNER):
        subscribe(register, f"S{n}")
    with pytest.raises(TooManySubscriptions):
        subscribe(register, "S-more")
    subscribe(register, "S-other", owner="web")


def test_a_subscription_that_its_owner_ended_hears_nothing_and_is_not_listed(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1))
    register.subscriptions.end("S1", NOW)
    record(register, an_event(2), version=2)
    assert lease(register) == []
    assert register.subscriptions.find("S1") is None
    assert register.subscriptions.listed() == []


def test_subscriptions_are_listed_by_owner(register: Register) -> None:
    subscribe(register, "S1")
    subscribe(register, "S2", owner="web", created_at=NOW + timedelta(seconds=1))
    record(register, an_event(1))
    assert [each.id for each in register.subscriptions.listed()] == ["S1", "S2"]
    assert [(each.id, each.pending) for each in register.subscriptions.listed("web")] == [("S2", 1)]


def test_only_one_at_a_time_delivers_to_a_subscription(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1))
    first, _ = take(register)
    assert lease(register, SOON + timedelta(seconds=29)) == []
    second, _ = take(register, SOON + timedelta(seconds=31))
    assert second.token != first.token


def test_a_lease_that_was_given_back_can_be_taken_at_once(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1))
    held, _ = take(register)
    register.deliveries.release(held, SOON)
    assert len(lease(register)) == 1


def test_whoever_has_waited_longest_is_served_first(register: Register) -> None:
    for name in ("S1", "S2", "S3"):
        subscribe(register, name)
    record(register, an_event(1))
    [first] = register.deliveries.lease(SOON, LATER, 1)
    register.deliveries.release(first, SOON)
    served = register.deliveries.lease(SOON, LATER, 2)
    assert first.subscription_id not in {each.subscription_id for each in served}


def test_what_is_delivered_is_done_with_and_prolongs_the_lease(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1), an_event(2))
    held, [first, _] = take(register)
    assert register.deliveries.delivered(held, first, SOON, LATER)
    assert numbers(register.deliveries.batch(held, 50)) == [2]
    assert lease(register, LATER - timedelta(seconds=1)) == []


def test_a_batch_is_never_larger_than_asked_for(register: Register) -> None:
    subscribe(register)
    record(register, *(an_event(n) for n in range(1, 101)))
    [held] = lease(register)
    assert numbers(register.deliveries.batch(held, 50)) == list(range(1, 51))


def test_who_lost_the_lease_is_told_to_stop(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1), an_event(2))
    late, [first, second] = take(register)
    after = SOON + timedelta(seconds=31)
    take(register, after)
    assert not register.deliveries.delivered(late, first, after, after + timedelta(seconds=30))
    assert not register.deliveries.park(late, second, after, after + timedelta(seconds=30), "answered 400")
    assert register.deliveries.failed(late, second, after, "late") == 0
    register.deliveries.release(late, after)
    assert lease(register, after) == []
    assert status(register).failing_since is None


def test_a_subscriber_that_fails_is_left_alone_for_longer_each_time(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1))
    now, pauses = SOON, []
    for _ in range(12):
        held, [delivery] = take(register, now)
        register.deliveries.failed(held, delivery, now, "answered 503")
        retry_at = status(register).retry_at
        assert retry_at is not None
        assert lease(register, retry_at - timedelta(milliseconds=1)) == []
        pauses.append((retry_at - now).total_seconds())
        now = retry_at
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert (status(register).failing_since, status(register).last_error) == (SOON, "answered 503")


def test_one_success_makes_the_next_pause_a_short_one(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1), an_event(2))
    for n in range(5):
        held, [first, _] = take(register, SOON + n * LONGEST_PAUSE)
        register.deliveries.failed(held, first, SOON + n * LONGEST_PAUSE, "answered 503")
    now = SOON + 5 * LONGEST_PAUSE
    held, [first, second] = take(register, now)
    assert register.deliveries.delivered(held, first, now, now + timedelta(seconds=30))
    assert status(register).failing_since is None
    register.deliveries.failed(held, second, now, "answered 503")
    assert status(register).retry_at == now + pause_after(1)


def test_what_was_in_vain_for_a_day_is_parked_and_what_is_newer_is_not(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1), an_event(2))
    held, [first, _] = take(register)
    assert register.deliveries.failed(held, first, SOON, "answered 503") == 0
    held, [first, _] = take(register, SOON + PATIENCE - timedelta(seconds=1))
    assert register.deliveries.failed(held, first, SOON + PATIENCE - timedelta(seconds=1), "answered 503") == 0
    record(register, an_event(3), version=2)
    with register.database.writing() as connection:
        newer = update(DELIVERIES).where(DELIVERIES.c.event_number == 3)
        connection.execute(newer.values(queued_at=SOON + PATIENCE))
    held, [first, *_] = take(register, SOON + PATIENCE + LONGEST_PAUSE)
    assert register.deliveries.failed(held, first, SOON + PATIENCE + LONGEST_PAUSE, "answered 502") == 2
    assert (status(register).pending, status(register).parked) == (1, 2)
    parked = register.subscriptions.parked("S1", 0, 10)
    assert [(each.event, each.attempts, each.error) for each in parked] == [
        ("O1-1", 3, "answered 502"),
        ("O1-2", 0, "answered 502"),
    ]
    assert [each.event for each in register.subscriptions.parked("S1", 1, 1)] == ["O1-2"]


def test_a_subscriber_that_has_only_just_begun_to_fail_loses_nothing_however_old(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1))
    weeks_later = SOON + timedelta(weeks=2)
    held, [delivery] = take(register, weeks_later)
    assert register.deliveries.failed(held, delivery, weeks_later, "answered 503") == 0


def test_what_was_parked_is_put_in_its_place_again_and_tried_at_once(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1), an_event(2))
    held, [first, second] = take(register)
    register.deliveries.park(held, first, SOON, LATER, "answered 400")
    register.deliveries.failed(held, second, SOON, "answered 503")
    assert register.subscriptions.retry("S1", SOON) == 2
    _, deliveries = take(register)
    assert numbers(deliveries) == [1, 2]
    assert status(register).parked == 0


def test_a_refused_event_is_parked_and_the_next_one_goes_on(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1), an_event(2))
    held, [first, _] = take(register)
    assert register.deliveries.park(held, first, SOON, LATER, "answered 400")
    assert numbers(register.deliveries.batch(held, 50)) == [2]
    assert status(register).failing_since is None


def test_a_subscriber_that_is_gone_ends_its_subscription_in_sight(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1), an_event(2))
    held, _ = take(register)
    register.deliveries.gone(held, SOON, "answered 410 Gone")
    record(register, an_event(3), version=2)
    told = status(register)
    assert (told.ended_at, told.note, told.pending, told.parked) == (SOON, "The subscriber answered 410 Gone", 0, 2)
    with pytest.raises(SubscriptionEnded, match="410"):
        register.subscriptions.retry("S1", SOON)
    register.subscriptions.end("S1", LATER)
    assert register.subscriptions.find("S1") is None


def test_an_event_that_the_register_lost_is_still_told_of_as_lost(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1))
    with register.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM events")
    _, [delivery] = take(register)
    assert delivery.event is None


def test_what_was_delivered_is_forgotten_after_its_time_some_at_once_and_nothing_else_is(register: Register) -> None:
    subscribe(register)
    record(register, *map(an_event, range(1, 7)))
    held, [first, second, third, refused, fresh, _] = take(register)
    for delivery in (first, second, third):
        register.deliveries.delivered(held, delivery, SOON, LATER)
    register.deliveries.park(held, refused, SOON, LATER, "answered 400")
    register.deliveries.delivered(held, fresh, LATER, LATER)
    assert register.deliveries.forget(SOON, 2) == 0
    assert [register.deliveries.forget(LATER, 2) for _ in range(3)] == [2, 1, 0]
    with register.database.reading() as connection:
        left = connection.execute(select(DELIVERIES.c.event_number, DELIVERIES.c.state).order_by(DELIVERIES.c.id)).all()
    assert [tuple(row) for row in left] == [(4, "parked"), (5, "delivered"), (6, "pending")]


def test_a_forgotten_event_is_not_told_again_when_its_record_comes_twice(register: Register) -> None:
    subscribe(register)
    record(register, an_event(1))
    held, [first] = take(register)
    register.deliveries.delivered(held, first, SOON, LATER)
    register.deliveries.forget(LATER, 10)
    record(register, an_event(1))
    assert status(register).pending == 0


def test_processes_that_forget_at_once_forget_each_delivery_once(register: Register) -> None:
    subscribe(register)
    record(register, *map(an_event, range(1, 41)))
    held, deliveries = take(register)
    for delivery in deliveries:
        register.deliveries.delivered(held, delivery, SOON, LATER)
    with ThreadPoolExecutor(max_workers=4) as processes:
        assert sum(processes.map(lambda _: register.deliveries.forget(LATER, 3), range(40))) == 40
