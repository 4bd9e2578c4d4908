"""Orders and customers by whatever a caller knows, as far as one sees them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from pydantic import JsonValue

from api.access.principal import Scope
from orders.model.order import Site
from orders.model.writing.words import LONGEST_QUESTION
from orders.read_model.views import GivenView
from register import Register
from tests.api.conftest import Door, ShutDoor
from tests.given.households import internet_voice_tv
from tests.given.registers import NOON, a_record, an_item
from tests.running.pipe import Pipe

SERIAL = GivenView(task="t", silo="warehouse", name="serial", value="SN-7654321", items=("1",), since="")


def recorded(door: Door, order_id: str, name: str, **changes: Any) -> None:
    """Have the register know an order that has ended."""
    address: dict[str, JsonValue] = {"city": "Musterstadt", "streetNr": "7", "streetName": "Lindenstraße"}
    party = {"id": changes["customer_id"], "name": name, "role": "customer"}
    order: dict[str, Any] = {
        "document": f"d-{order_id}",
        "items": (an_item("1", site=Site(id=f"s-{order_id}", address=address), products=(f"{order_id}.1.1",)),),
        "body": {"relatedParty": [party], "notificationContact": "+49 151 7654321"},
        "given": (SERIAL,),
        **changes,
    }
    with closing(Register(door.settings.register_address)) as register:
        register.records.record(a_record(order_id=order_id, **order))


@pytest.fixture
def name(door: Door) -> Iterator[str]:
    """That of somebody who has two orders, and nobody else one."""
    word = f"Zörg{uuid4().hex[:10]}"
    for n in (1, 2):
        customer = {"customer_id": f"C-{word}", "external_id": f"WEB-{word}-{n}", "ordered_at": NOON.replace(hour=n)}
        recorded(door, f"S{n}-{word}", f"Erika {word}", **customer)
    yield word


async def asked(door: Door, path: str, headers: dict[str, str] | None = None, **params: Any) -> httpx2.Response:
    return await door.http.get(f"/care/v1{path}", params=params, headers=headers)


async def test_a_caller_is_found_with_what_tells_them_from_others(door: Door, name: str) -> None:
    found = (await asked(door, "/search", q=f"lindenstr 7 {name.upper()} 0151 765-4321")).json()
    assert (found["total"], found["nextOffset"]) == (2, None)
    assert [order["id"] for order in found["orders"]] == [f"S2-{name}", f"S1-{name}"]
    assert found["orders"][0]["names"] == [f"Erika {name}"]
    assert found["orders"][0]["places"] == ["Lindenstraße 7 Musterstadt"]
    assert [(each["name"], each["value"]) for each in found["orders"][0]["given"]] == [("serial", "SN-7654321")]
    [customer] = found["customers"]
    assert (customer["id"], customer["names"]) == (f"C-{name}", [f"Erika {name}"])
    assert customer["href"].endswith(f"/care/v1/customers/C-Z%C3%B6rg{name[4:]}")


async def test_orders_are_listed_by_words_in_pages_and_with_other_conditions(door: Door, name: str) -> None:
    page = (await asked(door, "/orders", q=f"erika {name}", limit=1)).json()
    assert ([order["id"] for order in page["orders"]], page["total"], page["nextOffset"]) == ([f"S2-{name}"], 2, 1)
    rest = (await asked(door, "/orders", q=f"erika {name}", limit=1, offset=1)).json()
    assert ([order["id"] for order in rest["orders"]], rest["nextOffset"]) == ([f"S1-{name}"], None)
    one = (await asked(door, "/orders", q=name, externalId=f"WEB-{name}-1")).json()
    assert [order["id"] for order in one["orders"]] == [f"S1-{name}"]
    assert (await asked(door, "/orders", q=name, state="held")).json()["total"] == 0
    assert (await asked(door, "/search", q=f"{name} nobody")).json()["orders"] == []


@pytest.mark.parametrize("path", ["/orders", "/search"])
@pytest.mark.parametrize(
    "question",
    ["", " ", "%", "☎", "a\u0000b", "a\nb", "a\u2028", "\x85", "x" * (LONGEST_QUESTION + 1), "a b c d e f g h i"],
)
async def test_a_question_that_asks_for_nothing_or_too_much_is_malformed(door: Door, path: str, question: str) -> None:
    response = await asked(door, path, q=question)
    assert (response.status_code, response.json()["code"]) == (400, "malformed"), response.text
    assert response.json()["details"][0]["path"] == "query.q"


@pytest.mark.parametrize(
    "raw",
    ["%ff%fe a", "%ED%A0%80a", "%F0%9F%98%80 x", "'--", "a%25_", "%22a%22", "%EF%BF%BFa", "1%F4%8F%BF%BF", "(((1"],
)
async def test_odd_characters_are_answered(door: Door, raw: str) -> None:
    for path in ("/orders", "/search"):
        response = await door.http.get(f"/care/v1{path}?q={raw}")
        assert response.status_code in (200, 400), response.text


async def test_without_a_question_nothing_is_searched(door: Door) -> None:
    assert (await asked(door, "/search")).status_code == 400
    assert (await asked(door, "/orders")).status_code == 200


async def test_an_agent_of_one_customer_finds_that_one_and_a_channel_nobody(shut_door: ShutDoor) -> None:
    word = f"Quax{uuid4().hex[:10]}"
    for customer in ("hers", "his"):
        recorded(shut_door, f"{customer}-{word}", word, customer_id=f"{customer}-{word}")
    everybody = shut_door.as_(Scope.CARE)
    hers = shut_door.as_(Scope.CARE, customer=f"hers-{word}")
    for path in ("/orders", "/search"):
        assert (await asked(shut_door, path, everybody, q=word)).json()["total"] == 2
        found = (await asked(shut_door, path, hers, q=word)).json()
        assert (found["total"], [order["id"] for order in found["orders"]]) == (1, [f"hers-{word}"])
        assert (await asked(shut_door, path, shut_door.as_channel("shop"), q=word)).status_code == 403


async def test_what_silos_have_given_out_is_told_everywhere_and_finds_the_order(pipe: Pipe) -> None:
    customer = f"cust-{uuid4().hex[:8]}"
    body = internet_voice_tv(None) | {
        "relatedParty": [{"id": customer, "name": f"Erika {customer}", "role": "customer"}]
    }
    order_id = await pipe.submit(body)
    await pipe.outcome(order_id)
    api = f"{pipe.settings.api_address}/care/v1"
    order = (await pipe.http.get(f"{api}/orders/{order_id}")).json()
    given = {each["name"]: each["value"] for each in order["given"]}
    assert set(given) == {"serial", "number", "tracking_id"}
    told = (await pipe.http.get(f"{api}/customers/{customer}")).json()
    assert {each["name"]: each["value"] for each in told["given"]} == given
    of_products = {name: value for product in told["products"] for name, value in product["given"].items()}
    assert of_products == {name: given[name] for name in ("serial", "number")}
    inventory = f"{pipe.settings.api_address}/tmf-api/productInventory/v4/product"
    query = {"relatedParty.id": customer, "productCharacteristic.value": given["serial"]}
    [net] = (await pipe.http.get(inventory, params=query)).json()
    assert {"name": "serial", "value": given["serial"]} in net["productCharacteristic"]
    for known in (*given.values(), f"0{given['number'][3:]}", f"erika {customer}"):
        found = (await pipe.http.get(f"{api}/search", params={"q": known})).json()
        assert order_id in [each["id"] for each in found["orders"]], known
