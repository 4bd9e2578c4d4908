"""Whose orders a token lets one see and submit, and who is written down as having asked for a change."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, event

from api.access.principal import ANYBODY, Principal, Scope
from tests.api.conftest import ORDERS, ShutDoor
from tests.given.households import internet_voice_tv, item

UNKNOWN = "web-000000000000"
LATER = {"requestedStartDate": "2030-01-01T00:00:00Z"}
"""Of an order that is not over before it is asked about."""
CANCELLATIONS = "/tmf-api/productOrderingManagement/v4/cancelProductOrder"


async def test_a_channel_submits_under_its_own_name_whether_it_says_so_or_not(shut_door: ShutDoor) -> None:
    channel = shut_door.as_channel("kiosk")
    silent = await shut_door.post_order(channel)
    named = await shut_door.post_order(channel, channel=[{"id": "kiosk"}])
    assert (silent.status_code, named.status_code) == (201, 201)
    assert silent.json()["id"].startswith("kiosk-")
    assert named.json()["id"].startswith("kiosk-")


async def test_a_channel_does_not_submit_under_the_name_of_another(shut_door: ShutDoor) -> None:
    response = await shut_door.post_order(shut_door.as_channel("kiosk"), channel=[{"id": "web"}])
    assert response.status_code == 403
    assert "kiosk" in response.json()["reason"]
    assert "web" in response.json()["message"]


async def test_who_may_submit_for_no_channel_is_told_so_unless_it_is_an_operator(shut_door: ShutDoor) -> None:
    refused = await shut_door.post_order(shut_door.as_(Scope.SUBMIT))
    assert (refused.status_code, refused.json()["message"]) == (403, "It needs the claim `channel`")
    taken = await shut_door.post_order(shut_door.as_(Scope.OPERATE), channel=[{"id": "shop"}])
    assert taken.json()["id"].startswith("shop-")


async def test_a_token_of_one_customer_orders_for_that_one_only(shut_door: ShutDoor) -> None:
    own = shut_door.as_channel("app", customer="cust-app")
    assert (await shut_door.post_order(own, "cust-app")).status_code == 201
    refused = await shut_door.post_order(own, "cust-other")
    assert (refused.status_code, refused.json()["message"]) == (403, "The order is one of cust-other")


async def test_customers_of_a_channel_share_no_external_ids_and_learn_of_none(shut_door: ShutDoor) -> None:
    hers, his = (shut_door.as_channel("app", customer=customer) for customer in ("cust-her", "cust-him"))
    whole = shut_door.as_channel("app")
    body = {**internet_voice_tv(), "externalId": "1", "channel": [{"id": "app"}]}

    async def submitted(headers: dict[str, str], customer: str) -> tuple[int, str]:
        party = [{"id": customer, "role": "customer"}]
        answer = await shut_door.http.post(ORDERS, json={**body, "relatedParty": party}, headers=headers)
        return answer.status_code, answer.json().get("id") or answer.json()["code"]

    (first, her_order), (second, his_order) = await submitted(hers, "cust-her"), await submitted(his, "cust-him")
    assert (first, second) == (201, 201)
    assert her_order != his_order
    assert await submitted(hers, "cust-her") == (200, her_order)
    third, order_id = await submitted(whole, "cust-her")
    assert (third, order_id in (her_order, his_order)) == (201, False)
    assert await submitted(whole, "cust-him") == (409, "external_id_reused")


async def seen(door: ShutDoor, order_id: str, headers: dict[str, str]) -> bool:
    """True if whoever asks sees an order. One that it does not see is to it one that does not exist."""
    response = await door.http.get(f"{ORDERS}/{order_id}", headers=headers)
    if response.status_code == 200:
        return True
    unknown = await door.http.get(f"{ORDERS}/{UNKNOWN}", headers=headers)
    assert (response.status_code, response.json()) == (
        404,
        unknown.json() | {"reason": unknown.json()["reason"].replace(UNKNOWN, order_id)},
    )
    return False


async def test_a_channel_sees_its_own_orders_and_none_of_others_whoever_it_orders_for(shut_door: ShutDoor) -> None:
    web, shop = (shut_door.as_channel(channel) for channel in ("web", "shop"))
    one = (await shut_door.post_order(web, "cust-shared")).json()["id"]
    other = (await shut_door.post_order(shop, "cust-shared")).json()["id"]
    assert [await seen(shut_door, order_id, web) for order_id in (one, other)] == [True, False]
    assert [await seen(shut_door, order_id, shop) for order_id in (one, other)] == [False, True]


async def test_a_channel_that_may_sees_all_orders_of_its_customers_but_not_by_one_that_was_rejected(
    shut_door: ShutDoor,
) -> None:
    web, branch = shut_door.as_channel("web"), shut_door.as_channel("branch")
    one = (await shut_door.post_order(web, "cust-branch")).json()["id"]
    own = await rejected(shut_door, branch, "cust-branch")
    assert [await seen(shut_door, order_id, branch) for order_id in (one, own)] == [False, True]
    asked = (
        await shut_door.http.patch(f"{ORDERS}/{one}", json={"description": "mine"}, headers=branch),
        await shut_door.http.post(CANCELLATIONS, json={"productOrder": {"id": one}}, headers=branch),
    )
    assert [answer.json()["code"] for answer in asked] == ["unknown_order"] * 2
    assert await told_of(shut_door, "cust-branch", branch) == {own}
    taken = (await shut_door.post_order(branch, "cust-branch")).json()["id"]
    assert await seen(shut_door, one, branch)
    assert await told_of(shut_door, "cust-branch", branch) == {one, own, taken}
    assert not await seen(shut_door, taken, web)


async def test_what_a_customer_was_told_is_seen_by_whoever_sees_the_order_and_nobody_else(shut_door: ShutDoor) -> None:
    web = shut_door.as_channel("web")
    order_id = (await shut_door.post_order(web, "cust-told")).json()["id"]
    told = f"/care/v1/orders/{order_id}/messages"
    reader = shut_door.as_(Scope.LOOK, subject="reader")
    answers = [await shut_door.http.get(told, headers=headers) for headers in (web, reader)]
    assert [answer.status_code for answer in answers] == [200, 200]
    other = await shut_door.http.get(told, headers=shut_door.as_channel("shop"))
    assert (other.status_code, other.json()["code"]) == (404, "unknown_order")
    assert (await shut_door.http.get(told, headers=shut_door.as_(Scope.WORK))).status_code == 403


async def test_an_agent_of_one_customer_has_that_one_in_the_care_api_and_nobody_else(shut_door: ShutDoor) -> None:
    web = shut_door.as_channel("web")
    customers = ("cust-hers", "cust-not-hers")
    own, foreign = [(await shut_door.post_order(web, each, **LATER)).json()["id"] for each in customers]
    agent = shut_door.as_(Scope.CARE, Scope.OPERATE, customer="cust-hers")

    async def status(method: str, path: str, **given: Any) -> int:
        return (await shut_door.http.request(method, f"/care/v1{path}", headers=agent, **given)).status_code

    for path in ("", "/tasks", "/history", "/options", "/changes"):
        assert [await status("GET", f"/orders/{order}{path}") for order in (own, foreign)] == [200, 404], path
    hold: dict[str, Any] = {"json": {"kind": "hold", "requestId": "hers"}}
    assert [await status("POST", f"/orders/{order}/changes", **hold) for order in (foreign, own)] == [404, 200]
    assert [await status("GET", f"/orders/{order}/changes/hers") for order in (own, foreign)] == [200, 404]
    assert [await status("GET", f"/customers/{each}") for each in ("cust-hers", "cust-not-hers")] == [200, 404]
    listed = await shut_door.http.get("/care/v1/orders", headers=agent)
    assert {order["id"] for order in listed.json()["orders"]} == {own}
    assert (await shut_door.http.delete(f"{ORDERS}/{foreign}", headers=agent)).status_code == 404


async def test_only_its_channel_an_agent_and_an_operator_change_an_order(shut_door: ShutDoor) -> None:
    web, app = shut_door.as_channel("web"), shut_door.as_channel("app", customer="cust-mine")
    order_id = (await shut_door.post_order(web, "cust-mine", **LATER)).json()["id"]
    assert await seen(shut_door, order_id, app)

    async def asked(headers: dict[str, str]) -> list[tuple[int, str]]:
        body = {"productOrder": {"id": order_id}}
        answers = (
            await shut_door.http.patch(f"{ORDERS}/{order_id}", json={"description": "new"}, headers=headers),
            await shut_door.http.post(CANCELLATIONS, json=body, headers=headers),
        )
        return [(answer.status_code, answer.json().get("reason", "")) for answer in answers]

    assert await asked(app) == [(403, "The order came from another channel")] * 2
    operator = shut_door.as_(Scope.OPERATE)
    patched = await shut_door.http.patch(f"{ORDERS}/{order_id}", json={"description": "new"}, headers=operator)
    assert patched.json()["description"] == "new"
    assert await asked(web) == [(200, ""), (201, "")]


async def test_who_may_not_read_is_told_where_a_thing_is_and_nothing_of_it(shut_door: ShutDoor) -> None:
    blind = shut_door.as_(Scope.SUBMIT, subject="blind", channel="web")
    body = {**internet_voice_tv(), **LATER, "description": "first"}
    made = await shut_door.http.post(ORDERS, json=body, headers=blind)
    assert (made.status_code, made.json()["description"]) == (201, "first")  # Its own words.
    place = {name: made.json()[name] for name in ("id", "href")}
    again = await shut_door.http.post(ORDERS, json=body, headers=blind)
    assert (again.status_code, again.json()) == (200, place)
    for patch in ({}, {"description": "second"}):
        patched = await shut_door.http.patch(place["href"], json=patch, headers=blind)
        assert (patched.status_code, patched.json(), patched.headers.get("etag")) == (200, place, None)
    guess = [{"op": "test", "path": "/description", "value": "second"}]
    media = {"content-type": "application/json-patch+json"}
    tested = await shut_door.http.patch(place["href"], json=guess, headers={**blind, **media})
    assert (tested.status_code, tested.json()["message"]) == (403, "It needs the scope orders:read")
    cancelled = await shut_door.http.post(CANCELLATIONS, json={"productOrder": {"id": place["id"]}}, headers=blind)
    assert (cancelled.status_code, cancelled.json().keys()) == (201, {"id", "href"})


async def test_a_token_of_one_customer_sees_that_ones_orders_over_all_channels(shut_door: ShutDoor) -> None:
    web = shut_door.as_channel("web")
    own = (await shut_door.post_order(web, "cust-own")).json()["id"]
    foreign = (await shut_door.post_order(web, "cust-foreign")).json()["id"]
    customer = shut_door.as_channel("app", customer="cust-own")
    assert await seen(shut_door, own, customer)
    assert not await seen(shut_door, foreign, customer)
    nobody = await shut_door.http.get(f"{ORDERS}/{own}", headers=shut_door.as_(Scope.READ))
    assert nobody.status_code == 403


async def test_agents_and_operators_see_every_order(shut_door: ShutDoor) -> None:
    order_id = (await shut_door.post_order(shut_door.as_channel("web"), "cust-any")).json()["id"]
    for scope in (Scope.CARE, Scope.OPERATE):
        assert await seen(shut_door, order_id, shut_door.as_(scope))
        assert await seen(shut_door, order_id, shut_door.as_(scope, channel="call-centre"))


# Who asked for a change


async def change(door: ShutDoor, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    """Put an order on hold. Gives the change as it was written down."""
    order_id = (await door.post_order(door.as_channel("web"))).json()["id"]
    response = await door.http.post(
        f"/care/v1/orders/{order_id}/changes", json={"kind": "hold", **body}, headers=headers
    )
    if response.status_code == 403:
        return response.json()
    [told] = (await door.http.get(f"/care/v1/orders/{order_id}", headers=headers)).json()["changes"]
    return told


async def test_a_change_is_written_down_with_who_asked_for_it_whatever_the_body_says(shut_door: ShutDoor) -> None:
    agent = shut_door.as_(Scope.CARE, subject="agent-7", channel="call-centre")
    silent = await change(shut_door, agent)
    assert (silent["requester"], silent["channel"]) == ("agent-7", "call-centre")
    on_behalf = await change(shut_door, agent, requester="Erika Muster", channel="call-centre")
    assert on_behalf["requester"] == "agent-7 (on behalf of Erika Muster)"


async def test_an_agent_of_one_channel_does_not_ask_in_the_name_of_another(shut_door: ShutDoor) -> None:
    agent = shut_door.as_(Scope.CARE, subject="agent-7", channel="call-centre")
    refused = await change(shut_door, agent, channel="web")
    assert (refused["code"], refused["message"]) == ("forbidden", "The request comes from channel web")
    everywhere = await change(shut_door, shut_door.as_(Scope.CARE, subject="agent-8"), channel="web")
    assert (everywhere["requester"], everywhere["channel"]) == ("agent-8", "web")


def test_who_is_named_on_whose_behalf() -> None:
    agent = Principal("agent-7", frozenset({Scope.CARE}))
    assert [agent.requester(named) for named in ("", "agent-7", "Erika")] == [
        "agent-7",
        "agent-7",
        "agent-7 (on behalf of Erika)",
    ]
    assert [ANYBODY.requester(named) for named in ("", "Erika")] == ["", "Erika"]


# Lists and customers


async def told_of(door: ShutDoor, customer: str, headers: dict[str, str]) -> set[str] | None:
    """The orders that somebody is told of a customer; None if there is none for them."""
    told = await door.http.get(f"/care/v1/customers/{customer}", headers=headers)
    assert told.status_code in (200, 404)
    return {shown["id"] for shown in told.json()["orders"]} if told.status_code == 200 else None


async def rejected(door: ShutDoor, headers: dict[str, str], customer: str) -> str:
    """An order that is in the register at once, and needs no worker to be shown: there is no such offering."""
    response = await door.post_order(headers, customer, productOrderItem=[item("1", "fibre-9000")])
    assert response.json()["state"] == "rejected", response.text
    return str(response.json()["id"])


async def test_lists_and_customers_hold_what_one_may_see_and_nothing_else(shut_door: ShutDoor) -> None:
    web, shop, partner = (shut_door.as_channel(channel) for channel in ("web-9", "shop-9", "partner-9"))
    of_web, of_shop = await rejected(shut_door, web, "cust-9"), await rejected(shut_door, shop, "cust-9")
    theirs = await rejected(shut_door, shop, "cust-10")
    own = shut_door.as_channel("app-9", customer="cust-9")
    agent = shut_door.as_(Scope.CARE)

    async def listed(headers: dict[str, str]) -> set[str]:
        page = await shut_door.http.get(f"{ORDERS}?limit=1000", headers=headers)
        assert page.headers["x-total-count"] == str(len(page.json()))
        return {resource["id"] for resource in page.json()}

    async def customer(customer_id: str, headers: dict[str, str]) -> set[str] | None:
        return await told_of(shut_door, customer_id, headers)

    both = {of_web, of_shop}
    assert [await listed(headers) for headers in (web, shop, partner, own)] == [
        {of_web},
        {of_shop, theirs},
        set(),
        both,
    ]
    assert await listed(agent) >= both | {theirs}
    assert [await customer("cust-9", headers) for headers in (web, shop, own, agent)] == [
        {of_web},
        {of_shop},
        both,
        both,
    ]
    assert [await customer("cust-9", partner), await customer("cust-10", web), await customer("cust-10", own)] == [
        None
    ] * 3
    nobody = await shut_door.http.get(ORDERS, headers=shut_door.as_(Scope.READ))
    assert nobody.status_code == 403


async def test_a_customer_whom_one_does_not_see_is_asked_for_like_one_that_there_is_not(shut_door: ShutDoor) -> None:
    await rejected(shut_door, shut_door.as_channel("shop-9"), "cust-12")
    web = shut_door.as_channel("web-9")
    asked: dict[str, list[str]] = {"cust-12": [], "cust-none": [], 'x"': []}

    def heard(*execution: Any) -> None:
        statement, values = execution[2:4]
        for customer, statements in asked.items():
            if customer in repr(values):
                statements.append(statement)

    event.listen(Engine, "before_cursor_execute", heard)
    try:
        answers = [await shut_door.http.get(f"/care/v1/customers/{quote(each)}", headers=web) for each in asked]
    finally:
        event.remove(Engine, "before_cursor_execute", heard)
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "unknown_customer")] * 3
    first, *others = asked.values()
    assert first and others == [first] * 2, "so that how long it takes tells nothing"


async def test_an_order_that_one_does_not_see_is_neither_patched_nor_cancelled(shut_door: ShutDoor) -> None:
    order_id = await rejected(shut_door, shut_door.as_channel("web-9"), "cust-11")
    partner = shut_door.as_channel("partner-9")
    patched = await shut_door.http.patch(f"{ORDERS}/{order_id}", json={"description": "mine"}, headers=partner)
    cancelled = await shut_door.http.post(CANCELLATIONS, json={"productOrder": {"id": order_id}}, headers=partner)
    assert [(answer.status_code, answer.json()["code"]) for answer in (patched, cancelled)] == [
        (404, "unknown_order"),
        (400, "unknown_order"),
    ]


async def test_a_request_id_that_was_anothers_is_refused_and_never_answered_as_before(shut_door: ShutDoor) -> None:
    web, agent = shut_door.as_channel("web"), shut_door.as_(Scope.CARE, subject="agent-7")
    order_id = (await shut_door.post_order(web, "cust-ids", **LATER)).json()["id"]
    patched = await shut_door.http.patch(
        f"{ORDERS}/{order_id}", json={"description": "new"}, headers={**web, "idempotency-key": "id"}
    )
    assert patched.status_code == 200

    async def asked(**body: Any) -> tuple[int, str]:
        path = f"/care/v1/orders/{order_id}/changes"
        answer = await shut_door.http.post(path, json={"requestId": "id", **body}, headers=agent)
        return answer.status_code, answer.json().get("code") or answer.json()["state"]

    assert await asked(kind="cancel") == (409, "idempotency_key_reused")
    assert await asked(kind="hold", requestId="hold") == (200, "accepted")
    assert await asked(kind="hold", requestId="hold") == (200, "accepted")
    assert await asked(kind="cancel", requestId="hold") == (409, "idempotency_key_reused")
    held = (await shut_door.http.get(f"{ORDERS}/{order_id}", headers=web)).json()
    assert held["state"] == "held"
    cancel, key = {"productOrder": {"id": order_id}}, {"idempotency-key": "c"}
    first = await shut_door.http.post(CANCELLATIONS, json=cancel, headers={**web, **key})
    operator = shut_door.as_(Scope.OPERATE)
    for headers, body in ((operator, cancel), (web, {**cancel, "cancellationReason": "other"})):
        again = await shut_door.http.post(CANCELLATIONS, json=body, headers={**headers, **key})
        assert (again.status_code, again.json()["code"]) == (409, "idempotency_key_reused")
    same = await shut_door.http.post(CANCELLATIONS, json=cancel, headers={**web, **key})
    assert (same.status_code, same.json()["id"]) == (201, first.json()["id"])
