from __future__ import annotations

from httpx2 import AsyncClient

from simulated_silos.protocols.callbacks import Callbacks
from simulated_silos.silo.model import ServiceState
from tests.simulated_silos.support import Caller, Receiver, refused, replayed, values

PARCEL = "O1/shipping/parcel/0"


def item_of(order: dict) -> dict:
    [item] = order["serviceOrderItem"]
    return item


async def test_a_service_order_is_acknowledged_and_its_service_is_inactive(shipping: Caller) -> None:
    answer = await shipping.place("add", PARCEL, serial="S1")
    body = answer.json()
    assert answer.status_code == 201
    assert (body["externalId"], body["state"]) == (f"{PARCEL}/0", "acknowledged")
    assert item_of(body)["action"] == "add"
    assert values(item_of(body)["service"]) == {"serial": "S1"}
    service = await shipping.service()
    assert (service.state, service.outputs) == (ServiceState.PENDING, {})
    assert (await shipping.inspect(PARCEL)).json()["state"] == "inactive"


async def test_when_the_work_is_done_the_service_is_active_and_has_its_outputs(shipping: Caller) -> None:
    await shipping.place("add", PARCEL, serial="S1")
    assert await shipping.complete() == 1
    [order] = (await shipping.poll(f"{PARCEL}/0")).json()
    assert order["state"] == "completed"
    given = values(item_of(order)["service"])
    assert given.keys() == {"serial", "tracking_id"}
    service = await shipping.service()
    assert (service.state, service.outputs) == (ServiceState.ACTIVE, {"tracking_id": given["tracking_id"]})
    assert (await shipping.inspect(PARCEL)).json()["state"] == "active"


async def test_work_is_done_by_itself_after_the_pace_that_was_set(shipping: Caller) -> None:
    await shipping.pace(20)
    await shipping.place("add", PARCEL)
    await shipping.until(f"{PARCEL}/0", "completed")


async def test_an_unknown_key_polls_as_nothing(shipping: Caller) -> None:
    answer = await shipping.poll("nobody/0/0")
    assert (answer.status_code, answer.json()) == (200, [])


async def test_a_service_order_placed_again_is_replayed(shipping: Caller) -> None:
    first = await shipping.place("add", PARCEL, serial="S1")
    again = await shipping.place("add", PARCEL, serial="S1")
    assert replayed(again)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert await shipping.complete() == 1


async def test_a_key_used_again_is_refused_for_anything_else(shipping: Caller) -> None:
    await shipping.place("add", PARCEL, serial="S1")
    assert refused(await shipping.place("add", PARCEL, serial="S2"), 409, "key_reused")
    assert refused(await shipping.place("delete", PARCEL, serial="S1"), 409, "key_reused")


async def test_a_pending_thing_is_not_provisioned_under_another_key(shipping: Caller) -> None:
    await shipping.place("add", PARCEL)
    assert refused(await shipping.place("add", PARCEL, n=1), 409, "already_provisioned")


async def test_what_does_not_exist_is_not_modified(shipping: Caller) -> None:
    assert refused(await shipping.place("modify", PARCEL, n=1), 404, "unknown_service")


async def test_a_modification_takes_effect_when_its_work_is_done(shipping: Caller) -> None:
    await shipping.place("add", PARCEL, to="A")
    await shipping.complete()
    before = await shipping.service()
    await shipping.place("modify", PARCEL, n=1, to="B")
    assert await shipping.service() == before
    await shipping.complete()
    after = await shipping.service()
    assert (after.characteristics, after.outputs) == ({"to": "B"}, before.outputs)


async def test_a_modification_takes_pending_work_over(
    shipping: Caller, receiver: Receiver, callbacks: Callbacks
) -> None:
    await shipping.place("add", PARCEL, to="A")
    await shipping.place("modify", PARCEL, n=1, to="B")
    assert (await shipping.service()).characteristics == {"to": "B"}
    assert await shipping.state_of(f"{PARCEL}/0") == "acknowledged"
    assert await shipping.complete() == 1
    assert [await shipping.state_of(f"{PARCEL}/{n}") for n in (0, 1)] == ["completed", "completed"]
    service = await shipping.service()
    assert (service.state, service.characteristics) == (ServiceState.ACTIVE, {"to": "B"})
    event = await receiver.next()
    assert event["event"]["serviceOrder"]["externalId"] == f"{PARCEL}/1"
    await callbacks.settled()
    assert receiver.events.empty()


async def test_work_taken_over_does_not_end_when_its_own_time_has_come(shipping: Caller) -> None:
    await shipping.pace(20)
    await shipping.place("add", PARCEL, to="A")
    await shipping.pace(None)
    await shipping.place("modify", PARCEL, n=1, to="B")
    await shipping.pace(40)
    await shipping.place("add", "O2/shipping/parcel/0")
    await shipping.until("O2/shipping/parcel/0/0", "completed")
    assert await shipping.state_of(f"{PARCEL}/0") == "acknowledged"


async def test_a_chain_of_modifications_ends_with_the_newest(shipping: Caller) -> None:
    await shipping.place("add", PARCEL, to="A")
    for n, to in enumerate("BCD", start=1):
        await shipping.place("modify", PARCEL, n=n, to=to)
    assert await shipping.complete() == 1
    assert {await shipping.state_of(f"{PARCEL}/{n}") for n in range(4)} == {"completed"}
    assert (await shipping.service()).characteristics == {"to": "D"}


async def test_a_deletion_cancels_a_pending_addition_at_once(
    shipping: Caller, receiver: Receiver, callbacks: Callbacks
) -> None:
    await shipping.place("add", PARCEL)
    answer = await shipping.place("delete", PARCEL, n=1)
    assert answer.json()["state"] == "completed"
    assert [await shipping.state_of(f"{PARCEL}/{n}") for n in (0, 1)] == ["cancelled", "completed"]
    assert await shipping.services() == []
    assert await shipping.complete() == 0
    await callbacks.settled()
    assert receiver.events.empty()


async def test_a_deletion_cancels_all_that_were_taken_over(shipping: Caller) -> None:
    await shipping.place("add", PARCEL)
    await shipping.place("modify", PARCEL, n=1)
    await shipping.place("delete", PARCEL, n=2)
    assert [await shipping.state_of(f"{PARCEL}/{n}") for n in (0, 1)] == ["cancelled", "cancelled"]


async def test_a_deletion_of_nothing_is_completed_at_once(shipping: Caller) -> None:
    assert (await shipping.place("delete", PARCEL)).json()["state"] == "completed"


async def test_a_deletion_of_something_held_takes_its_time(shipping: Caller) -> None:
    await shipping.place("add", PARCEL)
    await shipping.complete()
    assert (await shipping.place("delete", PARCEL, n=1)).json()["state"] == "acknowledged"
    assert len(await shipping.services()) == 1
    await shipping.complete()
    assert await shipping.services() == []
    assert await shipping.state_of(f"{PARCEL}/1") == "completed"


async def test_what_is_being_deleted_is_not_modified(shipping: Caller) -> None:
    await shipping.place("add", PARCEL)
    await shipping.complete()
    await shipping.place("delete", PARCEL, n=1)
    assert refused(await shipping.place("modify", PARCEL, n=2), 404, "unknown_service")


async def test_a_deletion_cancels_a_pending_modification(shipping: Caller) -> None:
    await shipping.place("add", PARCEL, to="A")
    await shipping.complete()
    await shipping.place("modify", PARCEL, n=1, to="B")
    await shipping.place("delete", PARCEL, n=2)
    assert await shipping.state_of(f"{PARCEL}/1") == "cancelled"
    await shipping.complete()
    assert await shipping.services() == []


async def test_an_addition_that_lands_after_its_deletion_does_nothing(shipping: Caller) -> None:
    await shipping.place("delete", PARCEL, n=1)
    late = await shipping.place("add", PARCEL, n=0)
    assert replayed(late)
    assert (late.status_code, late.json()["state"]) == (200, "cancelled")
    assert item_of(late.json())["service"]["state"] == "terminated"
    assert await shipping.services() == []
    assert await shipping.state_of(f"{PARCEL}/0") == "cancelled"


async def test_a_modification_overtaken_by_a_newer_one_goes_along_with_it(shipping: Caller) -> None:
    await shipping.place("add", PARCEL, to="A")
    await shipping.place("modify", PARCEL, n=2, to="C")
    late = await shipping.place("modify", PARCEL, n=1, to="B")
    assert replayed(late)
    assert await shipping.state_of(f"{PARCEL}/1") == "acknowledged"
    await shipping.complete()
    assert await shipping.state_of(f"{PARCEL}/1") == "completed"
    assert (await shipping.service()).characteristics == {"to": "C"}


async def test_an_addition_that_fails_leaves_nothing_and_can_be_tried_anew(shipping: Caller) -> None:
    await shipping.place("add", PARCEL)
    assert await shipping.complete(outcome="failed", code="address_unknown") == 1
    [order] = (await shipping.poll(f"{PARCEL}/0")).json()
    assert order["state"] == "failed"
    [message] = order["errorMessage"]
    assert message["code"] == "address_unknown"
    assert message.keys() == {"code", "reason", "message"}
    assert await shipping.services() == []
    assert (await shipping.place("add", PARCEL, n=1)).status_code == 201
    await shipping.complete()
    assert len(await shipping.services()) == 1


async def test_a_modification_that_fails_leaves_what_was_there(shipping: Caller) -> None:
    await shipping.place("add", PARCEL, to="A")
    await shipping.complete()
    await shipping.place("modify", PARCEL, n=1, to="B")
    await shipping.complete(outcome="failed")
    assert await shipping.state_of(f"{PARCEL}/1") == "failed"
    service = await shipping.service()
    assert (service.state, service.characteristics) == (ServiceState.ACTIVE, {"to": "A"})


async def test_a_deletion_that_fails_leaves_what_was_there(shipping: Caller) -> None:
    await shipping.place("add", PARCEL)
    await shipping.complete()
    await shipping.place("delete", PARCEL, n=1)
    await shipping.complete(outcome="failed")
    assert (await shipping.service()).state is ServiceState.ACTIVE


async def test_the_journal_has_the_call_and_later_its_effect(shipping: Caller) -> None:
    await shipping.place("add", PARCEL)
    await shipping.complete()
    await shipping.place("modify", PARCEL, n=1)
    await shipping.complete(outcome="failed", code="no")
    await shipping.place("delete", PARCEL, n=2)
    await shipping.complete()
    assert await shipping.outcomes() == [
        ("provision", "applied", None),
        ("provision.done", "applied", None),
        ("amend", "applied", None),
        ("amend.done", "refused", "no"),
        ("compensate", "applied", None),
        ("compensate.done", "applied", None),
    ]


async def test_a_deletion_done_at_once_is_journaled_as_done_at_once(shipping: Caller) -> None:
    await shipping.place("delete", PARCEL)
    assert [verb for verb, _, _ in await shipping.outcomes()] == ["compensate", "compensate.done"]


async def test_a_value_taken_while_work_was_pending_makes_it_fail(client: AsyncClient) -> None:
    numbers = Caller(client, "number-inventory", "number")
    await numbers.pace(None)
    await numbers.place("add", "O1/a/b/0", number="+491")
    await numbers.complete()
    await numbers.place("modify", "O1/a/b/0", n=1, number="+492")
    await numbers.provision("O2/a/b/0", number="+492")
    await numbers.complete("O1")
    [order] = (await numbers.poll("O1/a/b/0/1")).json()
    assert order["errorMessage"][0]["code"] == "resource_in_use"
