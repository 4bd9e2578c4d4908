"""The line for installed products: who has its turn, who comes next, and that nobody overtakes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from orders.read_model.records import OrderRecord
from register import Register
from register.installed.products import Claim
from tests.given.registers import NOON, a_product, a_record, a_view


def ahead(register: Register, order_id: str, *products: str, waits: bool = True) -> set[str]:
    """Who comes before an order. If there is nobody, it has its turn."""
    return {claim.order_id for claim in register.line.claim(order_id, products, NOON, waits=waits)}


def leave(register: Register, product: str, order_id: str = "O1") -> list[str]:
    """An order ends and leaves a product. Gives who is next."""
    record = OrderRecord(version=1, view=a_view(order_id), products=(a_product(product, order_id=order_id),))
    return register.records.record(record)


def test_a_product_is_for_one_order(register: Register) -> None:
    assert register.line.claim("O2", ["a", "b"], NOON) == []
    assert register.line.claim("O2", ["b", "c"], NOON) == []
    assert register.line.claim("O3", ["b", "d"], NOON) == [Claim("b", "O2", NOON)]
    assert register.line.claim("O4", ["d"], NOON) == []


def test_an_order_that_needs_nothing_installed_has_its_turn(register: Register) -> None:
    assert register.line.claim("O2", [], NOON) == []


def test_what_an_order_has_just_made_is_claimed_by_it(register: Register) -> None:
    leave(register, "a")
    assert ahead(register, "O2", "a") == {"O1"}


def test_a_late_record_takes_nothing_from_who_came_after(register: Register) -> None:
    leave(register, "a")
    register.line.free(["O1"])
    assert ahead(register, "O2", "a") == set()
    leave(register, "a")
    assert ahead(register, "O2", "a") == set()


def test_a_claim_that_is_written_again_goes_to_the_order_that_began_last(register: Register) -> None:
    later = NOON + timedelta(hours=1)
    for order_id, since in (("O2", later), ("O1", NOON), ("O2", later)):
        register.line.claim_again(order_id, ["a"], since)
    assert register.line.claim("O3", ["a"], later) == [Claim("a", "O2", later)]


def test_of_many_orders_at_once_one_has_its_turn(register: Register) -> None:
    orders = [f"O{n}" for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        others = list(threads.map(lambda order: register.line.claim(order, ["a", "b", "c"], NOON), orders))
    [owner] = [order for order, claims in zip(orders, others, strict=True) if not claims]
    assert {claim.order_id for claims in others for claim in claims} == {owner}


def test_it_has_its_turn_once_all_its_products_are_free_and_may_touch_none_before(register: Register) -> None:
    register.line.claim("first", ["b"], NOON)
    assert ahead(register, "O1", "a", "b") == {"first"}
    [claim] = register.line.claim("other", ["a"], NOON)
    assert (claim.order_id, claim.has_turn) == ("O1", False)
    register.line.free(["first"])
    assert ahead(register, "O1", "a", "b") == set()
    assert ahead(register, "other", "a", "b", waits=False) == {"O1"}


def test_who_came_first_is_served_first_product_by_product(register: Register) -> None:
    register.line.claim("first", ["a"], NOON)
    assert ahead(register, "O1", "a", "b") == {"first"}
    # `b` and `c` are free, but O1 needs `b` too and came first.
    assert ahead(register, "O2", "b", "c") == {"O1"}
    assert ahead(register, "O3", "d") == set()
    register.line.free(["first"])
    assert ahead(register, "O2", "b", "c") == {"O1"}
    assert ahead(register, "O1", "a", "b") == set()


def test_who_does_not_wait_leaves_no_claim_and_keeps_what_it_had(register: Register) -> None:
    register.line.claim("first", ["a"], NOON)
    assert ahead(register, "O1", "a", "b", waits=False) == {"first"}
    assert ahead(register, "O2", "b") == set()
    assert ahead(register, "first", "a", "b", waits=False) == {"O2"}
    assert ahead(register, "O3", "a", waits=False) == {"first"}


def test_of_two_who_wait_for_each_others_products_one_goes_first(register: Register) -> None:
    register.line.claim("first", ["a", "b"], NOON)
    ahead(register, "O1", "a", "b")
    ahead(register, "O2", "b", "a")
    register.line.free(["first"])
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda order: ahead(register, order, "a", "b"), ["O2", "O1"]))
    assert both == [{"O1"}, set()]


def test_who_needs_more_than_before_comes_behind_who_has_its_turn_with_that_and_before_who_waits(
    register: Register,
) -> None:
    register.line.claim("first", ["a"], NOON)
    ahead(register, "O1", "a")
    assert ahead(register, "O2", "b") == set()
    assert ahead(register, "O3", "b") == {"O2"}
    register.line.free(["first"])
    assert ahead(register, "O1", "a", "b") == {"O2"}
    assert ahead(register, "O3", "b") == {"O2", "O1"}
    register.line.free(["O2"])
    assert ahead(register, "O1", "a", "b") == set()


def test_who_needs_less_than_before_lets_go_of_the_rest(register: Register) -> None:
    register.line.claim("first", ["a"], NOON)
    ahead(register, "O1", "a", "b")
    ahead(register, "O1", "a")
    assert ahead(register, "O2", "b") == set()


def test_the_last_record_tells_who_is_next_for_each_product(register: Register) -> None:
    register.line.claim("O1", ["a", "b"], NOON)
    for order_id, products in {"O2": ["a"], "O3": ["a", "b"], "O4": ["b", "c"]}.items():
        ahead(register, order_id, *products)
    assert register.records.record(a_record(1, "O1", completed_at=None)) == []
    assert register.records.record(a_record(2, "O1")) == ["O2", "O3"]
    assert register.line.behind("O3") == ["O4"]
    assert register.line.behind("O4") == []
