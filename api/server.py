"""The API on a port: uvicorn, with limits that hold without a proxy, before anything is known of a caller."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import threading
import time
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES: Final = 64 * 2**10
"""Of a request line with its headers, as far as they are looked at."""
HEAD_WITHIN_S: Final = 10.0
"""From the first byte of a request, or from the connection, until its headers are there."""
MOST_CONNECTIONS: Final = 1000
IDLE_S: Final = 65
"""How long a connection may wait for its next request: longer than clients and load balancers keep theirs, which is a
minute at most as a rule. Else one could be closed that was just written to, and its caller would not know what became
of the request."""
UNREAD_BYTES: Final = 128 * 2**10
"""Of a connection that the operating system takes in before they are read here. By itself it takes megabytes, from
each of those too who have no token."""
_TURN_S: Final = 0.001
"""How long Python lets a thread go on while others wait. Each of those that work for requests keeps the event loop from
its turn for so long, again and again; by default five times as long."""

_NEW_OBJECTS: Final = 5_000
"""How many there are before Python looks for garbage among them; after ten times among those of all ten."""
_NEVER: Final = 1_000_000
_COLLECTS_ALL_AFTER_S: Final = 600


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed where headers are too long, or too long in coming. uvicorn has no limits for either.

    What is read ahead of the application is bounded by uvicorn, and a body by `api.access.limits`.
    """

    head_within_s: float = HEAD_WITHIN_S
    _overdue: asyncio.TimerHandle | None = None
    _unread: int | None = 0
    """Bytes of a head that is not complete. None while a request is read or answered."""

    def connection_made(self, transport: Any) -> None:
        """Wait for the first request."""
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UNREAD_BYTES)
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._have_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, but no endless head."""
        super().data_received(data)
        if self._unread is not None:
            self._unread += len(data)
            if self._unread > HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """A request comes."""
        self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its headers are there."""
        self._have_head()
        super().on_headers_complete()

    def _await_head(self) -> None:
        if self._overdue is None:
            self._unread = 0
            self._overdue = self.loop.call_later(self.head_within_s, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _have_head(self) -> None:
        self._unread = None
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _refuse(self, status: HTTPStatus) -> None:
        self._have_head()
        if not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                line = f"HTTP/1.1 {status.value} {status.phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
                self.transport.write(line.encode())
            self.transport.close()


def _collect_in_small_pieces() -> None:
    """Have Python look for garbage among what is new, and not among all that there is, but for once in a while.

    It stops everything to look: for half a second, and every other second, where several bodies of a megabyte are read
    at the same time. Nearly all that a request leaves behind is gone without looking.
    """
    gc.collect()
    gc.freeze()  # What was imported stays.
    gc.set_threshold(_NEW_OBJECTS, 10, _NEVER)
    threading.Thread(target=_collect_all_once_in_a_while, name="garbage", daemon=True).start()


def _collect_all_once_in_a_while() -> None:
    while True:
        time.sleep(_COLLECTS_ALL_AFTER_S)
        gc.collect()


def run(app: FastAPI, host: str, port: int) -> None:
    """Serve the API until a signal comes."""
    sys.setswitchinterval(_TURN_S)
    _collect_in_small_pieces()
    uvicorn.run(
        app,
        host=host,
        port=port,
        http=BoundedProtocol,
        ws="none",
        log_config=None,  # See `logs`.
        log_level="warning",
        access_log=False,  # The API writes its own.
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=1,
    )
