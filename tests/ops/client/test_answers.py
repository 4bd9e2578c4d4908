"""Where is it, why, what next, when: the same by the care API, in lists, by `orderpipe order`, and in Temporal."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from rich.console import Console

from ops.client.door import Door
from ops.client.watch import show
from orders.read_model.answer import Answer, WaitsFor
from orders.read_model.answer_words import in_words
from tests.api.service.test_waiting import technician_comes
from tests.given.situations import (
    call_refused,
    cancelled_with_a_fee,
    compensating,
    completed,
    future_dated,
    held_by_hand,
    silo_down,
    visit_awaited,
    waiting_for_products,
)
from tests.running.pipe import Pipe, until


async def answer_of(door: Door, order_id: str) -> Answer:
    return Answer.model_validate((await door.order(order_id)).answer, from_attributes=True)


CASES: dict[Callable[[Pipe], Awaitable[str]], tuple[WaitsFor | None, str, dict[str, Any]]] = {
    visit_awaited: (
        WaitsFor.VISIT,
        "Waits for: Technician's visit at site-1, expected by ",
        {"title": "Technician's visit"},
    ),
    silo_down: (WaitsFor.SILO, "Under way: Activation of television at site-1, tv was called at ", {"silo": "tv"}),
    call_refused: (WaitsFor.PERSON, "Needs a person: Activation of television at site-1: tv refused", {"silo": "tv"}),
    compensating: (
        WaitsFor.SILO,
        "Being undone: Telephone number at site-1, number-inventory was called at ",
        {"verb": "compensate"},
    ),
    held_by_hand: (WaitsFor.HOLD, "On hold since ", {"title": "Technician's visit"}),
    waiting_for_products: (WaitsFor.PRODUCT, "Waits for products: ", {}),
    future_dated: (WaitsFor.DATE, "Begins on 2031-01-01 00:00 UTC, as asked for", {}),
    cancelled_with_a_fee: (None, "Cancelled on ", {}),
    completed: (None, "Completed on ", {}),
}
"""What an order waits for, how its summary begins, and what the first line of `now` says."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_every_door_tells_the_same(pipe: Pipe, door: Door, case: Callable[[Pipe], Awaitable[str]]) -> None:
    kind, summary, first = CASES[case]
    order_id = await case(pipe)

    async def known() -> bool:
        answer = await answer_of(door, order_id)
        return (answer.waits_for.kind if answer.waits_for else None) is kind and answer.summary.startswith(summary)

    await until(known, f"{summary}: {(await answer_of(door, order_id)).summary}", 30)
    answer = await answer_of(door, order_id)
    assert {name: getattr(line, name) for line in answer.now[:1] for name in first} == first
    await _told_in_lists(pipe, order_id, answer)
    shown, details = await _shown(door, order_id), await _current_details(pipe, order_id)
    for line in lines_of(answer):
        assert line in shown
        assert line in details
    await pipe.sim("DELETE", "/*/faults")
    if case is waiting_for_products:
        await technician_comes(pipe)


def lines_of(answer: Answer) -> list[str]:
    """The answer in words, but for what Temporal alone knows, and what that says is another thing a moment later."""
    known = [
        line.model_copy(update={"attempts": None, "next_try": None, "last_error_wording": None})
        if line.attempts
        else line
        for line in answer.now
    ]
    told = [line for _, line in in_words(answer.model_copy(update={"now": tuple(known)}))]
    return [part for line in told for part in line.split("; ")]


async def _told_in_lists(pipe: Pipe, order_id: str, answer: Answer) -> None:
    view = await pipe.view(order_id)
    address = f"{pipe.settings.api_address}/care/v1/orders"

    async def listed() -> bool:
        found = (await pipe.http.get(address, params={"externalId": view.external_id})).json()["orders"][0]
        alone = (await pipe.http.get(f"{address}/{order_id}")).json()
        short = found["answer"]
        assert set(short) == {"summary", "summaryWording", "waitsFor", "lateBecause", "lateBecauseWording", "lateSince"}
        told = (short["summary"], short["waitsFor"], found["silos"], found["expectedAt"], found["state"])
        silos = sorted({line.silo for line in answer.now})
        return told == (answer.summary, alone["answer"]["waitsFor"], silos, alone["expectedAt"], alone["state"])

    await until(listed, "the list to tell the same", 30)


async def _shown(door: Door, order_id: str) -> str:
    text = io.StringIO()
    await show(door, order_id, Console(file=text, width=1000, color_system=None))
    return text.getvalue()


async def _current_details(pipe: Pipe, order_id: str) -> str:
    metadata = await pipe.handle(order_id).query("__temporal_workflow_metadata")
    return str(metadata.current_details)


async def test_how_often_a_silo_was_called_in_vain_is_told_for_one_order(pipe: Pipe, door: Door) -> None:
    order_id = await silo_down(pipe)

    async def tried() -> bool:
        return any((line.attempts or 0) > 0 for line in (await answer_of(door, order_id)).now)

    await until(tried, "a call that was tried in vain", 30)
    line = next(line for line in (await answer_of(door, order_id)).now if line.silo == "tv")
    assert line.last_error is not None and line.last_error.startswith("tv answered 503")
    assert "; tried " in await _shown(door, order_id)
    await pipe.sim("DELETE", "/*/faults")
    assert (await pipe.outcome(order_id)).state == "completed"


async def test_nothing_is_expected_of_an_order_on_hold_until_it_is_released(pipe: Pipe, door: Door) -> None:
    order_id = await held_by_hand(pipe)
    assert (await door.order(order_id)).expected_at is None
    await pipe.change(order_id, requestId="go-on", kind="release")
    assert (await door.order(order_id)).expected_at is not None


async def test_a_preview_counts_what_is_awaited_from_when_it_began(pipe: Pipe, door: Door) -> None:
    order_id = await visit_awaited(pipe)
    address = f"{pipe.settings.api_address}/care/v1/orders/{order_id}/changes?dryRun=true"
    body = {"kind": "changePriority", "priority": 1}
    await pipe.until_recorded(order_id)
    told = (await pipe.http.post(address, json=body)).json()["expectedAt"]
    expected = (await pipe.http.get(address.removesuffix("/changes?dryRun=true"))).json()["expectedAt"]
    assert told[:16] == expected[:16]
