"""The desk: promises in danger, jobs under way, and what is somebody's own to do."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from api.access.principal import Scope
from orders.read_model.jeopardy import JeopardyCause, JeopardyLevel
from tests.api.console.conftest import Console
from tests.api.console.pages.test_bulk import begun, retry
from tests.api.console.pages.test_jeopardy import in_danger
from tests.api.console.pages.test_orders import section
from tests.api.console.pages.test_work_items import asked_for
from tests.given.bulks import a_channel, without_workflow
from tests.running.pipe import Pipe


def broken(page: str) -> int:
    """How many promises are broken, as the desk tells."""
    found = re.search(r"(\d+) broken", section(page, "promises"))
    assert found is not None
    return int(found[1])


async def test_promises_in_danger_are_counted(pipe: Pipe, console: Console) -> None:
    reader = await console.person(Scope.LOOK)
    before = broken(await reader.page("/"))
    in_danger(pipe, "C-1", JeopardyLevel.MISSED, JeopardyCause.OVERDUE, what="It takes long")
    page = await reader.page("/")
    assert broken(page) == before + 1
    assert 'id="yours"' not in page
    assert 'id="jobs"' not in page


async def test_what_somebody_has_claimed_is_on_their_desk_and_on_no_others(pipe: Pipe, console: Console) -> None:
    title = f"Permit {uuid4().hex[:8]}"
    address = asked_for(pipe, title=title, due_at=datetime.now(UTC) - timedelta(hours=1))
    agent = await console.person(Scope.CARE, name=f"agent-{uuid4().hex[:8]}")
    assert "Nothing is yours to do" in section(await agent.page("/"), "yours")
    await agent.post(address, {"do": "claim"})
    assert title in section(await agent.page("/"), "yours")
    assert "overdue" in section(await agent.page("/"), "yours")
    assert title not in await (await console.person(Scope.CARE)).page("/")


async def test_a_job_is_on_the_desk_while_it_is_under_way(pipe: Pipe, console: Console) -> None:
    channel = a_channel()
    without_workflow(pipe.settings.register_address, 40, channel)
    agent = await console.person(Scope.CARE)
    address = await begun(agent, retry(channel, rate="0.1", stopAt="never"))
    assert f'href="/console{address}"' in await agent.page("/")
    assert "Try again: mobile-core" in section(await agent.page("/"), "jobs")
    assert (await agent.post(address, {"do": "stop"})).status_code == 303
