"""Whatever is asked of the API, the answer is one that its documentation names, and never a failure of its own.

`make fuzz` runs these. Schemathesis makes requests up from the documentation; what has to make sense to get anywhere,
such as an order, is made from one that does, with something broken in it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tests.api.conftest import ORDERS
from tests.api.fuzzing import broken, harmed, some
from tests.given.households import internet_voice_tv, item, order
from tests.running.pipe import Pipe
from tests.steps import held_up

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(900)]

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
CANCELLATIONS = "/tmf-api/productOrderingManagement/v4/cancelProductOrder"
HUB = "/tmf-api/productOrderingManagement/v4/hub"
CHANGES = "/care/v1/orders/{order_id}/changes"


@dataclass
class Asking:
    """Asks everything that the documentation knows, with real ids at hand. `failures` tells what was wrong."""

    address: str
    ids: dict[str, str]
    asked: int = 0
    failures: list[str] = field(default_factory=list)

    def run(self) -> None:
        schema = schemathesis.openapi.from_url(f"{self.address}/openapi.json")
        for result in schema.get_all_operations():
            assert isinstance(result, Ok), result
            operation = result.ok()
            try:
                self._ask(operation.as_strategy())
            except Exception as error:
                self.failures.append(f"{operation.method.upper()} {operation.path}: {error}")

    def _ask(self, cases: st.SearchStrategy[Case]) -> None:
        @some(10)
        @given(cases, st.booleans())
        def ask(case: Case, really: bool) -> None:
            known: dict[str, Any] = {name: self.ids[name] for name in case.path_parameters or {} if name in self.ids}
            if really and known:
                case.path_parameters = {**(case.path_parameters or {}), **known}
            self.asked += 1
            case.call_and_validate(checks=CHECKS)

        ask()


async def test_any_request_gets_a_documented_answer(pipe: Pipe) -> None:
    order_id = await held_up(pipe, internet_voice_tv())
    ids = {"order_id": order_id, "customer_id": "cust-1", "silo": "tv", "name": "fibre-100"}
    asking = Asking(pipe.settings.api_address, ids)
    await asyncio.to_thread(asking.run)
    assert asking.failures == []
    assert await harmed(pipe, order_id) == []
    assert asking.asked > 200


def sent(body: Any) -> bytes:
    return json.dumps(body).encode()


def with_another_id(body: dict[str, Any]) -> dict[str, Any]:
    """Orders that differ have ids that differ, as far as that was left in one piece."""
    kept = body.get("externalId")
    return {**body, "externalId": f"{kept}-{uuid4().hex[:8]}"} if isinstance(kept, str) and len(kept) < 200 else body


def ask_with(
    address: str, documentation: dict[str, Any], method: str, path: str, media_type: str, order_id: str
) -> Callable[[Any], int]:
    """Sends bodies to a route, and has every answer be a documented one."""
    documented = {int(status) for status in documentation["paths"][path][method]["responses"]}
    http = httpx2.Client(timeout=30)
    url = address + path.replace("{order_id}", order_id)

    def ask(body: Any) -> int:
        answer = http.request(method, url, content=sent(body), headers={"content-type": media_type})
        assert answer.status_code in documented - {500, 503}, f"{answer.status_code} {answer.text} to {body}"
        return answer.status_code

    return ask


async def test_any_body_that_is_nearly_right_gets_a_documented_answer(pipe: Pipe) -> None:
    order_id = await held_up(pipe, internet_voice_tv())
    documentation = (await pipe.http.get(f"{pipe.settings.api_address}/openapi.json")).json()
    number = {"name": "number", "value": "+4930222222"}
    amendment = [
        {"id": "net", "product": {"productCharacteristic": [{"name": "down_mbps", "value": 500}]}, "quantity": 1},
        {**item("sim", "mobile-s"), "itemTerm": [{"name": "x"}]},
        {"id": "voice", "state": "inProgress", "productOfferingRef": {"id": "y"}},
    ]
    bodies: list[tuple[str, str, str, int, list[dict[str, Any]]]] = [
        ("post", ORDERS, "application/json", 120, [internet_voice_tv(), order(item("1", "triple-play-1000"))]),
        (
            "patch",
            f"{ORDERS}/{{order_id}}",
            "application/merge-patch+json",
            60,
            [{"description": "x", "priority": "1", "note": [{"text": "y"}], "productOrderItem": amendment}],
        ),
        (
            "post",
            CHANGES,
            "application/json",
            60,
            [
                {"kind": "amend", "update": [{"id": "voice", "product": {"productCharacteristic": [number]}}]},
                {"kind": "amend", "add": [item("sim", "mobile-s")], "remove": ["tv"], "acceptFee": {"amount": 1}},
                {"kind": "retry", "task": "x/y/z", "requester": "a"},
            ],
        ),
        ("post", CANCELLATIONS, "application/json", 30, [{"productOrder": {"id": "x"}, "cancellationReason": "y"}]),
        ("post", HUB, "application/json", 20, [{"callback": "http://127.0.0.1:1/x", "query": "eventType=A,B"}]),
    ]

    def run() -> set[tuple[str, int]]:
        found: set[tuple[str, int]] = set()
        for method, path, media_type, examples, sound in bodies:
            ask = ask_with(pipe.settings.api_address, documentation, method, path, media_type, order_id)
            plain = {"description": "x"} if method == "patch" else sound[0]
            found.add((path, ask(with_another_id(plain))))  # Chance need not come by a sound one.

            @some(examples)
            @given(broken(sound))
            def send(body: dict[str, Any]) -> None:
                found.add((path, ask(with_another_id(body))))  # noqa: B023

            send()
        return found

    found = await asyncio.to_thread(run)
    assert await harmed(pipe, order_id) == []
    assert {path for path, status in found if status < 300} >= {ORDERS, f"{ORDERS}/{{order_id}}", CHANGES}
    assert {path for path, status in found if status == 400} >= {ORDERS, CHANGES}
