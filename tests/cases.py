"""One order on the real engine, and the calls that are made for it: what cases of the trade are told with.

A call is told as `silo.verb task/generation/n`, the task by its key without the order's id: `net.1/...` is about the
first product of item `net`, `@site-1/...` about a site, anything else about the whole order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orders.model import wire_names
from orders.read_model.views import PlanPage
from tests.given.households import PLACE
from tests.running.pipe import Pipe, until

ELSEWHERE = {**PLACE, "id": "site-2", "streetName": "Ahornallee"}

LINE = "net.1/fibre-internet"
VOICE = "voice.1/voice-line"


@dataclass
class Case:
    """One order, and how many of the calls made for it a test has looked at."""

    pipe: Pipe
    order: str
    seen: int = 0

    async def change(self, kind: str, request_id: str = "change-1", **change: Any) -> dict[str, Any]:
        """Ask for a change through the care API."""
        return await self.pipe.change(self.order, requestId=request_id, kind=kind, **change)

    async def amend(self, *updates: dict[str, Any], request_id: str = "change-1", **change: Any) -> dict[str, Any]:
        """Ask for items to be different."""
        return await self.change("amend", request_id, update=list(updates), **change)

    async def complete(self, silo: str, match: str = "") -> None:
        """A silo is done with what it was asked for."""
        await self.pipe.sim("POST", f"/{silo}/complete", {"match": match, "outcome": "completed"})

    async def calls(self) -> list[str]:
        """The calls that changed something and that the test has not looked at yet, in order of arrival."""
        entries = await self.pipe.sim("GET", f"/journal?order={self.order}")
        made = [
            f"{entry['silo']}.{entry['verb']} {self.name(entry['key'])}"
            for entry in entries
            if entry["verb"] in ("provision", "amend", "compensate") and entry["outcome"] == "applied"
        ]
        return made[self.seen :]

    async def makes(self, *expected: str) -> list[str]:
        """See that exactly these calls are made next, in whatever order. Returns them as they arrived."""

        async def made() -> bool:
            return len(await self.calls()) >= len(expected)

        try:
            await until(made, "calls")
        finally:
            arrived = await self.calls()
            assert sorted(arrived) == sorted(expected)
        self.seen += len(arrived)
        return arrived

    async def ends(self, state: str, *expected: str) -> list[str]:
        """See that the order ends in a state, after exactly these calls. Returns them as they arrived."""
        assert (await self.pipe.outcome(self.order)).state == state
        assert await self.pipe.applied_twice(self.order) == []
        return await self.makes(*expected)

    async def rests(self, *awaited: str, revision: int = 1) -> None:
        """Wait until nothing of a revision moves but what is awaited."""

        async def there() -> bool:
            if (await self.pipe.view(self.order)).revision != revision:
                return False
            states = await self.tasks()
            moving = {"inProgress", "compensating"}.intersection(states.values())
            return not moving and {name for name, state in states.items() if state == "awaiting"} == set(awaited)

        await until(there, f"only {awaited} to be awaited")

    async def settles_but(self, *awaited: str) -> None:
        """Wait until nothing of the first revision moves but what is awaited, and pass over the calls made for it."""
        await self.rests(*awaited)
        self.seen += len(await self.calls())

    async def tasks(self) -> dict[str, str]:
        """The state of each task."""
        page = await self.pipe.ask(self.order, wire_names.PLAN_QUERY, PlanPage, 0, 1000)
        return {self.name(task.key): task.state.value for task in page.tasks}

    async def held(self) -> dict[str, dict[str, Any]]:
        """What the silos hold, by task."""
        return {
            self.name(service["task"]): service
            for services in (await self.pipe.services(self.order)).values()
            for service in services
        }

    def name(self, key: str) -> str:
        """A key without the order's id."""
        return key.removeprefix(self.order).lstrip("./")


def in_order(calls: list[str], *some: str) -> None:
    """See that some of the calls were made in the order given."""
    assert [call for call in calls if call in some] == list(some)


async def submitted(pipe: Pipe, body: dict[str, Any], *until_told: str) -> Case:
    """An order; the silos named are done with nothing until they are told."""
    for silo in until_told:
        await pipe.sim("PUT", f"/{silo}/pace", {"completes_after_ms": None})
    return Case(pipe, await pipe.submit(body))
