"""Ids of others, of any form, and ours that are made of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.model.writing.identifiers import LONGEST_ID, component_id, key_part, order_id, product_id

STRANGE = ("1/1", "Item 1", "urn:ngsi-ld:place:1", "jane@example.com", "../..", "~", "ü", "x" * LONGEST_ID, "a\u202eb")
ANY_ID = st.one_of(st.text(min_size=1, max_size=LONGEST_ID), st.from_regex(r"[a-z0-9/~. -]{1,6}", fullmatch=True))


@pytest.mark.parametrize("plain", ["1", "item-1", "1.tv", "web_2", "x" * 64])
def test_an_id_that_fits_stays_as_it_is(plain: str) -> None:
    assert key_part(plain) == plain
    assert product_id("web-51210a3f6660", plain, 1) == f"web-51210a3f6660.{plain}.1"


@pytest.mark.parametrize("strange", STRANGE)
def test_of_any_other_id_what_can_be_read_stays(strange: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]+~[0-9a-f]{16}", key_part(strange))


def test_the_readable_part_is_that_of_the_id() -> None:
    assert key_part("1/1").startswith("1-1~")
    assert key_part("urn:ngsi-ld:place:1").startswith("urn-ngsi-ld-place-1~")


@given(ANY_ID, ANY_ID)
def test_two_ids_are_two_parts(one: str, other: str) -> None:
    assert (key_part(one) == key_part(other)) == (one == other)


@given(ANY_ID, ANY_ID)
def test_ids_of_ours_fit_into_keys_and_addresses_and_are_ids_themselves(channel: str, item: str) -> None:
    order = order_id(channel, "any/thing")
    product = product_id(order, item, 99_999)
    assert re.fullmatch(r"[A-Za-z0-9_.~-]+", product)
    assert len(product) <= LONGEST_ID


@given(ANY_ID)
def test_a_component_has_an_id_that_is_no_longer_than_others(item: str) -> None:
    assert len(component_id(item, "r" * 60)) <= LONGEST_ID


def test_a_component_tells_the_item_that_brings_it_along() -> None:
    assert component_id("1/1", "tv") == "1/1.tv"


def test_the_customer_of_an_order_counts_for_its_id_and_can_not_be_made_up() -> None:
    assert len({order_id("a", "x"), order_id("a", "x", "b"), order_id("a:b", "x"), order_id("a", "x", "c")}) == 4
