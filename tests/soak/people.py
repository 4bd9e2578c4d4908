"""The people behind silos of the protocol `manual`: they do what stands in their queue, now and then not at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from zlib import crc32

from httpx2 import TransportError

from tests.e2e.running import StackPipe

_LOOK_EVERY_S = 0.2
_LOOKS = 5
"""Some do a thing when they first see it, others only so many looks later."""
_REFUSED = 0.1
"""So many of the things are refused at first: then a person has it tried again."""
_OUTPUTS = {"permit": {"permit_number": "P-2026/1"}}
"""What they give back, by operation."""


class People:
    """Who does what stands in the queue."""

    def __init__(self, pipe: StackPipe) -> None:
        self._pipe = pipe
        self._seen = Counter[str]()
        self._refused = set[str]()
        self.willing = False
        """True where they refuse nothing: nobody has it tried again then."""

    async def work(self) -> None:
        """Do every work item, sooner or later, whatever is being restarted."""
        address = f"{self._pipe.settings.api_address}/care/v1/work-items"
        while True:
            with suppress(TransportError):
                answer = await self._pipe.http.get(address, params={"limit": 1000})
                for item in answer.json()["workItems"] if answer.status_code == 200 else ():
                    self._seen[item["id"]] += 1
                    if self._seen[item["id"]] > crc32(item["id"].encode()) % _LOOKS:
                        await self._pipe.http.patch(f"{address}/{item['id']}", json=self._told(item))
            await asyncio.sleep(_LOOK_EVERY_S)

    def _told(self, item: dict[str, Any]) -> dict[str, Any]:
        drawn = crc32(f"of {item['id']}".encode()) % 100 / 100
        if drawn < _REFUSED and item["id"] not in self._refused and not self.willing:
            self._refused.add(item["id"])
            return {"state": "refused", "code": "no", "reason": "the city does not answer today"}
        if drawn > 1 - 2 * _REFUSED and item["claimedBy"] is None:
            return {"claimed": True}  # What was begun is undone by work; what was not just falls away.
        outputs = {} if item["verb"] == "compensate" else _OUTPUTS[item["operation"]]
        return {"state": "done", "outputs": outputs}


@asynccontextmanager
async def people_at_work(pipe: StackPipe) -> AsyncIterator[People]:
    """While this lasts, people are at work."""
    people = People(pipe)
    task = asyncio.create_task(people.work())
    try:
        yield people
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
