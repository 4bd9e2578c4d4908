"""A real browser for the console: Debian's Chromium, without a window."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

AXE: Final = Path(__file__).parent / "vendor" / "axe-4.14.1" / "axe.min.js"
PATIENCE_MS: Final = 120_000
"""How long a machine that is busy may take for what is done in a moment."""
PHONE: Final = (390, 844)
DESKTOP: Final = (1440, 900)
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser. Without it, tests that need it are skipped, but fail where CI runs."""
    program = shutil.which("chromium")
    if program is None:
        missing = "there is no Chromium (Debian: apt-get install chromium)"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    async with async_playwright() as playwright:
        # Its own sandbox needs rights that a container does not give; it opens nothing but our pages.
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Tab:
    """A page in a browser, and whatever it complains about."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        """Open a page of the console."""
        answer = await self.page.goto(f"{self.address}/console{path}")
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"

    async def findings(self) -> list[str]:
        """What axe has to say of the page as it is."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.add_script_tag(content=AXE.read_text())
        told = await self.page.evaluate("rules => axe.run(document, {runOnly: rules})", _RULES)
        return [
            f"{found['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
            for found in told["violations"]
            for node in found["nodes"]
        ]

    async def small_targets(self) -> list[str]:
        """What is too small to be touched with certainty: WCAG 2.2 asks for 24 pixels, but of links in a sentence."""
        return await self.page.evaluate(
            """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary")]
                .filter((each) => each.checkVisibility() && !each.closest("p, small, .visually-hidden, .skip"))
                .filter((each) => each.getBoundingClientRect().height < 24 && !each.labels?.length)
                .map((each) => `too small to touch: ${each.outerHTML.slice(0, 160)}`)"""
        )

    async def words_over_words(self) -> list[str]:
        """Where in a picture one word stands over another."""
        return await self.page.evaluate(
            """() => [...document.querySelectorAll("svg")].flatMap((picture) => {
                const words = [...picture.querySelectorAll("text")]
                    .map((each) => ({ says: each.textContent, at: each.getBoundingClientRect() }))
                    .filter(({ at }) => at.width > 0);
                return words.flatMap(({ says, at }, number) => words.slice(number + 1)
                    .filter((other) => Math.min(at.right, other.at.right) - Math.max(at.left, other.at.left) > 1
                        && Math.min(at.bottom, other.at.bottom) - Math.max(at.top, other.at.top) > 4)
                    .map((other) => `${says} stands over ${other.says}`));
            })"""
        )

    async def overflow(self) -> int:
        """By how many pixels the page is wider than what is shown of it."""
        return await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@asynccontextmanager
async def tab(
    browser: Browser, address: str, cookie: tuple[str, str] | None = None, *, strict: bool = True, **look: Any
) -> AsyncIterator[Tab]:
    """A tab of its own, which fails on any complaint at its end. Where it is `strict`, its pages' policy holds."""
    width, height = look.pop("size", DESKTOP)
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        locale=look.pop("locale", "en-GB"),
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
        bypass_csp=not strict,
        **look,
    )
    context.set_default_timeout(PATIENCE_MS)
    if cookie is not None:
        await context.add_cookies([{"name": cookie[0], "value": cookie[1], "url": address}])
    opened = Tab(await context.new_page(), address)
    opened.page.on("console", _note(opened))
    opened.page.on("pageerror", lambda error: opened.complaints.append(f"error: {error}"))
    try:
        yield opened
        assert opened.complaints == []
    finally:
        await context.close()


def _note(opened: Tab) -> Callable[[ConsoleMessage], None]:
    def note(message: ConsoleMessage) -> None:
        # A violation of the policy is told there too.
        if message.type in ("error", "warning"):
            opened.complaints.append(f"{message.type}: {message.text}")

    return note
