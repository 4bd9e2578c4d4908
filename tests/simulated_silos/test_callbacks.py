from __future__ import annotations

import asyncio
from typing import Any

from httpx2 import ASGITransport, AsyncClient

from simulated_silos.app import create_app
from simulated_silos.protocols.callbacks import Callbacks
from tests.simulated_silos.support import Caller, Receiver, receiving

PARCEL = "O1/shipping/parcel/0"


def key_of(event: dict[str, Any]) -> str:
    return event["event"]["serviceOrder"]["externalId"]


def told(receiver: Receiver) -> list[str]:
    """The keys of all orders told of so far."""
    return [key_of(receiver.events.get_nowait()) for _ in range(receiver.events.qsize())]


async def test_a_completed_order_is_told_to_whoever_placed_it(shipping: Caller, receiver: Receiver) -> None:
    await shipping.place("add", PARCEL, to="A")
    await shipping.complete()
    event = await receiver.next()
    assert event.keys() == {"eventId", "eventTime", "eventType", "correlationId", "event"}
    assert (event["eventType"], event["correlationId"]) == ("ServiceOrderStateChangeEvent", "O1")
    assert [event["event"]["serviceOrder"]] == (await shipping.poll(f"{PARCEL}/0")).json()


async def test_a_failed_order_is_told_too(shipping: Caller, receiver: Receiver) -> None:
    await shipping.place("add", PARCEL)
    await shipping.complete(outcome="failed", code="lost_in_the_post")
    order = (await receiver.next())["event"]["serviceOrder"]
    assert (order["state"], order["errorMessage"][0]["code"]) == ("failed", "lost_in_the_post")


async def test_work_whose_time_has_come_is_told_without_anybody_asking(shipping: Caller, receiver: Receiver) -> None:
    await shipping.pace(10)
    await shipping.place("add", PARCEL)
    assert key_of(await receiver.next()) == f"{PARCEL}/0"


async def test_nothing_is_told_to_those_who_left_no_address(
    shipping: Caller, receiver: Receiver, callbacks: Callbacks
) -> None:
    shipping.callback_url = None
    await shipping.place("add", PARCEL)
    assert await shipping.complete() == 1
    await callbacks.settled()
    assert told(receiver) == []


async def test_dropped_callbacks_are_never_sent(shipping: Caller, receiver: Receiver, callbacks: Callbacks) -> None:
    await shipping.faults(drop_callback_rate=1)
    await shipping.place("add", PARCEL)
    assert await shipping.complete() == 1
    await callbacks.settled()
    assert told(receiver) == []


async def test_doubled_callbacks_come_twice_and_are_the_same(shipping: Caller, receiver: Receiver) -> None:
    await shipping.faults(duplicate_callback_rate=1)
    await shipping.place("add", PARCEL)
    await shipping.complete()
    assert await receiver.next() == await receiver.next()


async def test_a_seed_decides_which_callbacks_get_lost(
    shipping: Caller, receiver: Receiver, callbacks: Callbacks, client: AsyncClient
) -> None:
    runs = []
    for _ in range(2):
        await client.post("/_sim/reset")
        await shipping.pace(None)
        await shipping.faults(drop_callback_rate=0.5, seed=7)
        for n in range(20):
            await shipping.place("add", f"O1/shipping/parcel/{n}")
        await shipping.complete()
        await callbacks.settled()
        runs.append(sorted(told(receiver)))
    assert runs[0] == runs[1]
    assert 0 < len(runs[0]) < 20


async def test_a_slow_receiver_holds_up_neither_the_silo_nor_other_callbacks(shipping: Caller) -> None:
    arrived = asyncio.Event()
    open_connections: list[asyncio.StreamWriter] = []

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_connections.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        if len(open_connections) == 5:
            arrived.set()

    server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    shipping.callback_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    for n in range(5):
        await shipping.place("add", f"O1/shipping/parcel/{n}")
    assert await shipping.complete() == 5
    await asyncio.wait_for(arrived.wait(), 5)
    assert len(await shipping.services()) == 5
    for writer in open_connections:
        writer.close()
    server.close()


async def test_a_callback_that_reaches_nobody_is_tried_again() -> None:
    async with receiving() as receiver:
        port = int(receiver.url.split(":")[2].split("/")[0])
    callbacks = Callbacks(retry_delays=(0.05, 0.05, 5))
    callbacks.send(f"http://127.0.0.1:{port}/events", b'{"a": 1}')
    await asyncio.sleep(0)
    async with receiving(port) as receiver:
        assert await receiver.next() == {"a": 1}
    await callbacks.close()


async def test_a_callback_is_given_up_after_three_retries(receiver: Receiver) -> None:
    receiver.answers = [503] * 4
    callbacks = Callbacks(retry_delays=(0, 0, 0))
    callbacks.send(receiver.url, b'{"n": 1}')
    assert [await receiver.next() for _ in range(4)] == [{"n": 1}] * 4
    await callbacks.settled()
    assert receiver.events.empty()
    await callbacks.close()


async def test_a_callback_that_is_refused_is_not_tried_again(receiver: Receiver) -> None:
    receiver.answers = [404]
    callbacks = Callbacks(retry_delays=(0, 0, 0))
    callbacks.send(receiver.url, b'{"n": 1}')
    assert await receiver.next() == {"n": 1}
    await callbacks.settled()
    assert receiver.events.empty()
    await callbacks.close()


async def test_a_silo_tells_of_a_thing_that_it_lost(voice: Caller, receiver: Receiver) -> None:
    voice.callback_url = receiver.url
    await voice.provision("O1.1.1/voice/line/0")
    assert (await voice.lose("O1.1.1/voice/line/0")).status_code == 204
    event = await receiver.next()
    assert (event["eventType"], event["correlationId"]) == ("ServiceStateChangeEvent", "O1")
    assert event["event"] == {"service": {"id": "O1.1.1/voice/line/0", "state": "terminated"}}
    assert await voice.services() == []


async def test_a_silo_that_has_a_token_sends_it_along_and_no_other_does(receiver: Receiver) -> None:
    app = create_app(tokens={"shipping": "secret-of-shipping"})
    async with AsyncClient(transport=ASGITransport(app), base_url="http://silos") as client:
        for silo in ("shipping", "field-service"):
            caller = Caller(client, silo, "parcel", callback_url=receiver.url)
            await caller.pace(0)
            await caller.place("add", f"O1/{silo}/parcel/0")
            await receiver.next()
        shipping = Caller(client, "shipping", "parcel")
        await shipping.lose("O1/shipping/parcel/0")
        await receiver.next()
    assert receiver.senders == ["bearer secret-of-shipping", None, "bearer secret-of-shipping"]
    await app.state.simulator.close()
