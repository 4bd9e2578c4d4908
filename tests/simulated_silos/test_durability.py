from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from httpx2 import ASGITransport, AsyncClient, ConnectError, TransportError

from simulated_silos.app import create_app
from simulated_silos.store import FILE_NAME, StoreError
from tests.simulated_silos.support import Caller, Receiver, refused, replayed, running, values

LINE = "O1.1.1/voice/line/0"
PARCEL = "O1/shipping/parcel/0"


def in_process(data_dir: Path) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(create_app(data_dir)), base_url="http://silos")


async def test_a_killed_process_comes_back_with_everything_it_had(tmp_path: Path, receiver: Receiver) -> None:
    async with running(tmp_path) as silos, AsyncClient(base_url=silos.url) as client:
        voice, port = Caller(client, "voice", "line"), silos.port
        numbers = Caller(client, "number-inventory", "number")
        shipping = Caller(client, "shipping", "pallet", callback_url=receiver.url)
        first = await voice.provision(LINE, port="P1")
        await voice.compensate("O1.1.2/voice/line/0", n=1)
        drawn = values((await numbers.provision("O1.1.1/voice/number/0")).json())["number"]
        await voice.faults(permanent=[{"operation": "*", "match": "O7", "code": "no"}])
        await shipping.pace(1000)
        await shipping.place("add", PARCEL, to="A")
        await shipping.place("modify", PARCEL, n=1, to="B")
        held = (await client.get("/_sim/services")).json()
        journal = (await client.get("/_sim/journal")).json()
        assert await silos.ended_by(signal.SIGKILL) == (-signal.SIGKILL, "")

    async with running(tmp_path, port) as silos, AsyncClient(base_url=silos.url) as client:
        voice.client = numbers.client = shipping.client = client
        event = await receiver.next()
        assert event["event"]["serviceOrder"]["externalId"] == f"{PARCEL}/1"
        assert receiver.events.empty()
        held_now = (await client.get("/_sim/services")).json()
        [parcel] = held_now.pop("shipping")
        held.pop("shipping")
        assert held_now == held
        assert (parcel["state"], parcel["characteristics"]) == ("active", {"to": "B"})
        *before, done = (await client.get("/_sim/journal")).json()
        assert before == journal
        assert (done["seq"], done["verb"]) == (len(journal) + 1, "amend.done")
        again = await voice.provision(LINE, port="P1")
        assert replayed(again)
        assert again.json() == first.json()
        assert refused(await voice.provision(LINE, port="P2"), 409, "key_reused")
        assert (await voice.provision("O1.1.2/voice/line/0")).json()["state"] == "terminated"
        assert refused(await numbers.provision("O2.1.1/voice/number/0", number=drawn), 409, "resource_in_use")
        assert values((await numbers.provision("O3.1.1/voice/number/0")).json())["number"] != drawn
        assert refused(await voice.provision("O7.1.1/voice/line/0"), 422, "no")
        assert await silos.ended_by(signal.SIGTERM) == (0, "")


async def test_a_lost_response_is_a_connection_cut_without_a_word() -> None:
    async with running() as silos, AsyncClient(base_url=silos.url) as client:
        voice = Caller(client, "voice", "line")
        await voice.faults(lose_response_rate=1)
        with pytest.raises(TransportError) as lost:
            await voice.provision(LINE)
        assert not isinstance(lost.value, ConnectError)
        assert len(await voice.services()) == 1
        reader, writer = await asyncio.open_connection("127.0.0.1", silos.port)
        writer.write(b"GET /voice/service/x%2F0 HTTP/1.1\r\nHost: silos\r\n\r\n")
        try:
            said = await reader.read()
        except ConnectionResetError:
            said = b""
        writer.close()
        assert said == b""
        # A call that is being delayed does not delay the end.
        await voice.faults(latency_ms=60_000)
        delayed = asyncio.create_task(voice.inspect(LINE))
        await asyncio.sleep(0.1)
        started = asyncio.get_running_loop().time()
        assert await silos.ended_by(signal.SIGINT) == (0, "")
        assert asyncio.get_running_loop().time() - started < 1.5
        with pytest.raises(TransportError):
            await delayed


async def test_a_port_that_is_taken_is_named_in_the_error(receiver: Receiver) -> None:
    port = int(receiver.url.split(":")[2].split("/")[0])
    with pytest.raises(RuntimeError, match=r"^silos: .*[Aa]ddress already in use"):
        async with running(port=port):
            pass


async def test_a_line_cut_off_by_the_kill_is_dropped(tmp_path: Path) -> None:
    async with in_process(tmp_path) as client:
        await Caller(client, "voice", "line").provision(LINE)
    file = tmp_path / FILE_NAME
    whole = file.read_bytes()
    file.write_bytes(whole + whole[: len(whole) // 2])
    async with in_process(tmp_path) as client:
        voice = Caller(client, "voice", "line")
        assert [each.id for each in await voice.services()] == [LINE]
        await voice.compensate(LINE)
    async with in_process(tmp_path) as client:
        assert await Caller(client, "voice", "line").services() == []


async def test_a_broken_line_among_others_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('{"silo":"voice"}\nnonsense\n{"silo":"voice"}\n')
    with pytest.raises(StoreError, match=r"silos\.jsonl, line 2"):
        create_app(tmp_path)


async def test_work_left_pending_ends_where_no_server_starts_the_application(tmp_path: Path) -> None:
    async with in_process(tmp_path) as client:
        shipping = Caller(client, "shipping", "parcel")
        await shipping.pace(20)
        await shipping.place("add", PARCEL)
    async with in_process(tmp_path) as client:
        shipping.client = client
        await shipping.until(f"{PARCEL}/0", "completed")


async def test_a_reset_lasts(tmp_path: Path) -> None:
    async with in_process(tmp_path) as client:
        voice = Caller(client, "voice", "line")
        await voice.provision(LINE)
        await voice.faults(outage=True)
        await client.post("/_sim/reset")
        await voice.provision(LINE, port="P2")
    async with in_process(tmp_path) as client:
        voice.client = client
        assert (await voice.service()).characteristics == {"port": "P2"}
        assert [each.seq for each in await voice.journal()] == [1]


async def test_faults_and_pace_last(tmp_path: Path) -> None:
    async with in_process(tmp_path) as client:
        await client.put("/_sim/*/faults", json={"outage": True})
        await client.delete("/_sim/shipping/faults")
        await client.put("/_sim/shipping/pace", json={"completes_after_ms": None})
    async with in_process(tmp_path) as client:
        assert (await Caller(client, "quantum-relay", "entangle").inspect(LINE)).status_code == 503
        shipping = Caller(client, "shipping", "parcel")
        await shipping.place("add", PARCEL)
        await client.delete("/_sim/shipping/pace")
    async with in_process(tmp_path) as client:
        shipping.client = client
        assert await shipping.state_of(f"{PARCEL}/0") == "acknowledged"
        assert await shipping.complete() == 1
