"""How Alembic runs the migrations: by the connection that it is given, or from its command line by the settings.

There is no way back: an older version of orderpipe works with the backup that was made before.
"""

from __future__ import annotations

from typing import Literal

from alembic import context
from sqlalchemy import Connection, create_engine

from register.schema import SCHEMA
from register.tables.columns import Instant
from settings import Settings


def _run(connection: Connection) -> None:
    # In batches, since SQLite can alter most of a table only by copying it.
    context.configure(connection, target_metadata=SCHEMA, render_as_batch=True, render_item=_rendered)
    with context.begin_transaction():
        context.run_migrations()


def _rendered(kind: str, item: object, _: object) -> str | Literal[False]:
    # A migration must not change its meaning when our own types do.
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Instant) else False


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with create_engine(Settings().register_address).begin() as connection:
        _run(connection)
