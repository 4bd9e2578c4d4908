"""How much is taken in from one caller: bytes in one request, and in a time requests, by what they cost.

Not slowapi or limits: the bucket is a few lines, and the callers that it remembers are bounded.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import Message, Receive, Scope

from api.errors import BodyTooLarge, BodyTooSlow, TooManyRequests

_BURST_S = 10
_MOST_CALLERS = 10_000
REQUEST_CPU_S = 0.002
"""CPU time of a request that counts as one: at 200 a second, a caller gets less than half a processor's work."""
BODY_CPU_S = 20e-9
"""What each byte of a body counts as, wherever it is read."""
BODY_WITHIN_S = 30.0


class RateLimit:
    """A bucket of tokens for each caller: filled at a steady rate, full with ten seconds' worth, one for a request.

    What a request cost is taken afterwards, when it is known: whoever asks for much work waits until that is paid for.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._most = max(1.0, per_second * _BURST_S)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Count a request.

        Raises:
            TooManyRequests: if it is one too many; then it does not count.
        """
        now = self._clock()
        left, at = self._buckets.pop(caller, (self._most, now))
        left = min(self._most, left + (now - at) * self._per_second)
        allowed = left >= 1
        self._buckets[caller] = (left - 1 if allowed else left, now)
        if len(self._buckets) > _MOST_CALLERS:
            # Whoever has been quiet the longest has the fullest bucket, or nearly so.
            self._buckets.popitem(last=False)
        if not allowed:
            raise TooManyRequests(self._per_second, math.ceil((1 - left) / self._per_second))

    def charge(self, caller: str, cpu_s: float) -> None:
        """Take what a request has cost: as many as there could have been in its place."""
        worth = cpu_s / REQUEST_CPU_S
        if worth >= 1:
            left, at = self._buckets.get(caller, (self._most, self._clock()))
            self._buckets[caller] = (max(left - worth, -self._most), at)


async def read_body(scope: Scope, receive: Receive, most: int) -> tuple[Receive, int]:
    """Read a request's body ahead, whether it says how long it is or not.

    Gives what the application reads instead, and how many bytes that are.

    Raises:
        BodyTooLarge: as soon as it is longer than `most` bytes. The rest is not read.
        BodyTooSlow: if it is not there after half a minute.
    """
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            return await _read(scope, receive, most)
    except TimeoutError as error:
        raise BodyTooSlow(BODY_WITHIN_S) from error


async def _read(scope: Scope, receive: Receive, most: int) -> tuple[Receive, int]:
    headers = dict(scope["headers"])
    said = headers.get(b"content-length", b"")
    if said.isdigit() and int(said) > most:
        raise BodyTooLarge(most)
    if not said and b"transfer-encoding" not in headers:
        return receive, 0
    read: list[Message] = []
    length = 0
    while not read or read[-1].get("more_body"):
        message = await receive()
        read.append(message)
        length += len(message.get("body", b""))
        if length > most:
            raise BodyTooLarge(most)
    read.reverse()

    async def again() -> Message:
        return read.pop() if read else await receive()

    return again, length
