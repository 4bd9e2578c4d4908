"""What a worker tells of a silo that fails: when it begins, and when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from structlog.testing import capture_logs
from temporalio.testing import ActivityEnvironment

from activities.calling.telling import Telling
from activities.protocols.protocol import SiloUnavailable
from orders.fulfilment.messages import SiloCall
from orders.model.values import Verb
from orders.reconcile.outcome import Outcome, OutcomeKind
from tests.activities.bench import Bench

DONE = Outcome(OutcomeKind.DONE)


@pytest.fixture
def telling(bench: Bench) -> Telling:
    return Telling(bench.silo("tv"))


async def attempt(telling: Telling, order: int, result: Awaitable[Outcome]) -> None:
    """An attempt of a call for an order, as a worker makes it."""
    service = f"O{order}.tv.1/tv/activate-tv/0"
    call = SiloCall(f"O{order}", service, f"{service}/0", "subscription", {"name": "Erika Mustermann"})

    async def run() -> None:
        await telling.of(Verb.PROVISION, call, 1, result)

    await ActivityEnvironment().run(run)


async def down() -> Outcome:
    raise SiloUnavailable("503 for Erika Mustermann")


async def up(outcome: Outcome = DONE) -> Outcome:
    return outcome


async def all_fail(telling: Telling) -> None:
    ended = await asyncio.gather(*(attempt(telling, n, down()) for n in range(100)), return_exceptions=True)
    assert {type(error) for error in ended} == {SiloUnavailable}


def warned(lines: list[Any]) -> list[str]:
    return [line["event"] for line in lines if line["log_level"] == "warning"]


async def test_an_outage_of_a_hundred_orders_is_a_line_when_it_begins_and_one_when_it_is_over(
    telling: Telling,
) -> None:
    with capture_logs() as lines:
        for _ in range(3):
            await all_fail(telling)
        await asyncio.gather(*(attempt(telling, n, up()) for n in range(100)))
    assert warned(lines) == ["silo does not answer: outage begun", "silo answers again: outage over"]
    begun, over = (line for line in lines if line["log_level"] == "warning")
    assert {name: begun[name] for name in ("order", "task", "silo", "verb", "attempt")} == {
        "order": "O0",
        "task": "O0.tv.1/tv/activate-tv/0",
        "silo": "tv",
        "verb": "provision",
        "attempt": 1,
    }
    assert (over["silo"], over["failed"]) == ("tv", 300)
    assert "Mustermann" not in str(lines)


async def test_what_was_asked_in_an_outage_neither_ends_it_nor_begins_another(telling: Telling) -> None:
    late, early = asyncio.Event(), asyncio.Event()

    async def after(event: asyncio.Event, then: Awaitable[Outcome]) -> Outcome:
        await event.wait()
        return await then

    with capture_logs() as lines:
        hangs = asyncio.create_task(attempt(telling, 1, after(late, down())))
        slow = asyncio.create_task(attempt(telling, 2, after(early, up())))
        await asyncio.sleep(0)
        await all_fail(telling)
        early.set()
        await slow
        assert warned(lines) == ["silo does not answer: outage begun"]
        await attempt(telling, 3, up())
        late.set()
        with pytest.raises(SiloUnavailable):
            await hangs
        assert len(warned(lines)) == 2
        with pytest.raises(SiloUnavailable):
            await attempt(telling, 4, down())
        assert len(warned(lines)) == 3


@pytest.mark.parametrize(("code", "told"), [("no_such_pack", "no_such_pack"), ("Erika Mustermann", "unreadable")])
async def test_a_refused_call_is_told_with_its_code_and_without_its_reason(
    telling: Telling, code: str, told: str
) -> None:
    refused = Outcome(OutcomeKind.REFUSED, code=code, reason="Erika Mustermann has no such pack")
    with capture_logs() as lines:
        await attempt(telling, 1, up(refused))
    assert [(line["event"], line["code"]) for line in lines] == [("call refused", told)]
    assert "Mustermann" not in str(lines)
