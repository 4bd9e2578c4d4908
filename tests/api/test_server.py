"""A connection to the API: what comes without end, or not at all, is cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from fastapi import FastAPI

from api import server
from api.server import BoundedProtocol
from tests.running.pipe import free_port, listening


@pytest_asyncio.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(BoundedProtocol, "head_within_s", 0.3)
    app, number = FastAPI(), free_port()

    @app.post("/there")
    async def there(body: list[int]) -> int:
        return len(body)

    async with listening(app, number, http=BoundedProtocol):
        yield number


async def answer(port: int, *pieces: bytes) -> bytes:
    """All that comes back until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_request_is_answered_whose_body_comes_with_its_head(port: int) -> None:
    body = b"[" + b"1," * server.HEAD_BYTES + b"1]"
    head = b"POST /there HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n"
    said = await answer(port, head + b"content-length: %d\r\n\r\n" % len(body) + body)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"%d" % (server.HEAD_BYTES + 1))


async def test_a_head_without_end_is_refused(port: int) -> None:
    said = await answer(port, b"GET /there HTTP/1.1\r\nhost: a\r\nx: ", *[b"y" * 100_000] * 10)
    assert said == b"" or said.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("sent", [b"", b"GET /there HTT", b"GET /there HTTP/1.1\r\nhost: a\r\n"])
async def test_a_head_that_does_not_come_is_not_waited_for(port: int, sent: bytes) -> None:
    assert (await answer(port, sent)).startswith(b"HTTP/1.1 408 ")
