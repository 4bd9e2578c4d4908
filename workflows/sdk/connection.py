"""How every process speaks with Temporal: client, worker and replayer share one data converter and one sandbox."""

from __future__ import annotations

import dataclasses
import logging
from functools import cache

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from workflows.sdk.codec import CompressingCodec
from workflows.sdk.runner import OrderRunner


def data_converter() -> DataConverter:
    """Pydantic models as JSON, large payloads compressed."""
    return dataclasses.replace(pydantic_data_converter, payload_codec=CompressingCodec())


async def connect(
    default_address: str = "127.0.0.1:7233", *, runtime: Runtime | None = None, lazy: bool = False
) -> Client:
    """A client by Temporal's own `TEMPORAL_*` variables and config file, else of the local server.

    Raises:
        RuntimeError: if there is no server at that address (unless `lazy`).
    """
    runtime = runtime or _runtime()
    configured = ClientConfig.load_client_connect_config()
    configured.setdefault("target_host", default_address)
    return await Client.connect(**configured, data_converter=data_converter(), runtime=runtime, lazy=lazy)


@cache
def _runtime() -> Runtime:
    """The SDK's core, with its log lines among Python's, and without their fields: those quote failures."""
    forwarding = LogForwardingConfig(logging.getLogger("temporalio.core"), append_log_fields_to_message=False)
    logged = LoggingConfig(TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding)
    return Runtime(telemetry=TelemetryConfig(logging=logged))


PASSED_THROUGH = (
    "orders",
    "pydantic",
    "pydantic_core",
    "workflows.alarm",
    "workflows.display",
    "workflows.draining",
    "workflows.guarding",
    "workflows.polling",
    "workflows.silo_calls",
    "workflows.turn",
)
"""The pure core, and the parts of the shell that keep nothing in their modules."""


def sandbox() -> SandboxedWorkflowRunner:
    """The workflow sandbox. What is passed through is not imported anew for each order: a tenth of the CPU."""
    return OrderRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))
