"""Pages in German say in German also what the core has put into words."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

import pytest

from api.access.principal import Scope
from orders.read_model.views import OrderView
from register import Register
from tests.api.console.conftest import Console, Person
from tests.api.console.pages.test_orders import text_of
from tests.api.service.test_waiting import technician_comes
from tests.given.registers import a_record
from tests.given.situations import (
    call_refused,
    cancelled_with_a_fee,
    completed,
    future_dated,
    held_by_hand,
    visit_awaited,
    waiting_for_products,
)
from tests.running.pipe import Pipe, until

GERMAN: Final = {"Accept-Language": "de"}


async def late(pipe: Pipe) -> str:
    """An order that waits for its technician, and was promised for earlier than he comes."""
    order_id = await visit_awaited(pipe)
    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    verdict = await pipe.change(
        order_id, requestId="sooner", kind="changePromise", promisedAt=soon, requester="Ada", reason="the customer asks"
    )
    assert verdict["state"] != "rejected", verdict
    return order_id


SAYS: Final[dict[Callable[[Pipe], Awaitable[str]], str]] = {
    visit_awaited: r"Wartet auf: Technician's visit am Standort site-1, erwartet bis .*\d\d:\d\d",
    call_refused: r"Jemand muss sich kümmern: .* am Standort site-1: tv hat abgelehnt: ",
    held_by_hand: r"Angehalten seit .*\d\d:\d\d von Ada: the customer moves",
    waiting_for_products: r"Wartet auf Produkte: product .* is being changed by order",
    future_dated: r"Beginnt wie gewünscht ab .*2031",
    cancelled_with_a_fee: r"Storniert \(.*\d\d:\d\d\); Gebühr von 9,90\s€ berechnet",
    completed: r"Erledigt \(.*\d\d:\d\d\)",
    late: r"Verspätet: Wartet auf: Technician's visit am Standort site-1, erwartet bis .*\d\d:\d\d",
}
"""What the pages of an order say of it, in each situation."""


def text_told(page: str) -> str:
    """What a page says, where markup within a sentence leaves no blank."""
    return text_of(re.sub(r"</?(?:span|time)\b[^>]*>", "", page))


async def told(agent: Person, path: str, words: str) -> str:
    """Wait until a German page says that. Gives the page."""
    pages: list[str] = []

    async def says() -> bool:
        pages.append(await agent.page(path, **GERMAN))
        return re.search(words, text_told(pages[-1])) is not None

    await until(says, f"{path} to say {words}")
    return pages[-1]


@pytest.mark.parametrize("situation", SAYS, ids=lambda situation: situation.__name__)
async def test_where_an_order_is_is_told_in_german(
    pipe: Pipe, console: Console, situation: Callable[[Pipe], Awaitable[str]]
) -> None:
    agent, order_id = await console.person(Scope.CARE), await situation(pipe)
    says = SAYS[situation]
    if situation is waiting_for_products:  # Its own page has the reasons one by one; a search finds both orders.
        await told(agent, f"/search?q={(await pipe.view(order_id)).customer_id}", says)
        await told(agent, f"/orders?q={order_id}", says)
        await technician_comes(pipe)
        return
    page = await told(agent, f"/orders/{order_id}", says)
    for sentence in re.findall(r'<(?:p|small)[^>]*lang="en"[^>]*>(.*?)</', page):
        assert not re.match("Waits for|Needs a person|On hold|Begins|Cancelled|Completed", sentence)
    if situation not in (cancelled_with_a_fee, completed):
        await told(agent, f"/orders?q={order_id}", says.removeprefix("Verspätet: "))
    await pipe.sim("DELETE", "/*/faults")


def before_all_others(pipe: Pipe, told_of: OrderView) -> None:
    """Write an order into the register that stands as another does, and comes first on the desk: it shows but some."""
    changes = {"state": told_of.state, "answer": told_of.answer, "in_jeopardy": told_of.in_jeopardy}
    with closing(Register(pipe.settings.register_address)) as register:
        record = a_record(
            1,
            order_id=f"O-{uuid4().hex[:10]}",
            ordered_at=datetime(2001, 1, 1, tzinfo=UTC),
            promised_at=datetime(2001, 1, 2, tzinfo=UTC),
            completed_at=None,
            **changes,
        )
        register.records.record(record)


async def test_the_desk_says_in_german_why_orders_are_held_and_late(pipe: Pipe, console: Console) -> None:
    agent, held = await console.person(Scope.CARE), await call_refused(pipe)

    async def is_held() -> bool:
        return (await pipe.view(held)).state == "held"

    await until(is_held, "nothing of the order to go on")
    before_all_others(pipe, await pipe.view(held))
    page = text_told(await agent.page("/", **GERMAN))
    assert re.search("Jemand muss sich kümmern: .*tv hat abgelehnt: ", page)
    await pipe.sim("DELETE", "/*/faults")
    await pipe.change(held, requestId="over", kind="cancel")
    before_all_others(pipe, await pipe.view(await late(pipe)))
    page = text_told(await agent.page("/", **GERMAN))
    assert re.search(r"Wartet auf: Technician's visit am Standort site-1, erwartet bis .*\d\d:\d\d", page)


async def test_a_fallout_and_the_ways_out_are_told_in_german(pipe: Pipe, console: Console) -> None:
    agent, order_id = await console.person(Scope.CARE), await call_refused(pipe)
    [refused] = (await pipe.view(order_id)).fallout
    api = f"{pipe.settings.api_address}/care/v1/fallout/{refused.id}"

    async def recorded() -> bool:
        return (await pipe.http.get(api)).status_code == 200

    await until(recorded, "the fallout to be recorded")
    page = await told(agent, f"/fallout/{refused.id}", "konnte nicht ausgeführt werden: tv hat abgelehnt: ")
    says = text_told(page)
    assert re.search(r"tv wird noch einmal gefragt: Activation of television", says)
    assert "Der Auftrag geht weiter ohne: Activation of television" in says
    assert "tv wird storniert, mit allem, was davon abhängt" in says
    assert "could not be done" not in says
    assert "is asked again" not in says
    found = (await pipe.http.get(api)).json()
    assert found["meaning"].startswith("Activation of television at site-1 could not be done: tv refused: ")
    wording, ways = found["meaningWording"], found["ways"]
    assert wording["template"].startswith("{what}. Waiting for it: ") or wording["template"].startswith("{title} could")
    assert {way["wordsWording"]["template"] for way in ways if way["way"] == "retry"} == {
        "{silo} is asked again: {title}"
    }
    await pipe.sim("DELETE", "/*/faults")
    await pipe.change(order_id, requestId="over", kind="cancel")


async def test_a_danger_and_what_would_help_are_told_in_german(pipe: Pipe, console: Console) -> None:
    agent, order_id = await console.person(Scope.CARE), await late(pipe)
    customer = (await pipe.view(order_id)).customer_id
    page = await told(agent, f"/jeopardy?customer={customer}", "Technician's visit von field-service kommt zu spät")
    assert "field-service bitten, es vorzuziehen, oder mit dem Kunden" in text_told(page)
    danger = (await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{order_id}")).json()["jeopardy"]
    assert (danger["what"], danger["whatWording"]["template"]) == (
        "Technician's visit by field-service comes late",
        "{title} by {silo} comes late",
    )
    assert danger["helpsWording"]["values"] == {"silo": "field-service"}
    await pipe.change(order_id, requestId="over", kind="cancel")


async def test_why_a_silo_is_left_alone_is_told_in_german(pipe: Pipe, console: Console) -> None:
    agent, address = await console.person(Scope.OPERATE), f"{pipe.settings.api_address}/care/v1/silos/trade-in"
    paused = await pipe.http.patch(address, json={"paused": True, "reason": "it moves house", "requester": "Ada"})
    assert paused.status_code == 200, paused.text
    try:
        for page in ("/silos/trade-in", "/silos", "/"):
            await told(agent, page, "pausiert von .*Ada.*: it moves house")
        assert (await pipe.http.get(address)).json()["reasonWording"]["template"] == "{what}: {why}"
    finally:
        await pipe.http.patch(address, json={"paused": False, "reason": "it has moved"})


async def test_what_is_to_be_read_aloud_of_a_preview_is_german(pipe: Pipe, console: Console) -> None:
    agent, order_id = await console.person(Scope.CARE), await visit_awaited(pipe)
    page = await agent.page(f"/orders/{order_id}/change/preview?kind=cancel", **GERMAN)
    aloud = re.search(r'<section[^>]*aria-labelledby="aloud">.*?</section>', page, re.DOTALL)
    assert aloud is not None
    says = text_told(aloud[0])
    assert "Das ist möglich" in says or "Ob das möglich ist, muss erst gefragt werden" in says
    assert re.search(r"net: .* \(.* € im Monat.*\) entfällt", says)
    assert "Gebühr: 9,90 €" in says
    assert re.search(r"Das lief schon seit .* und muss zurückgenommen werden, das kostet 9,90\s€", says)
    assert "Insgesamt: nichts statt " in says
    api = f"{pipe.settings.api_address}/care/v1/orders/{order_id}/changes?dryRun=true"
    preview = (await pipe.http.post(api, json={"kind": "cancel"})).json()
    templates = [wording["template"] for wording in preview["wordsWording"]]
    assert len(templates) == len(preview["words"])
    assert preview["words"][templates.index("Fee: {fee}")] == "Fee: 9.90 EUR"
    await pipe.change(order_id, requestId="over", kind="cancel", acceptFee={"amount": "9.90", "currency": "EUR"})


async def test_the_api_tells_each_sentence_in_english_and_what_it_is_made_of(pipe: Pipe) -> None:
    order_id = await held_by_hand(pipe)
    answer = (await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{order_id}")).json()["answer"]
    wording = answer["waitsFor"]["whatWording"]
    assert answer["waitsFor"]["what"].endswith(" by Ada: the customer moves")
    assert (wording["template"], wording["values"]["why"]) == ("{what}: {why}", "the customer moves")
    assert wording["values"]["what"]["template"] == "{what} by {who}"
    assert answer["summary"].startswith(answer["waitsFor"]["what"])
