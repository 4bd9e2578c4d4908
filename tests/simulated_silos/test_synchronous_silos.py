from __future__ import annotations

import pytest
from httpx2 import AsyncClient

from simulated_silos.silo.model import ServiceState
from tests.simulated_silos.support import Caller, refused, replayed, values

LINE = "O1.1.1/voice/line/0"
OTHER = "O2.1.1/voice/line/0"


async def test_a_provision_is_answered_with_its_inputs_and_what_the_silo_gave_out(voice: Caller) -> None:
    answer = await voice.provision(LINE, port="P1", packs=["a", "b"], note=None)
    assert answer.status_code == 201
    body = answer.json()
    voice_id = values(body).pop("voice_id")
    assert voice_id
    assert body == {
        "id": LINE,
        "state": "active",
        "serviceSpecification": {"id": "line"},
        "serviceCharacteristic": [
            {"name": "port", "value": "P1"},
            {"name": "packs", "value": ["a", "b"]},
            {"name": "note", "value": None},
            {"name": "voice_id", "value": voice_id},
        ],
    }


async def test_a_thing_is_listed_with_task_generation_and_order(voice: Caller) -> None:
    await voice.provision(LINE, port="P1")
    service = await voice.service()
    assert (service.id, service.task, service.generation) == (LINE, "O1.1.1/voice/line", 0)
    assert (service.order, service.operation, service.state) == ("O1", "line", ServiceState.ACTIVE)
    assert service.characteristics == {"port": "P1"}
    assert list(service.outputs) == ["voice_id"]


async def test_a_full_operation_name_means_the_same_as_a_short_one(voice: Caller) -> None:
    voice.operation = "voice.line"
    assert "voice_id" in values((await voice.provision(LINE)).json())


async def test_an_amendment_puts_all_inputs_anew_and_keeps_the_outputs(voice: Caller) -> None:
    before = values((await voice.provision(LINE, port="P1", codec="a")).json())
    answer = await voice.amend(LINE, port="P2")
    assert answer.status_code == 200
    assert values(answer.json()) == {"port": "P2", "voice_id": before["voice_id"]}
    assert (await voice.service()).characteristics == {"port": "P2"}


async def test_outputs_differ_from_one_service_to_the_next(voice: Caller) -> None:
    ids = [f"O1.1.{n}/voice/line/0" for n in range(20)]
    given = {values((await voice.provision(each)).json())["voice_id"] for each in ids}
    assert len(given) == 20


async def test_outputs_are_not_given_out_again_after_a_compensation(voice: Caller) -> None:
    first = values((await voice.provision(LINE)).json())["voice_id"]
    await voice.compensate(LINE)
    assert values((await voice.provision(OTHER)).json())["voice_id"] != first


async def test_a_compensation_empties_the_silo(voice: Caller) -> None:
    await voice.provision(LINE)
    answer = await voice.compensate(LINE)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await voice.services() == []
    assert refused(await voice.inspect(LINE), 404, "unknown_service")


async def test_compensating_what_was_never_there_is_fine(voice: Caller) -> None:
    assert (await voice.compensate(LINE)).status_code == 204


async def test_an_inspection_shows_what_is_held(voice: Caller) -> None:
    provisioned = (await voice.provision(LINE, port="P1")).json()
    answer = await voice.inspect(LINE)
    assert (answer.status_code, answer.json()) == (200, provisioned)


async def test_a_thing_that_is_held_is_not_provisioned_again_under_another_key(voice: Caller) -> None:
    await voice.provision(LINE, n=0)
    assert refused(await voice.provision(LINE, n=1), 409, "already_provisioned")


async def test_what_does_not_exist_is_not_amended(voice: Caller) -> None:
    assert refused(await voice.amend(LINE), 404, "unknown_service")


async def test_what_was_compensated_is_not_amended(voice: Caller) -> None:
    await voice.provision(LINE)
    await voice.compensate(LINE, n=1)
    assert refused(await voice.amend(LINE, n=2), 404, "unknown_service")


async def test_silos_and_operations_nobody_described_work_too(client: AsyncClient) -> None:
    caller = Caller(client, "quantum-relay", "entangle")
    assert values((await caller.provision(LINE, a=1)).json()) == {"a": 1}
    assert (await caller.amend(LINE, a=2)).status_code == 200
    assert (await caller.compensate(LINE, n=2)).status_code == 204


# Values that only one service can hold


async def test_a_requested_number_is_the_one_given_out(numbers: Caller) -> None:
    assert values((await numbers.provision(LINE, number="+491234")).json()) == {"number": "+491234"}
    assert (await numbers.service()).outputs == {"number": "+491234"}


@pytest.mark.parametrize("number", [None, ""])
async def test_a_number_left_open_is_drawn(numbers: Caller, number: str | None) -> None:
    assert values((await numbers.provision(LINE, number=number)).json())["number"].startswith("+49")


async def test_a_number_that_is_held_is_refused_to_others(numbers: Caller) -> None:
    await numbers.provision(LINE, number="+491234")
    assert refused(await numbers.provision(OTHER, number="+491234"), 409, "resource_in_use")
    assert [each.id for each in await numbers.services()] == [LINE]


async def test_a_drawn_number_is_held_as_a_requested_one_is(numbers: Caller) -> None:
    drawn = values((await numbers.provision(LINE)).json())["number"]
    assert refused(await numbers.provision(OTHER, number=drawn), 409, "resource_in_use")


async def test_a_number_that_somebody_asked_for_is_never_drawn(numbers: Caller) -> None:
    first = values((await numbers.provision(LINE)).json())["number"]
    following = f"{first[:-1]}{int(first[-1]) + 1}"
    await numbers.provision(OTHER, number=following)
    drawn = values((await numbers.provision("O3.1.1/voice/number/0")).json())["number"]
    assert drawn not in (first, following)


async def test_a_number_is_free_again_after_a_compensation(numbers: Caller) -> None:
    await numbers.provision(LINE, number="+491234")
    await numbers.compensate(LINE)
    assert (await numbers.provision(OTHER, number="+491234")).status_code == 201


async def test_an_amendment_can_ask_for_another_number_and_lets_the_old_one_go(numbers: Caller) -> None:
    await numbers.provision(LINE, number="+491")
    assert values((await numbers.amend(LINE, number="+492")).json()) == {"number": "+492"}
    assert (await numbers.provision(OTHER, number="+491")).status_code == 201


async def test_an_amendment_is_refused_a_number_that_is_held(numbers: Caller) -> None:
    await numbers.provision(LINE, number="+491")
    await numbers.provision(OTHER, number="+492")
    assert refused(await numbers.amend(LINE, number="+492"), 409, "resource_in_use")
    assert (await numbers.inspect(LINE)).json()["serviceCharacteristic"] == [{"name": "number", "value": "+491"}]


async def test_a_drawn_number_stays_when_other_inputs_change(numbers: Caller) -> None:
    drawn = values((await numbers.provision(LINE, area="030")).json())["number"]
    assert values((await numbers.amend(LINE, area="089")).json())["number"] == drawn


# Keys


async def test_the_same_call_again_is_replayed(voice: Caller) -> None:
    first = await voice.provision(LINE, port="P1", speed=5)
    again = await voice.provision(LINE, speed=5, port="P1")
    assert not replayed(first)
    assert replayed(again)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert len(await voice.services()) == 1


async def test_amendments_and_compensations_are_replayed_too(voice: Caller) -> None:
    await voice.provision(LINE)
    for call in (lambda: voice.amend(LINE, n=1, port="P2"), lambda: voice.compensate(LINE, n=2)):
        first, again = await call(), await call()
        assert not replayed(first)
        assert replayed(again)
        assert (again.status_code, again.content) == (first.status_code, first.content)


async def test_a_replay_tells_what_was_done_then(voice: Caller) -> None:
    first = await voice.provision(LINE, port="P1")
    await voice.amend(LINE, n=1, port="P2")
    await voice.compensate(LINE, n=2)
    again = await voice.provision(LINE, port="P1")
    assert replayed(again)
    assert again.json() == first.json()
    assert await voice.services() == []


async def test_a_key_used_again_with_other_inputs_is_refused(voice: Caller) -> None:
    await voice.provision(LINE, port="P1")
    assert refused(await voice.provision(LINE, port="P2"), 409, "key_reused")
    assert (await voice.service()).characteristics == {"port": "P1"}


async def test_a_key_used_again_with_another_verb_is_refused(voice: Caller) -> None:
    await voice.provision(LINE, n=0)
    assert refused(await voice.compensate(LINE, n=0), 409, "key_reused")
    assert refused(await voice.amend(LINE, n=0), 409, "key_reused")
    assert len(await voice.services()) == 1


async def test_a_key_used_again_for_another_operation_is_refused(voice: Caller) -> None:
    await voice.provision(LINE)
    voice.operation = "voicemail"
    assert refused(await voice.provision(LINE), 409, "key_reused")


async def test_a_refusal_stays_the_answer_to_its_key(numbers: Caller) -> None:
    await numbers.provision(OTHER, number="+491")
    await numbers.provision(LINE, number="+491")
    await numbers.compensate(OTHER)
    again = await numbers.provision(LINE, number="+491")
    assert refused(again, 409, "resource_in_use")
    assert replayed(again)
    assert (await numbers.provision(LINE, n=1, number="+491")).status_code == 201


# Late calls


async def test_a_provision_that_lands_after_its_compensation_does_nothing(voice: Caller) -> None:
    await voice.compensate(LINE, n=1)
    late = await voice.provision(LINE, n=0, port="P1")
    assert (late.status_code, late.json()["id"], late.json()["state"]) == (200, LINE, "terminated")
    assert replayed(late)
    assert await voice.services() == []
    assert refused(await voice.inspect(LINE), 404, "unknown_service")


async def test_a_tombstone_answers_every_provision_whatever_its_number(voice: Caller) -> None:
    await voice.compensate(LINE, n=1)
    answer = await voice.provision(LINE, n=2)
    assert replayed(answer)
    assert (answer.status_code, answer.json()["state"]) == (200, "terminated")


async def test_an_amendment_that_a_newer_one_overtook_does_nothing(voice: Caller) -> None:
    await voice.provision(LINE)
    await voice.amend(LINE, n=2, port="new")
    late = await voice.amend(LINE, n=1, port="old")
    assert replayed(late)
    assert values(late.json())["port"] == "new"
    assert (await voice.service()).characteristics == {"port": "new"}


async def test_an_amendment_that_lands_after_the_compensation_does_nothing(voice: Caller) -> None:
    await voice.provision(LINE)
    await voice.compensate(LINE, n=2)
    late = await voice.amend(LINE, n=1)
    assert replayed(late)
    assert (late.status_code, late.json()["state"]) == (200, "terminated")
    assert await voice.services() == []


async def test_a_compensation_that_a_newer_amendment_overtook_does_nothing(voice: Caller) -> None:
    await voice.provision(LINE)
    await voice.amend(LINE, n=2)
    late = await voice.compensate(LINE, n=1)
    assert replayed(late)
    assert late.status_code == 204
    assert len(await voice.services()) == 1


async def test_a_late_call_under_a_used_key_with_other_inputs_is_still_refused(voice: Caller) -> None:
    await voice.compensate(LINE, n=1)
    await voice.provision(LINE, n=0, port="P1")
    assert refused(await voice.provision(LINE, n=0, port="P2"), 409, "key_reused")


async def test_a_tombstone_covers_its_generation_only(voice: Caller) -> None:
    await voice.compensate(LINE)
    assert (await voice.provision("O1.1.1/voice/line/1")).status_code == 201


# A silo without keys


async def test_a_silo_without_keys_refuses_to_provision_what_it_holds(tv: Caller) -> None:
    assert (await tv.provision("O1.1.1/tv/subscription/0")).status_code == 201
    assert refused(await tv.provision("O1.1.1/tv/subscription/0"), 409, "already_provisioned")


async def test_a_silo_without_keys_refuses_to_compensate_what_it_does_not_hold(tv: Caller) -> None:
    assert refused(await tv.compensate("O1.1.1/tv/subscription/0"), 404, "unknown_service")


async def test_a_silo_without_keys_keeps_no_tombstones(tv: Caller) -> None:
    first = await tv.provision("O1.1.1/tv/subscription/0")
    await tv.compensate("O1.1.1/tv/subscription/0")
    second = await tv.provision("O1.1.1/tv/subscription/0")
    assert second.status_code == 201
    assert values(second.json())["tv_id"] != values(first.json())["tv_id"]
    assert not replayed(second)


async def test_a_silo_without_keys_takes_amendments_in_any_order(tv: Caller) -> None:
    await tv.provision("O1.1.1/tv/subscription/0")
    await tv.amend("O1.1.1/tv/subscription/0", n=2, packs=["a"])
    assert (await tv.amend("O1.1.1/tv/subscription/0", n=1, packs=["b"])).status_code == 200
    assert (await tv.service()).characteristics == {"packs": ["b"]}


async def test_a_silo_without_keys_needs_none(client: AsyncClient, tv: Caller) -> None:
    body = {"id": "O1.1.1/tv/subscription/0", **tv.body({})}
    answer = await client.post("/tv/service", json=body, headers={"Order-Id": "O1"})
    assert answer.status_code == 201
    assert [entry.key for entry in await tv.journal()] == [None]
