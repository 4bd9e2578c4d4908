"""What is news to a customer, when it is told, and that it is told once."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from orders.change.request import ChangeKind, ChangeState, Verdict
from orders.model.messaging import Topic
from orders.model.order import Reason
from orders.model.values import Money
from orders.news.hours import told_as
from orders.news.knowing import calendar_sequence, known_by
from orders.news.message import Message, MessageState, Precision
from orders.read_model.states import LifecycleState
from orders.read_model.views import FeeState, FeeView
from tests.given.registers import an_item
from tests.orders.news.readers import (
    BEGUN,
    FOLD,
    HOME,
    RULES_ZONE,
    Customer,
    a_customer,
    an_order,
    at_home,
    late,
    reached,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def test_that_it_was_received_is_told_at_once_with_what_is_promised() -> None:
    customer = Customer()
    customer.hears(an_order(appointments=(at_home(2, 9),)))
    [message] = customer.gets()
    assert message.topic is Topic.RECEIVED
    assert message.content.date == an_order().promised_at
    assert [visit.slot.start for visit in message.content.visits] == [at_home(2, 9).start]


def test_what_is_told_once_is_not_told_again() -> None:
    customer = a_customer()
    for _ in range(3):
        customer.hears(an_order(), after=HOUR)
    assert customer.gets(DAY) == []


def test_an_order_of_which_nothing_was_ever_told_is_left_alone_when_it_is_old() -> None:
    customer = Customer()
    customer.now += 2 * DAY
    customer.hears(an_order())
    assert customer.messages == []


def test_a_delay_that_breaks_the_promise_is_told_before_the_day_is_over() -> None:
    customer = a_customer()
    customer.hears(an_order(**late(DAY)), after=DAY)
    [message] = customer.gets(FOLD)
    assert (message.topic, message.content.date_before) == (Topic.DATE, an_order().promised_at)
    customer.hears(an_order(**late(DAY)), after=HOUR)
    assert customer.gets(HOUR) == []


def test_a_late_order_is_told_by_the_date_that_is_safe() -> None:
    customer, safe = a_customer(), an_order(**late(3 * DAY)).expected_at
    customer.hears(an_order(**late(DAY), safe_at=safe), after=DAY)
    [message] = customer.gets(FOLD)
    assert message.content.date == safe


def test_a_delay_within_the_day_that_was_named_is_no_news() -> None:
    customer = a_customer()
    customer.hears(an_order(**late(2 * HOUR)), after=HOUR)
    assert customer.gets(DAY) == []


def test_a_delay_that_shrinks_back_while_it_is_held_back_tells_nobody() -> None:
    customer = a_customer()
    customer.hears(an_order(**late(DAY)), after=HOUR)
    customer.hears(an_order(), after=FOLD - MINUTE)
    assert customer.gets(DAY) == []
    assert [each.state for each in customer.messages] == [MessageState.SENT, MessageState.WITHDRAWN]


def test_a_delay_that_is_over_after_it_was_told_is_told_as_well() -> None:
    customer = a_customer()
    customer.hears(an_order(**late(DAY)), after=HOUR)
    assert customer.topics(FOLD) == ["date"]
    customer.hears(an_order(), after=HOUR)
    [message] = customer.gets(FOLD)
    assert message.content.date == an_order().promised_at


def test_a_promise_that_somebody_moves_is_told_either_way_and_two_moves_are_one_message() -> None:
    customer, promised = a_customer(), an_order().promised_at
    assert promised is not None
    customer.hears(an_order(promised_at=promised + 5 * DAY), after=HOUR)
    customer.hears(an_order(promised_at=promised + 3 * DAY), after=MINUTE)
    [message] = customer.gets(FOLD)
    assert (message.topic, message.content.date) == (Topic.DATE, promised + 3 * DAY)
    customer.hears(an_order(promised_at=promised - DAY), after=HOUR)
    [message] = customer.gets(FOLD)
    assert (message.content.date, message.content.date_before) == (promised - DAY, promised + 3 * DAY)


def test_two_moves_within_a_while_are_one_message_and_it_does_not_wait_for_ever() -> None:
    customer = a_customer()
    for days in range(1, 4):
        customer.hears(an_order(**late(days * DAY)), after=MINUTE)
    [message] = customer.gets(MINUTE)
    assert message.content.date == an_order(**late(3 * DAY)).expected_at


def test_a_promise_of_minutes_names_the_hour() -> None:
    soon = BEGUN + 5 * MINUTE
    customer = a_customer(an_order(promised_at=soon, expected_at=soon))
    customer.hears(an_order(promised_at=soon, in_jeopardy=True, expected_at=BEGUN + 50 * MINUTE), after=MINUTE)
    assert customer.gets(FOLD) == []
    customer.hears(an_order(promised_at=soon, in_jeopardy=True, expected_at=BEGUN + 70 * MINUTE))
    [message] = customer.gets(FOLD)
    assert message.content.precision is Precision.HOUR


def test_news_in_the_evening_waits_for_the_morning_unless_the_promise_would_be_broken_by_then() -> None:
    in_time, too_late = a_customer(), a_customer()
    in_time.now = BEGUN.replace(hour=21)
    in_time.hears(an_order(**late(DAY)))
    assert in_time.gets(8 * HOUR) == []
    assert in_time.topics(3 * HOUR) == ["date"]
    # The day that was promised ends before the quiet hours do.
    too_late.now = BEGUN.replace(day=7, hour=21)
    too_late.hears(an_order(**late(DAY)))
    assert too_late.topics(FOLD) == ["date"]


def test_a_visit_that_moves_is_told_with_the_one_entry_of_the_calendar() -> None:
    customer = a_customer(an_order(appointments=(at_home(2, 9),)))
    customer.hears(an_order(appointments=(at_home(3, 13),)), after=HOUR)
    [message] = customer.gets(FOLD)
    assert (message.topic, message.subject) == (Topic.VISIT, "S1")
    assert message.content.visits[0].address == ("Lindenweg 7", "10115 Berlin")
    assert calendar_sequence(customer.messages[:1], "S1") == 1


def test_a_visit_on_the_same_day_is_told_at_once_even_at_night() -> None:
    customer = a_customer(an_order(appointments=(at_home(2, 9),)))
    customer.now = datetime(2031, 3, 5, 6, tzinfo=RULES_ZONE)
    customer.hears(an_order(appointments=(at_home(2, 13),)))
    assert customer.topics() == ["visit"]


def test_a_visit_is_reminded_of_the_day_before_by_the_clock_at_the_site() -> None:
    customer = a_customer(an_order(appointments=(at_home(2, 9),)))
    customer.hears(an_order(appointments=(at_home(2, 9),)))
    customer.now = datetime(2031, 3, 4, 16, 59, tzinfo=RULES_ZONE)
    assert customer.gets() == []
    customer.hears(an_order(appointments=(at_home(2, 9),)))
    assert customer.topics(MINUTE) == ["visit-reminder"]
    customer.hears(an_order(appointments=(at_home(2, 9),)), after=HOUR)
    assert customer.gets(HOUR) == []


def test_the_reminder_goes_along_when_the_visit_moves_and_goes_when_it_was_done_early() -> None:
    customer = a_customer(an_order(appointments=(at_home(2, 9),)))
    customer.hears(an_order(appointments=(at_home(2, 9),)))
    customer.hears(an_order(appointments=(at_home(5, 9),)), after=HOUR)
    assert customer.topics(FOLD) == ["visit"]
    assert customer.gets(2 * DAY) == []
    customer.hears(an_order(appointments=(at_home(5, 9),)), reached(1, "visit-done"))
    assert customer.gets(3 * DAY) == []


def test_a_visit_that_is_called_off_is_told_but_not_one_that_took_place() -> None:
    customer = a_customer(an_order(appointments=(at_home(2, 9),)))
    customer.hears(an_order(), after=HOUR)
    [message] = customer.gets(FOLD)
    assert [visit.site for visit in message.content.called_off] == ["S1"]
    other = a_customer(an_order(appointments=(at_home(2, 9),)))
    other.hears(an_order(appointments=(at_home(2, 9),)), after=3 * DAY)
    assert other.gets(FOLD) == []


def test_a_parcel_is_told_by_its_task_and_lines_that_are_active_together() -> None:
    customer = a_customer()
    events = [reached(3, "handed-over", "O1/delivery/ship-parcel"), reached(4, "line-active"), reached(5, "no-news")]
    customer.hears(an_order(), *events, after=HOUR)
    events.append(reached(9, "line-active", "O1/u/u"))
    customer.hears(an_order(), *events, after=MINUTE)
    told = {message.topic: message for message in customer.gets(FOLD)}
    assert [thing.event for thing in told[Topic.SHIPPED].content.things] == [3]
    assert [thing.event for thing in told[Topic.ACTIVE].content.things] == [4, 9]
    customer.hears(an_order(), *events, after=HOUR)
    assert customer.gets(FOLD) == []


def test_what_was_given_up_while_it_was_held_back_is_not_told_as_active() -> None:
    customer = a_customer()
    customer.hears(an_order(), reached(4, "line-active"), after=HOUR)
    given_up = an_item("1", state=LifecycleState.PENDING_CANCELLATION)
    customer.hears(an_order(items=(given_up,)), reached(4, "line-active"))
    assert customer.gets(FOLD) == []


def a_verdict(request_id: str, state: ChangeState, code: str = "") -> Verdict:
    reasons = (Reason(code=code, message="no"),) if code else ()
    return Verdict(request_id=request_id, kind=ChangeKind.RESCHEDULE, state=state, revision=1, reasons=reasons)


def test_a_fee_that_nobody_accepted_is_asked_for_unless_it_is_accepted_meanwhile() -> None:
    asked = a_verdict("C1", ChangeState.REJECTED, "fee_not_accepted")
    customer = a_customer()
    customer.hears(an_order(changes=(asked,)), after=HOUR)
    assert customer.topics(FOLD) == ["needs-you"]
    customer.hears(an_order(changes=(asked,)), after=HOUR)
    assert customer.gets(DAY) == []
    other = a_customer()
    other.hears(an_order(changes=(asked,)), after=HOUR)
    other.hears(an_order(changes=(asked, a_verdict("C2", ChangeState.ACCEPTED))))
    assert other.gets(DAY) == []


def test_a_cancellation_tells_what_is_charged_and_calls_the_visit_off() -> None:
    customer = a_customer(an_order(appointments=(at_home(2, 9),)))
    fees = (
        FeeView(change="C1", fee=Money(amount=Decimal("9.90"), currency="EUR"), state=FeeState.PENDING),
        FeeView(change="C0", fee=Money(amount=Decimal("5"), currency="EUR"), state=FeeState.NOT_OWED),
    )
    cancelled = an_item("1", state=LifecycleState.CANCELLED, site=HOME)
    order = an_order(state=LifecycleState.CANCELLED, items=(cancelled,), fees=fees, appointments=(at_home(2, 9),))
    customer.hears(order, after=HOUR)
    [message] = customer.gets(FOLD)
    assert (message.topic, message.content.whole, message.content.items) == (Topic.CANCELLED, True, ("1",))
    assert [fee.change for fee in message.content.fees] == ["C1"]
    assert [visit.site for visit in message.content.called_off] == ["S1"]
    customer.hears(order, after=HOUR)
    assert customer.gets(DAY) == []


def test_items_that_are_removed_are_told_each_once() -> None:
    customer = a_customer()
    kept, gone, too = (
        an_item("1", state=LifecycleState.IN_PROGRESS),
        *(an_item(item, state=LifecycleState.CANCELLED) for item in ("2", "3")),
    )
    customer.hears(an_order(items=(kept, gone)), after=HOUR)
    assert [message.content.items for message in customer.gets(FOLD)] == [("2",)]
    customer.hears(an_order(items=(kept, gone, too)), after=HOUR)
    assert [message.content.items for message in customer.gets(FOLD)] == [("3",)]


def test_that_all_is_done_is_the_last_word_and_takes_back_what_waits() -> None:
    customer = a_customer()
    customer.hears(an_order(**late(DAY)), reached(4, "line-active"), after=HOUR)
    done = an_order(state=LifecycleState.COMPLETED, items=(an_item("1", state=LifecycleState.COMPLETED),))
    customer.hears(done, reached(4, "line-active"), after=MINUTE)
    assert customer.topics(DAY) == ["done"]
    customer.hears(done, reached(4, "line-active"))
    assert customer.gets(DAY) == []


def test_a_rejection_is_told_only_to_those_who_were_told_of_the_order() -> None:
    rejected = an_order(state=LifecycleState.REJECTED, reasons=(Reason(code="c", message="m", words="We cannot."),))
    customer, other = a_customer(), Customer()
    customer.hears(rejected, after=HOUR)
    assert [message.content.reasons for message in customer.gets(FOLD)] == [("We cannot.",)]
    other.hears(rejected)
    assert other.messages == []


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_and_is_missed_the_customer_knows_how_it_is_in_the_end(seed: int) -> None:
    random, customer = Random(seed), a_customer()
    order: dict[str, Any] = {}
    told: list[Message] = []
    events = [reached(number, random.choice(("handed-over", "line-active")), f"O1/t/{number}") for number in range(8)]
    there = 0
    for _ in range(random.randint(5, 40)):
        match random.randrange(6):
            case 0:
                order = {**order, **late(timedelta(hours=random.randint(1, 80)))}
            case 1:
                order = {**order, "in_jeopardy": False, "expected_at": an_order().expected_at}
            case 2:
                visits = (at_home(random.randint(1, 20), random.randint(8, 18)),) if random.random() < 0.8 else ()
                order = {**order, "appointments": visits}
            case 3:
                there = min(there + 1, len(events))
            case 4:
                told += customer.gets(timedelta(minutes=random.randint(0, 300)))
            case _:
                customer.hears(an_order(**order), *events[:there], after=timedelta(minutes=random.randint(0, 200)))
    view = an_order(**order)
    customer.hears(view, *events[:there])
    told += customer.gets(DAY)
    customer.hears(view, *events[:there])
    assert [each for each in customer.gets(DAY) if each.topic is not Topic.VISIT_REMINDER] == []
    known = known_by(customer.messages)
    now_due = view.expected_at if view.in_jeopardy else view.promised_at
    assert known.date is not None and now_due is not None
    assert told_as(known.date, known.precision, RULES_ZONE) == told_as(now_due, Precision.DAY, RULES_ZONE)
    to_come = {made.site: made.start for made in view.appointments if made.start > customer.now}
    assert {
        site: visit.slot.start for site, visit in known.visits.items() if visit.slot.start > customer.now
    } == to_come
    assert known.things == {event.number for event in events[:there]}
    things = [thing.event for message in told for thing in message.content.things]
    assert len(things) == len(set(things))
    for topic, subject in {(message.topic, message.subject) for message in told}:
        said = [message.content for message in told if (message.topic, message.subject) == (topic, subject)]
        assert all(before != after for before, after in pairwise(said)), topic
