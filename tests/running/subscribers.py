"""Subscribers for tests: a tiny HTTP server that takes events, or does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def event_id(self) -> str:
        return self.event["eventId"]


@dataclass
class Subscriber:
    """Takes events in. `answer` gives the status for each, or None to say nothing at all."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    """Of the events that it took, in order of arrival."""
    answer: Callable[[Received], int | None] = lambda received: 204
    headers: str = ""
    body: bytes = b""
    withheld: int = 0
    """Bytes of the answer that are promised and never sent."""
    _connections: dict[asyncio.StreamWriter, asyncio.Task[Any]] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[writer] = task
        try:
            while True:
                first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
                content = await reader.readexactly(int(headers.get("content-length", 0)))
                received = Received(first.split()[1], headers, content)
                self.received.append(received)
                status = self.answer(received)
                if status is None:
                    await asyncio.Event().wait()
                    return
                if status < 300:
                    self.took(received)
                length = f"content-length: {len(self.body) + self.withheld}\r\n"
                head = f"HTTP/1.1 {status} Whatever\r\n{self.headers}{length}\r\n"
                writer.write(head.encode() + self.body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            del self._connections[writer]

    def took(self, received: Received) -> None:
        """Note what was taken. What other servers take has no event."""
        if received.body != b"{}":
            self.ids.append(received.event_id)

    async def hang_up(self) -> None:
        """End every connection."""
        tasks = list(self._connections.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def subscribed(port: int = 0, subscriber: Subscriber | None = None) -> AsyncIterator[Subscriber]:
    """A subscriber on a loopback port: a new one, or one that comes back."""
    subscriber = subscriber or Subscriber()
    server = await asyncio.start_server(subscriber.serve, "127.0.0.1", port)
    subscriber.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield subscriber
    finally:
        server.close()
        await subscriber.hang_up()
