"""What an order is found by: its ids, whom it is for and how they are reached, where it goes, and what it was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from pydantic import JsonValue

from orders.model.writing.words import compound_of, terms_of
from orders.read_model.views import OrderView

RULES: Final = "1"
"""Goes up when the same order would be found by other words: the index is made anew then."""

MOST_TERMS: Final = 5_000
"""Of one order. More than all but the largest have."""

_LONGEST_TEXT: Final = 200
_TELLS_OF_A_NUMBER: Final = 4
"""Digits in a characteristic by which somebody may look for it."""
_NOT_OF_PARTIES: Final = ("id", "href", "role")
_READ_FIRST: Final = ("streetName", "streetNr", "streetNrSuffix", "postcode", "city")


def ids_of(order: OrderView) -> set[str]:
    """Of an order whose customer is not to be found any more."""
    return {term for text in (order.id, order.external_id, order.customer_id) for term in terms_of(text)}


def terms_of_order(order: OrderView) -> set[str]:
    """By what orderpipe knows of it."""
    found = (
        *(term for text in dict.fromkeys(_of_order(order)) for term in terms_of(text)),
        *(term for text in dict.fromkeys(_compounds_of(order)) for term in compound_of(text)),
    )
    return ids_of(order) | set(found[:MOST_TERMS])


def terms_of_document(document: Mapping[str, JsonValue]) -> set[str]:
    """By whom it names, in the words of TMF622: parties with their contacts, of the order, its items and products."""
    return set(islice((term for text in _of_document(document) for term in terms_of(text)), MOST_TERMS))


def names_of(document: Mapping[str, JsonValue] | None) -> tuple[str, ...]:
    """The names of the parties of an order, for people."""
    parties = _listed((document or {}).get("relatedParty"))
    return tuple(dict.fromkeys(str(party["name"]) for party in parties if isinstance(party.get("name"), str)))


def lines_of(address: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """What an address says, text by text, the street first."""
    first = {name: address[name] for name in _READ_FIRST if name in address}
    return tuple(_texts({**first, **address}, _NOT_OF_PARTIES))


def _of_order(order: OrderView) -> Iterator[str]:
    for given in order.given:
        yield given.value
    for item in order.items:
        if item.site is not None:
            yield from (item.site.id, *lines_of(item.site.address))
        for value in item.characteristics.values():
            if isinstance(value, str) and sum(map(str.isdigit, value)) >= _TELLS_OF_A_NUMBER:
                yield value[:_LONGEST_TEXT]


def _compounds_of(order: OrderView) -> Iterator[str]:
    """Products come last, where there are very many: they begin with their order's id."""
    yield from (item.offering for item in order.items)
    yield from (product for item in order.items for product in item.products)


def _of_document(part: Mapping[str, Any]) -> Iterator[str]:
    for party in _listed(part.get("relatedParty")):
        yield from _texts(party, _NOT_OF_PARTIES)
    contact = part.get("notificationContact")
    if isinstance(contact, str):
        yield contact[:_LONGEST_TEXT]
    product = part.get("product")
    if isinstance(product, dict):
        yield from _of_document(product)
    for item in _listed(part.get("productOrderItem")):
        yield from _of_document(item)


def _listed(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(value: Any, without: tuple[str, ...] = ()) -> Iterator[str]:
    """Every text and number, but for types and references."""
    if isinstance(value, str):
        yield value[:_LONGEST_TEXT]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, without)
    elif isinstance(value, dict):
        for name, each in value.items():
            if not name.startswith("@") and name not in without:
                yield from _texts(each, without)
