"""Jeopardy in the console: by level and cause, with what would help, and a link to each order."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any
from uuid import uuid4

from api.access.principal import Scope
from orders.read_model.jeopardy import JeopardyCause, JeopardyLevel, JeopardyView
from register import Register
from tests.api.console.conftest import Console
from tests.api.console.pages.test_orders import section, text_of
from tests.given.registers import NOON, a_record
from tests.running.pipe import Pipe


def in_danger(pipe: Pipe, customer: str, level: JeopardyLevel, cause: JeopardyCause, **more: Any) -> str:
    """An order of a customer whose promise is in danger. Gives its id."""
    order_id = f"O-{uuid4().hex[:10]}"
    danger = JeopardyView(level=level, cause=cause, since=NOON, **more)
    with closing(Register(pipe.settings.register_address)) as register:
        register.records.record(
            a_record(1, order_id=order_id, customer_id=customer, jeopardy=danger, completed_at=None, safe_at=NOON)
        )
    return order_id


async def test_promises_in_danger_are_told_by_cause_with_what_would_help(pipe: Pipe, console: Console) -> None:
    customer = f"C-{uuid4().hex[:10]}"
    visit = in_danger(
        pipe,
        customer,
        JeopardyLevel.MISSED,
        JeopardyCause.OVERDUE,
        what="The <visit> takes longer than usual",
        task="site/installation/visit-site",
        silo="field-service",
        helps="Ask field-service what keeps it",
    )
    held = in_danger(pipe, customer, JeopardyLevel.AT_RISK, JeopardyCause.HOLD, what="It is held", helps="Release it")
    agent = await console.person(Scope.LOOK)
    page = await agent.page(f"/jeopardy?customer={customer}")
    assert section(page, "count").startswith(" 2 orders in danger ")
    assert page.index(visit) < page.index(held)
    assert "Ask field-service what keeps it" in section(page, "count")
    assert "The <visit> takes longer than usual" in section(page, "count")
    assert "<visit>" not in page
    assert f'href="/console/orders/{visit}"' in page
    assert f'href="/console/orders/{visit}/tasks/site/installation/visit-site"' in page
    assert "a task that takes too long field-service broken 1" in section(page, "causes")
    assert re.search("a hold . at risk 1", section(page, "causes"))
    assert "1 broken 0 likely broken 1 at risk" in text_of(page)
    only = await agent.page(f"/jeopardy?customer={customer}&level=atRisk&cause=&silo=")
    assert held in only
    assert visit not in only
    assert visit in await agent.page(f"/jeopardy?customer={customer}&cause=overdue&silo=field-service")


async def test_a_level_that_there_is_none_of_is_told(console: Console) -> None:
    agent = await console.person(Scope.LOOK)
    page = await agent.page("/jeopardy?level=dreadful")
    assert 'role="alert"' in page
    assert "No promise is in danger here" in await agent.page("/jeopardy?customer=nobody")
