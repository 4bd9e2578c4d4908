"""How every process speaks with Temporal: client, worker and replayer share one data converter and one sandbox."""

from __future__ import annotations

import asyncio
import logging
from functools import cache
from typing import Final, TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.worker.workflow_sandbox import SandboxRestrictions

from workflows.sdk.codec import CompressingCodec
from workflows.sdk.converter import PayloadConverter
from workflows.sdk.runner import OrderRunner

_Value = TypeVar("_Value")
_BUCKETS: Final = {"orderpipe_silo_call_seconds": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)}
"""Of what we measure in seconds: the SDK's own buckets are for milliseconds."""


class TemporalUnreachable(RuntimeError):
    """No Temporal server answers: says where, for people."""


def data_converter() -> DataConverter:
    """Pydantic models as JSON, large payloads compressed."""
    return DataConverter(payload_converter_class=PayloadConverter, payload_codec=CompressingCodec())


def read_payload(payload: bytes, kind: type[_Value]) -> _Value:
    """What a serialized payload holds, read as every process writes it. Not for the event loop: it can be megabytes.

    Raises:
        ValidationError: if it is of another kind.
    """
    (value,) = asyncio.run(data_converter().decode([Payload.FromString(payload)], [kind]))
    return value


async def connect(
    default_address: str = "127.0.0.1:7233", *, metrics_address: str | None = None, lazy: bool = False
) -> Client:
    """A client by Temporal's own `TEMPORAL_*` variables and config file, else of the local server.

    With a metrics address this process serves there, for Prometheus, what the SDK and we measure.

    Raises:
        TemporalUnreachable: if there is no server at that address (unless `lazy`).
        RuntimeError: if nothing can be served at the metrics address.
    """
    runtime = _runtime(metrics_address)
    configured = ClientConfig.load_client_connect_config()
    configured.setdefault("target_host", default_address)
    try:
        return await Client.connect(**configured, data_converter=data_converter(), runtime=runtime, lazy=lazy)
    except RuntimeError as error:
        address = configured.get("target_host", default_address)
        raise TemporalUnreachable(
            f"Temporal does not answer at {address}. `orderpipe up` starts one, TEMPORAL_ADDRESS names another"
        ) from error


@cache
def _runtime(metrics_address: str | None) -> Runtime:
    """The SDK's core, with its log lines among Python's, and without their fields: those quote failures."""
    forwarding = LogForwardingConfig(logging.getLogger("temporalio.core"), append_log_fields_to_message=False)
    logged = LoggingConfig(TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding)
    measured = None
    if metrics_address is not None:
        measured = PrometheusConfig(bind_address=metrics_address, histogram_bucket_overrides=_BUCKETS)
    try:
        return Runtime(telemetry=TelemetryConfig(logging=logged, metrics=measured))
    except ValueError as error:
        raise RuntimeError(f"Metrics cannot be served at {metrics_address}: {error}") from error


PASSED_THROUGH = (
    "logs",
    "orders",
    "pydantic",
    "pydantic_core",
    "workflows.alarm",
    "workflows.deciding",
    "workflows.display",
    "workflows.draining",
    "workflows.guarding",
    "workflows.polling",
    "workflows.recording",
    "workflows.sdk.current_details",
    "workflows.silo_calls",
    "workflows.silo_work",
    "workflows.summaries",
    "workflows.telling",
    "workflows.turn",
)
"""The pure core, and the parts of the shell that keep nothing in their modules."""


def sandbox() -> OrderRunner:
    """The workflow sandbox, whose `cache` has to be that of its worker.

    What is passed through is not imported anew for each order: a tenth of the CPU.
    """
    return OrderRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))
