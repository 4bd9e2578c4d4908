"""A customer in the console: everything over all channels on one page, and how they want to be told."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from api.access.principal import Scope
from tests.api.care.test_messages import hurry, until_told
from tests.api.console.conftest import Console, Person
from tests.api.console.pages.test_orders import section, text_of
from tests.given.households import internet_voice_tv, item, order
from tests.running.pipe import Pipe, until
from tests.steps import let_go


def somebody() -> tuple[str, dict[str, Any]]:
    """A customer's id, and who an order of theirs names."""
    customer = f"cust-{uuid4().hex[:8]}"
    party = {"id": customer, "role": "customer", "name": "Anna <Muster>", "@referredType": "Customer"}
    return customer, {"relatedParty": [party]}


async def until_said(person: Person, path: str, words: str) -> str:
    """Wait until a page says something. Gives it."""
    pages: list[str] = []

    async def told() -> bool:
        answer = await person.get(path)
        pages.append(answer.text)
        return answer.status_code == 200 and (words in answer.text or words in text_of(answer.text))

    await until(told, f"{path} to say {words}")
    return pages[-1]


async def test_a_customer_is_on_one_page_with_orders_of_every_channel(pipe: Pipe, console: Console) -> None:
    agent, (customer, party) = await console.person(Scope.CARE), somebody()
    by_shop = await pipe.submit(order(item("sim", "mobile-s"), channel="shop", **party))
    await pipe.outcome(by_shop)
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    by_web = await pipe.submit(internet_voice_tv() | party)
    await pipe.until_task(by_web, "delivery/ship-parcel", "awaiting")
    await pipe.change(by_web, requestId="more", kind="amend", add=[item("sim", "mobile-m")], reason="for the <kids>")
    await until_said(agent, f"/customers/{customer}", "for the <kids>")
    page = await until_said(agent, f"/customers/{customer}", 'id="message-')
    assert "for the <kids>" in section(page, "changes")
    assert "<kids>" not in page
    orders = section(page, "orders")
    assert by_shop in orders and by_web in orders and "shop" in orders
    assert "2 orders" in orders
    assert f'href="/console/orders/{by_web}/change"' in page
    assert f'href="/console/orders/{by_shop}/change"' not in page
    products = section(page, "products")
    assert "mobile-s" in products and "active" in products and by_shop in products
    answer = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/customers/{customer}")
    given = [each for each in answer.json()["given"] if each["orderId"] == by_web]
    assert given
    assert [each["value"] for each in given if each["value"] not in section(page, "orders")] == []
    assert f'href="/console/customers/{customer}"' in await agent.page(f"/orders/{by_web}")
    assert f'href="/console/customers/{customer}"' in await agent.page(f"/search?q={customer}")
    await let_go(pipe, by_web)


async def test_the_numbers_of_what_is_installed_are_told(pipe: Pipe, console: Console) -> None:
    agent, (customer, party) = await console.person(Scope.CARE), somebody()
    order_id = await pipe.submit(order(item("sim", "mobile-s"), **party))
    await pipe.outcome(order_id)
    page = await until_said(agent, f"/customers/{customer}", "active")
    answer = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/customers/{customer}")
    [product] = [each for each in answer.json()["products"] if each["given"]]
    for name, number in product["given"].items():
        assert f"{name} {number}" in section(page, "products")


async def test_how_a_customer_wants_to_be_told_is_changed(pipe: Pipe, console: Console) -> None:
    agent, (customer, party) = await console.person(Scope.CARE), somebody()
    order_id = await pipe.submit(order(item("sim", "mobile-s"), **party))
    await pipe.outcome(order_id)
    path = f"/customers/{customer}"
    await until_said(agent, path, order_id)
    wanted = {"do": "prefer", "medium": "email", "email": "anna@example.org", "language": "de", "notAbout": "shipped"}
    done = await agent.post(path, wanted)
    assert (done.status_code, done.headers["location"]) == (303, f"/console{path}")
    told = await pipe.http.get(f"{pipe.settings.api_address}/care/v1{path}/preferences")
    kept = {"medium": "email", "email": "anna@example.org", "language": "de", "phone": None, "notAbout": ["shipped"]}
    assert told.json() == {"customerId": customer, **kept}
    page = await agent.page(path)
    assert 'value="anna@example.org"' in page
    assert 'name="notAbout" value="shipped" checked' in page
    assert 'name="notAbout" value="done" checked' not in page
    for wrong in ({"email": "no address"}, {"language": "German"}, {"notAbout": "weather"}, {"medium": "dove"}):
        assert (await agent.post(path, {"do": "prefer", **wrong})).status_code == 400
    assert (await agent.post(path, {"do": "explode"})).status_code == 400


async def test_a_message_is_told_word_for_word_and_sent_again_where_it_failed(pipe: Pipe, console: Console) -> None:
    agent, (customer, party) = await console.person(Scope.CARE), somebody()
    order_id = await pipe.submit(order(item("sim", "mobile-s"), notificationContact="anna@example.org", **party))
    await pipe.outcome(order_id)
    path = f"/customers/{customer}"
    await until_told(pipe, order_id, bool)
    hurry(pipe, order_id)
    await until_told(pipe, order_id, lambda found: all(each["state"] == "sent" for each in found))
    [message, *_] = (await pipe.http.get(f"{pipe.settings.api_address}/care/v1{path}")).json()["notifications"]
    page = await agent.page(path)
    assert "Anna <Muster>" in message["text"]
    assert " ".join(message["text"].split()) in section(page, "messages")
    assert "<Muster>" not in page
    assert 'value="resend"' not in page
    bounced = f"{pipe.settings.api_address}/care/v1/messages/{message['id']}/bounce"
    assert (await pipe.http.post(bounced, json={"reason": "mailbox full"})).status_code == 200
    page = await agent.page(path)
    assert "mailbox full" in section(page, "messages")
    assert f'name="message" value="{message["id"]}"' in page
    assert (await agent.post(path, {"do": "resend", "message": message["id"]})).status_code == 303
    assert "mailbox full" not in section(await agent.page(path), "messages")
    assert (await agent.post(path, {"do": "resend", "message": message["id"]})).status_code == 409
    assert (await agent.post(path, {"do": "resend"})).status_code == 404


async def test_who_only_looks_sees_the_customer_and_changes_nothing(pipe: Pipe, console: Console) -> None:
    reader, (customer, party) = await console.person(Scope.LOOK), somebody()
    order_id = await pipe.submit(order(item("sim", "mobile-s"), **party))
    await pipe.outcome(order_id)
    page = await until_said(reader, f"/customers/{customer}", order_id)
    assert 'id="wishes"' not in page
    assert "/change" not in page.replace("/console/changes", "")
    assert (await reader.post(f"/customers/{customer}", {"do": "prefer"})).status_code == 403


@pytest.mark.parametrize("customer", ["cust-nobody-knows", "a/b", "%00"])
async def test_a_customer_whom_nobody_knows_has_no_page(console: Console, customer: str) -> None:
    agent = await console.person(Scope.CARE)
    assert (await agent.get(f"/customers/{customer}")).status_code in (400, 404)
