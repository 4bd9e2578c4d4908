"""The simulated silos on a port: uvicorn, with connections that can be cut, and a quick end."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from simulated_silos.app import CUT, create_app
from simulated_silos.simulator import Simulator


class CuttableProtocol(HttpToolsProtocol):
    """Hands each request what cuts its connection. An exception would not: uvicorn answers that with a 500."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, CUT: self._cut}, _loop)

    def _cut(self) -> None:
        self.transport.abort()


class Server(uvicorn.Server):
    """Serves the silos until a signal comes, and says so on stdout once it does."""

    def __init__(self, config: uvicorn.Config, simulator: Simulator, address: str) -> None:
        super().__init__(config)
        self._simulator = simulator
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        print(f"silos at {self._address}", flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, without waiting for calls that are only being delayed."""
        self._simulator.halt()
        await super().shutdown(sockets)


def serve(
    host: str = "127.0.0.1",
    port: int = 8100,
    data_dir: Path | None = None,
    tokens: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Run the silos until SIGTERM or SIGINT. Port 0 takes a free one; the address is printed.

    `tokens` are what silos send along with their callbacks, by silo.

    Raises:
        OSError: if the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=2048) as listener:
        bound = listener.getsockname()[1]
        app = create_app(data_dir, tokens)
        config = uvicorn.Config(
            app,
            http=CuttableProtocol,
            ws="none",
            log_config=None,
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            # Callers keep connections for long, and a new one costs them more than it is worth here.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        shown = f"[{host}]" if ":" in host else host
        server = Server(config, app.state.simulator, f"http://{shown}:{bound}")
        with _ended_by_signals(server):
            server.run(sockets=[listener])


@contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Make a signal the ordinary end: uvicorn ends on it too, but then dies of it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        if not server.started:
            sys.exit(0)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
