"""Orders by words, from the readings of a question to SQL: the rarest word leads, and the others are looked up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, and_, false, func, select, union

from orders.model.writing.words import Reading, Word
from register.tables.finding import TERMS

_COUNTED: Final = 2_000
"""So far it is counted how many rows a word has: with more, it is common."""

_LAST: Final = "\U0010ffff"


def matching(connection: Connection, readings: Sequence[Reading]) -> Select[str, datetime]:
    """The orders that have every word of one of the readings: `order_id` and `ordered_at`, each order once."""
    found = [select_ for reading in readings if (select_ := _matching(connection, reading)) is not None]
    if not found:
        return select(TERMS.c.order_id, TERMS.c.ordered_at).where(false())
    if len(found) == 1:
        return found[0]
    both = union(*found).subquery("found")
    return select(both.c.order_id, both.c.ordered_at)


def latest_matching(
    connection: Connection, readings: Sequence[Reading], offset: int, limit: int
) -> tuple[list[str], int]:
    """The ids of a page of those orders, the latest first, and how many there are. No order is read for that."""
    found = matching(connection, readings).subquery("found")
    total = connection.scalar(select(func.count()).select_from(found)) or 0
    latest = select(found.c.order_id).order_by(found.c.ordered_at.desc(), found.c.order_id.desc())
    ids = connection.scalars(latest.offset(offset).limit(limit)).all() if total else []
    return list(ids), total


def _matching(connection: Connection, reading: Reading) -> Select[str, datetime] | None:
    sizes = {word: _rows_of(connection, word) for word in reading}
    if not all(sizes.values()):
        return None
    # The others are looked for among the words of each order: an expression keeps PostgreSQL, which takes every
    # beginning of a word for rare, from going through all that begin so instead, once for each order.
    rarest, *others = sorted(reading, key=lambda word: sizes[word])
    having = [
        select(other.c.term).where(other.c.order_id == TERMS.c.order_id, _is(word, other.c.term.concat(""))).exists()
        for n, word in enumerate(others)
        for other in [TERMS.alias(f"other{n}")]
    ]
    return select(TERMS.c.order_id, TERMS.c.ordered_at).where(_is(rarest, TERMS.c.term), *having).distinct()


def _rows_of(connection: Connection, word: Word) -> int:
    some = select(TERMS.c.order_id).where(_is(word, TERMS.c.term)).limit(_COUNTED).subquery()
    return connection.scalar(select(func.count()).select_from(some)) or 0


def _is(word: Word, term: ColumnElement[str]) -> ColumnElement[bool]:
    if word.whole:
        return term == word.text
    return and_(term >= word.text, term < word.text + _LAST)
