"""A silo that fails is left alone, by all workers, until it is back: on the real engine, with a register behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from catalog_loader.catalog_files import read_catalog
from orders.health.condition import Condition, SiloState, Stage
from orders.health.steering import Steer
from orders.model import wire_names
from orders.model.catalog import RetryBudget, Silo
from orders.model.silos.breaker import Breaker
from orders.reconcile.outcome import RETRY_BUDGET_SPENT, OutcomeKind
from settings import ROOT
from tests.running.pipe import until
from tests.support import client_in, temporal_server
from tests.workflows.silos.silo_desk import Calls, Desk, desk_of, service_of
from workflows.sdk.silo_queue import queue_of

THREE = RetryBudget(attempts=3, first_pause=timedelta(milliseconds=50), longest_pause=timedelta(milliseconds=100))
ONE = THREE.model_copy(update={"attempts": 1})
MANY = THREE.model_copy(update={"attempts": 1000})
BREAKER = Breaker(
    failures=3,
    share=0.5,
    pause=timedelta(milliseconds=200),
    longest_pause=timedelta(milliseconds=200),
    step=timedelta(milliseconds=100),
)


def silo_like(**changes: object) -> Silo:
    """A silo of this test's own."""
    silo = read_catalog(ROOT / "catalog").silos["voice"]
    brief = {"retry_budget": THREE, "call_timeout": timedelta(seconds=20), "breaker": BREAKER, "concurrency": 20}
    return silo.model_copy(update={"name": f"unsteady-{uuid4().hex[:8]}", **brief, **changes})


@pytest_asyncio.fixture(loop_scope="session")
async def silo(request: pytest.FixtureRequest) -> Silo:
    return silo_like(**getattr(request, "param", {}))


@pytest_asyncio.fixture(loop_scope="session")
async def desk(temporal: WorkflowEnvironment, silo: Silo, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_of(await client_in(temporal, "silos"), silo, tmp_path) as desk:
        yield desk


async def outcomes(
    calls: Iterable[Calls],
) -> set[tuple[OutcomeKind, str]]:
    """How calls have ended."""
    ended = await asyncio.wait_for(asyncio.gather(*(call.result() for call in calls)), 300)
    return {(outcome.kind, outcome.code) for ((_, outcome),) in ended}


DONE = {(OutcomeKind.DONE, "")}
SPENT = {(OutcomeKind.UNKNOWN, RETRY_BUDGET_SPENT)}


async def until_looked_at(desk: Desk, times: int) -> None:
    """Wait until the silo was looked at in vain so often."""
    first = desk.unsteady.probes

    async def looked() -> bool:
        return desk.unsteady.probes >= first + times

    await until(looked, f"{times} looks")


async def test_while_a_silo_is_left_alone_no_budget_is_spent(desk: Desk) -> None:
    desk.unsteady.down = True
    async with desk.at_work():
        calls = await desk.start_many(10)
        opened = await desk.until_state(SiloState.OPEN)
        assert "calls have failed within 60 s" in opened.reason(datetime.now(UTC))
        await until_looked_at(desk, 4)  # For longer than any budget lasts.
        desk.unsteady.down = False
        assert await outcomes(calls) == DONE
        assert set(desk.unsteady.done.values()) == {1}
        assert desk.unsteady.most_probes_at_once == 1
        closed = await desk.until_state(SiloState.CLOSED)
    assert closed.reason(datetime.now(UTC)) == ""
    assert (await queue_of(desk.client, desk.silo.name)).rate is None


@pytest.mark.parametrize("silo", [{"breaker": Breaker(enabled=False)}], indirect=True)
async def test_without_breaker_budgets_are_spent(desk: Desk) -> None:
    desk.unsteady.down = True
    async with desk.at_work():
        assert await outcomes(await desk.start_many(10)) == SPENT
    assert await desk.condition() is None


async def test_few_failures_of_a_silo_that_is_well_spend_their_budgets(desk: Desk) -> None:
    desk.unsteady.down = True
    async with desk.at_work():
        assert await outcomes(await desk.call("A", "B")) == SPENT
    assert await desk.condition() is None


async def test_a_budget_that_is_nearly_spent_when_the_breaker_opens_is_spent_no_further(desk: Desk) -> None:
    unsteady = desk.unsteady
    unsteady.down = True
    unsteady.held_at = 3  # The last attempt of each waits at the silo.
    async with desk.at_work():
        late = await desk.call("A", "B")
        tried = [service_of(name) for name in ("A", "B")]

        async def nearly_spent() -> bool:
            return all(unsteady.tried[each] == 3 for each in tried)

        await until(nearly_spent, "both to have their last attempt")
        others = await desk.call("C", "D", "E")
        await desk.until_state(SiloState.OPEN)
        unsteady.release.set()
        await until_looked_at(desk, 2)
        unsteady.down = False
        assert await outcomes([*late, *others]) == DONE


# A silo that answers questions and fails calls is called in between, so those spend of their budgets.
@pytest.mark.parametrize("silo", [{"retry_budget": MANY}], indirect=True)
async def test_one_that_fails_again_while_it_comes_back_is_left_alone_again(desk: Desk) -> None:
    unsteady = desk.unsteady
    unsteady.down = True
    unsteady.answers_probes = True  # It looks well, and is not.
    async with desk.at_work():
        calls = await desk.start_many(6)
        opened = await desk.until_state(SiloState.OPEN)

        async def again() -> bool:
            condition = await desk.condition()
            return condition is not None and condition.stage is Stage.OPEN and condition.since > opened.since

        await until(again, "the breaker to open again")
        unsteady.down = False
        assert await outcomes(calls) == DONE


@pytest.mark.parametrize("silo", [{"retry_budget": ONE}], indirect=True)
async def test_a_call_that_a_window_overtakes_may_fail_for_nothing(desk: Desk) -> None:
    unsteady = desk.unsteady
    unsteady.held_at = 1
    async with desk.at_work():
        calls = await desk.call("A")

        async def under_way() -> bool:
            return unsteady.tried[service_of("A")] == 1

        await until(under_way, "the call to be under way")
        steered = await desk.steer(Steer.OPEN_WINDOW, window="w1", reason="new version")
        assert steered.condition.state(datetime.now(UTC)) is SiloState.WINDOW
        unsteady.release.set()

        async def waits() -> bool:
            return (await queue_of(desk.client, desk.silo.name)).length == 1

        await until(waits, "the call to wait in the queue")
        await desk.steer(Steer.CLOSE_WINDOW)
        assert await outcomes(calls) == DONE


async def test_a_planned_window_begins_and_ends_by_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    told, write = list[str](), desk.register.silos.write

    def noted(condition: Condition) -> None:
        state = "on" if condition.in_window else "planned" if condition.windows else condition.stage.value
        told.append(state)
        write(condition)

    monkeypatch.setattr(desk.register.silos, "write", noted)

    async def over() -> bool:
        condition = await desk.condition()
        return condition is not None and not condition.windows and condition.stage is Stage.CLOSED

    lead = timedelta(seconds=1)
    async with desk.at_work():
        while "on" not in told or "planned" not in told:  # A machine that is busy may miss all of one that is short.
            told.clear()
            now = datetime.now(UTC)
            window = {"window": "w1", "start": now + lead, "end": now + lead * 2}
            await desk.steer(Steer.OPEN_WINDOW, **window)
            await until(over, "the window to be over")
            lead *= 2
        assert await outcomes(await desk.call("A")) == DONE
    assert [state for state in dict.fromkeys(told) if state != "halfOpen"] == ["planned", "on", "closed"]
    assert "halfOpen" in told


async def test_a_restart_of_everything_leaves_a_silo_as_it_was(desk: Desk) -> None:
    async with desk.at_work():
        await desk.steer(Steer.PAUSE, reason="they asked for it")
        await desk.steer(Steer.THROTTLE, rate_per_second=50)
    async with desk.at_work() as (watch,):
        assert watch.health[desk.silo.name].state is SiloState.PAUSED
        assert (await queue_of(desk.client, desk.silo.name)).rate == 0.0
        await desk.steer(Steer.RESUME)
        assert (await queue_of(desk.client, desk.silo.name)).rate == 50.0
        assert await outcomes(await desk.call("A")) == DONE
        await desk.steer(Steer.THROTTLE)
        assert (await queue_of(desk.client, desk.silo.name)).rate is None


async def test_a_silo_whose_workflow_is_gone_is_told_as_it_was(desk: Desk) -> None:
    async with desk.at_work():
        paused = (await desk.steer(Steer.PAUSE)).condition
        handle = desk.client.get_workflow_handle(wire_names.silo_workflow_id(desk.silo.name))
        await handle.terminate("somebody cleared up")
        throttled = (await desk.steer(Steer.THROTTLE, rate_per_second=5)).condition
        assert throttled.paused == paused.paused
        assert throttled == await desk.condition()


async def test_a_worker_that_is_cut_off_stands_aside_and_the_others_go_on(desk: Desk) -> None:
    many = desk.silo.retry_budget.model_copy(update={"attempts": 1000})
    desk.silo = desk.silo.model_copy(update={"retry_budget": many})
    name = desk.silo.name
    async with desk.at_work(workers=2) as (first, second):
        calls = await desk.call("A0", "A1")
        number = 0

        async def counted() -> bool:
            nonlocal number
            number += 1
            calls.extend(await desk.call(f"B{number}"))
            told = await asyncio.to_thread(desk.register.silos.figures, name)
            return any(each.worker == f"{name}-1" and each.answered for each in told)

        await until(counted, "the other worker to have told that it does well")
        desk.cut_off.add(0)

        async def aside() -> bool:
            nonlocal number
            number += 1
            calls.extend(await desk.call(f"C{number}"))
            return first.health[name].aside_since is not None

        await until(aside, "the worker that is cut off to stand aside")
        calls += await desk.start_many(5)
        assert await outcomes(calls) == DONE
        assert second.health[name].aside_since is None
        desk.cut_off.clear()

        async def back() -> bool:
            return first.health[name].aside_since is None

        await until(back, "the worker to come back")
    assert set(desk.unsteady.done.values()) == {1}


@pytest.mark.parametrize(
    "silo", [{}, {"retry": "inspect", "call_timeout": timedelta(seconds=1)}], indirect=True, ids=["keys", "no-keys"]
)
async def test_an_outage_over_two_hundred_orders_and_a_restart_of_the_workers_costs_none_of_them(desk: Desk) -> None:
    unsteady = desk.unsteady
    unsteady.down = True
    unsteady.loses_answers = desk.silo.retry == "inspect"
    async with desk.at_work():
        calls = await desk.start_many(200)
        await desk.until_state(SiloState.OPEN)
    async with desk.at_work(workers=2):
        await until_looked_at(desk, 2)
        unsteady.down = False
        assert await outcomes(calls) == DONE
    assert len(unsteady.done) == 200
    assert set(unsteady.done.values()) == {1}


async def test_whatever_a_silos_workflow_is_sent_it_goes_on(desk: Desk) -> None:
    async with desk.at_work():
        await desk.steer(Steer.PAUSE)
        handle = desk.client.get_workflow_handle(wire_names.silo_workflow_id(desk.silo.name))
        for sent in ([], [None], [{"no": "such thing"}], ["one", "two"]):
            await handle.signal(wire_names.SILO_FAILS_SIGNAL, args=sent)
        assert (await desk.steer(Steer.RESUME)).condition.paused is None
        description = await handle.describe()
        assert description.status is WorkflowExecutionStatus.RUNNING
        assert description.history_length < 100


async def test_a_long_history_is_gone_on_from_in_a_new_run(silo: Silo, tmp_path: Path) -> None:
    async with (
        temporal_server(historyCount_suggestContinueAsNew=50) as short,
        desk_of(short.client, silo, tmp_path) as desk,
        desk.at_work(),
    ):
        handle = desk.client.get_workflow_handle(wire_names.silo_workflow_id(desk.silo.name))
        await desk.steer(Steer.PAUSE, reason="they asked for it")
        first, rate = (await handle.describe()).run_id, 1

        async def gone_on() -> bool:
            nonlocal rate
            rate += 1
            await desk.steer(Steer.THROTTLE, rate_per_second=rate)
            return (await handle.describe()).run_id != first

        await until(gone_on, "a new run")
        condition = (await desk.steer(Steer.THROTTLE)).condition
        assert condition.paused is not None and condition.paused.reason == "they asked for it"
