"""Bulk jobs in the console: tried dry, begun as seen, followed order by order, and stopped."""

from __future__ import annotations

import html
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.access.principal import Scope
from api.console.asking_many import wanted
from api.errors import Malformed
from tests.api.console.conftest import Console, Person
from tests.api.console.pages.test_orders import fields_of, section, text_of
from tests.given.bulks import SILO, a_channel, fallen_out, without_workflow
from tests.running.pipe import Pipe, until

BERLIN = ZoneInfo("Europe/Berlin")


def retry(channel: str, **more: str) -> dict[str, str]:
    """The form of a job that has all tried again that a silo refused of a channel's orders."""
    return {"of": "fallout", "channel": channel, "silo": SILO, "kind": "retry", "reason": "it <is> back", **more}


async def begun(agent: Person, form: dict[str, str]) -> str:
    """Begin a job by way of its preview. Gives its address."""
    preview = await agent.post("/bulk/preview", form)
    assert preview.status_code == 200, preview.text
    done = await agent.post("/bulk", fields_of(preview.text, "/console/bulk"))
    assert done.status_code == 303, done.text
    return done.headers["location"].removeprefix("/console")


async def until_says(agent: Person, address: str, name: str, words: str) -> str:
    """Wait until a section of a job's page says something. Gives the page."""
    pages: list[str] = []

    async def told() -> bool:
        pages.append(await agent.page(address))
        return words in section(pages[-1], name)

    await until(told, f"{name} to say {words}", seconds=200)
    return pages[-1]


async def test_what_was_refused_is_tried_dry_then_again_and_told_of_each_order(pipe: Pipe, console: Console) -> None:
    channel = a_channel()
    orders = await fallen_out(pipe, 3, channel)
    agent = await console.person(Scope.CARE)
    shown = await agent.page(f"/fallout?channel={channel}&silo={SILO}")
    link = re.search(r'href="/console(/bulk/new\?[^"]+)"', shown)
    assert link is not None
    form = await agent.page(html.unescape(link[1]))
    assert f'name="channel" value="{channel}"' in form
    assert f'<option value="{SILO}" selected>' in form
    preview = (await agent.post("/bulk/preview", retry(channel))).text
    assert "Try again: 3 orders" in text_of(preview)
    for order_id in orders:
        assert order_id in section(preview, "sample")
        assert (await pipe.view(order_id)).changes == ()  # It was a dry run.
    await pipe.sim("DELETE", f"/{SILO}/faults")
    done = await agent.post("/bulk", fields_of(preview, "/console/bulk"))
    address = done.headers["location"].removeprefix("/console")
    again = await agent.post("/bulk", fields_of(preview, "/console/bulk"))
    assert again.headers["location"] == done.headers["location"]  # The same request begins one job.
    page = await until_says(agent, address, "far", "done: 3")
    assert "it <is> back" in section(page, "ask")
    assert "agent-7" in section(page, "ask")
    assert "<is>" not in page
    for order_id in orders:
        assert order_id in section(page, "orders")
    assert orders[0] not in await agent.page(f"{address}?state=rejected")
    assert f'href="/console{address}"' in await agent.page("/bulk")
    assert 'value="stop"' not in page or "All known since" not in section(page, "ask")


async def test_a_job_is_paused_goes_on_and_is_stopped_for_good(pipe: Pipe, console: Console) -> None:
    channel = a_channel()
    without_workflow(pipe.settings.register_address, 40, channel)
    agent = await console.person(Scope.CARE)
    address = await begun(agent, retry(channel, rate="0.1", stopAt="never"))
    assert (await agent.post(address, {"do": "pause", "reason": "wait"})).headers["location"] == f"/console{address}"
    page = await agent.page(address)
    assert "paused by agent-7: wait" in section(page, "far")
    assert 'value="resume"' in page
    assert (await agent.post(address, {"do": "resume"})).status_code == 303
    assert 'value="pause"' in await agent.page(address)
    assert (await agent.post(address, {"do": "stop", "reason": "enough"})).status_code == 303
    page = await agent.page(address)
    assert "stopped by agent-7: enough" in section(page, "far")
    assert 'value="stop"' not in page
    assert (await agent.post(address, {"do": "explode"})).status_code == 400


async def test_a_job_that_would_be_over_other_orders_by_now_is_shown_anew(pipe: Pipe, console: Console) -> None:
    channel = a_channel()
    without_workflow(pipe.settings.register_address, 1, channel)
    agent = await console.person(Scope.CARE)
    preview = (await agent.post("/bulk/preview", retry(channel))).text
    [more] = without_workflow(pipe.settings.register_address, 1, channel)
    stale = await agent.post("/bulk", fields_of(preview, "/console/bulk"))
    assert stale.status_code == 200
    assert "they are other orders than those you saw" in text_of(stale.text)
    assert more in section(stale.text, "sample")
    done = await agent.post("/bulk", fields_of(stale.text, "/console/bulk"))
    address = done.headers["location"].removeprefix("/console")
    page = await until_says(agent, address, "far", "rejected: 2")
    assert "no_workflow" in section(page, "orders")


async def test_what_fits_nothing_or_cannot_be_asked_is_said_with_what_was_filled_in(console: Console) -> None:
    agent = await console.person(Scope.CARE)
    nothing = await agent.post("/bulk/preview", retry(a_channel()))
    assert "No order is like that" in nothing.text
    assert 'name="digest"' not in nothing.text
    for wrong in ({"reason": ""}, {"rate": "fast"}, {"rate": "5000"}, {"silo": ""}, {"kind": "amend"}, {"kind": ""}):
        answer = await agent.post("/bulk/preview", {**retry("some-channel"), **wrong})
        assert answer.status_code == 400, wrong
        assert 'role="alert"' in answer.text
        assert 'name="channel" value="some-channel"' in answer.text
    assert (await agent.post("/bulk", {"given": "[]"})).status_code == 400


async def test_a_customers_token_asks_no_many_orders(console: Console) -> None:
    one = await console.person(Scope.CARE, customer="C-1")
    for path in ("/bulk", "/bulk/new", "/bulk/none"):
        assert (await one.get(path)).status_code == 403, path
    assert (await one.post("/bulk/preview", retry("web"))).status_code == 403
    assert (await (await console.person(Scope.CARE)).get("/bulk/none")).status_code == 404
    reader = await console.person(Scope.LOOK)
    assert "/bulk/new" not in await reader.page("/fallout")


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        (
            {"silo": "tv", "state": "waiting", "kind": "retry", "action.priority": "1", "reason": "x"},
            {"fallout": {"silo": "tv", "state": ["waiting"]}, "action": {"kind": "retry"}, "reason": "x"},
        ),
        (
            {"of": "orders", "q": "Berlin", "operation": "x", "kind": "changePriority", "action.priority": "0"},
            {"orders": {"q": "Berlin"}, "action": {"kind": "changePriority", "priority": "0"}, "reason": ""},
        ),
        (
            {"of": "orders", "kind": "reschedule", "action.requestedStartDate": "2031-07-01T08:00", "rate": "2.5"},
            {
                "orders": {},
                "action": {"kind": "reschedule", "requestedStartDate": "2031-07-01T08:00:00+02:00"},
                "reason": "",
                "rate": 2.5,
            },
        ),
        (
            {"kind": "hold", "stopAt": "never", "stopShare": "50"},
            {"fallout": {}, "action": {"kind": "hold"}, "reason": "", "stopAt": {}},
        ),
        (
            {"kind": "hold", "stopAt": "share", "stopShare": "25", "stopNumber": "3"},
            {"fallout": {}, "action": {"kind": "hold"}, "reason": "", "stopAt": {"share": 0.25}},
        ),
        (
            {"kind": "hold", "stopAt": "number", "stopNumber": "3"},
            {"fallout": {}, "action": {"kind": "hold"}, "reason": "", "stopAt": {"number": 3}},
        ),
    ],
)
def test_a_form_asks_for_what_its_kind_takes(form: dict[str, str], asked: dict[str, Any]) -> None:
    assert wanted(form, BERLIN) == asked


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"kind": "hold", "rate": "fast"},
        {"kind": "hold", "stopAt": "number"},
        {"kind": "reschedule", "action.requestedStartDate": "soon"},
    ],
)
def test_what_cannot_be_read_is_told(form: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        wanted(form, BERLIN)
