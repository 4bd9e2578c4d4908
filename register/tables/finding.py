"""The words by which orders are found, and which of them are gone for good."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Index, Table

from register.tables.columns import SCHEMA, by_code_point, instant_column, key_column

TERMS: Final = Table(
    "terms",
    SCHEMA,
    key_column("order_id"),
    Column("term", by_code_point(), primary_key=True),
    instant_column("ordered_at"),
    Column("of_document", Boolean, nullable=False),
    Index(None, "term", "ordered_at", "order_id"),
    sqlite_with_rowid=False,
)
"""The words by which an order is found, as `orders/model/writing/words.py` writes them: of its document, and others.
Those of deleted orders are gone."""

ERASED_CUSTOMERS: Final = Table(
    "erased_customers",
    SCHEMA,
    key_column("customer_id"),
    instant_column("erased_at"),
)
"""Whose orders, those of before that instant, have no words but their ids."""
