"""Events in the console: how subscriptions fare, what did not get through and why, and that it is sent again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from api.access.principal import Scope
from tests.api.console.conftest import Console, Person
from tests.api.console.pages.test_orders import section, text_of
from tests.given.households import item, order
from tests.running.pipe import Pipe, until
from tests.running.subscribers import Subscriber, subscribed


@asynccontextmanager
async def subscription(pipe: Pipe, subscriber: Subscriber, query: str) -> AsyncIterator[str]:
    """A subscription for as long as it is needed."""
    made = await pipe.http.post(pipe.api("/hub"), json={"callback": subscriber.url, "query": query})
    assert made.status_code == 201, made.text
    try:
        yield made.json()["id"]
    finally:
        await pipe.http.delete(pipe.api(f"/hub/{made.json()['id']}"))


async def until_said(person: Person, path: str, name: str, words: str) -> str:
    """Wait until a section of a page says something. Gives the page."""
    pages: list[str] = []

    async def told() -> bool:
        pages.append(await person.page(path))
        return words in section(pages[-1], name)

    await until(told, f"{path} to say {words}")
    return pages[-1]


async def test_what_did_not_get_through_is_told_with_why_and_sent_again(pipe: Pipe, console: Console) -> None:
    operator, customer = await console.person(Scope.OPERATE, name="ops-1"), f"cust-{uuid4().hex[:8]}"
    party: dict[str, Any] = {"relatedParty": [{"id": customer, "role": "customer"}]}
    async with subscribed() as subscriber, subscription(pipe, subscriber, f"customer={customer}") as made:
        subscriber.answer = lambda received: 400
        path = f"/events/{made}"
        listed = await operator.page("/events")
        assert f'href="/console{path}"' in listed
        assert subscriber.url in text_of(listed)
        order_id = await pipe.submit(order(item("1", "no-such-offering"), **party))
        page = await until_said(operator, path, "parked", "2 events did not get through")
        assert f"{order_id}-1" in section(page, "parked")
        assert "400" in section(page, "parked")
        assert f"customer={customer}" in section(page, "how")
        assert "has missed events" in text_of(page)
        subscriber.answer = lambda received: 204
        subscriber.ids.clear()
        done = await operator.post(path, {"do": "retry"})
        assert (done.status_code, done.headers["location"]) == (303, f"/console{path}")
        page = await until_said(operator, path, "how", "On their way 0")
        assert "0 events did not get through" in section(page, "parked")
        assert "takes them" in text_of(page)
        assert subscriber.ids == [f"{order_id}-1", f"{order_id}-2"]
        assert 'value="retry"' not in page
        assert (await operator.post(path, {"do": "explode"})).status_code == 400


@pytest.mark.parametrize("scope", [Scope.LOOK, Scope.CARE])
async def test_events_are_for_operators(pipe: Pipe, console: Console, scope: Scope) -> None:
    person = await console.person(scope)
    async with subscribed() as subscriber, subscription(pipe, subscriber, "customer=nobody") as made:
        for path in ("/events", f"/events/{made}"):
            assert (await person.get(path)).status_code == 403
        assert (await person.post(f"/events/{made}", {"do": "retry"})).status_code == 403
    assert 'href="/console/events"' not in await person.page("/")


async def test_a_subscription_that_there_is_not_has_no_page(console: Console) -> None:
    operator = await console.person(Scope.OPERATE)
    assert (await operator.get("/events/nothing")).status_code == 404
    assert (await operator.post("/events/nothing", {"do": "retry"})).status_code == 404
