"""Callbacks: events that silos POST to whoever called them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx2

RETRY_DELAYS = (0.2, 1.0, 3.0)
"""Seconds before each new attempt after one that reached nobody."""


class Callbacks:
    """Sends events side by side with everything else; nobody waits for it, nobody hears of what reached nobody."""

    def __init__(self, retry_delays: Sequence[float] = RETRY_DELAYS) -> None:
        self._retry_delays = retry_delays
        self._client: httpx2.AsyncClient | None = None
        self._sending: set[asyncio.Task[None]] = set()

    def send(self, url: str, event: bytes, copies: int = 1, token: str | None = None) -> None:
        """POST an event (JSON) that many times: not at all, once, or twice. `token` says who sends it."""
        for _ in range(copies):
            task = asyncio.create_task(self._send(url, event, token))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def abandon(self) -> None:
        """Send nothing more of what is under way."""
        for task in self._sending:
            task.cancel()

    async def settled(self) -> None:
        """Return once nothing is under way any more."""
        while self._sending:
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def close(self) -> None:
        """Abandon what is under way and close the connections."""
        self.abandon()
        await self.settled()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _send(self, url: str, event: bytes, token: str | None) -> None:
        headers = {"content-type": "application/json"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        if self._client is None:
            # No limit to waiting for a connection: thousands of events may be due at once. No proxy from the
            # environment either: events stay between silo and caller.
            timeout = httpx2.Timeout(10, pool=None)
            limits = httpx2.Limits(max_connections=50)
            self._client = httpx2.AsyncClient(timeout=timeout, limits=limits, trust_env=False)
        for delay in (*self._retry_delays, None):
            try:
                answer = await self._client.post(url, content=event, headers=headers)
                if answer.status_code < 500:
                    return
            except httpx2.TransportError:
                pass
            except (httpx2.InvalidURL, httpx2.HTTPError):
                return
            if delay is not None:
                await asyncio.sleep(delay)
