"""The console in a real browser: without complaints of it or of axe, live, by keyboard, on a phone, in both themes."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from playwright.async_api import expect

from api.access.principal import Scope
from orders.model.writing.wording import verbatim
from orders.read_model.jeopardy import JeopardyCause, JeopardyLevel, JeopardyView
from orders.read_model.states import LifecycleState
from register import Register
from tests.api.care.test_appointments import DAY, done, household, town, waiting
from tests.api.console.browser import DESKTOP, PATIENCE_MS, PHONE, Tab, tab
from tests.api.console.conftest import Desk
from tests.api.console.pages.test_work_items import asked_for
from tests.given.bulks import SILO, a_channel, begin, post, retry_of, without_workflow
from tests.given.households import internet_voice_tv
from tests.given.registers import NOON, a_record
from tests.running.pipe import Pipe, body_of
from tests.steps import held_up, let_go

# Whatever the browser is asked for may take long where much else is going on.
pytestmark = pytest.mark.timeout(600)
expect.set_options(timeout=PATIENCE_MS)


async def waiting_order(pipe: Pipe) -> str:
    """An order that waits for its parcel."""
    order_id = await held_up(pipe, internet_voice_tv(installation="self"))
    await pipe.until_task(order_id, "delivery/ship-parcel", "awaiting")
    await pipe.until_recorded(order_id)
    return order_id


def late_orders(pipe: Pipe) -> None:
    """Two orders that the desk lists as late."""
    danger = JeopardyView(
        level=JeopardyLevel.MISSED,
        cause=JeopardyCause.OVERDUE,
        what_wording=verbatim("The visit takes longer than usual"),
        task="site/installation/visit-site",
        silo="field-service",
        since=NOON,
    )
    late = {"state": LifecycleState.IN_PROGRESS, "completed_at": None, "in_jeopardy": True, "jeopardy": danger}
    with closing(Register(pipe.settings.register_address)) as register:
        for order_id in ("O-late-1", "O-late-2"):
            register.records.record(a_record(1, order_id=order_id, expected_at=NOON, safe_at=NOON, **late))


@pytest.mark.parametrize(("size", "theme", "locale"), [(DESKTOP, "light", "en-GB"), (PHONE, "dark", "de-DE")])
async def test_pages_are_accessible_and_fit_in_both_themes_and_widths(
    pipe: Pipe, desk: Desk, size: tuple[int, int], theme: str, locale: str
) -> None:
    visit = await waiting(pipe, household(town()))
    order_id = await waiting_order(pipe)
    late_orders(pipe)
    work = asked_for(pipe, order_id, instructions="Ask the town hall", group="permits", due_at=NOON)
    without_workflow(pipe.settings.register_address, 2, channel := a_channel())
    job = await begin(pipe, retry_of(channel, rate=0.1))
    cookie = await desk.cookie(Scope.OPERATE)
    paths = (
        "/",
        "/orders",
        f"/orders?q={order_id}&inJeopardy=x",
        "/search?q=nobody",
        f"/orders/{order_id}",
        f"/orders/{order_id}/timeline",
        f"/orders/{order_id}/history",
        f"/orders/{order_id}/change",
        f"/orders/{order_id}/change/preview?kind=cancel",
        "/fallout",
        "/silos",
        "/silos/tv",
        "/customers/cust-1",
        "/demand",
        "/demand?silo=field-service",
        "/events",
        "/orders?state=held",
        "/order?customer=cust-1&offering=voice-line",
        "/order?customer=cust-1&offering=fibre-flex",
        "/catalog",
        "/catalog/triple-play-500",
        f"/orders/{visit.order}/change?slotsFrom={DAY}",
        "/jeopardy",
        "/work-items",
        work,
        "/bulk",
        "/bulk/new",
        "/bulk/new?of=orders",
        f"/bulk/{job['id']}",
    )
    found: dict[str, list[str]] = {}
    look: dict[str, Any] = {"size": size, "color_scheme": theme, "locale": locale}
    async with tab(desk.browser, desk.address, cookie, strict=False, **look) as opened:
        for path in paths:
            await opened.go(path)
            found[path] = [
                *await opened.findings(),
                *await opened.small_targets(),
                *await opened.words_over_words(),
            ]
            if (over := await opened.overflow()) > 0:
                found[path].append(f"{over} px too wide")
    wrong = [f"{where} {each}" for where, what in found.items() for each in what]
    assert not wrong, "\n".join(wrong)
    await post(pipe.http, f"{job['href']}/stop")
    await done(visit)
    await let_go(pipe, order_id)


async def test_what_changes_is_on_the_page_by_itself_and_nothing_typed_is_lost(pipe: Pipe, desk: Desk) -> None:
    order_id = await waiting_order(pipe)
    async with tab(desk.browser, desk.address, await desk.cookie(Scope.CARE)) as opened:
        await opened.go(f"/orders/{order_id}")
        await expect(opened.page.locator("#where + p")).to_have_text("It waits for a parcel")
        await opened.page.locator("#q").fill("half typed")
        await opened.page.locator("#q").focus()
        await let_go(pipe, order_id)
        await expect(opened.page.locator("#where + p")).to_have_text("Done")
        await expect(opened.page.locator("#q")).to_have_value("half typed")
        await expect(opened.page.locator("#q")).to_be_focused()


async def test_an_agent_cancels_an_order_by_keyboard_from_the_search_on(pipe: Pipe, desk: Desk) -> None:
    order_id = await pipe.submit(body_of("future-dated"))
    async with tab(desk.browser, desk.address, await desk.cookie(Scope.CARE)) as opened:
        page = opened.page
        await opened.go("/orders")
        await page.keyboard.press("/")
        await page.keyboard.type(order_id)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/orders/{order_id}")
        await page.get_by_role("link", name="Cancel", exact=True).press("Enter")
        await expect(page.locator(".fee")).to_have_text("free of charge")
        await page.get_by_label("Why, for the log").fill("moved away")
        await page.get_by_role("button", name="Confirm").press("Enter")
        await page.wait_for_url(f"**/orders/{order_id}?asked=*")
        await expect(page.locator("#where + p")).to_have_text("Cancelled")
        await expect(page.locator("#changes ~ ul").get_by_text("moved away")).to_be_visible()


async def test_colours_and_language_are_chosen_and_kept(desk: Desk) -> None:
    async with tab(desk.browser, desk.address, await desk.cookie(Scope.CARE), color_scheme="light") as opened:
        page = opened.page
        await opened.go("/orders")
        before = await ground(opened)
        await page.locator("details.menu summary").click()
        await page.get_by_role("button", name="dark").click()
        assert await ground(opened) != before
        await page.locator("details.menu summary").click()
        await page.get_by_role("button", name="Deutsch").click()
        await opened.go("/orders")
        await expect(page.locator("h1")).to_have_text("Aufträge")
        assert await ground(opened) != before


async def ground(opened: Tab) -> str:
    """The colour behind everything."""
    return await opened.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")


async def test_who_only_looks_is_offered_no_change(pipe: Pipe, desk: Desk) -> None:
    order_id = await pipe.submit(body_of("future-dated"))
    async with tab(desk.browser, desk.address, await desk.cookie(Scope.LOOK)) as opened:
        await opened.go(f"/orders/{order_id}")
        await expect(opened.page.get_by_role("heading", name="Where is it?")).to_be_visible()
        assert await opened.page.get_by_role("link", name="Cancel", exact=True).count() == 0
    assert (await pipe.change(order_id, kind="cancel", requestId="over"))["state"] in ("accepted", "applied")


async def test_a_job_is_begun_by_keyboard_and_moves_on_by_itself(pipe: Pipe, desk: Desk) -> None:
    channel = a_channel()
    orders = without_workflow(pipe.settings.register_address, 3, channel)
    async with tab(desk.browser, desk.address, await desk.cookie(Scope.CARE), strict=False) as opened:
        page = opened.page
        await opened.go("/bulk")
        await page.get_by_role("link", name="New job").press("Enter")
        await page.get_by_label("Channel").fill(channel)
        await page.get_by_label("Refused by silo").select_option(SILO)
        await page.get_by_label("Why, for the log").fill("it is back")
        await page.get_by_role("button", name="See which orders that would be").press("Enter")
        await expect(page.locator("h1")).to_have_text("Try again: 3 orders")
        await expect(page.locator("#sample + div tbody tr")).to_have_count(3)
        assert await opened.findings() == []
        await page.get_by_role("button", name="Ask 3 orders").press("Enter")
        await page.wait_for_url("**/bulk/*")
        await expect(page.get_by_text("rejected: 3").first).to_be_visible()
        await expect(page.locator(f"#order-{orders[0]}")).to_contain_text("no_workflow")


async def test_what_is_typed_of_a_work_item_stays_while_its_order_moves(pipe: Pipe, desk: Desk) -> None:
    order_id = await waiting_order(pipe)
    work = asked_for(pipe, order_id)
    async with tab(desk.browser, desk.address, await desk.cookie(Scope.CARE)) as opened:
        page = opened.page
        await opened.go(work)
        await page.get_by_label("number *").fill("P-1")
        await page.get_by_role("button", name="I see to it").press("Enter")
        await expect(page.get_by_role("button", name="Let others have it")).to_be_visible()
        await page.get_by_label("number *").fill("P-1")
        await let_go(pipe, order_id)
        await expect(page.get_by_label("number *")).to_have_value("P-1")


@pytest.mark.parametrize("path", ["/", "/orders"])
async def test_times_are_those_of_the_viewer_from_the_first_page_on(desk: Desk, path: str) -> None:
    async with tab(desk.browser, desk.address, await desk.cookie(Scope.CARE)) as opened:
        await opened.go(path)
        await opened.page.locator("details.menu summary").click()
        await expect(opened.page.get_by_text("Times are those of Europe/Berlin.")).to_be_visible()
