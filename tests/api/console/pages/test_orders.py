"""Orders in the console: found, listed, told, and changed by what a preview has shown."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from api.access.principal import Scope
from tests.api.console.conftest import Console, Person
from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, body_of, until
from tests.steps import let_go, under_way


def text_of(page: str) -> str:
    """What a page says, without its markup."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def fields_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form with that address."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)
    assert form is not None, action
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0])
    return {html.unescape(name): html.unescape(value) for name, value in hidden}


def section(page: str, name: str) -> str:
    """What stands in the section that is headed like that."""
    found = re.search(rf'<section[^>]*aria-labelledby="{name}">.*?</section>', page, re.DOTALL)
    assert found is not None, name
    return text_of(found[0])


async def agent_of(console: Console) -> Person:
    return await console.person(Scope.CARE)


async def until_told(agent: Person, order_id: str, name: str, words: str) -> str:
    """Wait until a section of an order's page says something. Gives the page."""
    pages: list[str] = []

    async def told() -> bool:
        pages.append(await agent.page(f"/orders/{order_id}"))
        return words in section(pages[-1], name)

    await until(told, f"{name} to say {words}")
    return pages[-1]


async def test_an_order_that_waits_for_a_parcel_answers_the_four_questions_at_once(
    pipe: Pipe, console: Console
) -> None:
    agent, order_id = await agent_of(console), await under_way(pipe)
    page = await agent.page(f"/orders/{order_id}")
    assert "It waits for a parcel" in section(page, "where")
    assert "at shipping" in section(page, "why")
    assert section(page, "next").startswith(" What comes next? ")
    assert "promised" in section(page, "when")
    assert page.count("<h1") == 1
    tasks = section(page, "course")
    assert "decides the date" in tasks
    assert "now" in tasks
    await let_go(pipe, order_id)
    page = await until_told(agent, order_id, "where", "Done")
    assert "Nothing is left to do" in section(page, "why")
    assert "What can still be changed" not in page


async def test_an_order_in_fallout_says_what_was_refused_and_is_mended_in_three_steps(
    pipe: Pipe, console: Console
) -> None:
    agent = await agent_of(console)
    refuse = {"permanent": [{"operation": "*", "match": "", "code": "no_such_pack"}]}
    await pipe.sim("PUT", "/tv/faults", refuse)
    order_id = await pipe.submit(internet_voice_tv(installation="self"))
    page = await until_told(agent, order_id, "why", "1 call needs a person")
    assert "no_such_pack" in section(page, "why")
    link = re.search(r'href="/console(/orders/[^"]+/change/preview\?kind=retry[^"]+)"', page)
    assert link is not None
    await pipe.sim("DELETE", "/tv/faults")
    preview = await agent.page(html.unescape(link[1]))
    assert "can be had" in text_of(preview)
    done = await agent.post(f"/orders/{order_id}/change", fields_of(preview, f"/console/orders/{order_id}/change"))
    assert done.headers["location"].startswith(f"/console/orders/{order_id}?asked=")
    await pipe.outcome(order_id)


async def test_one_waits_for_its_date_another_for_products_and_a_cancelled_one_says_so(
    pipe: Pipe, console: Console
) -> None:
    agent = await agent_of(console)
    dated = await pipe.submit(body_of("future-dated"))
    assert "It waits for a date" in section(await agent.page(f"/orders/{dated}"), "where")
    preview = await agent.page(f"/orders/{dated}/change/preview?kind=cancel")
    assert "free of charge" in text_of(preview)
    fields = fields_of(preview, f"/console/orders/{dated}/change")
    assert (await agent.post(f"/orders/{dated}/change", {**fields, "reason": "moved away"})).status_code == 303
    page = await until_told(agent, dated, "where", "Cancelled")
    assert "moved away" in section(page, "changes")
    assert "agent-7" in section(page, "changes")


async def test_another_date_is_promised_with_a_reason_that_the_log_keeps(pipe: Pipe, console: Console) -> None:
    agent = await agent_of(console)
    order_id = await pipe.submit(body_of("future-dated"))
    assert "Promise another date" in text_of(await agent.page(f"/orders/{order_id}/change"))
    asked = {"kind": "changePromise", "promisedAt": "2031-07-01T08:00", "reason": "agreed by telephone"}
    preview = await agent.post(f"/orders/{order_id}/change/preview", asked)
    confirmed = fields_of(preview.text, f"/console/orders/{order_id}/change")
    assert (await agent.post(f"/orders/{order_id}/change", confirmed)).status_code == 303
    page = await until_told(agent, order_id, "changes", "Change the promise")
    assert "agreed by telephone" in section(page, "changes")
    assert "promised for 1 Jul 2031" in section(page, "changes")


async def test_a_change_with_a_fee_is_made_as_previewed_and_a_stale_preview_is_told(
    pipe: Pipe, console: Console
) -> None:
    agent = await agent_of(console)
    # At rest: what else is done between a preview and its confirmation would make that one stale too.
    order_id = await under_way(pipe)
    address = f"/console/orders/{order_id}/change"
    free = await agent.page(f"/orders/{order_id}/change/preview?kind=cancel")
    assert "free of charge" in text_of(free)
    await pipe.sim("POST", "/shipping/milestone", {"match": order_id, "name": "handed-over"})

    async def costs() -> bool:
        return "Confirm, and accept the fee" in await agent.page(f"/orders/{order_id}/change/preview?kind=cancel")

    await until(costs, "the parcel to cost a fee")
    stale = await agent.post(f"/orders/{order_id}/change", fields_of(free, address))
    assert stale.status_code == 200
    assert "the order has moved since you looked" in text_of(stale.text)
    assert "€9.90" in text_of(stale.text)
    done = await agent.post(f"/orders/{order_id}/change", fields_of(stale.text, address))
    assert done.status_code == 303
    again = await agent.post(f"/orders/{order_id}/change", fields_of(stale.text, address))
    assert again.status_code == 303  # The same request is decided once.
    page = await until_told(agent, order_id, "changes", "Cancel the order")
    # The stale one was rejected, the other taken once.
    assert section(page, "changes").count("Cancel the order") == 2
    assert section(page, "changes").count("rejected") == 1
    await pipe.outcome(order_id)


async def test_an_item_is_changed_by_a_form_that_offers_what_its_catalog_has(pipe: Pipe, console: Console) -> None:
    agent, order_id = await agent_of(console), await under_way(pipe)
    page = await agent.page(f"/orders/{order_id}/change")
    assert re.search(r'<option value="tv-cinema">', page)
    form = {"kind": "amend", "item": "3", "offering": "tv-cinema", "was.offering": "tv-sport"}
    item = re.search(r'name="item" value="([^"]+)">(?:(?!</form>).)*tv-cinema', page, re.DOTALL)
    assert item is not None
    preview = await agent.post(f"/orders/{order_id}/change/preview", {**form, "item": item[1]})
    assert "tv-cinema" in preview.text
    fields = fields_of(preview.text, f"/console/orders/{order_id}/change")
    assert (await agent.post(f"/orders/{order_id}/change", fields)).status_code == 303
    await until_told(agent, order_id, "items", "tv-cinema")
    nothing = {**form, "item": item[1], "offering": "tv-sport"}
    unchanged = await agent.post(f"/orders/{order_id}/change/preview", nothing)
    assert unchanged.status_code == 400
    assert "nothing in it is to be different" in unchanged.text
    await let_go(pipe, order_id)


async def test_a_list_is_filtered_sorted_and_taken_along_as_a_file(pipe: Pipe, console: Console) -> None:
    agent, order_id = await agent_of(console), await under_way(pipe)
    customer = (await pipe.view(order_id)).customer_id
    listed = await agent.page(f"/orders?customer={customer}&state=inProgress&waitsFor=parcel&sort=-expectedAt&q=")
    assert order_id in listed
    assert 'aria-sort="descending"' in listed
    assert order_id not in await agent.page(f"/orders?customer={customer}&waitsFor=visit")
    wrong = await agent.page("/orders?waitsFor=godot&state=")
    assert "waitsFor" in text_of(wrong)
    lines = (await agent.page(f"/orders.csv?customer={customer}")).splitlines()
    assert lines[0].startswith("id,externalId,customerId")
    assert ",safeAt,slackS,percentComplete," in lines[0]
    assert any(line.startswith(f"{order_id},") for line in lines[1:])
    await let_go(pipe, order_id)


async def test_what_a_caller_knows_leads_to_the_order(pipe: Pipe, console: Console) -> None:
    agent, order_id = await agent_of(console), await under_way(pipe)
    found = await agent.get(f"/search?q={order_id}")
    assert (found.status_code, found.headers["location"]) == (303, f"/console/orders/{order_id}")
    assert "Nothing has all of these words" in await agent.page("/search?q=nobodyhasthis")
    assert (await agent.get("/search?q=")).status_code == 200
    await let_go(pipe, order_id)


async def test_tasks_and_history_are_told_in_full(pipe: Pipe, console: Console) -> None:
    agent, order_id = await agent_of(console), await under_way(pipe)
    tasks = await agent.page(f"/orders/{order_id}/timeline")
    links = re.findall(r'href="/console(/orders/[^"]+/tasks/[^"]+)"', tasks)
    assert len(links) > 10
    task = text_of(await agent.page(next(link for link in links if "ship-parcel" in link)))
    assert "What it stands on, and what stands on it" in task
    assert "awaited" in task
    assert "in progress" in text_of(await agent.page(f"/orders/{order_id}/history"))
    assert (await agent.get(f"/orders/{order_id}/tasks/none/such")).status_code == 404
    await let_go(pipe, order_id)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}, "Wo ist er?"),
        ({"Accept-Language": "fr,en;q=0.4"}, "Where is it?"),
        ({"Accept-Language": "de;q=x, *"}, "Where is it?"),
    ],
)
async def test_pages_are_in_the_language_of_the_browser(
    pipe: Pipe, console: Console, headers: dict[str, Any], words: str
) -> None:
    agent = await agent_of(console)
    order_id = await pipe.submit(body_of("future-dated"))
    page = await agent.page(f"/orders/{order_id}", **headers)
    assert words in page
    assert (await pipe.change(order_id, kind="cancel", requestId="over"))["state"] in ("accepted", "applied")


async def test_what_somebody_ordered_is_shown_as_text(pipe: Pipe, console: Console) -> None:
    agent = await agent_of(console)
    evil = "<script>alert(1)</script>"
    order_id = await pipe.submit(body_of("future-dated", externalId=f"{evil}{id(pipe)}"))
    for path in (f"/orders/{order_id}", f"/orders?q={evil}", f"/search?q={evil}"):
        answer = await agent.get(path)
        assert evil not in answer.text
    assert (await pipe.change(order_id, kind="cancel", requestId="over"))["state"] in ("accepted", "applied")


async def test_an_order_is_held_or_released_as_either_applies(pipe: Pipe, console: Console) -> None:
    agent, order_id = await agent_of(console), await pipe.submit(body_of("future-dated"))
    for kind, other in (("hold", "release"), ("release", "hold"), ("hold", "release")):
        page = await agent.page(f"/orders/{order_id}/change")
        assert f"/change/preview?kind={other}" not in page
        assert f'href="/console/orders/{order_id}/change/preview?kind={kind}"' in page
        asked = await pipe.change(order_id, kind=kind, requestId=f"{kind}-{len(page)}")
        assert asked["state"] in ("accepted", "applied")
    assert (await pipe.change(order_id, kind="cancel", requestId="over"))["state"] in ("accepted", "applied")
