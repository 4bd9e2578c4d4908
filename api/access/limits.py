"""How much is taken in from one caller: bytes in one request, and requests in a time.

Not slowapi or limits: the bucket is a few lines, and the callers that it remembers are bounded.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import Message, Receive, Scope

from api.errors import BodyTooLarge, TooManyRequests

_BURST_S = 10
_MOST_CALLERS = 10_000


class RateLimit:
    """A bucket of tokens for each caller: filled at a steady rate, full with ten seconds' worth, one for a request."""

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


async def read_body(scope: Scope, receive: Receive, most: int) -> Receive:
    """Read a request's body ahead, whether it says how long it is or not. Gives what the application reads instead.

    Raises:
        BodyTooLarge: as soon as it is longer than `most` bytes. The rest is not read.
    """
    headers = dict(scope["headers"])
    said = headers.get(b"content-length", b"")
    if said.isdigit() and int(said) > most:
        raise BodyTooLarge(most)
    if not said and b"transfer-encoding" not in headers:
        return receive
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

    return again
