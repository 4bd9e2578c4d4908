"""Changes of orders reach the pages that show them, and nobody asks the register while no page is open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api.background import run_in_background
from api.console.changes import Changes
from register import Register
from tests.given.registers import a_record


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    with closing(Register(f"sqlite:///{tmp_path / 'register.db'}")) as register:
        register.prepare()
        yield register


def record(register: Register, version: int, order_id: str) -> None:
    written = a_record(version)
    register.records.record(written.model_copy(update={"view": written.view.model_copy(update={"id": order_id})}))


async def test_a_page_hears_of_its_order_and_a_list_of_all(register: Register) -> None:
    changes = Changes(register.changed_orders)
    async with run_in_background(changes.run()), asyncio.timeout(60):
        with changes.listening("O2") as one, changes.listening(None) as every:
            record(register, 1, "O1")
            assert await every.get() == ("O1", 1)
            record(register, 4, "O2")
            assert await every.get() == ("O2", 4)
            assert await one.get() == ("O2", 4)
            record(register, 5, "O2")
            assert await one.get() == ("O2", 5)


async def test_when_the_api_ends_its_pages_hear_that_there_is_no_more(register: Register) -> None:
    changes = Changes(register.changed_orders)
    with changes.listening(None) as every:
        async with run_in_background(changes.run()):
            await asyncio.sleep(0)
        assert await every.get() is None


async def test_a_page_that_does_not_keep_up_hears_of_the_last(register: Register) -> None:
    with Changes(register.changed_orders).listening(None) as slow:
        for number in range(1000):
            slow.tell(("O1", number))
        heard = [await slow.get() for _ in range(100)]
    assert heard[-1] == ("O1", 999)
