"""Fallout in the console: found, claimed, spoken of, and mended by a way out that the page has told."""

from __future__ import annotations

import html
import re

from api.access.principal import Scope
from orders.model import wire_names
from orders.read_model.views import PlanPage
from tests.api.console.conftest import Console
from tests.api.console.pages.test_orders import fields_of, section, text_of
from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, until


async def refused(pipe: Pipe) -> str:
    """An order of which tv refuses something, until its faults are taken away."""
    await pipe.sim("PUT", "/tv/faults", {"permanent": [{"operation": "*", "match": "", "code": "no_such_pack"}]})
    return await pipe.submit(internet_voice_tv(installation="self"))


def way(page: str, title: str) -> str:
    """What a page says of a way out."""
    return page.partition(f"<h3>{title}</h3>")[2].partition("</li>")[0]


def hidden_in(form: str) -> dict[str, str]:
    """What a form holds, without what is to be filled in."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in found}


async def listed(console: Console, order_id: str) -> str:
    """Wait until an order's fallout is in the queue. Gives its address."""
    agent = await console.person(Scope.CARE)
    found: list[str] = []

    async def there() -> bool:
        found[:] = re.findall(r'href="/console(/fallout/[^"?]+)"', await agent.page(f"/fallout?order={order_id}"))
        return bool(found)

    await until(there, "the fallout to be listed")
    return html.unescape(found[0])


async def test_what_a_silo_refuses_is_claimed_spoken_of_and_mended_by_a_way_out(pipe: Pipe, console: Console) -> None:
    order_id = await refused(pipe)
    address = await listed(console, order_id)
    agent = await console.person(Scope.CARE)
    page = await agent.page(address)
    assert "tv" in section(page, "what")
    assert "no_such_pack" in section(page, "what")
    assert "nobody" in section(page, "whose")
    assert (await agent.post(f"{address}/claim", {})).headers["location"] == f"/console{address}"
    await agent.post(f"{address}/notes", {"note": "Called <b>them</b>."})
    page = await agent.page(address)
    assert "agent-7 sees to it" in section(page, "story")
    assert "&lt;b&gt;" in page
    assert address in await agent.page(f"/fallout?order={order_id}&claimedBy=agent-7")
    assert address not in await agent.page(f"/fallout?order={order_id}&claimed=false")
    await pipe.sim("DELETE", "/tv/faults")
    asked = hidden_in(way(page, "Try again"))
    preview = (await agent.post(f"/orders/{order_id}/change/preview", asked)).text
    await agent.post(f"/orders/{order_id}/change", fields_of(preview, f"/console/orders/{order_id}/change"))
    await pipe.outcome(order_id)

    async def over() -> bool:
        return "tried again" in section(await agent.page(address), "whose")

    await until(over, "the fallout to be over")
    page = await agent.page(address)
    assert 'id="ways"' not in page
    assert (await agent.post(f"{address}/claim", {})).status_code == 409


async def test_a_way_that_cannot_be_had_says_why_and_what_another_has_is_not_taken(
    pipe: Pipe, console: Console
) -> None:
    order_id = await refused(pipe)
    address = await listed(console, order_id)
    agent, other = await console.person(Scope.CARE), await console.person(Scope.CARE, name="agent-8")
    page = await agent.page(address)
    assert "See what that would do" in way(page, "Try again")
    assert 'name="outputs.tv_id"' in way(page, "Done by hand")
    assert "required" in way(page, "Done without")
    await agent.post(f"{address}/handover", {"to": "agent-8", "note": "Yours"})
    taken = await agent.post(f"{address}/claim", {})
    assert taken.status_code == 409
    assert "agent-8 has it" in text_of(taken.text)
    assert (await other.post(f"{address}/release", {})).status_code == 303
    assert (await agent.post(f"{address}/claim", {})).status_code == 303
    assert (await agent.post(f"{address}/handover", {})).status_code == 400
    assert (await agent.post(f"{address}/notes", {})).status_code == 400
    await pipe.sim("DELETE", "/tv/faults")
    await pipe.change(order_id, kind="retry", silo="tv", requestId="again")
    await pipe.outcome(order_id)


async def test_what_was_done_by_hand_is_told_with_what_came_of_it(pipe: Pipe, console: Console) -> None:
    order_id = await refused(pipe)
    address = await listed(console, order_id)
    agent = await console.person(Scope.CARE)
    given = {**hidden_in(way(await agent.page(address), "Done by hand")), "outputs.tv_id": "tv-by-hand"}
    preview = await agent.post(f"/orders/{order_id}/change/preview", given)
    await agent.post(f"/orders/{order_id}/change", fields_of(preview.text, f"/console/orders/{order_id}/change"))
    await pipe.outcome(order_id)
    plan = await pipe.ask(order_id, wire_names.PLAN_QUERY, PlanPage, 0, 1000)
    assert "tv-by-hand" in plan.model_dump_json()
    await pipe.sim("DELETE", "/tv/faults")


async def test_who_only_looks_sees_no_names_and_no_way_to_act(pipe: Pipe, console: Console) -> None:
    order_id = await refused(pipe)
    address = await listed(console, order_id)
    agent, reader = await console.person(Scope.CARE), await console.person(Scope.LOOK)
    await agent.post(f"{address}/claim", {})
    page = await reader.page(address)
    assert "agent-7 sees" not in text_of(page)
    assert f'action="/console{address}' not in page
    assert 'id="ways"' not in page
    assert "mine" not in await reader.page("/fallout")
    await pipe.sim("DELETE", "/tv/faults")
    await pipe.change(order_id, kind="retry", silo="tv", requestId="again")
    await pipe.outcome(order_id)


async def test_what_cannot_be_looked_for_is_said(console: Console) -> None:
    agent = await console.person(Scope.CARE)
    page = await agent.page("/fallout?state=nonsense&sort=-since")
    assert 'role="alert"' in page
    assert "nonsense" not in text_of(page)
