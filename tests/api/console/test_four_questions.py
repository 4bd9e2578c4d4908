"""Where is it, why, what comes next, when: answered on the first screen of an order's page, without scrolling."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from playwright.async_api import expect

from api.access.principal import Scope
from tests.api.console.browser import PATIENCE_MS, PHONE, tab
from tests.api.console.conftest import Desk
from tests.api.service.test_waiting import technician_comes
from tests.given.situations import (
    call_refused,
    cancelled_with_a_fee,
    compensating,
    completed,
    future_dated,
    silo_down,
    visit_awaited,
    waiting_for_products,
)
from tests.running.pipe import Pipe

pytestmark = pytest.mark.timeout(600)
expect.set_options(timeout=PATIENCE_MS)

SCREENS: Final = {"desktop": (1280, 800), "phone": PHONE}
QUESTIONS: Final = ("where", "why", "next", "when")
SITUATIONS: Final[dict[Callable[[Pipe], Awaitable[str]], tuple[str, str, str, str]]] = {
    visit_awaited: ("It waits for a visit", "Technician's visit", "Activation of the line", "promised"),
    silo_down: ("It waits for a silo", "tv answered 503 Service Unavailable", "Billing", "promised"),
    call_refused: ("It waits for a person", "1 call needs a person", "Billing", "Nobody can tell yet"),
    compensating: (
        "Being cancelled: it waits for a silo",
        "number-inventory answered 503",
        "Then it is cancelled",
        "Nobody can tell yet",
    ),
    waiting_for_products: (
        "It waits for a product",
        "is being changed by order",
        "Then its work begins",
        "Nobody can tell yet",
    ),
    future_dated: (
        "It waits for a date",
        "Begins on 1 Jan 2031, 01:00, as asked for",
        "Customer account",
        "not before 1 Jan 2031",
    ),
    cancelled_with_a_fee: ("Cancelled", "It was asked to be cancelled", "Nothing", "promised"),
    completed: ("Done", "Nothing is left to do", "Nothing", "promised"),
}
"""What the page says to each of the four questions, in each situation."""


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.__name__)
async def test_the_four_questions_are_answered_on_the_first_screen(
    pipe: Pipe, desk: Desk, situation: Callable[[Pipe], Awaitable[str]]
) -> None:
    order_id = await situation(pipe)
    cookie = await desk.cookie(Scope.CARE)
    for screen, size in SCREENS.items():
        async with tab(desk.browser, desk.address, cookie, size=size) as opened:
            await opened.go(f"/orders/{order_id}")
            for question, said in zip(QUESTIONS, SITUATIONS[situation], strict=True):
                answer = opened.page.locator(f".answers section[aria-labelledby={question}]")
                await expect(answer).to_contain_text(said)
                box = await answer.bounding_box()
                assert box is not None
                lowest = box["y"] + box["height"]
                assert lowest <= size[1], f"{screen}: the answer to {question} ends at {lowest} of {size[1]} px"
    await pipe.sim("DELETE", "/*/faults")
    if situation is waiting_for_products:
        await technician_comes(pipe)
