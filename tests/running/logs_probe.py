"""A process that logs as all of ours do, and throws in every layer, with secrets in words and in values on the way.

`python -m tests.running.logs_probe TEMPORAL_ADDRESS FOLDER`: prints the layers as it comes through them.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import warnings
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import httpx2
import uvicorn
from pydantic import BaseModel, SecretStr
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import logs
from api.app import create_app
from api.events.event_sender import EventSender
from api.http.dependencies import AskingDep
from settings import Settings
from tests.running.pipe import until
from workflows.sdk.connection import connect

SECRETS = ("MARKED-token", "MARKED-silo-secret", "MARKED-customer-name", "MARKED-webhook-secret", "MARKED-password")
LAYERS = (
    *("InRoute", "InService", "InActivity", "InWorkflow", "InSender", "InTask", "InThread", "InObject", "InGroup"),
    "InMain",
)


def throw(layer: str) -> NoReturn:
    """Raise an error of that name that tells every secret, from one that does, with more in a local."""
    held = {"authorization": SECRETS}
    try:
        raise KeyError(str(held))
    except KeyError as error:
        raise type(layer, (Exception,), {})(f"{SECRETS}\n{SECRETS}") from error


@activity.defn
async def throwing_activity(held: list[str]) -> None:
    throw("InActivity")


@workflow.defn
class ThrowingWorkflow:
    @workflow.run
    async def run(self, held: list[str]) -> None:
        await workflow.execute_activity(
            throwing_activity,
            held,
            start_to_close_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(maximum_attempts=2),
        )


@workflow.defn
class FailingWorkflow:
    @workflow.run
    async def run(self, held: list[str]) -> None:
        throw("InWorkflow")


async def at_work(address: str) -> None:
    """Activities and workflow tasks that fail."""
    client, queue = await connect(address), str(uuid4())
    runner = UnsandboxedWorkflowRunner()
    kinds = [ThrowingWorkflow, FailingWorkflow]
    async with Worker(
        client, task_queue=queue, workflows=kinds, activities=[throwing_activity], workflow_runner=runner
    ):
        failing = await client.start_workflow(FailingWorkflow.run, list(SECRETS), id=str(uuid4()), task_queue=queue)
        try:
            await client.execute_workflow(ThrowingWorkflow.run, list(SECRETS), id=str(uuid4()), task_queue=queue)
        except Exception:
            await failing.terminate()


async def _view(*_: Any, **__: Any) -> NoReturn:
    throw("InService")


async def at_the_door(folder: Path, port: int) -> None:
    """Routes and services that fail, and a register that cannot be reached."""
    register = f"postgresql+psycopg://somebody:{SECRETS[-1]}@127.0.0.1:9/nothing"
    app = create_app(Settings(_env_file=None, data_dir=folder, register_url=register, api_port=port))  # pyright: ignore[reportCallIssue]

    @app.post("/throw/route")
    async def route(body: dict[str, Any]) -> None:
        throw("InRoute")

    @app.post("/throw/service")
    async def service(body: dict[str, Any], asking: AskingDep) -> None:
        asking.view = _view  # pyright: ignore[reportAttributeAccessIssue]
        await asking.view("web-1")

    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, log_level="warning", access_log=False))
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await until(started, "the server to answer")
    headers = {"authorization": f"Bearer {SECRETS[0]}"}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as http:
        for path in ("/throw/route", "/throw/service"):
            assert (await http.post(path, json={"name": SECRETS[2]})).status_code == 500
        assert (await http.get("/care/v1/orders", params={"customer": SECRETS[2]})).status_code == 503
    server.should_exit = True
    await serving


async def in_the_background() -> None:
    """A subscriber, a task and a group that fail, and libraries that warn."""

    class Pool:
        def stream(self, *_: Any, **__: Any) -> NoReturn:
            throw("InSender")

    sender = EventSender(Pool(), datetime.now)  # pyright: ignore[reportArgumentType]
    await sender.send("https://shop.example", SecretStr("whsec_" + "QUFB" * 8), "O1-1", SECRETS[3].encode())

    async def task() -> None:
        throw("InTask")

    lost = asyncio.create_task(task())
    await asyncio.wait([lost])
    del lost
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_in_group())
    except ExceptionGroup as error:
        logging.getLogger("somebody.else").error("a group\n%s", error, exc_info=error)


async def _in_group() -> None:
    throw("InGroup")


class Model(BaseModel):
    number: int


class Unraisable:
    def __del__(self) -> None:
        throw("InObject")


def main() -> None:
    logs.configure()
    address, folder, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    asyncio.run(at_work(address))
    asyncio.run(at_the_door(folder, port))
    asyncio.run(in_the_background())
    thread = threading.Thread(target=throw, args=("InThread",))
    thread.start()
    thread.join()
    Unraisable()
    Model.model_construct(number=SECRETS[2]).model_dump_json()
    warnings.warn(f"careful\n{SECRETS}", stacklevel=1)
    logging.getLogger("somebody.else").error("%d", SECRETS[0])
    throw("InMain")


if __name__ == "__main__":
    main()
