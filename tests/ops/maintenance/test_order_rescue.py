"""An order whose workflow task fails: it is seen, and goes on without the message that it fails on. Nothing is lost."""

from __future__ import annotations

import asyncio
import os
import sys
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from structlog.testing import capture_logs
from temporalio.worker import Replayer

from ops.maintenance.order_rescue import CannotRescue, look_at, rescue, show
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model import wire_names
from settings import ROOT
from tests.cases import Case, submitted
from tests.given.households import internet_voice_tv, phone_number
from tests.running.pipe import Pipe, until
from workflows.order import OrderWorkflow
from workflows.sdk.connection import data_converter, sandbox
from workflows.sdk.executions import describe

VISIT = "@site-1/installation/visit-site"
SECRET = "secret-customer"


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect where no message can be rejected for it: in the loop itself, once a certain change was decided."""
    begin = Fulfilment.begin

    def defective(order: Fulfilment) -> None:
        if "poison" in order.verdicts:
            raise OverflowError(SECRET)
        begin(order)

    monkeypatch.setattr(Fulfilment, "begin", defective)


@pytest.fixture
async def case(pipe: Pipe, poison: None) -> Case:
    """An order for which a technician is awaited."""
    case = await submitted(pipe, internet_voice_tv(phone_number(), equipment="own"), "field-service")
    await case.settles_but(VISIT)
    await pipe.until_recorded(case.order)
    return case


async def signal(case: Case, **change: Any) -> None:
    """Ask for a change as the Web UI does."""
    await case.pipe.handle(case.order).signal(wire_names.CHANGE_SIGNAL, change)


async def gets_stuck(case: Case) -> None:
    """Wait until the workflow task has failed often enough."""

    async def stuck() -> bool:
        execution = await describe(case.pipe.client, case.order)
        return execution is not None and execution.is_stuck

    await until(stuck, "the order to be stuck", seconds=60)


async def care(case: Case, path: str) -> Any:
    """What the care API tells."""
    response = await case.pipe.http.get(f"{case.pipe.settings.api_address}/care/v1{path}")
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_stuck_order_is_seen_and_goes_on_without_its_poison_and_with_all_that_came_in_meanwhile(
    case: Case,
) -> None:
    pipe = case.pipe
    with capture_logs() as logs:
        await signal(case, request_id="before", kind="changePriority", priority=1)
        await signal(case, request_id="poison", kind="changePriority", priority=2)
        await gets_stuck(case)
    failures = [log for log in logs if log["event"] == "workflow task failed"]
    assert {log["order"] for log in failures} == {case.order}
    assert failures[0]["error"] == "OverflowError"
    assert SECRET not in str(failures)
    # What comes in meanwhile.
    await signal(case, request_id="since", kind="hold")
    await case.complete("field-service")
    await gets_stuck(case)  # Again: what comes in has Temporal count from the start.
    told = await care(case, f"/orders/{case.order}")
    assert [problem["code"] for problem in told["problems"]] == ["workflow_task_fails"]

    async def listed() -> bool:
        orders = (await care(case, "/problems"))["orders"]
        return {"id": case.order, "code": "workflow_task_fails"}.items() <= {
            name: value for order in orders if order["id"] == case.order for name, value in order.items()
        }.items()

    await until(listed, "the order to be listed")

    async def called_back() -> bool:
        return wire_names.SILO_EVENTS_SIGNAL in [
            message.name for message in (await look_at(pipe.client, case.order)).since
        ]

    await until(called_back, "the silo's callback")
    stuck = await look_at(pipe.client, case.order)
    assert SECRET in stuck.why
    [poisonous] = [message for message in stuck.messages if b'"poison"' in message.content.payloads[0].data]
    rescued = await rescue(pipe.client, case.order, [poisonous.event])
    assert rescued.goes_on
    names = [message.name for message in stuck.messages if message.event > poisonous.event]
    assert rescued.sent_again >= len(names) >= 2

    async def decided() -> bool:
        return len((await pipe.view(case.order)).changes) == 2

    await until(decided, "what came in meanwhile to be decided")
    view = await pipe.view(case.order)
    assert [(change.request_id, change.state) for change in view.changes] == [
        ("before", "accepted"),
        ("since", "accepted"),
    ]
    assert (view.priority, view.state) == (1, "held")
    # The callback was not lost: nobody had to ask the silo.
    assert (await case.tasks())[VISIT] == "done"
    assert (await case.change("release", "release"))["state"] == "accepted"
    assert (await pipe.outcome(case.order)).state == "completed"
    assert await pipe.applied_twice(case.order) == []
    assert (await care(case, f"/orders/{case.order}"))["problems"] == []
    replayer = Replayer(workflows=[OrderWorkflow], data_converter=data_converter(), workflow_runner=sandbox())
    await replayer.replay_workflow(await pipe.handle(case.order).fetch_history())


async def test_a_stuck_order_that_was_asked_to_be_cancelled_is_cancelled_once_it_is_rescued(case: Case) -> None:
    pipe = case.pipe
    await signal(case, request_id="poison", kind="release")
    await gets_stuck(case)
    await pipe.handle(case.order).cancel()
    await signal(case, request_id="c", kind="cancel", accept_fee={"amount": "9.90", "currency": "EUR"})
    [poisonous, *_] = (await look_at(pipe.client, case.order)).since
    rescued = await rescue(pipe.client, case.order, [poisonous.event])
    assert (rescued.goes_on, rescued.sent_again) == (True, 2)
    assert (await pipe.outcome(case.order)).state == "cancelled"
    assert await pipe.held(case.order) == []


async def test_once_the_defect_is_mended_an_order_goes_on_with_everything(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = case.pipe
    await signal(case, request_id="poison", kind="release")
    await gets_stuck(case)
    assert not (await rescue(pipe.client, case.order, [])).goes_on
    monkeypatch.undo()
    rescued = await rescue(pipe.client, case.order, [])
    assert (rescued.goes_on, rescued.sent_again) == (True, 1)
    assert (await pipe.view(case.order)).verdict_on("poison") is not None
    assert (await case.change("release", "release"))["state"] == "accepted"
    await case.complete("field-service")
    assert (await pipe.outcome(case.order)).state == "completed"


async def test_what_is_no_message_cannot_be_left_out(case: Case) -> None:
    with pytest.raises(CannotRescue, match="event 1"):
        await rescue(case.pipe.client, case.order, [1])
    with pytest.raises(CannotRescue, match="not in flight"):
        await rescue(case.pipe.client, "web-nothing", [1])
    await case.complete("field-service")
    await case.pipe.outcome(case.order)


async def test_what_an_order_may_fail_on_is_shown_quoted(case: Case) -> None:
    await signal(case, request_id="odd", kind="changePriority", priority=1, reason="\x1b[31m[link=x]red")
    shown = Console(file=StringIO(), width=80)
    await show(case.pipe.client, await look_at(case.pipe.client, case.order), shown)
    assert isinstance(shown.file, StringIO)
    told = shown.file.getvalue()
    assert "request_change" in told
    assert "[link=x]red" in told
    assert "\x1b" not in told
    await case.complete("field-service")
    await case.pipe.outcome(case.order)


async def command(case: Case, *arguments: str) -> tuple[int | None, str, str]:
    """`orderpipe order rescue` as an operator calls it: its exit status, and what it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "order", "rescue", *arguments),
        cwd=ROOT,
        env={
            **os.environ,
            "ORDERPIPE_TEMPORAL_PORT": str(case.pipe.settings.temporal_port),
            "TEMPORAL_NAMESPACE": case.pipe.client.namespace,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, failed = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, told.decode(), failed.decode()


async def test_the_command_tells_what_an_order_fails_on_and_has_it_go_on_without_that(case: Case) -> None:
    await signal(case, request_id="poison", kind="release")
    await gets_stuck(case)
    status, told, _ = await command(case, case.order)
    assert status == 1
    assert "OverflowError" in told
    [poisonous] = [line for line in told.splitlines() if line.startswith("event ") and "poison" in line]
    event = poisonous.split()[1]
    status, told, failed = await command(case, case.order, "--drop", event)
    assert (status, failed) == (0, "")
    assert "The order goes on." in told
    await case.complete("field-service")
    assert (await case.pipe.outcome(case.order)).state == "completed"
    status, told, failed = await command(case, case.order, "--keep-all")
    assert (status, told) == (1, "")
    assert failed == f"orderpipe: Order {case.order} is not in flight\n"
