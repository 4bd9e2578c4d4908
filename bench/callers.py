"""Who calls about the orders that the register is filled with: names, streets and numbers, some more frequent."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg.sql import SQL, Identifier
from pydantic import JsonValue
from sqlalchemy import Connection

from orders.read_model.views import OrderView
from register.searching.found_by import terms_of_document, terms_of_order
from register.tables.finding import TERMS

_SYLLABLES = (
    "mül",
    "ber",
    "lin",
    "schu",
    "han",
    "ro",
    "sen",
    "ko",
    "wal",
    "den",
    "gra",
    "fi",
    "tho",
    "mar",
    "ste",
    "bö",
)
_ENDS = ("mann", "er", "ke", "sen", "hoff", "bach", "ler", "stein")
FAMILY_NAMES, GIVEN_NAMES, STREETS, TOWNS = 2_000, 200, 1_000, 300


@dataclass(frozen=True)
class Caller:
    """What somebody knows of their order."""

    name: str
    street: str
    city: str
    phone: str
    serial: str
    external_id: str

    @property
    def address(self) -> dict[str, JsonValue]:
        street, number = self.street.split()
        return {"streetName": street, "streetNr": number, "city": self.city, "postcode": f"{_postcode(self.city):05d}"}


def caller_of(number: int) -> Caller:
    """The one who calls about the order of that number. Some names are far more frequent than others."""
    chance = random.Random(-1 - number)
    return Caller(
        name=f"{_word(chance.randrange(GIVEN_NAMES), 'a')} {_word(_often_low(chance, FAMILY_NAMES))}",
        street=f"{_word(_often_low(chance, STREETS), 'straße')} {chance.randrange(1, 120)}",
        city=_word(_often_low(chance, TOWNS), "stadt"),
        phone=f"+49151{chance.randrange(10**7, 10**8)}",
        serial=f"SN-{chance.randrange(10**9, 10**10)}",
        external_id=f"EXT-{1_000_000 + number}",
    )


def write_terms_of(connection: Connection, orders: list[OrderView]) -> None:
    """Write the index of words as records would, but many orders at once."""
    rows = [row for order in orders for row in _rows(order)]
    if connection.dialect.name == "sqlite":
        connection.execute(TERMS.insert(), rows)
        return
    columns = [column.name for column in TERMS.c]
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    copying = SQL("COPY terms ({}) FROM STDIN").format(SQL(", ").join(map(Identifier, columns)))
    with raw.cursor() as cursor, cursor.copy(copying) as copy:
        for row in rows:
            copy.write_row([row[name] for name in columns])


def _postcode(town: str) -> int:
    """A postcode."""
    return sum(ord(letter) * 31**n for n, letter in enumerate(town)) % 100_000


def _rows(order: OrderView) -> Iterable[dict[str, object]]:
    of_document = terms_of_document(order.body or {})
    for term in of_document | terms_of_order(order):
        yield {
            "order_id": order.id,
            "term": term,
            "ordered_at": order.ordered_at,
            "of_document": term in of_document,
        }


def _often_low(chance: random.Random, below: int) -> int:
    return int(below * chance.random() ** 2)


def _word(number: int, end: str = "") -> str:
    first, second = _SYLLABLES[number % 16], _SYLLABLES[number // 16 % 16]
    third = _ENDS[number // 256 % 8]
    return f"{first}{second}{third}{end}".capitalize()
