"""What is told of silos: the condition of each, and what each worker's calls on it came to lately."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select

from orders.health.condition import Condition
from orders.health.figures import Figures
from register.engine import Database
from register.tables.silos import SILO_FIGURES, SILOS

FORGOTTEN_AFTER: Final = timedelta(hours=1)
"""What a worker has counted: it writes anew while it calls, and may be gone."""


class Silos:
    """Conditions and figures of silos. Every method may raise `sqlalchemy.exc.DBAPIError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def conditions(self) -> dict[str, Condition]:
        """The condition of every silo that has one, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(SILOS.c.content)).scalars().all()
        return {condition.silo: condition for condition in map(Condition.model_validate, rows)}

    def write(self, condition: Condition) -> None:
        """Write down the condition of a silo, unless a newer one is there."""
        row = self._database.insert(SILOS).values(
            name=condition.silo, version=condition.version, content=condition.model_dump(mode="json")
        )
        newer = row.on_conflict_do_update(
            index_elements=[SILOS.c.name],
            set_={name: row.excluded[name] for name in ("version", "content")},
            where=SILOS.c.version <= row.excluded.version,
        )
        with self._database.writing() as connection:
            connection.execute(newer)

    def count(self, figures: Sequence[Figures], now: datetime) -> None:
        """Write down what a worker has counted, in place of what it had counted before."""
        with self._database.writing() as connection:
            for each in figures:
                row = self._database.insert(SILO_FIGURES).values(
                    silo=each.silo, worker=each.worker, at=each.at, content=each.model_dump(mode="json")
                )
                connection.execute(
                    row.on_conflict_do_update(
                        index_elements=[SILO_FIGURES.c.silo, SILO_FIGURES.c.worker],
                        set_={name: row.excluded[name] for name in ("at", "content")},
                    )
                )
            connection.execute(delete(SILO_FIGURES).where(SILO_FIGURES.c.at < now - FORGOTTEN_AFTER))

    def figures(self, silo: str | None = None) -> list[Figures]:
        """What workers have counted lately, of one silo or of all."""
        wanted = select(SILO_FIGURES.c.content)
        if silo is not None:
            wanted = wanted.where(SILO_FIGURES.c.silo == silo)
        with self._database.reading() as connection:
            return [Figures.model_validate(row) for row in connection.execute(wanted).scalars()]
