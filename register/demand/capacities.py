"""What silos have, as it was told since the catalog was written."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, select

from orders.model.silos.capacity import Capacity, StatedCapacity
from register.engine import Database
from register.tables.silos import CAPACITIES


class Capacities:
    """Capacities as they were told last. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stated(self) -> dict[str, StatedCapacity]:
        """What was told, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(CAPACITIES)).all()
        return {row.name: StatedCapacity.model_validate(row.content) for row in rows}

    def in_force(self, capacities: Iterable[Capacity]) -> dict[str, Capacity]:
        """The capacities of a catalog, each with the numbers that count now."""
        stated = self.stated()
        return {each.name: stated[each.name].of(each) if each.name in stated else each for each in capacities}

    def state(self, name: str, stated: StatedCapacity) -> None:
        """Note what is told of a capacity, in place of what was told before."""
        row = self._database.insert(CAPACITIES).values(name=name, content=stated.model_dump(mode="json"))
        with self._database.writing() as connection:
            connection.execute(
                row.on_conflict_do_update(index_elements=[CAPACITIES.c.name], set_={"content": row.excluded.content})
            )

    def forget(self, name: str) -> None:
        """Go back to what the catalog says."""
        with self._database.writing() as connection:
            connection.execute(delete(CAPACITIES).where(CAPACITIES.c.name == name))
