"""How customers want to be told, where they have said so."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select

from orders.news.preferences import Preferences
from register.engine import Database
from register.tables.messages import PREFERENCES


class PreferencesRegister:
    """The preferences of customers. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, customer_id: str) -> Preferences:
        """Those of a customer; of one that has said nothing, none."""
        with self._database.reading() as connection:
            return preferences_of(connection, {customer_id}).get(customer_id, Preferences())

    def put(self, customer_id: str, preferences: Preferences, by: str, now: datetime) -> None:
        """Keep them in place of those before."""
        written = {"content": preferences.model_dump(mode="json"), "changed_at": now, "changed_by": by}
        insert = self._database.insert(PREFERENCES).values(customer_id=customer_id, **written)
        with self._database.writing() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["customer_id"], set_=written))


def preferences_of(connection: Connection, customers: Collection[str]) -> dict[str, Preferences]:
    """The preferences of those customers who have any, by customer."""
    wanted = select(PREFERENCES.c.customer_id, PREFERENCES.c.content).where(PREFERENCES.c.customer_id.in_(customers))
    return {row.customer_id: Preferences.model_validate(row.content) for row in connection.execute(wanted)}


def forget_preferences(connection: Connection, customer_id: str) -> None:
    """Forget how a customer is reached, within a transaction."""
    connection.execute(delete(PREFERENCES).where(PREFERENCES.c.customer_id == customer_id))
