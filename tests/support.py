"""Temporal servers for tests: the real one, in memory, on a free port."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from ops.local.temporal_server import TASK_PROBLEMS
from workflows import display
from workflows.sdk.connection import data_converter

SEARCH_ATTRIBUTES = (
    display.ORDER_STATE,
    display.ORDER_REVISION,
    display.EXTERNAL_ID,
    display.CUSTOMER_ID,
    display.CHANNEL,
    display.OFFERINGS,
    display.WAITS_FOR,
    display.FALLOUT_SILOS,
    display.IN_JEOPARDY,
    display.JEOPARDY,
    display.PROMISED_AT,
    display.PROBLEM,
)

NAMESPACES = ("deserted", "ahead", "measured", "silos")
"""Beside `default`. Workers of one know nothing of orders in another; nobody works in `deserted`, a later version in
`ahead`. In `silos` tests have workers of their own that heed the health of silos.
"""


def temporal_binary() -> Path:
    """The `temporal` executable that is locked with the other dependencies."""
    beside_python = Path(sys.executable).with_name("temporal")
    found = beside_python if beside_python.exists() else shutil.which("temporal")
    assert found, "there is no `temporal` executable: make setup brings one"
    return Path(found)


@asynccontextmanager
async def temporal_server(**limits: int) -> AsyncIterator[WorkflowEnvironment]:
    """A server with orders' search attributes, and a client with orderpipe's data converter.

    `limits` are dynamic configuration below `limit.`, with `_` for `.`: `historyCount_suggestContinueAsNew=50`.
    """
    async with await WorkflowEnvironment.start_local(
        data_converter=data_converter(),
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_existing_path=str(temporal_binary()),
        # Errors are logged for every update that a test lets time out.
        dev_server_log_level="never",
        dev_server_extra_args=[
            *(argument for name in NAMESPACES for argument in ("--namespace", name)),
            *_dynamic_config(
                {
                    # Off by default. Operators may turn it on, and the API has to cope.
                    "frontend.WorkflowPauseEnabled": "true",
                    TASK_PROBLEMS: "1",
                    **{f"limit.{name.replace('_', '.')}": str(value) for name, value in limits.items()},
                }
            ),
        ],
    ) as environment:
        yield environment


async def client_in(environment: WorkflowEnvironment, namespace: str) -> Client:
    """A client in another namespace of the same server."""
    address = environment.client.service_client.config.target_host
    return await Client.connect(address, namespace=namespace, data_converter=data_converter())


@asynccontextmanager
async def time_skipping_server() -> AsyncIterator[WorkflowEnvironment]:
    """A server that skips time for a workflow whenever nothing but a timer is waited for."""
    async with await WorkflowEnvironment.start_time_skipping_v2(
        data_converter=data_converter(),
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_existing_path=str(temporal_binary()),
        dev_server_log_level="never",
        dev_server_extra_args=_dynamic_config({"frontend.WorkflowTimeSkippingEnabled": "true"}),
    ) as environment:
        yield environment


def _dynamic_config(values: Mapping[str, str]) -> list[str]:
    return [argument for key, value in values.items() for argument in ("--dynamic-config-value", f"{key}={value}")]
