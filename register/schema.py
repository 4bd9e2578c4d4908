"""The register's schema: all its tables. What alters one needs a migration too, by `alembic revision --autogenerate`.

No table refers to another by a foreign key: records arrive twice, late and in any order, and what can be rebuilt is
rebuilt around the records in their own right: documents, subscriptions, deliveries, charges, cancellations, products,
claims of products, request ids, sessions of the console, and saved views.
"""

from __future__ import annotations

from register.tables import charges, doors, events, finding, installed, messages, orders, people, silos
from register.tables.columns import SCHEMA

TABLES = (charges, doors, events, finding, installed, messages, orders, people, silos)
"""The modules that put their tables into `SCHEMA`."""

__all__ = ["SCHEMA", "TABLES"]
