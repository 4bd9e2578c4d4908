"""Making a failing history shorter, while it still fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

_Thing = TypeVar("_Thing")


async def shrunk(
    thing: _Thing,
    shorter: Callable[[_Thing], Iterable[_Thing]],
    fails: Callable[[_Thing], Awaitable[bool]],
    most: int,
) -> _Thing:
    """The shortest of what fails that is found in `most` tries, each of something a little shorter than the last."""
    left = most
    while True:
        for candidate in shorter(thing):
            if left <= 0:
                return thing
            left -= 1
            if await fails(candidate):
                thing = candidate
                break
        else:
            return thing
