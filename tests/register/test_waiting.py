"""Orders that wait for products in the register: who has its turn, who is looked at when, and what ends the waiting."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from orders.model.order import Reason
from orders.read_model.records import EventKind, OrderEvent, OrderRecord
from orders.read_model.states import LifecycleState
from register import Register
from register.schema import WAITING_ORDERS
from register.submissions import ClaimState
from register.waiting import LONGEST_PAUSE, NotWaiting
from tests.registers import NOON, a_record, a_view

SECOND = timedelta(seconds=1)


def pending(order_id: str) -> OrderRecord:
    view = a_view(order_id, state=LifecycleState.PENDING, completed_at=None)
    return OrderRecord(version=0, view=view, events=(OrderEvent(number=1, at=NOON, kind=EventKind.CREATED),))


def cancelled(order_id: str) -> OrderRecord:
    return OrderRecord(version=0, view=a_view(order_id, state=LifecycleState.CANCELLED, completed_at=NOON))


def enqueue(register: Register, order_id: str, *products: str) -> None:
    assert register.submissions.claim(pending(order_id), f"digest-{order_id}", products) is ClaimState.FREE


def ahead(register: Register, order_id: str, *products: str) -> set[str]:
    """Whom a waiting order has to let go first. If there is nobody, it has its turn."""
    return {lock.order_id for lock in register.waiting.take_turn(order_id, products, NOON)}


def test_an_order_that_waits_is_written_down_and_is_no_submission_that_was_cut_short(register: Register) -> None:
    enqueue(register, "O1", "a")
    assert register.records.find("O1") == OrderRecord(version=0, view=pending("O1").view)
    assert register.submissions.look_up("O1", "digest-O1") is ClaimState.BEGUN
    assert register.submissions.claim(cancelled("O1"), "digest-O1") is ClaimState.BEGUN
    assert register.records.find("O1") == OrderRecord(version=0, view=pending("O1").view)


def test_a_submission_that_was_cut_short_may_come_to_wait_when_it_is_made_again(register: Register) -> None:
    view = a_view(state=LifecycleState.ACKNOWLEDGED, completed_at=None)
    register.submissions.claim(OrderRecord(version=0, view=view), "digest")
    assert register.submissions.claim(pending("O1"), "digest", ["a"]) is ClaimState.NOT_BEGUN
    assert register.waiting.waits("O1")
    assert register.records.find("O1") == OrderRecord(version=0, view=pending("O1").view)
    register.submissions.claim(OrderRecord(version=0, view=a_view("O2", completed_at=None)), "digest")
    register.records.record(a_record(1, "O2"))
    assert register.submissions.claim(pending("O2"), "digest", ["a"]) is ClaimState.BEGUN
    assert not register.waiting.waits("O2")


def test_it_has_its_turn_once_all_its_products_are_free_and_locks_none_before(register: Register) -> None:
    register.products.lock("first", ["b"], NOON)
    enqueue(register, "O1", "a", "b")
    assert ahead(register, "O1", "a", "b") == {"first"}
    register.products.unlock(["first"])
    assert ahead(register, "O1", "a", "b") == set()
    assert {lock.order_id for lock in register.products.lock("other", ["a", "b"], NOON)} == {"O1"}


def test_who_came_first_is_served_first_product_by_product(register: Register) -> None:
    register.products.lock("first", ["a"], NOON)
    enqueue(register, "O1", "a", "b")
    enqueue(register, "O2", "b", "c")
    enqueue(register, "O3", "d")
    # `b` and `c` are free, but O1 needs `b` too and came first.
    assert ahead(register, "O2", "b", "c") == {"O1"}
    assert ahead(register, "O3", "d") == set()
    register.products.unlock(["first"])
    assert ahead(register, "O2", "b", "c") == {"O1"}
    assert ahead(register, "O1", "a", "b") == set()


def test_nobody_who_comes_later_overtakes_but_who_has_locked_already_goes_on(register: Register) -> None:
    register.products.lock("first", ["a"], NOON)
    enqueue(register, "O1", "a", "b")
    [lock] = register.products.lock("later", ["b"], NOON)
    assert (lock.product_id, lock.order_id, lock.waits) == ("b", "O1", True)
    assert register.products.lock("first", ["a"], NOON) == []


def test_of_two_who_wait_for_each_others_products_one_goes_first(register: Register) -> None:
    register.products.lock("first", ["a", "b"], NOON)
    enqueue(register, "O1", "a", "b")
    enqueue(register, "O2", "b", "a")
    register.products.unlock(["first"])
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda order: ahead(register, order, "a", "b"), ["O2", "O1"]))
    assert both == [{"O1"}, set()]


def test_one_process_looks_at_an_order_and_leaves_it_alone_for_longer_each_time(register: Register) -> None:
    enqueue(register, "O1", "a")
    enqueue(register, "O2", "a")
    now, pauses = NOON, list[timedelta]()
    for _ in range(9):
        look = register.waiting.next(now, now + 30 * SECOND)
        assert look is not None
        assert look.order_id == "O1"
        register.waiting.wait_on(look, ["a"], now)
        later = now
        while (again := register.waiting.next(later, later)) is None or again.order_id != "O1":
            later += SECOND / 2
        pauses.append(later - now)
        now = later
    assert pauses[:4] == [SECOND / 2, SECOND, 2 * SECOND, 4 * SECOND]
    assert pauses[-1] == LONGEST_PAUSE


def test_what_is_looked_at_is_not_due_for_others_until_the_lease_is_over(register: Register) -> None:
    enqueue(register, "O1", "a")
    assert register.waiting.next(NOON - SECOND, NOON) is None
    assert register.waiting.next(NOON, NOON + 30 * SECOND) is not None
    assert register.waiting.next(NOON + 29 * SECOND, NOON) is None
    assert register.waiting.next(NOON + 30 * SECOND, NOON + 60 * SECOND) is not None


def test_who_waits_is_due_again_once_the_order_before_it_has_written_down_its_end(register: Register) -> None:
    register.products.lock("first", ["a"], NOON)
    enqueue(register, "O1", "a")
    enqueue(register, "O2", "b")
    far = NOON + timedelta(days=36500)
    looks = [register.waiting.next(NOON, far), register.waiting.next(NOON, far)]
    register.records.record(a_record(1, "first", completed_at=None))
    assert register.waiting.next(far - SECOND, far) is None
    register.records.record(a_record(2, "first"))
    # Whoever was looking just then does not know it yet, and does not put it off.
    assert looks[0] is not None
    register.waiting.wait_on(looks[0], ["a"], far - SECOND)
    again = register.waiting.next(far - SECOND, far)
    assert again is not None
    assert again.order_id == "O1"
    assert register.waiting.next(far - SECOND, far) is None


def test_who_waits_is_due_again_once_who_came_before_it_is_cancelled_or_what_it_needs_is_unlocked(
    register: Register,
) -> None:
    register.products.lock("first", ["b"], NOON)
    for order_id, products in {"O1": ["a"], "O2": ["a"], "O3": ["b"]}.items():
        enqueue(register, order_id, *products)
        assert register.waiting.next(NOON, NOON + 30 * SECOND) is not None
    assert register.waiting.next(NOON + SECOND, NOON) is None
    assert register.waiting.end(cancelled("O1"), even_begun=False)
    woken = register.waiting.next(NOON + SECOND, NOON + 30 * SECOND)
    assert woken is not None
    assert woken.order_id == "O2"
    assert register.waiting.next(NOON + SECOND, NOON) is None
    assert register.products.unlock(["first"]) == 1
    with register.database.reading() as connection:
        due = select(WAITING_ORDERS.c.look_at).where(WAITING_ORDERS.c.order_id == "O3")
        look_at = connection.scalar(due)
    assert look_at != NOON + 30 * SECOND


def test_who_has_to_wait_on_holds_nothing_and_tells_whom_it_waits_for_now(register: Register) -> None:
    enqueue(register, "O1", "a")
    look = register.waiting.next(NOON, NOON + SECOND)
    assert look is not None
    assert ahead(register, "O1", "a") == set()
    told = pending("O1").view.model_copy(update={"reasons": (Reason(code="product_in_flight", message="b"),)})
    register.waiting.wait_on(look, ["a", "b"], NOON, told)
    assert register.records.find("O1") == OrderRecord(version=0, view=told)
    assert register.waiting.end(cancelled("O1"), even_begun=False)
    assert register.products.lock("O2", ["a", "b"], NOON) == []


def test_it_is_cancelled_before_its_turn_and_not_after(register: Register) -> None:
    enqueue(register, "O1", "a")
    enqueue(register, "O2", "a")
    assert register.waiting.end(cancelled("O1"), even_begun=False)
    assert not register.waiting.end(cancelled("O1"), even_begun=False)
    with pytest.raises(NotWaiting):
        register.waiting.take_turn("O1", ["a"], NOON)
    assert ahead(register, "O2", "a") == set()
    assert not register.waiting.end(cancelled("O2"), even_begun=False)
    assert register.records.find("O2") == OrderRecord(version=0, view=pending("O2").view)


def test_an_order_that_has_begun_waits_no_more_and_keeps_its_locks(register: Register) -> None:
    enqueue(register, "O1", "a")
    assert ahead(register, "O1", "a") == set()
    assert register.waiting.waits("O1")
    register.waiting.begun("O1")
    assert not register.waiting.waits("O1")
    assert register.waiting.next(NOON + SECOND, NOON + SECOND) is None
    [lock] = register.products.lock("O2", ["a"], NOON)
    assert (lock.order_id, lock.waits) == ("O1", False)
