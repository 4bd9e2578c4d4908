"""What holds for every route: the form of errors, health, documentation, and the codec for the Web UI."""

from __future__ import annotations

import base64
import json
import zlib

import pytest
from temporalio.api.common.v1 import Payload

from api.access.principal import Scope
from api.routes.codec import origins
from settings import VERSION, Settings
from tests.api.conftest import ORDERS, Door, ShutDoor, opened
from tests.given.households import internet_voice_tv

UNKNOWN = "web-000000000000"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/codec/nowhere", 404, "not_found"),
        ("PUT", f"{ORDERS}/{UNKNOWN}", 405, "method_not_allowed"),
        ("DELETE", f"{ORDERS}/{UNKNOWN}", 404, "unknown_order"),
        ("GET", f"{ORDERS}/{UNKNOWN}", 404, "unknown_order"),
        ("GET", f"/care/v1/orders/{UNKNOWN}", 404, "unknown_order"),
        ("GET", f"/care/v1/orders/{UNKNOWN}/tasks", 404, "unknown_order"),
        ("GET", f"/care/v1/orders/{UNKNOWN}/tasks?limit=0", 400, "malformed"),
        ("GET", f"{ORDERS}/{'x' * 2000}", 400, "malformed"),
        ("POST", ORDERS, 400, "malformed"),
    ],
)
async def test_every_error_has_the_one_form(door: Door, method: str, path: str, status: int, code: str) -> None:
    response = await door.http.request(method, path)
    body = response.json()
    assert response.status_code == status
    assert (body["@type"], body["code"], body["status"]) == ("Error", code, str(status))
    assert body["reason"]


async def test_the_documentation_names_the_version_of_the_project(door: Door) -> None:
    assert (await door.http.get("/openapi.json")).json()["info"]["version"] == VERSION


@pytest.mark.parametrize("content", ["{", "[]", '"order"', '{"a": NaN}', "[" * 100_000])
async def test_a_body_that_is_no_json_object_is_malformed(door: Door, content: str) -> None:
    response = await door.http.post(ORDERS, content=content, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["code"] in ("malformed", "bad_request")


async def test_a_body_that_is_not_sent_as_json_is_told_how(door: Door) -> None:
    response = await door.http.post(ORDERS, content=json.dumps(internet_voice_tv()))
    assert response.status_code == 400
    assert "application/json" in response.json()["message"]


async def test_a_body_may_hold_no_number_that_json_does_not_know(door: Door) -> None:
    content = json.dumps(internet_voice_tv() | {"weight": float("nan")})
    response = await door.http.post(ORDERS, content=content, headers={"content-type": "application/json"})
    assert response.status_code == 400


@pytest.mark.parametrize("depth", [101, 200, 900])
async def test_a_body_that_the_worker_could_not_read_is_malformed(door: Door, depth: int) -> None:
    nested = json.loads("[" * depth + "]" * depth)
    order_id = await door.submit(internet_voice_tv())
    item = {"id": "net", "characteristics": {"down_mbps": nested}}
    answers = [
        await door.http.post(ORDERS, json=internet_voice_tv() | {"note": nested}),
        await door.change(order_id, kind="amend", update=[item]),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(400, "malformed")] * 2


@pytest.mark.parametrize("path", [ORDERS, "/care/v1/orders"])
async def test_an_order_that_nobody_is_at_work_on_is_told_as_it_was_last_written_down(door: Door, path: str) -> None:
    order_id = await door.submit(internet_voice_tv())
    response = await door.http.get(f"{path}/{order_id}")
    assert (response.status_code, response.json()["state"]) == (200, "acknowledged")


async def test_what_nobody_can_tell_now_is_asked_for_again_later(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    response = await door.http.get(f"/care/v1/orders/{order_id}/tasks")
    assert response.status_code == 503
    assert response.json()["code"] == "unavailable"
    assert int(response.headers["retry-after"]) > 0


async def test_without_temporal_the_process_is_up_and_not_ready(unreachable: Settings) -> None:
    async with opened(unreachable, None) as http:
        assert (await http.get("/healthz")).status_code == 200
        answers = [
            await http.get("/readyz"),
            await http.post(ORDERS, json=internet_voice_tv()),
            await http.get(f"{ORDERS}/{UNKNOWN}"),
            await http.post(f"/care/v1/orders/{UNKNOWN}/changes", json={"kind": "cancel"}),
            await http.post(
                "/callbacks/tv",
                json={
                    "eventType": "ServiceStateChangeEvent",
                    "correlationId": UNKNOWN,
                    "event": {"service": {"id": "a/b/c/1", "state": "terminated"}},
                },
            ),
        ]
    assert [answer.status_code for answer in answers] == [503] * 5
    assert {answer.json()["code"] for answer in answers} == {"unavailable"}


async def test_with_temporal_it_is_ready(door: Door) -> None:
    assert (await door.http.get("/readyz")).json() == {"status": "ready"}


async def test_all_routes_are_documented_with_their_bodies_and_errors(door: Door) -> None:
    document = (await door.http.get("/openapi.json")).json()
    submit = document["paths"][ORDERS]["post"]
    assert submit["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/ProductOrder"
    }
    assert set(submit["responses"]) >= {"200", "201", "400", "409", "503"}
    assert set(document["paths"]) >= {
        ORDERS,
        f"{ORDERS}/{{order_id}}",
        "/tmf-api/productCatalogManagement/v4/productOffering",
        "/tmf-api/productCatalogManagement/v4/productOffering/{name}",
        "/tmf-api/productCatalogManagement/v4/productSpecification",
        "/tmf-api/productCatalogManagement/v4/productSpecification/{name}",
        "/care/v1/orders/{order_id}",
        "/care/v1/orders/{order_id}/tasks",
        "/care/v1/orders/{order_id}/history",
        "/care/v1/orders/{order_id}/timeline",
        "/care/v1/orders/{order_id}/options",
        "/care/v1/orders/{order_id}/changes",
        "/care/v1/orders/{order_id}/changes/{request_id}",
        "/callbacks/{silo}",
        "/healthz",
        "/readyz",
    }


async def test_the_web_ui_gets_compressed_payloads_restored(door: Door) -> None:
    data = base64.b64encode(json.dumps({"text": "a" * 10_000}).encode()).decode()
    plain = {"payloads": [{"metadata": {"encoding": base64.b64encode(b"json/plain").decode()}, "data": data}]}
    origin = {"origin": door.settings.web_ui_address}
    packed = await door.http.post("/codec/encode", json=plain, headers=origin)
    assert len(packed.content) < 1000
    restored = await door.http.post("/codec/decode", json=packed.json(), headers=origin)
    assert restored.json() == plain
    assert restored.headers["access-control-allow-origin"] == door.settings.web_ui_address


async def test_with_access_control_the_codec_wants_the_web_ui_users_token_unless_it_is_said_to_be_open(
    shut_door: ShutDoor,
) -> None:
    origin = {"origin": shut_door.settings.web_ui_address}
    nobody = await shut_door.http.post("/codec/decode", json={"payloads": []}, headers=origin)
    assert nobody.status_code == 401
    assert nobody.headers["access-control-allow-origin"] == shut_door.settings.web_ui_address
    channel = await shut_door.http.post("/codec/decode", json={}, headers=shut_door.as_channel("web"))
    agent = await shut_door.http.post("/codec/decode", json={"payloads": []}, headers=shut_door.as_(Scope.CARE))
    assert (channel.status_code, agent.status_code) == (403, 200)
    opened_up = Settings.model_validate({**shut_door.settings.model_dump(), "codec_open": True})
    async with opened(opened_up, shut_door.client) as http:
        assert (await http.post("/codec/decode", json={"payloads": []})).status_code == 200


@pytest.mark.parametrize(("origin", "status"), [("http://localhost:8233", 200), ("http://evil.example", 400)])
async def test_only_pages_of_the_web_ui_may_call_the_codec(door: Door, origin: str, status: int) -> None:
    asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "x-namespace"}
    assert (await door.http.options("/codec/decode", headers=asked)).status_code == status


@pytest.mark.parametrize(
    "body", [{"payloads": "x"}, {"payloads": [{"metadata": {"encoding": "YmluYXJ5L3psaWI="}, "data": "eA=="}]}]
)
async def test_payloads_that_are_none_are_malformed(door: Door, body: dict[str, object]) -> None:
    response = await door.http.post("/codec/decode", json=body)
    assert response.status_code == 400
    assert response.json()["code"] == "malformed"


async def test_a_payload_that_inflates_to_more_than_is_restored_at_once_is_malformed(door: Door) -> None:
    bomb = Payload(data=b"a" * 80 * 2**20).SerializeToString()
    payload = {
        "metadata": {"encoding": base64.b64encode(b"binary/zlib").decode()},
        "data": base64.b64encode(zlib.compress(bomb, level=9)).decode(),
    }
    assert len(payload["data"]) < 200_000
    response = await door.http.post("/codec/decode", json={"payloads": [payload]})
    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert "larger than is restored" in response.text


def test_the_web_ui_may_be_called_by_either_name_of_this_machine() -> None:
    assert origins("http://127.0.0.1:8233") == ["http://127.0.0.1:8233", "http://localhost:8233"]
    assert origins("https://temporal.example/ui") == ["https://temporal.example"]
