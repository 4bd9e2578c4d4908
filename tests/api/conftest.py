"""The API in front of a real Temporal server: with nobody at work behind it, and with the whole pipe."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from api.access.principal import Scope
from api.app import create_app
from ops.local.issuer import DevelopmentIssuer
from orders.model import wire_names
from settings import Settings
from tests.api.fuzzing import SEED
from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, free_port
from tests.support import client_in

ORDERS = "/tmf-api/productOrderingManagement/v4/productOrder"
SILO = "shipping"
OF_CUSTOMERS = ("branch", "desk")
"""The channels that see all orders of their customers."""


@dataclass
class Door:
    """The API without a network between, and the Temporal server behind it."""

    http: httpx2.AsyncClient
    client: Client
    settings: Settings

    async def submit(self, body: dict[str, Any]) -> str:
        response = await self.http.post(ORDERS, json=body)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    async def change(self, order_id: str, **body: Any) -> httpx2.Response:
        return await self.http.post(f"/care/v1/orders/{order_id}/changes", json=body)

    def handle(self, order_id: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(wire_names.workflow_id(order_id))

    async def describe(self, order_id: str) -> DescribeWorkflowExecutionResponse:
        return (await self.handle(order_id).describe()).raw_description

    async def signals(self, order_id: str, name: str, kind: type[Any]) -> list[Any]:
        """The payloads of the signals of that name that the order was sent."""
        history = await self.handle(order_id).fetch_history()
        sent = [event.workflow_execution_signaled_event_attributes for event in history.events]
        return [
            (await self.client.data_converter.decode(signal.input.payloads, [kind]))[0]
            for signal in sent
            if signal.signal_name == name
        ]


@dataclass
class ShutDoor(Door):
    """The API with an issuer. Without a token it is asked by nobody; `as_` gives what to send along."""

    issuer: DevelopmentIssuer

    def as_(self, *scopes: Scope, **claims: Any) -> dict[str, str]:
        """The headers of whoever has those scopes."""
        return bearer(self.issuer.token(scopes, **claims))

    def as_channel(self, channel: str, **claims: Any) -> dict[str, str]:
        """The headers of a channel."""
        return self.as_(Scope.SUBMIT, Scope.READ, subject=f"{channel}-client", channel=channel, **claims)

    def as_silo(self, silo: str = SILO) -> dict[str, str]:
        """The headers of a silo."""
        return bearer(self.settings.read_silo_secrets()[silo][0])

    async def post_order(self, headers: dict[str, str], customer: str = "cust-1", **edits: Any) -> httpx2.Response:
        """Submit a household's order for a customer, without a channel unless `edits` names one."""
        party = [{"id": customer, "role": "customer"}]
        body = {**internet_voice_tv(), "relatedParty": party, **edits}
        if "channel" not in edits:
            del body["channel"]
        return await self.http.post(ORDERS, json=body, headers=headers)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def shut(settings: Settings) -> tuple[Settings, DevelopmentIssuer]:
    """Settings with access control by a development issuer, and that issuer."""
    issuer = DevelopmentIssuer(settings)
    issuer.prepare([SILO, "tv"])
    return issuer.configured, issuer


@asynccontextmanager
async def opened(
    settings: Settings, client: Client | None, *, patience_s: float = 1
) -> AsyncIterator[httpx2.AsyncClient]:
    """The API, ready for requests. As a rule it gives up on workers soon: none will come."""
    app = create_app(settings, client)
    async with app.router.lifespan_context(app):
        app.state.provided.services.gateway.answer_within = timedelta(seconds=patience_s)
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield http


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def door(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """The API in front of a Temporal where nobody works."""
    client = await client_in(temporal, "deserted")
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        data_dir=tmp_path_factory.mktemp("door"),
        callbacks_allow_internal=True,  # No test subscribes from anywhere but this machine.
    )
    async with opened(settings, client) as http:
        yield Door(http, client, settings)


@pytest.fixture
def unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings by which there is no Temporal server."""
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    yield Settings(_env_file=None, data_dir=tmp_path, temporal_port=free_port())  # pyright: ignore[reportCallIssue]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shut_door(shared_pipe: Pipe) -> AsyncIterator[ShutDoor]:
    """The API with access control in front of the whole pipe."""
    granted = {"channels_see_customers": ", ".join(OF_CUSTOMERS)}
    settings, issuer = shut(Settings.model_validate({**shared_pipe.settings.model_dump(), **granted}))
    async with opened(settings, shared_pipe.client, patience_s=30) as http:
        yield ShutDoor(http, shared_pipe.client, settings, issuer)


def pytest_report_header(config: pytest.Config) -> str | None:
    """The seed, where it counts."""
    return f"fuzz: FUZZ_SEED={SEED} asks for the same again" if config.getoption("markexpr") == "fuzz" else None
