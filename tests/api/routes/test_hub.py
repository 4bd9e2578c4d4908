"""Subscribing to events, and looking after one's subscriptions."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from contextlib import closing
from ipaddress import ip_address
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from api.access.principal import Principal, Scope
from api.errors import Malformed
from api.events.guarded_network import IpAddress
from api.events.subscribers import Subscribers
from api.tmf.links import Links
from register import Register
from register.tables.events import SUBSCRIPTIONS
from settings import Settings
from tests.api.conftest import Door, ShutDoor, opened
from tests.api.tmf.tmf_specs import TMF622, spec_problems
from tests.given.households import item, order
from tests.running.pipe import Pipe, body_of, until
from tests.running.subscribers import Subscriber, subscribed

HUB = "/tmf-api/productOrderingManagement/v4/hub"
CARE = "/care/v1/subscriptions"
NOWHERE = "http://127.0.0.1:9"
"""Where nobody listens."""


async def subscribe(door: Door, headers: dict[str, str] | None = None, **body: Any) -> httpx2.Response:
    return await door.http.post(HUB, json={"callback": f"{NOWHERE}/events", **body}, headers=headers)


async def test_a_subscription_is_answered_as_the_specification_has_it_with_its_secret(door: Door) -> None:
    response = await subscribe(door, query="eventType=ProductOrderCreateEvent")
    made = response.json()
    assert response.status_code == 201
    assert spec_problems(TMF622, "EventSubscription", made) == []
    assert (made["callback"], made["query"]) == (f"{NOWHERE}/events", "eventType=ProductOrderCreateEvent")
    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"))) == 32
    assert response.headers["location"] == f"{door.settings.api_address}{HUB}/{made['id']}"
    [listed] = [each for each in (await door.http.get(CARE)).json() if each["id"] == made["id"]]
    assert (listed["pending"], listed["parked"], listed["lastError"], listed["owner"]) == (0, 0, None, "local")
    assert "secret" not in listed
    assert (await door.http.delete(f"{HUB}/{made['id']}")).status_code == 204
    assert (await door.http.delete(f"{HUB}/{made['id']}")).status_code == 404


async def test_who_brings_a_secret_keeps_it(door: Door) -> None:
    secret = "whsec_" + base64.b64encode(b"0123456789abcdefghijklmn").decode()
    made = (await subscribe(door, callback=f"{NOWHERE}/own", secret=secret)).json()
    assert made["secret"] == secret


async def test_the_same_is_subscribed_once(door: Door) -> None:
    first = (await subscribe(door, callback=f"{NOWHERE}/once")).json()
    again = await subscribe(door, callback=f"{NOWHERE}/once")
    assert (again.status_code, again.json()["code"]) == (409, "subscription_refused")
    assert first["id"] in again.json()["message"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"callback": "ftp://shop.example/"}, "callback: must begin with https:// or http://"),
        ({"callback": "https://shop.example/" + "x" * 1000}, "callback: must have at most 1000 characters"),
        ({"callback": "https://shop.example:99999/"}, "callback: names a port that there cannot be"),
        ({"callback": f"https://{'x' * 64}.example/"}, "callback: names a host that there cannot be"),
        ({"query": "colour=red"}, "query: colour cannot be asked for"),
        ({"secret": "whsec_c2hvcnQ="}, "secret: must be whsec_ and 24 to 64 bytes in base64"),
        ({"secret": "a secret that is not in base64 at all"}, "secret: must be whsec_ and 24 to 64 bytes in base64"),
    ],
)
async def test_what_could_never_be_delivered_to_is_refused(door: Door, body: dict[str, Any], reason: str) -> None:
    response = await subscribe(door, **body)
    assert response.status_code == 400
    assert reason in response.json()["message"]


async def test_a_name_that_leads_inside_is_refused_and_one_that_nobody_knows_is_not(door: Door) -> None:
    async def resolve(host: str, port: int) -> Sequence[IpAddress]:
        if host == "unknown.example":
            raise OSError("Name or service not known")
        return [ip_address("10.0.0.1")]

    agent = Principal("agent", frozenset({Scope.CARE}))
    with closing(Register(door.settings.register_address)) as register:
        subscribers = Subscribers(register.subscriptions, Links("", ""), allow_internal=False, resolve=resolve)
        with pytest.raises(Malformed, match=r"callback: intra\.example leads to an internal address") as refused:
            await subscribers.subscribe(agent, "https://intra.example", "", None)
        assert "10.0.0.1" not in str(refused.value)
        made = await subscribers.subscribe(agent, "https://unknown.example", "", None)
        await subscribers.end(agent, made.id)


async def test_without_the_register_it_is_tried_again_later(unreachable: Settings) -> None:
    unreachable.data_dir.joinpath("register.db").mkdir()
    async with opened(unreachable, None) as http:
        response = await http.get(CARE)
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")


async def test_a_subscription_is_its_owners_and_an_operators(shut_door: ShutDoor) -> None:
    web, shop = shut_door.as_channel("web"), shut_door.as_channel("shop")
    operator = shut_door.as_(Scope.OPERATE, subject="operator")
    made = (await subscribe(shut_door, web, callback=f"{NOWHERE}/web")).json()["id"]
    for path in (f"{CARE}/{made}/parked", f"{CARE}/{made}/parked/retry", f"{HUB}/{made}"):
        method = "GET" if path.endswith("parked") else "POST" if path.endswith("retry") else "DELETE"
        assert (await shut_door.http.request(method, path, headers=shop)).status_code == 404

    async def seen(headers: dict[str, str]) -> bool:
        return made in [each["id"] for each in (await shut_door.http.get(CARE, headers=headers)).json()]

    assert [await seen(headers) for headers in (web, shop, operator)] == [True, False, True]
    assert (await shut_door.http.post(f"{CARE}/{made}/parked/retry", headers=web)).json()["pending"] == 0
    assert (await shut_door.http.delete(f"{HUB}/{made}", headers=operator)).status_code == 204


async def test_a_subscription_is_bounded_by_what_its_token_lets_one_see(shut_door: ShutDoor) -> None:
    tokens = {
        "agent": shut_door.as_(Scope.CARE, subject="agent", channel="web"),
        "web": shut_door.as_channel("web"),
        "mine": shut_door.as_channel("web", customer="cust-7"),
    }
    made = {
        name: (await subscribe(shut_door, headers, callback=f"{NOWHERE}/bounds/{name}")).json()["id"]
        for name, headers in tokens.items()
    }
    with closing(Register(shut_door.settings.register_address)) as register, register.database.reading() as connection:
        rows = connection.execute(select(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.id.in_(made.values())))
        bounds = {row.id: (row.channel, row.customer_id) for row in rows}
    assert bounds == {made["agent"]: (None, None), made["web"]: ("web", None), made["mine"]: ("web", "cust-7")}
    operator = shut_door.as_(Scope.OPERATE)
    for subscription in made.values():
        await shut_door.http.delete(f"{HUB}/{subscription}", headers=operator)


async def test_who_sees_no_orders_can_not_hear_of_them(shut_door: ShutDoor) -> None:
    response = await subscribe(shut_door, shut_door.as_(Scope.READ))
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


async def test_subscribers_hear_of_an_order_from_its_creation_to_its_end_as_far_as_they_asked(pipe: Pipe) -> None:
    async with subscribed() as everything, subscribed() as ends, subscribed() as others:
        completed = "eventType=ProductOrderStateChangeEvent&state=completed&offering=mobile-m"
        made = [
            await subscribed_at(pipe, subscriber, query)
            for subscriber, query in ((everything, ""), (ends, completed), (others, "customer=somebody-else"))
        ]
        order_id = await pipe.submit(body_of("mobile"))
        await pipe.outcome(order_id)

        async def told() -> bool:
            return any(each["description"].endswith("is completed") for each in about(everything, order_id))

        await until(told, "the end to be told")

        async def ended() -> bool:
            return bool(about(ends, order_id))

        await until(ended, "the end to be told to who asked for that alone")
        for subscription in made:
            await pipe.http.delete(pipe.api(f"/hub/{subscription}"))
    types = [event["eventType"] for event in about(everything, order_id)]
    assert types[0] == "ProductOrderCreateEvent"
    states = [
        event["event"]["productOrder"]["state"]
        for event in about(everything, order_id)
        if event["eventType"] == "ProductOrderStateChangeEvent"
    ]
    assert states[-1] == "completed"
    numbers = [int(event["eventId"].rsplit("-", 1)[1]) for event in about(everything, order_id)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [event["event"]["productOrder"]["state"] for event in about(ends, order_id)] == ["completed"]
    assert others.received == []


async def test_a_rejected_order_is_told_of_too(pipe: Pipe) -> None:
    async with subscribed() as subscriber:
        made = await subscribed_at(pipe, subscriber, "channel=nowhere-else")
        order_id = await pipe.submit(order(item("1", "no-such-offering"), channel="nowhere-else"))

        async def both() -> bool:
            return len(subscriber.received) == 2

        await until(both, "the order and its rejection to be told")
        await pipe.http.delete(pipe.api(f"/hub/{made}"))
    created, rejected = (received.event for received in subscriber.received)
    assert (created["eventId"], created["event"]["productOrder"]["state"]) == (f"{order_id}-1", "acknowledged")
    assert "note" not in created["event"]["productOrder"]
    assert rejected["event"]["productOrder"]["state"] == "rejected"
    assert [each["state"] for each in rejected["event"]["productOrder"]["productOrderItem"]] == ["rejected"]


async def subscribed_at(pipe: Pipe, subscriber: Subscriber, query: str) -> str:
    response = await pipe.http.post(pipe.api("/hub"), json={"callback": subscriber.url, "query": query})
    assert response.status_code == 201, response.text
    return response.json()["id"]


def about(subscriber: Subscriber, order_id: str) -> list[dict[str, Any]]:
    return [received.event for received in subscriber.received if received.event["correlationId"] == order_id]
