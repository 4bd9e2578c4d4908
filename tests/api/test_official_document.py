"""Whatever TM Forum's own document of TMF622 allows to be sent, the answer is never a failure.

Requests are made up from the document. An order of it gets nowhere, as the document does not say what is sold; so each
is sent once as it is, and once with what makes it an order here.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.core.result import Ok

from tests.api.conftest import ORDERS
from tests.api.fuzzing import harmed, some
from tests.api.tmf.tmf_specs import TMF622, spec
from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe
from tests.steps import held_up

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(900)]

EXAMPLES = 25
BASE = ORDERS.removesuffix("/productOrder")
MEDIA = {"PATCH": "application/merge-patch+json"}
READ = ("priority", "requestedStartDate", "requestedCompletionDate")
"""What is read as well, and would be refused at random."""


def as_an_order(body: dict[str, Any]) -> dict[str, Any]:
    """An order that can be taken, with whatever else the document allows in it."""
    sound = internet_voice_tv()
    items = body.get("productOrderItem")
    first = items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else {}
    sound["productOrderItem"][0] = {**first, **sound["productOrderItem"][0], "quantity": 1}
    return {name: value for name, value in body.items() if name not in READ} | sound


async def test_whatever_the_standard_allows_is_answered(pipe: Pipe) -> None:
    document = spec(TMF622)
    order_id = await held_up(pipe, internet_voice_tv())
    address = f"{pipe.settings.api_address}{BASE}"
    failures: list[str] = []
    asked: set[int] = set()
    http = httpx2.Client(timeout=30)

    def send(case: Case, body: Any) -> None:
        path = case.path.replace("{id}", str((case.path_parameters or {}).get("id", "")) or "x")
        headers = {"content-type": MEDIA.get(case.method, "application/json")}
        content = json.dumps(body) if isinstance(body, (dict, list)) else None
        answer = http.request(case.method, f"{address}{path}", params=case.query, content=content, headers=headers)
        asked.add(answer.status_code)
        if answer.status_code >= 500:
            failures.append(f"{answer.status_code} to {case.method} {path} {case.query} {body}")

    def run() -> None:
        schema = schemathesis.openapi.from_dict(document)
        for result in schema.get_all_operations():
            assert isinstance(result, Ok), result
            operation = result.ok()
            if operation.path.startswith("/listener"):
                continue

            @some(EXAMPLES)
            @given(operation.as_strategy(), st.booleans(), st.sampled_from((True, True, False)))
            def ask(case: Case, really: bool, sound: bool) -> None:
                if really and case.path_parameters:
                    case.path_parameters = {"id": order_id}
                body: Any = case.body
                taken = case.path == "/productOrder" and sound and isinstance(body, dict)
                send(case, as_an_order(body) if taken else body)

            ask()

    await asyncio.to_thread(run)
    assert failures == []
    assert asked >= {200, 400}  # Whether an order is taken among so few is up to chance.
    assert await harmed(pipe, order_id) == []
