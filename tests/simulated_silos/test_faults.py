from __future__ import annotations

from typing import Any

import pytest
from httpx2 import AsyncClient

from simulated_silos.simulator import ResponseLost
from tests.simulated_silos.support import Caller, refused

LINE = "O1.1.1/voice/line/0"


async def test_an_error_comes_before_any_effect(voice: Caller) -> None:
    await voice.faults(error_rate=1)
    assert refused(await voice.provision(LINE, port="P1"), 500, "internal_error")
    assert await voice.services() == []
    [entry] = await voice.journal("O1")
    assert (entry.verb, entry.outcome, entry.code) == ("provision", "failed", "internal_error")
    assert (entry.key, entry.id, entry.inputs) == (f"{LINE}/0", LINE, {"port": "P1"})


async def test_the_same_call_succeeds_once_the_fault_is_cleared(voice: Caller, client: AsyncClient) -> None:
    await voice.faults(error_rate=1)
    await voice.provision(LINE)
    assert (await client.delete("/_sim/voice/faults")).status_code == 204
    answer = await voice.provision(LINE)
    assert answer.status_code == 201
    assert "Idempotent-Replay" not in answer.headers


async def test_an_outage_fails_everything(voice: Caller) -> None:
    await voice.provision(LINE)
    await voice.faults(outage=True)
    calls = [voice.provision(LINE), voice.amend(LINE), voice.compensate(LINE), voice.inspect(LINE), voice.poll("x")]
    for call in calls:
        assert refused(await call, 503, "outage")
    assert refused(await voice.place("add", LINE), 503, "outage")
    assert len(await voice.services()) == 1


async def test_pending_work_goes_on_during_an_outage(shipping: Caller) -> None:
    await shipping.pace(10)
    await shipping.place("add", "O1/shipping/parcel/0")
    await shipping.faults(outage=True)
    await shipping.faults()
    await shipping.until("O1/shipping/parcel/0/0", "completed")


async def test_a_seed_decides_which_calls_fail(voice: Caller, client: AsyncClient) -> None:
    runs = []
    for _ in range(2):
        await client.post("/_sim/reset")
        await voice.faults(error_rate=0.5, seed=11)
        runs.append([(await voice.inspect(LINE)).status_code for _ in range(30)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {404, 500}


async def test_a_response_is_lost_after_the_effect(voice: Caller) -> None:
    await voice.faults(lose_response_rate=1)
    with pytest.raises(ResponseLost):
        await voice.provision(LINE)
    assert len(await voice.services()) == 1
    assert await voice.outcomes() == [("provision", "applied", None)]
    await voice.faults()
    again = await voice.provision(LINE)
    assert (again.status_code, again.headers["Idempotent-Replay"]) == (201, "true")


async def test_the_responses_of_service_orders_get_lost_too(shipping: Caller) -> None:
    await shipping.faults(lose_response_rate=1)
    with pytest.raises(ResponseLost):
        await shipping.place("add", "O1/shipping/parcel/0")
    assert await shipping.complete() == 1


@pytest.mark.parametrize(
    ("fault", "meets"),
    [
        ({"operation": "line", "match": ""}, True),
        ({"operation": "voice.line", "match": ""}, True),
        ({"operation": "*", "match": "O1.1.1/"}, True),
        ({"operation": "*", "match": "O2"}, False),
        ({"operation": "voicemail", "match": ""}, False),
    ],
)
async def test_a_permanent_fault_meets_its_operation_and_key(voice: Caller, fault: dict[str, str], meets: bool) -> None:
    await voice.faults(permanent=[{**fault, "code": "no_capacity"}])
    answer = await voice.provision(LINE)
    if meets:
        assert refused(answer, 422, "no_capacity")
        assert await voice.outcomes() == [("provision", "refused", "no_capacity")]
    else:
        assert answer.status_code == 201


async def test_a_permanent_fault_can_be_meant_for_one_call(voice: Caller) -> None:
    await voice.faults(permanent=[{"operation": "line", "match": f"{LINE}/1", "code": "irreversible"}])
    assert (await voice.provision(LINE)).status_code == 201
    assert refused(await voice.compensate(LINE, n=1), 422, "irreversible")
    assert (await voice.compensate(LINE, n=2)).status_code == 204


async def test_a_permanent_fault_meets_service_orders_and_silos_without_keys(shipping: Caller, tv: Caller) -> None:
    for caller in (shipping, tv):
        await caller.faults(permanent=[{"operation": "*", "match": "O1", "code": "no"}])
    assert refused(await shipping.place("add", "O1/shipping/parcel/0"), 422, "no")
    assert refused(await tv.provision("O1.1.1/tv/subscription/0"), 422, "no")


async def test_what_was_done_before_a_permanent_fault_is_still_replayed(voice: Caller) -> None:
    await voice.provision(LINE)
    await voice.faults(permanent=[{"operation": "*", "match": "", "code": "no"}])
    assert (await voice.provision(LINE)).status_code == 201


async def test_faults_of_all_silos_are_set_and_cleared_at_once(client: AsyncClient, voice: Caller, tv: Caller) -> None:
    await client.put("/_sim/*/faults", json={"outage": True})
    unheard_of = Caller(client, "quantum-relay", "entangle")
    assert {(await each.inspect(LINE)).status_code for each in (voice, tv, unheard_of)} == {503}
    await client.delete("/_sim/*/faults")
    assert {(await each.inspect(LINE)).status_code for each in (voice, tv, unheard_of)} == {404}


async def test_faults_replace_those_that_were_set_before(voice: Caller) -> None:
    await voice.faults(outage=True)
    await voice.faults(latency_ms=1)
    assert (await voice.inspect(LINE)).status_code == 404


async def test_faults_of_one_silo_leave_the_others_alone(voice: Caller, tv: Caller) -> None:
    await voice.faults(outage=True)
    assert (await tv.inspect(LINE)).status_code == 404


@pytest.mark.parametrize(
    "faults",
    [
        {"error_rate": 1.1},
        {"error_rate": -0.1},
        {"lose_response_rate": "0.5"},
        {"latency_ms": -1},
        {"latency_ms": 1.5},
        {"outage": "yes"},
        {"drop_callback_rate": None},
        {"permanent": [{"operation": "line", "match": ""}]},
        {"permanent": [{"operation": "line", "match": "", "code": "x", "verb": "amend"}]},
        {"eror_rate": 0.5},
    ],
)
async def test_faults_that_make_no_sense_are_refused(voice: Caller, faults: dict[str, Any]) -> None:
    assert refused(await voice.faults(**faults), 400, "malformed")
    assert (await voice.inspect(LINE)).status_code == 404


async def test_faults_that_are_no_json_are_refused(client: AsyncClient) -> None:
    assert refused(await client.put("/_sim/voice/faults", content=b"{"), 400, "malformed")


async def test_faults_of_an_order_are_met_by_its_calls_alone(voice: Caller, client: AsyncClient) -> None:
    other = Caller(client, "voice", "line", order="O2")
    faults = {"params": {"order": "O2"}, "json": {"outage": True}}
    assert (await client.put("/_sim/voice/faults", **faults)).status_code == 200
    assert (await voice.provision(LINE)).status_code == 201
    assert refused(await other.provision("O2.1.1/voice/line/0"), 503, "outage")
    assert (await client.delete("/_sim/voice/faults", params={"order": "O2"})).status_code == 204
    assert (await other.provision("O2.1.1/voice/line/0")).status_code == 201


async def test_an_order_with_faults_of_its_own_does_not_meet_those_of_its_silo(
    voice: Caller, client: AsyncClient
) -> None:
    await voice.faults(outage=True)
    await client.put("/_sim/*/faults", params={"order": "O1"}, json={})
    assert (await voice.provision(LINE)).status_code == 201
    await client.delete("/_sim/*/faults", params={"order": "O1"})
    assert refused(await voice.amend(LINE), 503, "outage")
