"""A silo that answers each call in a way of its own."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx2

from orders.fulfilment.messages import SiloCalls
from orders.model.catalog import Silo
from tests.activities.bench import Bench, call

DONE = httpx2.Response(200, json={"state": "active"})
Answering = Callable[[], Awaitable[httpx2.Response]]


class Moody:
    """A silo that answers each call in a way of its own, and counts how often each was made."""

    def __init__(self, bench: Bench) -> None:
        self.bench = dataclasses.replace(bench, client=httpx2.AsyncClient(transport=httpx2.MockTransport(self._answer)))
        self.moods: dict[str, Answering] = {}
        self.made = Counter[str]()
        self.times: list[float] = []
        self.under_way = 0
        self.most_under_way = 0
        self.may_go_on = asyncio.Event()

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        key = request.headers["Idempotency-Key"]
        self.made[key] += 1
        self.times.append(asyncio.get_running_loop().time())
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self.moods[key]() if key in self.moods else DONE
        finally:
            self.under_way -= 1

    async def refused(self) -> httpx2.Response:
        return httpx2.Response(422, json={"code": "no_coverage"})

    async def lost(self) -> httpx2.Response:
        raise httpx2.ReadError("cut")

    async def busy(self) -> httpx2.Response:
        return httpx2.Response(503, headers={"Retry-After": "7"})

    def lost_at_first(self, times: int) -> Answering:
        """A mood: so many answers get lost, and the next one arrives."""
        left = times

        async def answer() -> httpx2.Response:
            nonlocal left
            left -= 1
            return await self.lost() if left >= 0 else DONE

        return answer

    async def slow(self) -> httpx2.Response:
        await self.may_go_on.wait()
        return DONE

    async def a_while(self) -> httpx2.Response:
        await asyncio.sleep(0.1)
        return DONE

    async def a_moment(self) -> httpx2.Response:
        await asyncio.sleep(0.02)
        return DONE


def calls(*names: str) -> SiloCalls:
    return SiloCalls([call(of=f"{name}/fibre/thing/0") for name in names])


def key(name: str) -> str:
    return f"{name}/fibre/thing/0/0"


def patient(bench: Bench, **changes: Any) -> Silo:
    """A silo whose calls wait a tenth of a second for each other, and take up to a minute."""
    silo = bench.silo("voice", call_timeout=timedelta(minutes=1), **changes)
    return HurriedSilo(**dict(silo))


class HurriedSilo(Silo):
    """A silo whose calls wait less for each other, so that tests need not."""

    @property
    def patience(self) -> timedelta:
        return timedelta(seconds=0.1)
