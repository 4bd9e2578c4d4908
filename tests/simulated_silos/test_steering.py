from __future__ import annotations

import asyncio

import pytest
from httpx2 import AsyncClient

from simulated_silos.protocols.callbacks import Callbacks
from simulated_silos.simulator import ResponseLost
from tests.simulated_silos.support import Caller, Receiver, refused

LINE = "O1.1.1/voice/line/0"


async def test_the_silos_say_that_they_are_well(client: AsyncClient) -> None:
    assert (await client.get("/healthz")).status_code == 200


async def test_services_can_be_listed_by_order(voice: Caller, client: AsyncClient) -> None:
    await voice.provision(LINE)
    await Caller(client, "voice", "line", order="O2").provision("O2.1.1/voice/line/0")
    assert [each.order for each in await voice.services()] == ["O1", "O2"]
    assert [each.order for each in await voice.services("O2")] == ["O2"]
    assert await voice.services("O3") == []


async def test_a_thing_that_a_later_order_changed_is_listed_for_both(voice: Caller, client: AsyncClient) -> None:
    await voice.provision(LINE)
    await Caller(client, "voice", "line", order="O2").amend(LINE)
    assert [each.id for each in await voice.services("O1")] == [LINE]
    assert [(each.id, each.order) for each in await voice.services("O2")] == [(LINE, "O2")]


async def test_services_of_all_silos_are_listed_by_silo(voice: Caller, tv: Caller, client: AsyncClient) -> None:
    await voice.provision(LINE)
    tv.order = "O2"
    await tv.provision("O2.1.1/tv/subscription/0")
    held = (await client.get("/_sim/services")).json()
    assert {silo: len(services) for silo, services in held.items() if services} == {"voice": 1, "tv": 1}
    assert "crm" in held
    of_order = (await client.get("/_sim/services", params={"order": "O1"})).json()
    assert [silo for silo, services in of_order.items() if services] == ["voice"]


async def test_the_journal_counts_over_all_silos(voice: Caller, tv: Caller, client: AsyncClient) -> None:
    await voice.provision(LINE, port="P1")
    await tv.provision("O1.1.1/tv/subscription/0")
    await voice.inspect(LINE)
    journal = (await client.get("/_sim/journal")).json()
    assert [(each["seq"], each["silo"], each["verb"]) for each in journal] == [
        (1, "voice", "provision"),
        (2, "tv", "provision"),
        (3, "voice", "inspect"),
    ]
    assert journal[0].keys() == {"seq", "time", "silo", "verb", "key", "id", "order", "inputs", "outcome", "code"}
    assert journal[0]["inputs"] == {"port": "P1"}
    assert [each.seq for each in await voice.journal()] == [1, 3]


async def test_the_journal_can_be_read_by_order(voice: Caller, tv: Caller, client: AsyncClient) -> None:
    await voice.provision(LINE)
    await Caller(client, "voice", "line", order="O2").provision("O2.1.1/voice/line/0")
    await tv.provision("O1.1.1/tv/subscription/0")
    of_order = (await client.get("/_sim/journal", params={"order": "O1"})).json()
    assert [each["seq"] for each in of_order] == [1, 3]
    assert [each.seq for each in await voice.journal("O1")] == [1]
    assert await voice.journal("O3") == []


async def test_the_journal_can_be_read_on_from_an_entry(voice: Caller, tv: Caller, client: AsyncClient) -> None:
    await voice.provision(LINE)
    await tv.provision("O1.1.1/tv/subscription/0")
    await voice.amend(LINE)

    async def later(path: str, after: str, **params: str) -> list[int]:
        answer = await client.get(path, params={"after": after, **params})
        return [each["seq"] for each in answer.json()]

    assert await later("/_sim/journal", "1") == [2, 3]
    assert await later("/_sim/voice/journal", "1") == [3]
    assert await later("/_sim/journal", "2", order="O1") == [3]
    assert await later("/_sim/journal", "3") == []
    assert refused(await client.get("/_sim/journal", params={"after": "soon"}), 400, "malformed")


async def test_the_journal_has_every_outcome(voice: Caller) -> None:
    await voice.provision(LINE)
    await voice.provision(LINE)
    await voice.provision(LINE, port="P2")
    await voice.amend(LINE, n=1)
    await voice.compensate(LINE, n=2)
    await voice.inspect(LINE)
    await voice.poll(f"{LINE}/0")
    assert await voice.outcomes() == [
        ("provision", "applied", None),
        ("provision", "replayed", None),
        ("provision", "refused", "key_reused"),
        ("amend", "applied", None),
        ("compensate", "applied", None),
        ("inspect", "refused", "unknown_service"),
        ("poll", "applied", None),
    ]


async def test_questions_are_journaled_for_the_order_they_are_about(voice: Caller, shipping: Caller) -> None:
    await voice.provision(LINE)
    await voice.inspect(LINE)
    await shipping.place("add", "O1/shipping/parcel/0")
    await shipping.poll("O1/shipping/parcel/0/0")
    assert [each.verb for each in await voice.journal("O1")] == ["provision", "inspect"]
    assert [each.verb for each in await shipping.journal("O1")] == ["provision", "poll"]


async def test_pending_work_is_completed_by_match(shipping: Caller) -> None:
    for order in ("O1", "O2", "O3"):
        await shipping.place("add", f"{order}/shipping/parcel/0")
    assert await shipping.complete("O2/") == 1
    assert {each.id[:2]: each.state.value for each in await shipping.services()} == {
        "O1": "pending",
        "O2": "active",
        "O3": "pending",
    }
    assert await shipping.complete() == 2
    assert await shipping.complete() == 0


async def test_a_wish_that_makes_no_sense_is_refused(client: AsyncClient) -> None:
    for path, wish in [
        ("complete", {"outcome": "perhaps"}),
        ("complete", {"matches": "O1"}),
        ("lose", {}),
    ]:
        assert refused(await client.post(f"/_sim/shipping/{path}", json=wish), 400, "malformed")
    for pace in ({}, {"completes_after_ms": -1}, {"completes_after_ms": "1"}):
        assert refused(await client.put("/_sim/shipping/pace", json=pace), 400, "malformed")


async def test_the_pace_goes_back_to_the_profiles_when_cleared(shipping: Caller, client: AsyncClient) -> None:
    await client.put("/_sim/*/pace", json={"completes_after_ms": 10})
    await shipping.place("add", "O1/shipping/parcel/0")
    await shipping.until("O1/shipping/parcel/0/0", "completed")
    await client.delete("/_sim/*/pace")
    await shipping.place("add", "O2/shipping/parcel/0")
    await asyncio.sleep(0.05)  # five times as long as the pace that was set took
    assert await shipping.state_of("O2/shipping/parcel/0/0") == "acknowledged"


async def test_only_what_is_held_can_be_lost(voice: Caller, shipping: Caller) -> None:
    assert refused(await voice.lose(LINE), 404, "unknown_service")
    await shipping.place("add", "O1/shipping/parcel/0")
    assert refused(await shipping.lose("O1/shipping/parcel/0"), 404, "unknown_service")


async def test_a_lost_thing_takes_its_pending_work_along(shipping: Caller) -> None:
    await shipping.place("add", "O1/shipping/parcel/0")
    await shipping.complete()
    await shipping.place("modify", "O1/shipping/parcel/0", n=1)
    await shipping.lose("O1/shipping/parcel/0")
    assert await shipping.complete() == 0
    assert await shipping.state_of("O1/shipping/parcel/0/1") == "cancelled"


async def test_a_lost_value_can_be_had_by_others(numbers: Caller) -> None:
    await numbers.provision(LINE, number="+491")
    await numbers.lose(LINE)
    assert (await numbers.provision("O2.1.1/voice/number/0", number="+491")).status_code == 201


async def test_a_reset_empties_everything(shipping: Caller, voice: Caller, client: AsyncClient) -> None:
    await voice.provision(LINE, port="P1")
    await shipping.place("add", "O1/shipping/parcel/0")
    await voice.faults(outage=True)
    assert (await client.post("/_sim/reset")).status_code == 204
    assert not any((await client.get("/_sim/services")).json().values())
    assert (await client.get("/_sim/journal")).json() == []
    # Neither keys nor faults are left: the same key with other inputs, in a silo that was out of order.
    assert (await voice.provision(LINE, port="P2")).status_code == 201
    assert [each.seq for each in await voice.journal()] == [1]
    assert await shipping.journal() == []


async def test_work_pending_at_a_reset_does_not_end_what_has_the_same_name_after_it(
    shipping: Caller, client: AsyncClient
) -> None:
    await shipping.pace(20)
    await shipping.place("add", "O1/shipping/parcel/0")
    await client.post("/_sim/reset")
    await shipping.place("add", "O1/shipping/parcel/0")
    await asyncio.sleep(0.05)  # longer than the pace before the reset
    assert await shipping.state_of("O1/shipping/parcel/0/0") == "acknowledged"


async def test_a_call_that_is_being_delayed_does_not_survive_a_reset(voice: Caller, client: AsyncClient) -> None:
    await voice.faults(latency_ms=60_000)
    delayed = asyncio.create_task(voice.provision(LINE))
    await asyncio.sleep(0.02)
    await client.post("/_sim/reset")
    with pytest.raises(ResponseLost):
        await delayed
    assert await voice.services() == []


async def test_a_delayed_call_can_be_overtaken(voice: Caller) -> None:
    await voice.faults(latency_ms=50)
    delayed = asyncio.create_task(voice.provision(LINE))
    await asyncio.sleep(0.01)
    await voice.faults()
    await voice.compensate(LINE)
    assert (await delayed).json()["state"] == "terminated"
    assert await voice.services() == []


async def test_a_callback_under_way_does_not_survive_a_reset(
    shipping: Caller, receiver: Receiver, callbacks: Callbacks, client: AsyncClient
) -> None:
    await shipping.place("add", "O1/shipping/parcel/0")
    await shipping.complete()
    await client.post("/_sim/reset")
    await callbacks.settled()
    assert receiver.events.empty()
