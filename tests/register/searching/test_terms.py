"""Orders by words, on either database: what they are found by, page by page, and what is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import JsonValue
from sqlalchemy import select, update

from orders.model.order import Site
from orders.model.writing.words import readings
from orders.read_model.states import LifecycleState
from orders.read_model.views import GivenView
from register import Register
from register.recording.documents import digest_of
from register.searching import pages
from register.searching.query import Comparison, OrderField, OrderQuery, Predicate, Sort, Visibility
from register.tables.finding import TERMS
from register.tables.orders import ORDERS
from tests.given.registers import NOON, a_record, a_view, an_item

ADDRESS: dict[str, JsonValue] = {
    "streetName": "Lindenstraße",
    "streetNr": "7",
    "city": "Köln",
    "@type": "GeographicAddress",
}
HOME = Site(id="s1", address=ADDRESS)
SERIAL = GivenView(task="t", silo="warehouse", name="serial", value="SN-1234567", items=("1",), since="")


def an_order(order_id: str, name: str, **changes: Any) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "external_id": f"WEB-{order_id}",
        "document": f"d-{name}",
        "items": (
            an_item("1", "mobile-s", products=(f"{order_id}.1.1",), site=HOME, characteristics={"number": "+4930123"}),
        ),
        "body": {
            "relatedParty": [{"id": "C1", "name": name, "role": "customer", "@referredType": "Individual"}],
            "notificationContact": "0151 2345678",
        },
        **changes,
    }


def found(register: Register, question: str, **query: Any) -> list[str]:
    page = register.search.orders(OrderQuery(words=readings(question), **query))
    assert page.total >= len(page.orders)
    return [view.id for view in page.orders]


def terms(register: Register, order_id: str) -> set[str]:
    with register.database.reading() as connection:
        return set(connection.scalars(select(TERMS.c.term).where(TERMS.c.order_id == order_id)))


@pytest.mark.parametrize(
    "question",
    [
        "Mueller",
        "erika müller",
        "müll lindenstr 7",
        "Lindenstrasse Köln",
        "koeln erika",
        "+49 151 2345678",
        "0151-2345678",
        "030123",
        "web-o1",
        "WEB-O1",
        "C1 erika",
        "mobile-s müller",
        "O1.1.1",
        "sn1234567",
        "1234567",
    ],
)
def test_an_order_is_found_by(register: Register, question: str) -> None:
    register.records.record(a_record(**an_order("O1", "Erika Müller"), given=(SERIAL,)))
    register.records.record(a_record(**an_order("O2", "Hans Meier", customer_id="C2", items=(), body={})))
    assert found(register, question) == ["O1"]


@pytest.mark.parametrize("question", ["müller meier", "nobody", "lindenstr 71", "individual", "customer"])
def test_an_order_has_every_word_or_is_not_found(register: Register, question: str) -> None:
    register.records.record(a_record(**an_order("O1", "Erika Müller")))
    register.records.record(a_record(**an_order("O2", "Hans Meier")))
    assert found(register, question) == []


def test_what_is_found_comes_in_pages_the_latest_first(register: Register) -> None:
    for n in range(5):
        register.records.record(a_record(**an_order(f"O{n}", "Erika Müller", ordered_at=NOON + timedelta(hours=n))))
    query = OrderQuery(words=readings("müller"), limit=2)
    page = register.search.orders(query)
    assert ([view.id for view in page.orders], page.total) == (["O4", "O3"], 5)
    assert found(register, "müller", offset=4, limit=2) == ["O0"]
    assert found(register, "müller", offset=5) == []
    assert found(register, "müller", sort=(Sort(OrderField.ORDERED_AT),), limit=2) == ["O0", "O1"]
    assert register.search.count(query) == 5


def test_a_page_of_what_is_found_is_no_longer_than_one_may_be(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        register.records.record(a_record(**an_order(f"O{n}", "Erika Müller", ordered_at=NOON + timedelta(hours=n))))
    monkeypatch.setattr(pages, "PAGE_BYTES", 1)
    page = register.search.orders(OrderQuery(words=readings("müller"), with_body=True))
    assert ([view.id for view in page.orders], page.total) == (["O2"], 3)
    assert found(register, "müller", offset=1, with_body=True) == ["O1"]


def test_other_conditions_hold_too(register: Register) -> None:
    register.records.record(a_record(**an_order("O1", "Erika Müller", state=LifecycleState.HELD)))
    register.records.record(a_record(**an_order("O2", "Erika Müller")))
    held = Predicate(OrderField.STATE, Comparison.EQ, "held")
    assert found(register, "müller", where=(held,)) == ["O1"]
    assert register.search.orders(OrderQuery(where=(held,), words=readings("müller"))).total == 1


@pytest.mark.parametrize(
    ("sight", "seen"),
    [
        (Visibility(channel="web"), ["O1"]),
        (Visibility(channel="shop"), ["O2"]),
        (Visibility(channel="shop", all_of_customers=True), ["O2", "O1"]),
        (Visibility(customer="C2"), []),
        (Visibility(), []),
    ],
)
def test_nobody_finds_what_they_do_not_see(register: Register, sight: Visibility, seen: list[str]) -> None:
    later = NOON + timedelta(hours=1)
    register.records.record(a_record(**an_order("O1", "Erika Müller", channel="web")))
    register.records.record(a_record(**an_order("O2", "Erika Müller", channel="shop", ordered_at=later)))
    assert found(register, "müller", visible_to=sight) == seen
    assert register.search.count(OrderQuery(words=readings("müller"), visible_to=sight)) == len(seen)


def test_an_order_is_found_as_it_was_recorded_last(register: Register) -> None:
    register.records.record(a_record(1, **an_order("O1", "Erika Müller")))
    moved = an_item("1", "tv-basic", site=Site(id="s1", address={**ADDRESS, "streetName": "Ahornweg"}))
    register.records.record(a_record(2, **an_order("O1", "x", document="d-Erika Müller", items=(moved,), body=None)))
    assert (found(register, "lindenstr"), found(register, "müller ahornweg tv-basic")) == ([], ["O1"])
    register.records.record(a_record(1, **an_order("O1", "Erika Müller")))
    assert (found(register, "lindenstr"), found(register, "ahornweg")) == ([], ["O1"])


def test_an_order_is_found_by_the_document_that_a_patch_has_given_it(register: Register) -> None:
    register.records.record(a_record(1, **an_order("O1", "Erika Müller")))
    body: dict[str, JsonValue] = {"relatedParty": [{"id": "C1", "name": "Erika Schmidt"}]}
    digest = register.documents.keep("O1", body, NOON)
    assert found(register, "schmidt") == []
    register.records.record(a_record(2, **an_order("O1", "x", document=digest, body=None)))
    assert (found(register, "schmidt"), found(register, "müller"), found(register, "0151 2345678")) == (["O1"], [], [])
    assert digest == digest_of(body)


def test_a_deleted_order_is_found_by_nothing_even_if_a_record_comes_late(register: Register) -> None:
    register.records.record(a_record(1, **an_order("O1", "Erika Müller", state=LifecycleState.CANCELLED)))
    register.records.delete("O1", NOON)
    assert (found(register, "müller"), terms(register, "O1")) == ([], set())
    register.records.record(a_record(2, **an_order("O1", "Erika Müller", state=LifecycleState.CANCELLED)))
    assert (found(register, "müller"), terms(register, "O1")) == ([], set())


def test_a_customer_who_was_erased_is_found_by_ids_alone_and_by_new_orders(register: Register) -> None:
    register.records.record(a_record(1, **an_order("O1", "Erika Müller")))
    register.records.record(a_record(1, **an_order("O2", "Erika Müller", customer_id="C2")))
    assert register.terms.erase_customer("C1", NOON + timedelta(hours=1)) == 1
    assert (found(register, "müller"), found(register, "WEB-O1"), found(register, "C1")) == (["O2"], ["O1"], ["O1"])
    register.records.record(a_record(2, **an_order("O1", "Erika Müller"), given=(SERIAL,)))
    assert register.terms.fill() == 0
    assert terms(register, "O1") == {"o1", "web", "webo1", "c1"}
    again = an_order("O3", "Erika Müller", ordered_at=NOON + timedelta(days=1))
    register.records.record(a_record(**again))
    assert found(register, "müller") == ["O3", "O2"]


def test_the_index_is_filled_for_orders_that_are_not_in_it(register: Register) -> None:
    for n in range(3):
        register.records.record(a_record(**an_order(f"O{n}", "Erika Müller")))
    with register.database.writing() as connection:
        connection.execute(TERMS.delete())
        connection.execute(update(ORDERS).where(ORDERS.c.id != "O1").values(found_as=None))
    assert register.terms.fill() == 2
    assert sorted(found(register, "müller")) == ["O0", "O2"]
    assert register.terms.fill() == 0


def test_an_order_without_its_document_is_found_by_what_was_read_of_it(register: Register) -> None:
    register.records.record(a_record(1, **an_order("O1", "Erika Müller", body=None)))
    assert (found(register, "müller"), found(register, "lindenstr 7")) == ([], ["O1"])


def test_any_document_and_address_can_be_indexed(register: Register) -> None:
    odd: Any = {
        "relatedParty": ["x", 7, {"name": ["Erika", {"deep": "Müller\u0000\ud83d"}], "id": "hidden", "n": 12345}],
        "notificationContact": {"not": "text"},
        "productOrderItem": [{"product": {"relatedParty": [{"name": "Hans"}]}, "productOrderItem": [{"x": 1}, None]}],
    }
    site = Site(id="s", address={"geo": [{"lat": 50.9}, True, None], "x": "y" * 5000})
    view = a_view("O1", body=odd, items=(an_item("1", site=site, characteristics={"a": {"b": 1}, "c": "MAC 00:11"}),))
    register.records.write_again(a_record().model_copy(update={"view": view}))
    assert found(register, "erika müller hans 12345") == ["O1"]
    assert found(register, "hidden") == []
