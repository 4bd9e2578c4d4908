"""Calls made together, on the real engine: each has its own outcome, and only what has to be repeated is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.calling.grant import Grant
from activities.calling.silo_activities import silo_activities
from catalog_loader.catalog_files import read_catalog
from orders.model import wire_names
from orders.model.catalog import Catalog, RetryBudget, Silo
from orders.model.values import Verb
from orders.reconcile.outcome import Outcome, OutcomeKind
from register import Register
from settings import ROOT, Settings
from tests.activities.bench import Bench
from tests.activities.moody import HurriedSilo, Moody, calls, key
from tests.running.pipe import Pipe, body_of, until
from tests.workflows.silos.calling import CallingWorkflow
from worker import silo_worker
from workflows.sdk.connection import data_converter, sandbox
from workflows.sdk.fleet import sharing_queue
from workflows.silo_calls import LONGEST_NAME

DONE = Outcome(OutcomeKind.DONE)
QUICK = RetryBudget(attempts=3, first_pause=timedelta(milliseconds=50), longest_pause=timedelta(milliseconds=100))


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return read_catalog(ROOT / "catalog")


@pytest.fixture
def moody(catalog: Catalog, tmp_path: Path) -> Iterator[Moody]:
    settings = Settings(_env_file=None)  # pyright: ignore[reportCallIssue]
    with closing(Register(f"sqlite:///{tmp_path / 'register.db'}")) as register:
        yield Moody(Bench(catalog, httpx2.AsyncClient(), settings, register))


@pytest.fixture
def silo(catalog: Catalog) -> Silo:
    """A silo of this test's own, tried three times, whose calls wait a tenth of a second for each other."""
    changes = {"name": f"moody-{uuid4().hex[:8]}", "retry_budget": QUICK, "call_timeout": timedelta(minutes=1)}
    return HurriedSilo(**dict(catalog.silos["voice"].model_copy(update=changes)))


@asynccontextmanager
async def working(temporal: WorkflowEnvironment, silo: Silo, moody: Moody, workers: int = 1) -> AsyncIterator[Client]:
    """That many workers for the silo, as `worker.py` has them, and one for the workflow."""
    address = temporal.client.service_client.config.target_host
    async with AsyncExitStack() as stack:
        for number in range(workers):
            grant = Grant(silo)
            grant.share_with(workers)
            client = await Client.connect(address, data_converter=data_converter(), identity=f"{silo.name}-{number}")
            activities = silo_activities(silo, moody.bench.client, moody.bench.settings, grant, moody.bench.register)
            await stack.enter_async_context(silo_worker(client, silo, grant, activities))
        await stack.enter_async_context(
            Worker(temporal.client, task_queue=silo.name, workflows=[CallingWorkflow], workflow_runner=sandbox())
        )
        yield temporal.client


async def begun(client: Client, silo: Silo, verb: Verb, *names: str) -> WorkflowHandle[Any, list[tuple[str, Outcome]]]:
    return await client.start_workflow(
        CallingWorkflow.run,
        args=[Silo(**dict(silo)), verb, calls(*names).calls],
        id=f"calling-{uuid4().hex}",
        task_queue=silo.name,
    )


async def heard(client: Client, silo: Silo, verb: Verb, *names: str) -> dict[str, Outcome]:
    """What came of calls, in the order in which it was heard."""
    told = await (await begun(client, silo, verb, *names)).result()
    assert len(told) == len(names)
    return dict(told)


async def scheduled(handle: WorkflowHandle[Any, Any]) -> list[HistoryEvent]:
    return [
        event
        async for event in handle.fetch_history_events()
        if event.HasField("activity_task_scheduled_event_attributes")
    ]


async def test_of_one_refused_one_lost_one_slow_and_one_done_only_the_lost_one_is_made_again(
    temporal: WorkflowEnvironment, silo: Silo, moody: Moody
) -> None:
    moody.moods = {key("refused"): moody.refused, key("lost"): moody.lost_at_first(1), key("slow"): moody.slow}
    async with working(temporal, silo, moody) as client:
        handle = await begun(client, silo, Verb.PROVISION, "refused", "lost", "slow", "done")

        async def lost_one_is_known() -> bool:
            return moody.made[key("lost")] == 2

        await until(lost_one_is_known, "the lost call to be made again, while the slow one is still under way")
        moody.may_go_on.set()
        told = await handle.result()
    assert {name for name, _ in told[:2]} == {key("refused"), key("done")}  # Neither waits for the other two.
    kinds = {name: outcome.kind for name, outcome in told}
    assert kinds.pop(key("refused")) is OutcomeKind.REFUSED
    assert kinds == dict.fromkeys(map(key, ("lost", "slow", "done")), OutcomeKind.DONE)
    assert moody.made == {key("refused"): 1, key("lost"): 2, key("slow"): 1, key("done"): 1}


async def test_the_retry_budget_is_that_of_each_call(temporal: WorkflowEnvironment, silo: Silo, moody: Moody) -> None:
    moody.moods = {key("down"): moody.lost, key("late"): moody.lost_at_first(2)}
    async with working(temporal, silo, moody) as client:
        told = await heard(client, silo, Verb.PROVISION, "down", "late", "done")
        assert (told[key("down")].kind, told[key("down")].code) == (OutcomeKind.UNKNOWN, "retry_budget_spent")
        assert "ReadError" in told[key("down")].reason
        assert told[key("late")] == told[key("done")] == DONE
        assert moody.made == {key("down"): 3, key("late"): 3, key("done"): 1}
        told = await heard(client, silo, Verb.AMEND, "down")
        assert told[key("down")].kind is OutcomeKind.UNKNOWN
        assert moody.made[key("down")] == 6


async def test_where_all_fail_temporal_tries_them_again_together(
    temporal: WorkflowEnvironment, silo: Silo, moody: Moody
) -> None:
    moody.moods = {key("a"): moody.lost_at_first(1), key("b"): moody.lost_at_first(2)}
    async with working(temporal, silo, moody) as client:
        handle = await begun(client, silo, Verb.PROVISION, "a", "b")
        assert dict(await handle.result()) == {key("a"): DONE, key("b"): DONE}
        assert len(await scheduled(handle)) == 2
    assert moody.made == {key("a"): 2, key("b"): 3}


async def test_a_compensation_is_made_again_without_end_also_beside_others(
    temporal: WorkflowEnvironment, silo: Silo, moody: Moody
) -> None:
    moody.moods = {key("late"): moody.lost_at_first(5)}
    async with working(temporal, silo, moody) as client:
        told = await heard(client, silo, Verb.COMPENSATE, "late", "done")
    assert told == {key("done"): DONE, key("late"): DONE}
    assert moody.made == {key("late"): 6, key("done"): 1}


async def test_two_workers_together_have_no_more_calls_under_way_than_the_silo_takes(
    temporal: WorkflowEnvironment, silo: Silo, moody: Moody
) -> None:
    silo = Silo(**{**dict(silo), "concurrency": 6})
    orders = [[f"o{order}-{number}" for number in range(8)] for order in range(6)]
    moody.moods = {key(name): moody.a_while for names in orders for name in names}
    async with working(temporal, silo, moody, workers=2) as client:
        told = await asyncio.gather(*(heard(client, silo, Verb.PROVISION, *names) for names in orders))
    assert [list(each.values()) for each in told] == [[DONE] * 8] * 6
    assert 5 <= moody.most_under_way <= 6
    assert set(moody.made.values()) == {1}


async def test_two_workers_together_make_no_more_calls_a_second_than_the_silo_takes(
    temporal: WorkflowEnvironment, silo: Silo, moody: Moody
) -> None:
    silo = Silo(**{**dict(silo), "rate_per_second": 20.0})
    orders = [[f"o{order}-{number}" for number in range(10)] for order in range(8)]
    async with working(temporal, silo, moody, workers=2) as client:
        await asyncio.gather(*(heard(client, silo, Verb.PROVISION, *names) for names in orders))
    assert set(moody.made.values()) == {1}
    # Temporal lets some more through at first, as it always has.
    longest = max(moody.times) - min(moody.times)
    assert longest >= (len(moody.times) - 20) / 20 * 0.9


async def test_every_worker_sees_how_many_share_a_grant(temporal: WorkflowEnvironment, pipe: Pipe) -> None:
    address = temporal.client.service_client.config.target_host
    newcomer = await Client.connect(address, identity="newcomer")

    async def seen() -> bool:
        return await sharing_queue(newcomer, wire_names.ORDERS_QUEUE) == {pipe.client.identity, "newcomer"}

    await until(seen, "the worker to be seen")


# An order


async def test_the_calls_of_an_order_on_a_silo_are_few_activities_named_for_their_tasks(pipe: Pipe) -> None:
    order_id = await pipe.submit(body_of("business-vpn"))
    assert (await pipe.outcome(order_id)).state == "completed"
    made = await pipe.journal(order_id)
    events = [
        event
        for event in await scheduled(pipe.handle(order_id))
        if not event.activity_task_scheduled_event_attributes.activity_type.name.startswith("orders.")
    ]
    assert len(events) < len(made) / 2
    assert await pipe.applied_twice(order_id) == []
    for event in events:
        summary = await data_converter().decode([event.user_metadata.summary], [str])
        assert 0 < len(summary[0]) <= LONGEST_NAME
    names = [event.activity_task_scheduled_event_attributes.activity_id for event in events]
    assert any(" more" in name or ", " in name for name in names)


async def test_what_fails_among_the_calls_of_an_order_is_made_again_and_nothing_else(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/*/faults", {"error_rate": 0.3, "seed": 7})
    order_id = await pipe.submit(body_of("business-vpn"))
    assert (await pipe.outcome(order_id)).state == "completed"
    entries = await pipe.sim("GET", f"/journal?order={order_id}")
    outcomes: dict[str, list[str]] = {}
    for entry in entries:
        if entry["verb"] in ("provision", "amend", "compensate"):
            outcomes.setdefault(f"{entry['verb']} {entry['key']}", []).append(entry["outcome"])
    assert any(len(each) > 1 for each in outcomes.values())
    assert {key: each for key, each in outcomes.items() if each != ["failed"] * (len(each) - 1) + ["applied"]} == {}
