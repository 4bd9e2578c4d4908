"""What asynchronous silos report on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from httpx2 import ASGITransport, AsyncClient

from simulated_silos.app import create_app
from simulated_silos.protocols.callbacks import Callbacks
from tests.simulated_silos.support import Caller, Receiver

PARCEL = "O1/shipping/parcel/0"
KEY = f"{PARCEL}/0"


def names(order: dict[str, Any]) -> list[str]:
    """The milestones of a service order."""
    return [milestone["name"] for milestone in order.get("milestone", [])]


async def reached(caller: Caller, key: str = KEY) -> list[str]:
    """The milestones that a poll tells."""
    [order] = (await caller.poll(key)).json()
    return names(order)


async def test_a_milestone_is_reported_on_command_and_told_when_polled(shipping: Caller, receiver: Receiver) -> None:
    await shipping.place("add", PARCEL)
    assert await shipping.reach("handed-over", match="O2") == 0
    assert await shipping.reach("handed-over", match="O1") == 1
    event = await receiver.next()
    assert (event["eventType"], event["correlationId"]) == ("ServiceOrderMilestoneEvent", "O1")
    assert [event["event"]["serviceOrder"]] == (await shipping.poll(KEY)).json()
    [milestone] = event["event"]["serviceOrder"]["milestone"]
    assert (milestone["name"], milestone["status"]) == ("handed-over", "Completed")
    assert await shipping.state_of(KEY) == "acknowledged"


async def test_it_is_reached_once_and_not_after_the_end(shipping: Caller) -> None:
    await shipping.place("add", PARCEL)
    assert [await shipping.reach("handed-over") for _ in range(2)] == [1, 0]
    await shipping.complete()
    assert await shipping.reach("opened") == 0


async def test_work_reports_the_milestones_of_its_profile_by_itself(shipping: Caller, receiver: Receiver) -> None:
    await shipping.pace(20)
    await shipping.place("add", PARCEL)
    events = [await receiver.next() for _ in range(2)]
    # Events are sent side by side: they may overtake each other.
    told = {event["eventType"]: names(event["event"]["serviceOrder"]) for event in events}
    assert told == {"ServiceOrderMilestoneEvent": ["handed-over"], "ServiceOrderStateChangeEvent": ["handed-over"]}


async def test_work_that_is_done_at_once_tells_its_milestones_with_the_end(
    shipping: Caller, receiver: Receiver
) -> None:
    await shipping.pace(0)
    await shipping.place("add", PARCEL)
    event = await receiver.next()
    assert event["eventType"] == "ServiceOrderStateChangeEvent"
    assert names(event["event"]["serviceOrder"]) == ["handed-over"]


async def test_what_failed_or_makes_nothing_has_no_more_milestones_than_it_reported(shipping: Caller) -> None:
    for name in ("weighed", None):
        parcel = f"O1/shipping/{name}/0"
        await shipping.place("add", parcel)
        if name:
            await shipping.reach(name, match=parcel)
        await shipping.complete(parcel, outcome="failed")
        assert await reached(shipping, f"{parcel}/0") == ([name] if name else [])
    await shipping.place("add", PARCEL)
    await shipping.complete()
    for n, action in ((1, "modify"), (2, "delete")):
        await shipping.place(action, PARCEL, n)
        await shipping.complete()
        assert await reached(shipping, f"{PARCEL}/{n}") == []


async def test_an_amendment_that_takes_pending_work_over_has_its_milestones_behind(shipping: Caller) -> None:
    await shipping.place("add", PARCEL, to="A")
    await shipping.reach("weighed")
    await shipping.place("modify", PARCEL, 1, to="B")
    await shipping.reach("handed-over")
    assert [await reached(shipping, f"{PARCEL}/{n}") for n in (0, 1)] == [["weighed", "handed-over"]] * 2


async def test_events_of_milestones_meet_the_same_faults_as_others(
    shipping: Caller, receiver: Receiver, callbacks: Callbacks
) -> None:
    await shipping.place("add", PARCEL)
    await shipping.faults(drop_callback_rate=1)
    await shipping.reach("weighed")
    await callbacks.settled()
    assert receiver.events.empty()
    await shipping.faults(duplicate_callback_rate=1)
    await shipping.reach("handed-over")
    assert [names((await receiver.next())["event"]["serviceOrder"]) for _ in range(2)] == [
        ["weighed", "handed-over"]
    ] * 2


async def test_milestones_outlive_the_process(tmp_path: Path) -> None:
    app = create_app(tmp_path)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://silos") as client:
        shipping = Caller(client, "shipping", "parcel")
        await shipping.pace(None)
        await shipping.place("add", PARCEL)
        await shipping.reach("handed-over")
        before = (await shipping.poll(KEY)).json()
    await app.state.simulator.close()
    again = create_app(tmp_path)
    async with AsyncClient(transport=ASGITransport(again), base_url="http://silos") as client:
        assert (await Caller(client, "shipping", "parcel").poll(KEY)).json() == before
    await again.state.simulator.close()
