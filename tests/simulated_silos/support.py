"""What the tests of the simulated silos have in common: a caller, a receiver of callbacks, a process."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from httpx2 import AsyncClient, Response

from simulated_silos.silo.model import JournalEntry, Service

ROOT = Path(__file__).resolve().parents[2]


def refused(response: Response, status: int, code: str) -> bool:
    """True for an error answer with that status and code, and nothing missing in its body."""
    body = response.json()
    return response.status_code == status and body["code"] == code and bool(body["reason"] and body["message"])


def replayed(response: Response) -> bool:
    return response.headers.get("Idempotent-Replay") == "true"


def values(service: dict[str, Any]) -> dict[str, Any]:
    """The characteristics of a service on the wire, by name."""
    return {each["name"]: each["value"] for each in service["serviceCharacteristic"]}


@dataclass
class Caller:
    """Calls one silo on behalf of an order, as an activity would."""

    client: AsyncClient
    silo: str
    operation: str
    order: str = "O1"
    callback_url: str | None = None

    def headers(self, key: str | None) -> dict[str, str]:
        given = {"Order-Id": self.order, "Idempotency-Key": key, "Callback-Url": self.callback_url}
        return {name: value for name, value in given.items() if value is not None}

    def body(self, inputs: dict[str, Any]) -> dict[str, Any]:
        characteristics = [{"name": name, "value": value} for name, value in inputs.items()]
        return {"serviceSpecification": {"id": self.operation}, "serviceCharacteristic": characteristics}

    def path(self, service_id: str) -> str:
        return f"/{self.silo}/service/{quote(service_id, safe='')}"

    async def provision(self, service_id: str, n: int = 0, **inputs: Any) -> Response:
        body = {"id": service_id, "state": "active", **self.body(inputs)}
        return await self.client.post(f"/{self.silo}/service", json=body, headers=self.headers(f"{service_id}/{n}"))

    async def amend(self, service_id: str, n: int = 1, **inputs: Any) -> Response:
        headers = self.headers(f"{service_id}/{n}")
        return await self.client.patch(self.path(service_id), json=self.body(inputs), headers=headers)

    async def compensate(self, service_id: str, n: int = 1) -> Response:
        return await self.client.delete(self.path(service_id), headers=self.headers(f"{service_id}/{n}"))

    async def inspect(self, service_id: str) -> Response:
        return await self.client.get(self.path(service_id))

    async def place(self, action: str, service_id: str, n: int = 0, **inputs: Any) -> Response:
        key = f"{service_id}/{n}"
        item = {"id": "1", "action": action, "service": {"id": service_id, **self.body(inputs)}}
        body = {"externalId": key, "serviceOrderItem": [item]}
        return await self.client.post(f"/{self.silo}/serviceOrder", json=body, headers=self.headers(key))

    async def poll(self, key: str) -> Response:
        return await self.client.get(f"/{self.silo}/serviceOrder", params={"externalId": key})

    async def state_of(self, key: str) -> str:
        [order] = (await self.poll(key)).json()
        return order["state"]

    async def until(self, key: str, state: str) -> dict[str, Any]:
        """Poll until a service order has reached a state."""
        async with asyncio.timeout(5):
            while True:
                [order] = (await self.poll(key)).json()
                if order["state"] == state:
                    return order
                await asyncio.sleep(0.01)

    async def services(self, order: str | None = None) -> list[Service]:
        found = await self.client.get(f"/_sim/{self.silo}/services", params={"order": order} if order else {})
        return [Service.model_validate(each) for each in found.json()]

    async def service(self) -> Service:
        """The only thing that is held."""
        [service] = await self.services()
        return service

    async def journal(self, order: str | None = None) -> list[JournalEntry]:
        found = await self.client.get(f"/_sim/{self.silo}/journal", params={"order": order} if order else {})
        return [JournalEntry.model_validate(each) for each in found.json()]

    async def outcomes(self) -> list[tuple[str, str, str | None]]:
        """Verb, outcome and code of every call so far."""
        return [(entry.verb, entry.outcome.value, entry.code) for entry in await self.journal()]

    async def faults(self, **faults: Any) -> Response:
        return await self.client.put(f"/_sim/{self.silo}/faults", json=faults)

    async def pace(self, completes_after_ms: int | None) -> Response:
        return await self.client.put(f"/_sim/{self.silo}/pace", json={"completes_after_ms": completes_after_ms})

    async def complete(self, match: str = "", **wish: Any) -> int:
        answer = await self.client.post(f"/_sim/{self.silo}/complete", json={"match": match, **wish})
        return answer.json()["completed"]

    async def reach(self, name: str, match: str = "") -> int:
        answer = await self.client.post(f"/_sim/{self.silo}/milestone", json={"match": match, "name": name})
        return answer.json()["reached"]

    async def lose(self, service_id: str) -> Response:
        return await self.client.post(f"/_sim/{self.silo}/lose", json={"id": service_id})


@dataclass
class Receiver:
    """A tiny HTTP server that takes callbacks in. `answers` are the status codes to come, then 204.

    `senders` are the headers `authorization` that came, in lower case; None where there was none.
    """

    url: str = ""
    events: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    answers: list[int] = field(default_factory=list)
    senders: list[str | None] = field(default_factory=list)
    connections: dict[asyncio.StreamWriter, asyncio.Task[Any]] = field(default_factory=dict)

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.events.get(), timeout=5)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections[writer] = task
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                senders = [line.split(": ")[1] for line in head.splitlines() if line.startswith("authorization")]
                self.senders.append(senders[0] if senders else None)
                [length] = [line.split(":")[1] for line in head.splitlines() if line.startswith("content-length")]
                self.events.put_nowait(json.loads(await reader.readexactly(int(length))))
                status = self.answers.pop(0) if self.answers else 204
                writer.write(f"HTTP/1.1 {status} OK\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            del self.connections[writer]


@asynccontextmanager
async def receiving(port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver on a port."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver._answer, "127.0.0.1", port)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/events"
    try:
        yield receiver
    finally:
        server.close()
        handlers = list(receiver.connections.values())
        for connection in list(receiver.connections):
            connection.close()
        await asyncio.gather(*handlers)


@dataclass
class Running:
    """A process of silos."""

    process: asyncio.subprocess.Process
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    async def ended_by(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal, and await the end: exit code and what it said on stderr."""
        self.process.send_signal(number)
        _, stderr = await asyncio.wait_for(self.process.communicate(), timeout=5)
        assert self.process.returncode is not None
        return self.process.returncode, stderr.decode()


@asynccontextmanager
async def running(data_dir: Path | None = None, port: int = 0) -> AsyncIterator[Running]:
    """A process of silos, which is killed at the end if it still runs."""
    arguments = ["-m", "simulated_silos", "--port", str(port), *(["--data-dir", str(data_dir)] if data_dir else [])]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdout=pipe, stderr=pipe)
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), timeout=20)
        if not line:
            raise RuntimeError((await process.communicate())[1].decode())
        yield Running(process, line.decode().split()[-1])
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
