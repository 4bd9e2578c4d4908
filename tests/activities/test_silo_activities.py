"""What is registered with a worker for each silo, and what its calls look like from outside."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import httpx2
import pytest
from temporalio import activity

from activities.calling.silo_activities import adapter_of
from activities.protocols.http_client import SiloHttp, silo_client
from activities.protocols.protocol import SiloProtocol
from orders.fulfilment.messages import Open, OpenCall, SiloAnswers, SiloCall, SiloCalls
from orders.model.catalog import Catalog, Protocol
from orders.model.values import Verb
from orders.reconcile.outcome import Outcome, OutcomeKind
from tests.activities.bench import Bench, alone, call
from workflows.sdk.connection import data_converter


@pytest.fixture
def requests(bench: Bench) -> list[httpx2.Request]:
    """Every request that is made from now on; each is answered as if a silo had just done it."""
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        if request.url.path.endswith("serviceOrder"):
            return httpx2.Response(201, json={"serviceOrderItem": [{"action": "add", "service": {}}]})
        return httpx2.Response(200, json={"state": "active"})

    bench.client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    return seen


@pytest.mark.parametrize("protocol", list(Protocol))
def test_every_protocol_has_its_adapter(protocol: Protocol, bench: Bench, catalog: Catalog) -> None:
    http = SiloHttp(catalog.silos["voice"], bench.client, bench.settings)
    assert isinstance(adapter_of(protocol, http, bench.register), SiloProtocol)


def test_a_silo_has_four_activities_named_for_it(bench: Bench, catalog: Catalog) -> None:
    for silo in catalog.silos.values():
        names = [
            activity._Definition.must_from_callable(each).name  # pyright: ignore[reportPrivateUsage]
            for each in bench.activities(silo)
        ]
        assert names == [f"{silo.name}.{verb}" for verb in ("provision", "amend", "compensate", "inspect")]


async def test_calls_and_outcomes_pass_through_the_data_converter_unchanged() -> None:
    converter = data_converter()
    asked = call(1, awaited=Verb.AMEND, name=None, n=1, flag=True, values=["a", {"b": 1.5}])
    told = Outcome(OutcomeKind.REFUSED, {"number": "+49"}, "code", "reason")
    answers = SiloAnswers([told, OpenCall(Open.NO_ANSWER, 3, "reason", 17), OpenCall(Open.NOT_MADE, 0)])
    for value in (SiloCalls([asked], 2, going_on=True), answers):
        assert await converter.decode(await converter.encode([value]), [type(value)]) == [value]


@pytest.mark.parametrize("verb", [Verb.PROVISION, Verb.AMEND, Verb.COMPENSATE])
@pytest.mark.parametrize("silo", ["voice", "shipping"])
async def test_a_call_that_changes_something_says_under_which_key_for_whom_and_whom_to_call_back(
    bench: Bench, requests: list[httpx2.Request], silo: str, verb: Verb
) -> None:
    await bench.run(silo, verb, SiloCall("O1", "i1/fibre/line/2", "i1/fibre/line/2/3", "line", {"a": 1}))
    [request] = requests
    assert request.headers["Idempotency-Key"] == "i1/fibre/line/2/3"
    assert request.headers["Order-Id"] == "O1"
    assert request.headers["Callback-Url"] == f"{bench.settings.api_address}/callbacks/{silo}"


ASKED = {
    "serviceSpecification": {"id": "line"},
    "serviceCharacteristic": [{"name": "a", "value": 1}, {"name": "b", "value": None}],
}
SERVICE = "/service/i1%2Ffibre%2Fline%2F2"


@pytest.mark.parametrize(
    ("silo", "verb", "method", "path", "body"),
    [
        ("voice", Verb.PROVISION, "POST", "/service", {"id": "i1/fibre/line/2", "state": "active", **ASKED}),
        ("voice", Verb.AMEND, "PATCH", SERVICE, ASKED),
        ("voice", Verb.COMPENSATE, "DELETE", SERVICE, None),
        ("voice", Verb.INSPECT, "GET", SERVICE, None),
        ("shipping", Verb.PROVISION, "POST", "/serviceOrder", "add"),
        ("shipping", Verb.AMEND, "POST", "/serviceOrder", "modify"),
        ("shipping", Verb.COMPENSATE, "POST", "/serviceOrder", "delete"),
        ("shipping", Verb.INSPECT, "GET", SERVICE, None),
    ],
)
async def test_each_verb_is_one_request_of_its_protocol(
    bench: Bench,
    requests: list[httpx2.Request],
    silo: str,
    verb: Verb,
    method: str,
    path: str,
    body: dict[str, Any] | str | None,
) -> None:
    if isinstance(body, str):
        item = {"id": "1", "action": body, "service": {"id": "i1/fibre/line/2", **ASKED}}
        body = {"externalId": "i1/fibre/line/2/3", "serviceOrderItem": [item]}
    await bench.run(silo, verb, SiloCall("O1", "i1/fibre/line/2", "i1/fibre/line/2/3", "line", {"a": 1, "b": None}))
    [request] = requests
    assert (request.method, request.url.raw_path.decode()) == (method, f"/{silo}{path}")
    assert (json.loads(request.content) if request.content else None) == body


async def test_an_address_that_is_a_path_stands_below_the_configured_one(
    bench: Bench, requests: list[httpx2.Request]
) -> None:
    for address in ("/voice", "voice/", "https://voice.example.net/api/v4/"):
        await bench.provision(bench.silo("voice", address=address), call())
    below = f"{bench.settings.silos_address}/voice/service"
    assert [str(request.url) for request in requests] == [below, below, "https://voice.example.net/api/v4/service"]


async def test_silos_are_not_called_through_the_environments_proxy(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with silo_client([]) as client:
        outcome = await dataclasses.replace(bench, client=client).provision("voice", call())
    assert outcome.kind is OutcomeKind.DONE


async def test_the_attempt_is_the_one_that_temporal_counts(bench: Bench) -> None:
    await alone(bench.activity(bench.silo("tv"), Verb.PROVISION), call(), attempt=3)
    assert await bench.journal("tv") == ["inspect refused", "provision applied"]
