"""The care API's view of silos, and what is done with them by hand: with the whole pipe behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from orders.model.instants import instant
from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, until

SILO = "tv"


class Silos:
    """The silos of a pipe."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._address = f"{pipe.settings.api_address}/care/v1/silos"

    async def all(self) -> list[dict[str, Any]]:
        response = await self._pipe.http.get(self._address)
        assert response.status_code == 200, response.text
        return response.json()["silos"]

    async def one(self, name: str = SILO) -> dict[str, Any]:
        response = await self._pipe.http.get(f"{self._address}/{name}")
        assert response.status_code == 200, response.text
        return response.json()

    async def patch(self, name: str = SILO, **body: Any) -> httpx2.Response:
        return await self._pipe.http.patch(f"{self._address}/{name}", json=body)

    async def steered(self, **body: Any) -> dict[str, Any]:
        response = await self.patch(**body)
        assert response.status_code == 200, response.text
        return response.json()


@pytest_asyncio.fixture(loop_scope="session")
async def silos(pipe: Pipe) -> AsyncIterator[Silos]:
    """The silos, which are let go again after the test."""
    silos = Silos(pipe)
    yield silos
    for window in (await silos.one())["windows"]:
        await silos.steered(closeWindow={"id": window["id"]})
    await silos.steered(throttle=0)
    await silos.steered(paused=False)


async def until_queued(silos: Silos) -> dict[str, Any]:
    """Wait until a call waits in the silo's queue."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = [await silos.one()]
        return found[0]["queue"]["length"] > 0

    await until(there, "a call to wait in the queue")
    return found[0]


async def care(pipe: Pipe, order_id: str) -> dict[str, Any]:
    response = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{order_id}")
    assert response.status_code == 200, response.text
    return response.json()


async def until_at_silo(pipe: Pipe, order_id: str) -> dict[str, Any]:
    """Wait until the order waits for nothing but the silo."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = [await care(pipe, order_id)]
        return {line["silo"] for line in found[0]["answer"]["now"]} == {SILO}

    await until(there, f"the order to wait for {SILO}")
    return found[0]


async def test_every_silo_of_the_catalog_is_told_with_what_is_granted(pipe: Pipe, silos: Silos) -> None:
    told = {each["name"]: each for each in await silos.all()}
    assert {"tv", "voice", "billing"} <= told.keys()
    billing = told["billing"]
    assert (billing["state"], billing["reason"]) == ("closed", "")
    assert (billing["rate"]["granted"], billing["rate"]["now"]) == (200.0, 200.0)
    assert billing["href"] == f"{pipe.settings.api_address}/care/v1/silos/billing"
    assert billing["breaker"]["enabled"] is True


async def test_calls_of_a_silo_that_is_paused_wait_until_it_is_let_go(pipe: Pipe, silos: Silos) -> None:
    paused = await silos.steered(paused=True, reason="they asked for it", requester="Ada")
    assert (paused["state"], paused["reason"], paused["rate"]["now"]) == (
        "paused",
        "paused by Ada: they asked for it",
        0.0,
    )
    assert (paused["paused"]["by"], paused["paused"]["reason"]) == ("Ada", "they asked for it")
    order_id = await pipe.submit(internet_voice_tv())
    waiting = await until_queued(silos)
    assert waiting["since"] == paused["since"]

    async def counted() -> bool:
        return (await silos.one())["ordersWaiting"] >= 1

    await until(counted, "the order to be counted")
    assert await pipe.tasks(order_id)
    resumed = await silos.steered(paused=False)
    assert (resumed["state"], resumed["paused"]) == ("closed", None)
    assert (await pipe.outcome(order_id)).state == "completed"


async def test_an_order_says_that_its_silo_is_paused_and_that_nobody_knows_until_when(pipe: Pipe, silos: Silos) -> None:
    await silos.steered(paused=True, reason="they asked for it")
    order_id = await pipe.submit(internet_voice_tv())
    found = await until_at_silo(pipe, order_id)
    assert found["answer"]["waitsFor"]["what"].endswith("; tv: paused: they asked for it")
    assert (found["expectedAt"], found["answer"]["waitsFor"]["until"]) == (None, None)
    await silos.steered(paused=False)
    await pipe.outcome(order_id)


async def test_an_order_that_a_window_touches_is_expected_after_it_and_says_why(pipe: Pipe, silos: Silos) -> None:
    end = datetime.now(UTC) + timedelta(days=30)
    await silos.steered(openWindow={"id": "w1", "end": instant(end)}, reason="new version")
    order_id = await pipe.submit(internet_voice_tv())
    found = await until_at_silo(pipe, order_id)
    assert found["expectedAt"] > instant(end)
    assert found["inJeopardy"] is True
    assert "tv: maintenance window until" in found["answer"]["summary"]
    assert "new version" in found["answer"]["summary"]
    resource = (await pipe.http.get(pipe.api(f"/productOrder/{order_id}"))).json()
    assert resource["expectedCompletionDate"] > instant(end)
    assert (await silos.steered(closeWindow={}))["windows"] == []
    assert (await pipe.outcome(order_id)).state == "completed"


async def test_a_window_is_planned_told_and_given_up(silos: Silos) -> None:
    start = datetime.now(UTC) + timedelta(days=1)
    window = {"start": instant(start), "end": instant(start + timedelta(hours=2))}
    planned = await silos.steered(openWindow=window, reason="new version", requester="Ada")
    assert planned["state"] == "closed"
    (told,) = planned["windows"]
    assert {name: told[name] for name in ("start", "end", "reason", "by", "on")} == {
        **window,
        "reason": "new version",
        "by": "Ada",
        "on": False,
    }
    assert (await silos.steered(closeWindow={"id": told["id"]}))["windows"] == []


async def test_a_throttle_is_in_force_until_it_is_lifted(silos: Silos) -> None:
    throttled = await silos.steered(throttle=2.5, reason="month end")
    assert (throttled["state"], throttled["rate"]["now"]) == ("closed", 2.5)
    assert throttled["throttle"]["ratePerSecond"] == 2.5
    assert (await silos.steered(throttle=0))["throttle"] is None


async def test_how_calls_went_is_told(pipe: Pipe, silos: Silos) -> None:
    await pipe.outcome(await pipe.submit(internet_voice_tv()))

    async def told() -> bool:
        silo = await silos.one()
        calls = silo["calls"]
        return (
            silo["workers"] > 0
            and calls["answered"] > 0
            and calls["p50Ms"] is not None
            and calls["p50Ms"] <= calls["p95Ms"]
        )

    await until(told, "the calls to be told")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"paused": True, "throttle": 5},
        {"throttle": -1},
        {"openWindow": {"start": "2031-03-03T12:00:00Z", "end": "2031-03-03T12:00:00Z"}},
        {"openWindow": {"end": "2021-03-03T12:00:00Z"}},
        {"pause": True},
        {"paused": True, "reason": "two\nlines"},
    ],
)
async def test_what_makes_no_sense_is_refused(silos: Silos, body: dict[str, Any]) -> None:
    assert (await silos.patch(**body)).status_code == 400


async def test_what_there_is_not_is_not_found(pipe: Pipe, silos: Silos) -> None:
    answer = await silos.patch("nobody", paused=True)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_silo")
    answer = await silos.patch(closeWindow={"id": "w9"})
    assert (answer.status_code, answer.json()["code"]) == (409, "silo_conflict")
    assert (await pipe.http.get(f"{pipe.settings.api_address}/care/v1/silos/nobody")).status_code == 404
