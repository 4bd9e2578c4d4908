"""Pages of lists: as many rows as asked for, but no more bytes than one answer should have."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, cast, func, literal

PAGE_BYTES: Final = 4 * 2**20
"""What a page holds at most, but for a row that is larger alone: it ends early, and the next one goes on."""


def length(*columns: ColumnElement[Any]) -> ColumnElement[int]:
    """How long some columns of a row are together, as text."""
    total: ColumnElement[int] = literal(0)
    for column in columns:
        total += func.coalesce(func.length(cast(column, Text)), 0)
    return total


def read_page(
    connection: Connection, rows: Select[*tuple[Any, ...]], size: ColumnElement[int], offset: int, limit: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """The rows from an offset on, so many at most, and no more than `PAGE_BYTES` by the `size` of each."""
    asked = rows.offset(offset).limit(limit)
    sizes = connection.scalars(asked.with_only_columns(size)).all() if limit else []
    within = sum(total <= PAGE_BYTES for total in accumulate(sizes))
    fitting = max(within, min(1, len(sizes)))
    return connection.execute(asked.limit(fitting)).all() if fitting else []
