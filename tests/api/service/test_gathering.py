"""What silos report on one order at about the same time goes to it together, and is acknowledged when it has."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace

import pytest

from api.app import create_app
from api.errors import Unavailable, UnknownOrder
from api.service.gateway import Gateway
from api.service.gathering import MOST_BYTES, Gathering
from orders.fulfilment.messages import MOST_EVENTS, SiloEvent
from orders.model import wire_names
from orders.reconcile.outcome import OutcomeKind
from settings import Settings
from tests.api.conftest import Door, opened
from tests.api.routes.test_callbacks import done
from tests.given.households import internet_voice_tv

LONG_S = 3600.0


@pytest.fixture
def gathering(door: Door) -> Gathering:
    """One that gathers until it has as much as goes in one signal, or is told to stop."""
    gathering = Gathering(Gateway(door.client))
    gathering.moment_s = LONG_S
    return gathering


def visit(number: int, **more: object) -> SiloEvent:
    key = f"vpn-1.site-{number}/vpn-site/visit-site/0/0"
    return replace(SiloEvent("field-service", OutcomeKind.DONE, key), **more)


async def told(door: Door, order_id: str) -> list[list[SiloEvent]]:
    """What each signal told the order."""
    return await door.signals(order_id, wire_names.SILO_EVENTS_SIGNAL, list[SiloEvent])


async def begun(*reports: Coroutine[None, None, None]) -> list[asyncio.Task[None]]:
    """Reports that came in, in this order, as far as they get without anybody's answer."""
    tasks = [asyncio.create_task(report) for report in reports]
    await asyncio.sleep(0)
    return tasks


async def test_what_comes_in_together_is_one_signal_and_what_comes_beyond_it_another(
    door: Door, gathering: Gathering
) -> None:
    order_id = await door.submit(internet_voice_tv())
    events = [visit(number) for number in range(MOST_EVENTS + 1)]
    *first, last = await begun(*(gathering.hand_on(order_id, event) for event in events))
    await asyncio.gather(*first)
    assert await told(door, order_id) == [events[:-1]]
    assert not last.done()
    await gathering.stop()
    with pytest.raises(Unavailable):
        await last


async def test_one_that_nothing_follows_is_handed_on_after_a_moment(door: Door, gathering: Gathering) -> None:
    order_id = await door.submit(internet_voice_tv())
    gathering.moment_s = 0.001
    await gathering.hand_on(order_id, visit(1))
    await gathering.hand_on(order_id, visit(2))
    assert await told(door, order_id) == [[visit(1)], [visit(2)]]


async def test_orders_do_not_wait_for_each_other(door: Door, gathering: Gathering) -> None:
    few, many = [await door.submit(internet_voice_tv()) for _ in range(2)]
    (waits,) = await begun(gathering.hand_on(few, visit(0)))
    await asyncio.gather(*(gathering.hand_on(many, visit(number)) for number in range(MOST_EVENTS)))
    assert (len(await told(door, many)), len(await told(door, few)), waits.done()) == (1, 0, False)
    await gathering.stop()
    assert isinstance(waits.exception(), Unavailable)


async def test_what_is_large_goes_alone(door: Door, gathering: Gathering) -> None:
    order_id = await door.submit(internet_voice_tv())
    large = visit(2, outputs={"report_id": "r" * MOST_BYTES})
    small, alone = await begun(gathering.hand_on(order_id, visit(1)), gathering.hand_on(order_id, large))
    await asyncio.gather(small, alone)
    assert sorted(await told(door, order_id), key=str) == [[visit(1)], [large]]


async def test_an_event_is_handed_on_though_whoever_reported_it_went_away(door: Door, gathering: Gathering) -> None:
    order_id = await door.submit(internet_voice_tv())
    events = [visit(number) for number in range(MOST_EVENTS)]
    gone, *others = await begun(*(gathering.hand_on(order_id, event) for event in events[:-1]))
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert not any(other.done() for other in others)
    await gathering.hand_on(order_id, events[-1])
    await asyncio.gather(*others)
    assert await told(door, order_id) == [events]


async def test_when_the_api_stops_nothing_is_acknowledged_that_was_not_handed_on(
    door: Door, gathering: Gathering
) -> None:
    order_id = await door.submit(internet_voice_tv())
    waiting = await begun(*(gathering.hand_on(order_id, visit(number)) for number in range(3)))
    await gathering.stop()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in found] == [Unavailable] * 3
    assert await told(door, order_id) == []


async def test_an_api_that_stops_waits_for_no_others_to_come_in(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    app = create_app(door.settings, door.client)
    async with app.router.lifespan_context(app):
        gathering: Gathering = app.state.provided.services.gathering
        gathering.moment_s = LONG_S
        (waiting,) = await begun(gathering.hand_on(order_id, visit(1)))
    assert isinstance(waiting.exception(), Unavailable)


async def test_everyone_hears_that_there_is_no_such_order(gathering: Gathering) -> None:
    waiting = [gathering.hand_on("web-000000000000", visit(number)) for number in range(MOST_EVENTS)]
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in found] == [UnknownOrder] * MOST_EVENTS


async def test_without_temporal_every_silo_is_asked_to_try_again(unreachable: Settings) -> None:
    async with opened(unreachable, None) as http:
        reports = [http.post("/callbacks/shipping", json=done("web-1")) for _ in range(3)]
        answers = await asyncio.gather(*reports)
    assert [answer.status_code for answer in answers] == [503] * 3
    assert all("Retry-After" in answer.headers for answer in answers)
