"""An agent amends, reschedules, cancels and mends in under six clicks from the search, and is told no other verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Locator, expect

from api.access.principal import Scope
from tests.api.care.test_appointments import done, household, town, waiting
from tests.api.console.browser import PATIENCE_MS, Tab, tab
from tests.api.console.conftest import Desk
from tests.given.situations import call_refused
from tests.running.pipe import Pipe, until
from tests.steps import let_go, under_way

pytestmark = pytest.mark.timeout(600)
expect.set_options(timeout=PATIENCE_MS)

MOST_CLICKS: Final = 5


@dataclass
class Hand:
    """Somebody with a mouse, whose clicks are counted. What is typed into the search field is sent by the Enter key."""

    opened: Tab
    clicks: int = 0

    async def search(self, words: str) -> None:
        """Find what a caller knows."""
        await self.opened.go("/")
        await self.opened.page.get_by_role("searchbox").fill(words)
        await self.opened.page.keyboard.press("Enter")
        await expect(self.opened.page.locator("#where")).to_be_visible()

    async def click(self, what: Locator) -> None:
        self.clicks += 1
        await what.click()

    async def choose(self, choice: Locator, **option: Any) -> None:
        """Open a list, and pick one of it."""
        self.clicks += 2
        await choice.select_option(**option)

    async def preview(self) -> str:
        """What the preview says of the fee, having said that the change can be had."""
        page = self.opened.page
        await expect(page.get_by_role("heading", level=1)).to_contain_text("what that would do")
        await expect(page.get_by_text("can be had", exact=True)).to_be_visible()
        return await page.locator(".fee").inner_text()

    async def confirm(self) -> str:
        """Do it. Gives the id of what was asked for."""
        page = self.opened.page
        await self.click(page.get_by_role("button", name="Confirm"))
        await page.wait_for_url("**?asked=*")
        return parse_qs(urlsplit(page.url).query)["asked"][0]


async def verdict_on(pipe: Pipe, order_id: str, request_id: str) -> dict[str, Any]:
    """A change as the care API tells of it once it is decided."""
    found: list[dict[str, Any]] = []

    async def decided() -> bool:
        told = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{order_id}")
        found[:] = [each for each in told.json()["changes"] if each["requestId"] == request_id]
        return bool(found) and found[0]["state"] != "assessing"

    await until(decided, f"a verdict on {request_id}")
    return found[0]


async def as_previewed(pipe: Pipe, order_id: str, hand: Hand, fee: str) -> None:
    """The change that was confirmed is had, at the fee that the preview told, and it took few clicks."""
    told_fee = await hand.preview()
    assert told_fee == fee
    verdict = await verdict_on(pipe, order_id, await hand.confirm())
    assert (verdict["state"], verdict["reasons"]) in [("accepted", []), ("applied", [])]
    charged = verdict["impact"]["fees"] if verdict["impact"] else []
    assert [f"€{each['amount']}" for each in charged] == ([fee] if fee.startswith("€") else [])
    assert hand.clicks <= MOST_CLICKS


async def test_an_order_is_amended(pipe: Pipe, desk: Desk) -> None:
    order_id = await under_way(pipe)
    async with tab(desk.browser, desk.address, await desk.cookie(Scope.CARE)) as opened:
        hand, page = Hand(opened), opened.page
        await hand.search(order_id)
        await hand.click(page.get_by_role("link", name="Change", exact=True))
        form = page.locator("form", has=page.locator("option[value=tv-cinema]"))
        await hand.choose(form.get_by_label("Offering"), value="tv-cinema")
        await hand.click(form.get_by_role("button", name="See what that would do"))
        await as_previewed(pipe, order_id, hand, "free of charge")
    await let_go(pipe, order_id)


async def test_a_visit_is_rescheduled(pipe: Pipe, desk: Desk) -> None:
    case = await waiting(pipe, household(town()))
    await pipe.until_recorded(case.order)
    async with tab(desk.browser, desk.address, await desk.cookie(Scope.CARE)) as opened:
        hand, page = Hand(opened), opened.page
        await hand.search(case.order)
        await hand.click(page.get_by_role("link", name="Change", exact=True))
        form = page.locator("form", has=page.locator("select[name=slot]")).first
        await hand.choose(form.get_by_label("Slot"), index=3)
        await hand.click(form.get_by_role("button", name="See what that would do"))
        await as_previewed(pipe, case.order, hand, "free of charge")
    await done(case)


async def test_an_order_is_cancelled_for_a_fee(pipe: Pipe, desk: Desk) -> None:
    order_id = await under_way(pipe)
    await pipe.sim("POST", "/shipping/milestone", {"match": order_id, "name": "handed-over"})
    await pipe.until_recorded(order_id)
    async with tab(desk.browser, desk.address, await desk.cookie(Scope.CARE)) as opened:
        hand, page = Hand(opened), opened.page
        await hand.search(order_id)
        await hand.click(page.get_by_role("link", name="Cancel", exact=True))
        await as_previewed(pipe, order_id, hand, "€9.90")
    assert (await pipe.outcome(order_id)).state == "cancelled"


async def test_a_fallout_is_mended(pipe: Pipe, desk: Desk) -> None:
    order_id = await call_refused(pipe)
    await pipe.until_recorded(order_id)
    await pipe.sim("DELETE", "/tv/faults")
    async with tab(desk.browser, desk.address, await desk.cookie(Scope.CARE)) as opened:
        hand, page = Hand(opened), opened.page
        await hand.search(order_id)
        await hand.click(page.get_by_role("link", name="Try again"))
        await as_previewed(pipe, order_id, hand, "free of charge")
    assert (await pipe.outcome(order_id)).state == "completed"
