"""Ids: those that others give, in any form, and those of ours that are made of them.

An id of another system is any text in one line, up to a length. Ours become parts of task keys, of Temporal's ids and
of URLs, where a slash, a colon or a blank would mean something. So ours take over only ids that are plain, and of all
others as much as can be read, with a digest that tells them apart.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Final, TypeAlias

from pydantic import Field

from orders.model.writing.text import Name

LONGEST_ID: Final = 200
"""Characters. Temporal's visibility keeps no more than 255 of a customer's id."""

Identifier: TypeAlias = Annotated[Name, Field(min_length=1, max_length=LONGEST_ID)]
"""An id as others give it: of a customer, a channel, a place, an account, an order item, a product."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9_.-]+", re.ASCII)
_READABLE: Final = 40
_DIGITS: Final = 16


def key_part(identifier: str) -> str:
    """An id as a part of ours: as it is, or as much of it as can be read, `~`, and a digest.

    `item-1` stays as it is, `1/1` becomes `1-1~` and 16 hexadecimal digits. No plain id has a `~`, so that none can be
    taken for another.
    """
    if _PLAIN.fullmatch(identifier):
        return identifier
    readable = _NOT_PLAIN.sub("-", identifier)[:_READABLE].strip("-.")
    return f"{readable or 'id'}~{hashlib.sha256(identifier.encode()).hexdigest()[:_DIGITS]}"


def order_id(channel: str, external_id: str, customer: str | None = None) -> str:
    """`<channel>-<12 hexadecimal digits>`: external ids may hold personal data too, so they are hashed."""
    # None of them has a line break.
    owner = channel if customer is None else f"{channel}\n{customer}"
    digest = hashlib.sha256(f"{owner}\n{external_id}".encode()).hexdigest()
    return f"{key_part(channel)}-{digest[:12]}"


def product_id(order: str, item: str, number: int) -> str:
    """The id of an item's product, for life: `<order>.<item>.<number>`, numbers counting from 1, never used twice."""
    return f"{order}.{key_part(item)}.{number}"


def component_id(bundle: str, role: str) -> str:
    """The id of an item that a bundle's item brings along: `<item>.<role>`."""
    named = f"{bundle}.{role}"
    return named if len(named) <= LONGEST_ID else f"{key_part(bundle)}.{role}"
