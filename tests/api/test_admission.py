"""Costly work is taken in piece by piece, and one caller's keeps nobody else's waiting."""

from __future__ import annotations

import asyncio

import pytest

from api.blocking import BILL, Bill
from api.errors import Busy
from api.working import Admission


class Pieces:
    """Work that is done once it is told to be."""

    def __init__(self, admission: Admission) -> None:
        self.let_in: list[str] = []
        self._admission = admission
        self._done: list[asyncio.Event] = []

    async def of(self, caller: str) -> None:
        BILL.set(Bill(caller))
        async with self._admission.turn():
            self.let_in.append(caller)
            done = asyncio.Event()
            self._done.append(done)
            await done.wait()

    async def end(self, number: int = 0) -> None:
        """End a piece of those that were let in, and see who comes next."""
        self._done.pop(number).set()
        await at_rest()


async def at_rest() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_whoever_asks_for_much_waits_for_its_own_and_keeps_nobody_else_waiting() -> None:
    pieces = Pieces(Admission(at_once=2, most=8))
    async with asyncio.TaskGroup() as group:
        for caller in "aaabab":
            group.create_task(pieces.of(caller))
        await at_rest()
        assert pieces.let_in == ["a", "b"]
        await pieces.end(1)
        assert pieces.let_in == ["a", "b", "b"]
        for _ in range(5):
            await pieces.end()
    assert pieces.let_in == ["a", "b", "b", "a", "a", "a"]


async def test_one_caller_has_no_more_than_half_of_the_places() -> None:
    pieces = Pieces(Admission(at_once=1, most=4))
    async with asyncio.TaskGroup() as group:
        for caller in "aa":
            group.create_task(pieces.of(caller))
        await at_rest()
        with pytest.raises(Busy):
            await pieces.of("a")
        for caller in "bb":
            group.create_task(pieces.of(caller))
        await at_rest()
        with pytest.raises(Busy):
            await pieces.of("c")
        for _ in range(4):
            await pieces.end()
        group.create_task(pieces.of("a"))
        await at_rest()
        await pieces.end()
    assert sorted(pieces.let_in) == ["a", "a", "a", "b", "b"]
