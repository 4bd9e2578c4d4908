"""Silos in the console: how each is, and what operators, and nobody else, do with them by hand."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from api.access.principal import Scope
from tests.api.console.conftest import Console, Person
from tests.api.console.pages.test_orders import section, text_of

SILO = "/silos/tv"


@pytest_asyncio.fixture(loop_scope="session")
async def operator(console: Console) -> AsyncIterator[Person]:
    """An operator, after whom the silo is let go again."""
    operator = await console.person(Scope.OPERATE, name="ops-1")
    yield operator
    for window in re.findall(r'name="window" value="([^"]+)"', await operator.page(SILO)):
        await operator.post(SILO, {"do": "close", "window": window})
    for what in ("unthrottle", "resume"):
        assert (await operator.post(SILO, {"do": what})).status_code == 303


async def test_a_silo_is_paused_and_let_go_again_with_who_and_why(operator: Person) -> None:
    assert 'href="/console/silos/tv"' in await operator.page("/silos")
    done = await operator.post(SILO, {"do": "pause", "reason": "they <move> house"})
    assert done.headers["location"] == f"/console{SILO}"
    page = await operator.page(SILO)
    assert "ops-1" in section(page, "how")
    assert "they <move> house" in section(page, "how")
    assert "<move>" not in page
    assert "Paused" in section(page, "how")
    await operator.post(SILO, {"do": "resume"})
    assert "Paused" not in section(await operator.page(SILO), "how")


async def test_a_silo_is_throttled_and_gets_a_window_that_is_given_up(operator: Person) -> None:
    await operator.post(SILO, {"do": "throttle", "rate": "0.5", "reason": "slow"})
    assert "0.5 a second" in section(await operator.page(SILO), "how")
    await operator.post(SILO, {"do": "unthrottle"})
    assert "Throttled" not in section(await operator.page(SILO), "how")
    planned = await operator.post(SILO, {"do": "window", "start": "2099-01-01T10:00", "end": "2099-01-01T12:00"})
    assert planned.status_code == 303
    page = await operator.page(SILO)
    assert "2099" in section(page, "windows")
    assert "to come" in section(page, "windows")
    window = re.search(r'name="window" value="([^"]+)"', page)
    assert window is not None
    await operator.post(SILO, {"do": "close", "window": window[1]})
    assert "2099" not in section(await operator.page(SILO), "windows")


@pytest.mark.parametrize(
    "form",
    [{}, {"do": "explode"}, {"do": "throttle"}, {"do": "throttle", "rate": "-1"}, {"do": "window", "start": "soon"}],
)
async def test_what_cannot_be_done_with_a_silo_is_said(operator: Person, form: dict[str, str]) -> None:
    assert (await operator.post(SILO, form)).status_code == 400


async def test_an_agent_sees_silos_and_steers_none(console: Console) -> None:
    agent = await console.person(Scope.CARE)
    page = await agent.page(SILO)
    assert 'id="do"' not in page
    assert f'action="/console{SILO}"' not in page
    assert (await agent.post(SILO, {"do": "pause"})).status_code == 403
    assert "Paused" not in text_of(await agent.page(SILO))
    assert (await agent.get("/silos/nobody-knows")).status_code == 404
