"""Whatever is asked of the API, the answer is one that its documentation names, and never a failure of its own.

`make fuzz` runs these. Schemathesis makes requests up from the documentation; what has to make sense to get anywhere,
such as an order, is made from one that does, with something broken in it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tests.api.conftest import ORDERS
from tests.households import internet_voice_tv, item, order
from tests.pipe import Pipe
from tests.steps import held_up

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(300)]

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
CANCELLATIONS = "/tmf-api/productOrderingManagement/v4/cancelProductOrder"
HUB = "/tmf-api/productOrderingManagement/v4/hub"
CHANGES = "/care/v1/orders/{order_id}/changes"


def some(examples: int) -> settings:
    """So many examples, the same ones every time."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list[HealthCheck](HealthCheck),  # pyright: ignore[reportArgumentType]
    )


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
    assert asking.asked > 200


JUNK: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 2**31, 2**63, 10**400, 1e308, "", " ", "\0", "\ud800", "x" * 300, "ü", "a/b", "${x}"),
    *("2031-13-01T00:00:00Z", "2031-01-01", "9999-12-31T23:59:59-14:00", "add", "cancelled", "../..", "%00"),
    *([], {}, [None], [[]], {"": ""}, {"id": None}, [{"id": "net"}], json.loads("[" * 90 + "]" * 90)),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is anything in a body."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in entries:
        yield (*path, name)
        yield from places(inner, (*path, name))


@st.composite
def broken(draw: st.DrawFn, bodies: list[dict[str, Any]]) -> dict[str, Any]:
    """A body with up to three things in it missing, added or replaced."""
    body = deepcopy(draw(st.sampled_from(bodies)))
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(body))
        if not found:
            break
        *way, last = draw(st.sampled_from(found))
        holder: Any = body
        for name in way:
            holder = holder[name]
        match draw(st.sampled_from(["replace", "replace", "remove", "add"])):
            case "remove":
                del holder[last]
            case "add" if isinstance(holder, dict):
                holder[draw(st.sampled_from(["id", "state", "product", "unknown", "@type"]))] = draw(
                    st.sampled_from(JUNK)
                )
            case _:
                holder[last] = deepcopy(draw(st.sampled_from(JUNK)))
    return body


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

            @some(examples)
            @given(broken(sound))
            def send(body: dict[str, Any]) -> None:
                found.add((path, ask(with_another_id(body))))  # noqa: B023

            send()
        return found

    found = await asyncio.to_thread(run)
    assert found >= {(ORDERS, 201), (ORDERS, 400), (f"{ORDERS}/{{order_id}}", 200), (CHANGES, 200), (CHANGES, 400)}
