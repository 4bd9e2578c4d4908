"""Orders on what the first one has made: each on its way while those before it have their turn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import accumulate
from typing import TypeAlias

from tests.e2e.running import StackPipe
from tests.soak.leading import Lead
from tests.soak.performed import Performed
from tests.soak.script import Change, Follower, Restart, Script
from tests.soak.watching import Watch

_Act: TypeAlias = Callable[[], Awaitable[None]]
_CANCEL = Change(after=0, body={"kind": "cancel", "reason": "takes too long"})


async def follow(
    pipe: StackPipe, watch: Watch, restart: Callable[[Restart], Awaitable[None]], performed: Performed
) -> None:
    """Submit the followers of a script whose first order is completed, cancel some, and lead all to their ends."""
    queue = _Queue(pipe, performed)
    for after, act in _acts(queue, restart, performed.script):
        await watch.until(after, *queue.orders)
        await act()
    await queue.end()


def _acts(queue: _Queue, restart: Callable[[Restart], Awaitable[None]], script: Script) -> Sequence[tuple[int, _Act]]:
    """What is done when, by the calls that have taken effect for all followers together. Nobody comes out of turn."""
    followers = script.followers
    came = list(accumulate((follower.after for follower in followers), max))
    acts: list[tuple[int, _Act]] = [
        (after, partial(queue.come, follower)) for after, follower in zip(came, followers, strict=True)
    ]
    for number, (after, follower) in enumerate(zip(came, followers, strict=True)):
        if follower.cancel_after is not None:
            acts.append((max(after, follower.cancel_after), partial(queue.cancel, number)))
    acts += [(step.after, partial(restart, step)) for step in script.later_restarts]
    return sorted(acts, key=lambda act: act[0])


class _Queue:
    """The followers of one order."""

    def __init__(self, pipe: StackPipe, performed: Performed) -> None:
        self._pipe = pipe
        self._performed = performed
        self._leads: list[Lead] = []

    @property
    def orders(self) -> list[str]:
        """Those that have come, by id."""
        return [lead.order for lead in self._leads]

    async def come(self, follower: Follower) -> None:
        """Submit a follower, on products of the first order."""
        first = self._performed
        body = json.loads(json.dumps(follower.order).replace("{order}", first.order))
        script = Script(
            name=first.script.name, order=body, residues=first.script.residues, by_silo=first.script.by_silo
        )
        performed = Performed(script)
        lead = Lead(self._pipe, performed, before=[first.order, *self.orders])
        await lead.submit()
        first.followers.append(performed)
        self._leads.append(lead)

    async def cancel(self, number: int) -> None:
        """Cancel a follower, whether it waits, has its turn, or has ended."""
        if not self._performed.followers[number].turned_away:
            await self._leads[number].change(_CANCEL)

    async def end(self) -> None:
        """Lead all to their ends, one waiting for the other."""
        ends = [asyncio.create_task(lead.ended()) for lead in self._leads]
        try:
            await asyncio.gather(*(lead.end(end) for lead, end in zip(self._leads, ends, strict=True)))
        finally:
            for end in ends:
                end.cancel()
