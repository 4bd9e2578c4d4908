"""Documents of orders by their digests: kept before an order has them, and forgotten once none has."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from register import Register
from register.recording.documents import digest_of
from register.searching.query import BodyPath, Comparison, OrderQuery, Predicate
from register.searching.search import Told
from tests.given.registers import NOON, a_record

FIRST: dict[str, Any] = {"note": [{"text": "ring \u0000 twice"}], "a": 1.5}
SECOND: dict[str, Any] = {"a": 2}
LATER = NOON + timedelta(days=1)


def recorded(register: Register, document: dict[str, Any], version: int = 1, **changes: Any) -> None:
    """Write an order down that has a document, which is kept already."""
    changes |= {"document": digest_of(document), "body": None}
    register.records.record(a_record(version, **changes))


def test_a_document_is_found_by_its_order_and_digest_as_it_was_written(register: Register) -> None:
    digest = register.documents.keep("O1", FIRST, NOON)
    assert digest == digest_of(FIRST) != digest_of({"a": 1.5, "note": FIRST["note"]})
    assert register.documents.find("O1", digest) == FIRST
    assert register.documents.has("O1", digest)
    assert register.documents.find("O2", digest) is None
    assert not register.documents.has("O1", digest_of(SECOND))


def test_a_document_kept_twice_is_there_once_and_unused_since_the_second_time(register: Register) -> None:
    for at in (NOON, LATER):
        register.documents.keep("O1", FIRST, at)
    assert register.documents.forget(LATER, 10) == 0
    assert register.documents.forget(LATER + timedelta(seconds=1), 10) == 1


def test_the_document_of_an_order_is_not_forgotten_and_what_it_had_before_is(register: Register) -> None:
    before, after = (register.documents.keep("O1", document, NOON) for document in (FIRST, SECOND))
    recorded(register, FIRST)
    recorded(register, SECOND, 2)
    register.documents.keep("O1", SECOND, NOON)
    assert register.documents.forget(NOON + timedelta(days=36500), 10) == 1
    assert register.documents.find("O1", before) is None
    assert register.documents.find("O1", after) == SECOND
    found = register.records.find("O1")
    assert found is not None and found.view.body == SECOND


def test_no_more_is_forgotten_at_once_than_was_asked_for_and_the_oldest_first(register: Register) -> None:
    for number in range(5):
        register.documents.keep("O1", {"n": number}, NOON + timedelta(hours=number))
    assert [register.documents.forget(LATER, 2) for _ in range(4)] == [2, 2, 1, 0]


@pytest.mark.parametrize("how", ["deleted", "withdrawn"])
def test_the_documents_of_an_order_that_is_no_more_are_gone(register: Register, how: str) -> None:
    register.submissions.claim(a_record(0, document=digest_of(FIRST), body=FIRST), "digest")
    register.documents.keep("O1", SECOND, NOON)
    if how == "deleted":
        register.records.delete("O1", NOON)
    else:
        register.submissions.withdraw("O1")
    assert not any(register.documents.has("O1", digest_of(document)) for document in (FIRST, SECOND))


def where_a_is(value: str) -> OrderQuery:
    return OrderQuery(where=(Predicate(BodyPath(("a",)), Comparison.EQ, value),), with_body=True)


def found(register: Register, query: OrderQuery) -> list[str]:
    return [view.id for view in register.search.orders(query).orders]


def test_orders_are_found_by_what_is_told_of_them_and_not_by_what_it_stands_for(register: Register) -> None:
    register.records.record(a_record(document=digest_of(SECOND), body=SECOND))
    register.records.record(a_record(order_id="O2", document=digest_of(SECOND), body=SECOND))
    [first, other] = sorted(register.search.outdated(where_a_is("7"), 10), key=lambda each: each.view.id)
    assert (first.view.id, first.view.body, other.view.id) == ("O1", SECOND, "O2")
    register.search.tell([Told("O1", first.telling, {"a": [7, 8]}), Told("O2", other.telling, {"a": None})])
    assert [found(register, where_a_is(value)) for value in ("2", "7", "8")] == [[], ["O1"], ["O1"]]
    assert register.search.outdated(where_a_is("7"), 10) == []


def test_what_was_told_counts_until_the_order_is_shown_otherwise(register: Register) -> None:
    register.records.record(a_record(document=digest_of(SECOND), body=SECOND))
    [outdated] = register.search.outdated(where_a_is("7"), 10)
    register.search.tell([Told("O1", outdated.telling, {"a": 7})])
    register.records.record(a_record(2, document=digest_of(SECOND), body=None))
    assert register.search.outdated(where_a_is("7"), 10) == []
    register.records.record(a_record(3, document=digest_of(SECOND), body=None, revision=2))
    assert [each.view.revision for each in register.search.outdated(where_a_is("7"), 10)] == [2]
    register.search.tell([Told("O1", outdated.telling, {"a": 9})])  # Worked out from what it was before.
    assert len(register.search.outdated(where_a_is("7"), 10)) == 1
