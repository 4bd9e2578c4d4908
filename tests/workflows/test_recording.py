"""When an order is written to the register, and that it goes on while it cannot be."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from temporalio.client import WorkflowExecutionStatus

from orders.tracking.observation import observe
from tests.given.households import internet_voice_tv, item, order
from tests.orders.support.driver import AT, NOW, Driver, household
from tests.running.pipe import Pipe, until
from workflows.recording import AT_REST, BUSY, Recorder


def test_what_is_busy_is_written_within_seconds_and_what_is_at_rest_at_once() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    recorder = Recorder(driver.order)
    assert recorder.due() == NOW
    (step,) = driver.order.reconciler.next_steps()
    observe(driver.order, NOW + AT_REST)
    assert recorder.due() == NOW + BUSY
    assert recorder.due(ended=True) == NOW
    driver.order.record(step, driver.answer(step), AT)
    driver.run()
    assert not driver.order.reconciler.calls
    assert recorder.due() == NOW


def test_nothing_new_is_never_written() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    driver.order.journal.begin_record()
    assert Recorder(driver.order).due() is None
    assert Recorder(driver.order).due(ended=True) is None


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Nobody else can write to a SQLite file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def rows(pipe: Pipe, query: str, *values: object) -> list[tuple[object, ...]]:
    """What the register answers."""
    with closing(sqlite3.connect(pipe.settings.data_dir / "register.db")) as connection:
        return connection.execute(query, values).fetchall()


async def history(pipe: Pipe, order_id: str, **page: int) -> dict[str, Any]:
    """How the care API says an order came to be as it is."""
    address = f"{pipe.settings.api_address}/care/v1/orders/{order_id}/history"
    response = await pipe.http.get(address, params=page)
    assert response.status_code == 200, response.text
    return response.json()


async def test_an_order_at_rest_and_at_its_end_is_in_the_register_with_its_history(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv(equipment="own"))
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    fresh = await history(pipe, order_id)
    await pipe.until_recorded(order_id)
    assert await history(pipe, order_id) == fresh
    moves = [move for move in fresh["transitions"] if move["item"] is None and move["milestone"] is None]
    assert [move["after"] for move in moves] == ["acknowledged", "inProgress"]
    page = await history(pipe, order_id, offset=2, limit=3)
    assert (page["transitions"], page["total"]) == (fresh["transitions"][2:5], len(fresh["transitions"]))
    assert rows(pipe, "SELECT state FROM orders WHERE id = ?", order_id) == [("inProgress",)]
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    await pipe.outcome(order_id)
    assert rows(pipe, "SELECT state FROM orders WHERE id = ?", order_id) == [("completed",)]
    told = rows(pipe, "SELECT item, after, milestone FROM transitions WHERE order_id = ? ORDER BY number", order_id)
    for each in ("net", "voice", "tv", None):
        moves = [after for name, after, milestone in told if name == each and milestone is None]
        assert moves == ["acknowledged", "inProgress", "completed"]
    whole = (await history(pipe, order_id))["transitions"]
    assert [(move["item"], move["after"], move["milestone"]) for move in whole] == told
    kinds = [kind for (kind,) in rows(pipe, "SELECT kind FROM events WHERE order_id = ? ORDER BY number", order_id)]
    assert kinds[0] == "created"
    assert kinds[-1] == "stateChanged"
    assert kinds.count("milestone") == 5


async def test_a_register_that_can_not_be_written_delays_the_end_alone_and_what_comes_until_then_still_counts(
    pipe: Pipe,
) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(order(item("net", "fibre-100", equipment="own")))
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    await pipe.until_recorded(order_id)
    with locked(str(pipe.settings.data_dir / "register.db")):
        await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})

        async def settled() -> bool:
            return (await pipe.view(order_id)).ending

        await until(settled, "the order to be settled")
        seen = (await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{order_id}")).json()
        assert (seen["state"], seen["completedAt"]) == ("inProgress", None)
        assert [problem["code"] for problem in seen["problems"]] == ["end_unrecorded"]
        resource = (await pipe.http.get(pipe.api(f"/productOrder/{order_id}"))).json()
        assert (resource["state"], "completionDate" in resource) == ("inProgress", False)
        assert {each["state"] for each in resource["productOrderItem"]} == {"completed"}
        moves = (await history(pipe, order_id))["transitions"]
        assert [move["after"] for move in moves if move["item"] is None][-1] == "inProgress"
        assert (await pipe.handle(order_id).describe()).status == WorkflowExecutionStatus.RUNNING
        faster = {"id": "net", "offering": "fibre-500"}
        address = f"{pipe.settings.api_address}/care/v1/orders/{order_id}"
        told = await pipe.http.post(f"{address}/changes?dryRun=true", json={"kind": "amend", "update": [faster]})
        assert (told.status_code, told.json().get("state")) == (200, "accepted")
        verdict = await pipe.change(order_id, requestId="faster", kind="amend", update=[faster])
        assert verdict["state"] == "assessing"  # It waits to hear whether the order has ended.

        async def gone_on() -> bool:
            view = await pipe.view(order_id)
            return view.revision == 2 and view.ending

        await until(gone_on, "the order to be settled again")
    outcome = await pipe.outcome(order_id)
    assert (outcome.state, outcome.revision) == ("completed", 2)
    view = await pipe.view(order_id)
    assert [change.state for change in view.changes] == ["applied"]
    told = rows(
        pipe,
        "SELECT after FROM transitions WHERE order_id = ? AND item IS NULL AND milestone IS NULL ORDER BY number",
        order_id,
    )
    assert [after for (after,) in told][-3:] == ["completed", "inProgress", "completed"]
