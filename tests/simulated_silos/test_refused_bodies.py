from __future__ import annotations

import json
from typing import Any

import pytest
from httpx2 import AsyncClient

from tests.simulated_silos.support import Caller, refused

LINE = "O1.1.1/voice/line/0"
GOOD: dict[str, Any] = {"id": LINE, "serviceSpecification": {"id": "line"}, "serviceCharacteristic": []}
HEADERS = {"Idempotency-Key": f"{LINE}/0", "Order-Id": "O1"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("no JSON", id="not JSON"),
        pytest.param([], id="not an object"),
        pytest.param(GOOD | {"id": None}, id="no id"),
        pytest.param(GOOD | {"id": "O1.1.1-voice-line"}, id="an id without a generation"),
        pytest.param(GOOD | {"id": "O1.1.1/voice/line/1"}, id="an id that is not the key's"),
        pytest.param(GOOD | {"state": "inactive"}, id="not active"),
        pytest.param(GOOD | {"serviceSpecification": None}, id="no operation"),
        pytest.param(GOOD | {"serviceSpecification": {"id": ""}}, id="an empty operation"),
        pytest.param(GOOD | {"serviceCharacteristic": {"a": 1}}, id="characteristics as an object"),
        pytest.param(GOOD | {"serviceCharacteristic": [{"name": "a"}]}, id="a characteristic without value"),
        pytest.param(GOOD | {"serviceCharacteristic": [{"name": "a", "value": v} for v in (1, 2)]}, id="a name twice"),
    ],
)
async def test_a_malformed_service_is_refused_and_journaled(client: AsyncClient, voice: Caller, body: Any) -> None:
    content = body if isinstance(body, str) else json.dumps(body)
    assert refused(await client.post("/voice/service", headers=HEADERS, content=content), 400, "malformed")
    assert await voice.outcomes() == [("provision", "refused", "malformed")]
    assert await voice.services() == []


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Idempotency-Key": f"{LINE}/0"}, id="no order"),
        pytest.param({"Order-Id": "O1"}, id="no key"),
        pytest.param(HEADERS | {"Idempotency-Key": LINE}, id="a key without a number"),
        pytest.param(HEADERS | {"Idempotency-Key": f"{LINE}/x"}, id="a key with a word for a number"),
        pytest.param(HEADERS | {"Callback-Url": "/events"}, id="a relative callback address"),
    ],
)
async def test_a_call_without_proper_headers_is_refused(client: AsyncClient, headers: dict[str, str]) -> None:
    assert refused(await client.post("/voice/service", json=GOOD, headers=headers), 400, "malformed")


async def test_what_a_body_carries_beyond_the_contract_is_ignored(client: AsyncClient) -> None:
    body = GOOD | {"@type": "Service", "place": [{"id": "x"}]}
    assert (await client.post("/voice/service", json=body, headers=HEADERS)).status_code == 201


def service_order(**changes: Any) -> dict[str, Any]:
    item = {"id": "1", "action": "add", "service": GOOD}
    return {"externalId": f"{LINE}/0", "serviceOrderItem": [item], **changes}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(service_order(externalId=None), id="no external id"),
        pytest.param(service_order(externalId=f"{LINE}/1"), id="an external id that is not the key"),
        pytest.param(service_order(serviceOrderItem=[]), id="no item"),
        pytest.param(service_order(serviceOrderItem=[{"action": "add", "service": GOOD}] * 2), id="two items"),
        pytest.param(service_order(serviceOrderItem=[{"action": "noChange", "service": GOOD}]), id="another action"),
        pytest.param(service_order(serviceOrderItem=[{"action": "add", "service": {"id": LINE}}]), id="no operation"),
    ],
)
async def test_a_malformed_service_order_is_refused(client: AsyncClient, body: Any) -> None:
    assert refused(await client.post("/voice/serviceOrder", json=body, headers=HEADERS), 400, "malformed")


async def test_a_poll_has_to_name_a_key(client: AsyncClient) -> None:
    assert refused(await client.get("/voice/serviceOrder"), 400, "malformed")
