"""What comes of a call when the silo refuses, fails, answers nothing, or answers nonsense."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from temporalio.exceptions import ApplicationErrorCategory

from activities.protocols.http_client import LONGEST_RETRY_AFTER, silo_client
from activities.protocols.protocol import SiloUnavailable
from orders.model.values import Verb
from orders.reconcile.outcome import OutcomeKind
from tests.activities.bench import Bench, brief, call

CHANGES = (Verb.PROVISION, Verb.AMEND, Verb.COMPENSATE)
BOTH_PROTOCOLS = pytest.mark.parametrize("silo", ["voice", "shipping"])
EVERY_CHANGE = pytest.mark.parametrize("verb", CHANGES)


@pytest.fixture
def answering(bench: Bench) -> Callable[..., Bench]:
    """A bench whose silos all give one answer, such as no simulated silo gives."""

    def bench_with(status: int, body: str = "", **headers: str) -> Bench:
        transport = httpx2.MockTransport(lambda _: httpx2.Response(status, text=body, headers=headers))
        return dataclasses.replace(bench, client=httpx2.AsyncClient(transport=transport))

    return bench_with


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"


# Refusals


@BOTH_PROTOCOLS
@EVERY_CHANGE
async def test_a_final_refusal_is_an_outcome_with_the_silos_code(bench: Bench, silo: str, verb: Verb) -> None:
    await bench.faults(silo, permanent=[{"operation": "*", "match": "", "code": "credit_check_failed"}])
    outcome = await bench.run(silo, verb, call())
    assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, "credit_check_failed")
    assert outcome.reason


async def test_a_refusal_says_its_status_and_when_to_ask_again(bench: Bench) -> None:
    fault = {"operation": "*", "match": "", "code": "maintenance", "status": 423, "retry_after_s": 7200}
    await bench.faults("voice", permanent=[fault])
    outcome = await bench.run("voice", Verb.PROVISION, call())
    assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, "maintenance")
    assert (outcome.status, outcome.retry_after_s) == (423, 7200)


async def test_a_value_that_another_holds_is_refused(bench: Bench) -> None:
    await bench.provision("number-inventory", call(operation="number", number="+493012345"))
    other = call(of="i2.1/fibre/thing/1", operation="number", number="+493012345")
    outcome = await bench.provision("number-inventory", other)
    assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, "resource_in_use")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422])
async def test_a_refusal_without_a_code_is_named_by_its_status(answering: Callable[..., Bench], status: int) -> None:
    outcome = await answering(status, "<h1>No</h1>").provision("voice", call())
    assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, f"http_{status}")
    assert outcome.reason == httpx2.codes.get_reason_phrase(status)


async def test_an_address_that_is_wrong_is_not_taken_for_a_loss(answering: Callable[..., Bench]) -> None:
    bench = answering(404, "<h1>No such page</h1>")
    assert (await bench.amend("voice", call(1))).kind is OutcomeKind.REFUSED
    with pytest.raises(SiloUnavailable):
        await bench.inspect("voice", call())


async def test_a_silo_with_keys_has_to_take_any_compensation(answering: Callable[..., Bench]) -> None:
    outcome = await answering(404, '{"code": "unknown_service"}').compensate("voice", call(1))
    assert (outcome.kind, outcome.code) == (OutcomeKind.REFUSED, "unknown_service")


@BOTH_PROTOCOLS
async def test_a_question_that_is_refused_says_nothing_about_the_awaited_call(
    answering: Callable[..., Bench], silo: str
) -> None:
    bench = answering(403, '{"code": "forbidden", "reason": "", "message": "not you"}')
    with pytest.raises(SiloUnavailable, match="forbidden"):
        await bench.inspect(silo, call(awaited=Verb.PROVISION))


# Failures


@BOTH_PROTOCOLS
@pytest.mark.parametrize("verb", list(Verb))
@pytest.mark.parametrize("fault", [{"error_rate": 1.0}, {"outage": True}, {"lose_response_rate": 1.0}])
async def test_a_failure_is_raised_for_temporal_to_retry(
    bench: Bench, silo: str, verb: Verb, fault: dict[str, float | bool]
) -> None:
    await bench.faults(silo, **fault)
    asked = call(awaited=Verb.PROVISION) if verb is Verb.INSPECT else call()
    with pytest.raises(SiloUnavailable) as caught:
        await bench.run(silo, verb, asked)
    assert caught.value.type == "SiloUnavailable"
    assert caught.value.category is ApplicationErrorCategory.BENIGN
    assert not caught.value.non_retryable


@BOTH_PROTOCOLS
async def test_a_failed_call_is_done_by_the_next_attempt(bench: Bench, silo: str) -> None:
    await bench.faults(silo, error_rate=1.0)
    with pytest.raises(SiloUnavailable, match="500"):
        await bench.provision(silo, call())
    await bench.faults(silo)
    await bench.provision(silo, call(), attempt=2)
    assert await bench.journal(silo) == ["provision failed", "provision applied"]


@BOTH_PROTOCOLS
async def test_a_call_whose_answer_was_lost_is_replayed_to_the_next_attempt(bench: Bench, silo: str) -> None:
    await bench.faults(silo, lose_response_rate=1.0)
    with pytest.raises(SiloUnavailable, match="no answer"):
        await bench.provision(silo, call(a=1))
    await bench.faults(silo)
    await bench.provision(silo, call(a=1), attempt=2)
    assert await bench.journal(silo) == ["provision applied", "provision replayed"]


async def test_a_call_is_given_up_after_the_silos_timeout(bench: Bench) -> None:
    await bench.faults("voice", latency_ms=3_000)
    with pytest.raises(SiloUnavailable, match=r"within 1 s") as caught:
        await bench.provision(brief(bench.silo("voice")), call())
    assert caught.value.may_still_land


async def test_a_silo_that_can_not_be_reached_did_nothing(bench: Bench, nobody: str) -> None:
    with pytest.raises(SiloUnavailable, match="cannot be reached") as caught:
        await bench.provision(bench.silo("voice", address=nobody), call())
    assert not caught.value.may_still_land


@pytest.mark.parametrize("status", [302, 408, 425, 429, 500, 502, 503, 504])
async def test_a_status_that_says_nothing_final_is_raised(answering: Callable[..., Bench], status: int) -> None:
    with pytest.raises(SiloUnavailable, match=str(status)) as caught:
        await answering(status, '{"code": "refused", "reason": "", "message": ""}').provision("voice", call())
    assert caught.value.may_still_land is (status in (408, 502, 504))


@pytest.mark.parametrize("body", ["", "<h1>Welcome</h1>", "[]", '{"serviceCharacteristic": [{"value": 1}]}'])
@BOTH_PROTOCOLS
async def test_an_answer_that_can_not_be_understood_is_raised(
    answering: Callable[..., Bench], silo: str, body: str
) -> None:
    with pytest.raises(SiloUnavailable, match="cannot be understood"):
        await answering(200, body).provision(silo, call())


# Patience


async def retry_delay(bench: Bench) -> timedelta | None:
    with pytest.raises(SiloUnavailable) as caught:
        await bench.provision("voice", call())
    return caught.value.next_retry_delay


async def test_a_silo_says_in_how_many_seconds_to_come_again(answering: Callable[..., Bench]) -> None:
    assert await retry_delay(answering(429, **{"Retry-After": "17"})) == timedelta(seconds=17)
    assert await retry_delay(answering(503, **{"Retry-After": " 1 "})) == timedelta(seconds=1)


async def test_a_silo_says_at_what_time_to_come_again(answering: Callable[..., Bench]) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    delay = await retry_delay(answering(503, **{"Retry-After": at}))
    assert delay is not None
    assert timedelta(seconds=50) < delay <= timedelta(seconds=60)


async def test_nobody_waits_for_ever_because_a_silo_says_so(answering: Callable[..., Bench]) -> None:
    for patience in ("31536000", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"):
        assert await retry_delay(answering(503, **{"Retry-After": patience})) in (LONGEST_RETRY_AFTER, None)


@pytest.mark.parametrize("patience", ["", "0", "-5", "soon", "Fri, 31 Dec 1999 23:59:59 GMT", "1.5"])
async def test_without_a_useful_word_the_retry_policy_decides(answering: Callable[..., Bench], patience: str) -> None:
    assert await retry_delay(answering(503, **{"Retry-After": patience})) is None


async def test_the_client_has_a_connection_for_every_call_under_way(bench: Bench) -> None:
    # One connection would answer one after the other: 20 calls of 100 ms each in a call_timeout of 1 s.
    silo = bench.silo("voice", concurrency=20, call_timeout=timedelta(seconds=1))
    await bench.faults("voice", latency_ms=100)
    async with silo_client([silo]) as client:
        here = dataclasses.replace(bench, client=client)
        outcomes = await asyncio.gather(*(here.provision(silo, call(of=f"i{n}/fibre/thing/1")) for n in range(20)))
    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.DONE}
