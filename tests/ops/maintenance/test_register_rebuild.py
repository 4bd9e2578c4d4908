"""A register that has lost what orders wrote gets it back from Temporal's histories."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Table, make_url, select, update

from ops.local.ports import free_ports
from ops.maintenance.register_rebuild import rebuild
from orders.read_model.subscription import EventFilter
from register import Register
from register.events.subscriptions import Subscription
from register.tables.charges import CHARGES
from register.tables.doors import REQUEST_IDS
from register.tables.events import DELIVERIES, EVENTS, SUBSCRIPTIONS
from register.tables.finding import TERMS
from register.tables.installed import PRODUCT_CLAIMS, PRODUCTS
from register.tables.orders import CHANGES, DOCUMENTS, ITEMS, ORDER_OFFERINGS, ORDERS, REVISIONS, TRANSITIONS
from register.tables.people import ORDER_FALLOUT
from tests.given.households import internet_voice_tv, item, order
from tests.given.installed import change, household, move
from tests.ops.test_cli import orderpipe
from tests.running.pipe import Pipe, body_of

REBUILDABLE = (ORDERS, ORDER_OFFERINGS, ORDER_FALLOUT, ITEMS, REVISIONS, CHANGES, TRANSITIONS, EVENTS, TERMS)
OF_THEIR_OWN = (CHARGES, PRODUCTS, REQUEST_IDS, DELIVERIES, DOCUMENTS)


@pytest.fixture
def register(pipe: Pipe) -> Iterator[Register]:
    with closing(Register(pipe.settings.register_address)) as register:
        yield register


_OTHERWISE = ("told", "told_as", "heard", "written_at")


def content(register: Register, table: Table, orders: list[str]) -> list[tuple[Any, ...]]:
    """A table's rows of some orders, in order, but for what is worked out elsewhere, and when each was written."""
    of_order = table.c.id if table is ORDERS else table.c.order_id
    columns = [column for column in table.c if column.name not in _OTHERWISE]
    with register.database.reading() as connection:
        return sorted(map(tuple, connection.execute(select(*columns).where(of_order.in_(orders)))), key=repr)


async def test_what_orders_have_written_is_written_again_and_nothing_else_is_touched(
    pipe: Pipe, register: Register
) -> None:
    now = datetime.now(UTC)
    register.subscriptions.add(
        Subscription(
            id=str(uuid.uuid4()),
            callback="http://127.0.0.1:9/nobody",
            query="",
            filter=EventFilter(),
            owner="test",
            channel=None,
            customer_id=None,
            secret=SecretStr("x" * 32),
            created_at=now,
        )
    )
    with register.database.writing() as connection:  # So that nobody delivers meanwhile.
        connection.execute(update(SUBSCRIPTIONS).values(lease="test", leased_until=now + timedelta(hours=1)))
    amended = await pipe.submit(internet_voice_tv(installation="self"))
    await pipe.change(amended, requestId="faster", kind="amend", update=[{"id": "tv", "offering": "tv-cinema"}])
    plain = await pipe.submit(body_of("mobile"))
    for started in (amended, plain):
        await pipe.outcome(started)
    rejected = await pipe.submit(order(item("1", "telepathy")))
    orders = [amended, plain, rejected]
    before = {table: content(register, table, orders) for table in (*REBUILDABLE, *OF_THEIR_OWN)}
    assert all(before[table] for table in (*REBUILDABLE, *OF_THEIR_OWN) if table not in (ORDER_FALLOUT, CHARGES))

    with register.database.writing() as connection:
        for table in REBUILDABLE:
            of_order = table.c.id if table is ORDERS else table.c.order_id
            connection.execute(table.delete().where(of_order.in_([amended, plain])))
    rebuilt = await rebuild(pipe.client, register)
    assert rebuilt.unread == {}
    assert (rebuilt.orders >= 2, rebuilt.records >= 2) == (True, True)
    for table, rows in before.items():
        assert content(register, table, orders) == rows, table.name


async def test_a_register_that_another_process_keeps_locked_is_waited_for(pipe: Pipe) -> None:
    plain = await pipe.submit(body_of("mobile"))
    await pipe.outcome(plain)
    waited: list[str] = []
    done: list[str] = []
    file = make_url(pipe.settings.register_address).database
    assert file is not None
    with closing(sqlite3.connect(file, check_same_thread=False, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        def waits() -> None:
            waited.append("once more")
            if len(waited) == 2:
                other.execute("ROLLBACK")

        short = timedelta(milliseconds=50)
        with closing(Register(pipe.settings.register_address, busy_timeout=short)) as register:
            rebuilt = await rebuild(pipe.client, register, done=lambda: done.append("one"), waits=waits)
    assert len(waited) >= 2
    assert rebuilt.unread == {}
    assert len(done) >= rebuilt.orders > 0


async def test_a_register_that_cannot_be_reached_is_told_in_a_line(pipe: Pipe, tmp_path: Path) -> None:
    plain = await pipe.submit(body_of("mobile"))
    await pipe.outcome(plain)
    result = await asyncio.to_thread(
        orderpipe,
        *("register", "rebuild"),
        ORDERPIPE_TEMPORAL_PORT=str(pipe.settings.temporal_port),
        ORDERPIPE_REGISTER_URL=f"postgresql+psycopg://somebody@127.0.0.1:{free_ports(1)[0]}/nothing",
        ORDERPIPE_DATA_DIR=str(tmp_path),
    )
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("orderpipe: The register cannot be used: ")
    assert isinstance(result.exception, SystemExit)


async def test_it_leaves_alone_what_is_newer_or_forgotten_by_temporal(pipe: Pipe, register: Register) -> None:
    plain = await pipe.submit(body_of("mobile"))
    await pipe.outcome(plain)
    record = register.records.find(plain)
    assert record is not None
    newer = record.model_copy(
        update={"version": record.version + 1, "view": record.view.model_copy(update={"priority": 0})}
    )
    forgotten = record.model_copy(update={"view": record.view.model_copy(update={"id": f"forgotten-{plain}"})})
    for known in (newer, forgotten):
        register.records.record(known)
    await rebuild(pipe.client, register)
    assert register.records.find(plain) == newer
    assert register.records.find(f"forgotten-{plain}") == forgotten


async def test_what_an_order_in_flight_goes_on_from_is_locked_again(pipe: Pipe, register: Register) -> None:
    home = await household(pipe)
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    moving = await home.ordered(move(home.product("net"), "1"))
    with register.database.writing() as connection:
        connection.execute(PRODUCT_CLAIMS.delete().where(PRODUCT_CLAIMS.c.product_id.startswith(home.first)))
    await rebuild(pipe.client, register)
    refused = (await home.order(change(home.product("tv"), action="delete"))).json()
    assert refused["state"] == "rejected"
    assert {reason["code"] for reason in refused["productOrderErrorMessage"]} == {"product_in_flight"}
    await pipe.until_task(moving, "installation/visit-site", "awaiting")
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    await home.ends(moving, "completed")
