"""Lists of orders by TMF630: filtered, sorted, in pages, and only those that one may see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from activities.capturing import prepare
from api.tmf.tmf622.query import ORDER
from api.tmf.tmf622.request import to_request
from catalog_loader.catalog_files import read_catalog
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.catalog import Catalog
from orders.read_model.records import OrderRecord
from orders.read_model.states import LifecycleState
from orders.tracking.reporting import order_view
from register import Register
from register.recording.documents import digest_of
from settings import ROOT, Settings
from tests.api.conftest import ORDERS, opened
from tests.api.tmf.tmf_specs import TMF622, attributes_of, spec_problems
from tests.given.households import item, order

NOON = datetime(2031, 3, 3, 12, tzinfo=UTC)


def written(register: Register, catalog: Catalog, at: datetime, state: LifecycleState, body: dict[str, Any]) -> None:
    start = prepare(catalog, to_request(body), at).model_copy(update={"document": digest_of(body)})
    view = order_view(Fulfilment(start), at).model_copy(update={"body": body})
    ended = at if state in (LifecycleState.COMPLETED, LifecycleState.CANCELLED) else None
    items = tuple(item.model_copy(update={"state": state}) for item in view.items)
    view = view.model_copy(update={"state": state, "completed_at": ended, "items": items})
    register.records.record(OrderRecord(version=1, view=view))


def party(customer: str) -> list[dict[str, str]]:
    seller = {"id": "seller-9", "role": "seller", "@referredType": "Organization"}
    return [{"id": customer, "role": "customer", "@referredType": "Customer"}, seller]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def http(tmp_path_factory: pytest.TempPathFactory, temporal: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """The API over a register of five orders, `e1` the oldest."""
    folder: Path = tmp_path_factory.mktemp("list")
    settings = Settings(_env_file=None, data_dir=folder)  # pyright: ignore[reportCallIssue]
    async with opened(settings, temporal.client) as client:
        register, catalog = Register(settings.register_address), read_catalog(ROOT / "catalog")
        for number, (customer, channel, offering, state) in enumerate(
            [
                ("anna", "web", "mobile-s", LifecycleState.COMPLETED),
                ("anna", "shop", "mobile-m", LifecycleState.IN_PROGRESS),
                ("ben", "shop", "tv-basic", LifecycleState.HELD),
                ("ben", "web", "mobile-s", LifecycleState.CANCELLED),
                ("cleo", "call", "mobile-l", LifecycleState.ACKNOWLEDGED),
            ],
            1,
        ):
            needed = [item("1", "fibre-100"), item("2", offering, "1")] if offering == "tv-basic" else None
            body = order(
                *(needed or [item("1", offering)]),
                channel=channel,
                externalId=f"e{number}",
                priority=str(number - 1),
                relatedParty=party(customer),
                note=[{"text": f"note {number}", "author": f"clerk {number % 2}"}],
            )
            written(register, catalog, NOON + timedelta(days=number, microseconds=123_456), state, body)
        register.close()
        yield client


async def found(http: httpx2.AsyncClient, query: str = "") -> list[str]:
    response = await http.get(f"{ORDERS}?{query}")
    assert response.status_code in (200, 206), response.text
    return [resource["externalId"] for resource in response.json()]


async def test_all_orders_are_listed_with_the_latest_first(http: httpx2.AsyncClient) -> None:
    response = await http.get(ORDERS)
    assert response.status_code == 200
    assert (response.headers["x-total-count"], response.headers["x-result-count"]) == ("5", "5")
    assert [resource["externalId"] for resource in response.json()] == ["e5", "e4", "e3", "e2", "e1"]
    for resource in response.json():
        assert spec_problems(TMF622, "ProductOrder", resource) == []


@pytest.mark.parametrize(
    ("query", "orders"),
    [
        ("state=held", ["e3"]),
        ("state=held,cancelled", ["e4", "e3"]),
        ("relatedParty.id=anna", ["e2", "e1"]),
        ("relatedParty.id=anna&channel.id=web", ["e1"]),
        ("relatedParty.id=seller-9", []),
        ("relatedParty.id=seller-9&relatedParty.role=seller", ["e5", "e4", "e3", "e2", "e1"]),
        ("externalId=e1&externalId=e2", ["e2", "e1"]),
        ("productOrderItem.productOffering.id=fibre-100", ["e3"]),
        ("productOrderItem.state=cancelled", ["e4"]),
        ("priority.lt=2", ["e2", "e1"]),
        ("note.text=note%205", ["e5"]),
        ("note.author=clerk%201&state=held", ["e3"]),
        ("orderDate.gt=2031-03-06", ["e5", "e4", "e3"]),
        ("orderDate%3C2031-03-06T12:00:00Z", ["e2", "e1"]),
        ("orderDate.gte=2031-03-06T13:00:00.123%2B01:00&orderDate.lte=2031-03-06T12:00:00.123Z", ["e3"]),
        ("completionDate.gt=2031-01-01", ["e1"]),
        ("cancellationDate.gt=2031-01-01", ["e4"]),
        ("note.nothing.like.that=1", []),
    ],
)
async def test_orders_are_found_by_their_attributes(http: httpx2.AsyncClient, query: str, orders: list[str]) -> None:
    assert await found(http, query) == orders


async def test_an_order_is_found_by_the_very_instant_that_it_tells(http: httpx2.AsyncClient) -> None:
    for resource in (await http.get(ORDERS)).json():
        assert await found(http, f"orderDate={resource['orderDate']}") == [resource["externalId"]]


async def test_orders_are_sorted_and_paged_with_the_attributes_asked_for(http: httpx2.AsyncClient) -> None:
    response = await http.get(f"{ORDERS}?sort=-priority&offset=1&limit=2&fields=externalId,priority")
    assert response.status_code == 206
    assert [resource["externalId"] for resource in response.json()] == ["e4", "e3"]
    assert all(set(resource) == {"id", "href", "externalId", "priority"} for resource in response.json())
    assert response.headers["x-total-count"] == "5"
    assert 'rel="next"' in response.headers["link"] and "sort=-priority" in response.headers["link"]
    beyond = await http.get(f"{ORDERS}?offset=9")
    assert (beyond.status_code, beyond.json(), beyond.headers["x-total-count"]) == (200, [], "5")


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("limit=0", "query.limit"),
        ("limit=1001", "query.limit"),
        ("offset=-1", "query.offset"),
        ("offset=99999999999999999999", "query.offset"),
        ("sort=note.text", "query.sort"),
        ("sort=productOrderItem.id", "query.sort"),
        ("orderDate.gt=yesterday", "query.orderDate"),
        ("orderDate=2031-03-04,2031-03-05", "query.orderDate"),
        ("priority=high", "query.priority"),
        ("priority=99999999999999999999", "query.priority"),
        ("state=%00", "query.state"),
        ("a..b=1", "query.a..b"),
        ("nothing.like.that=1", "query.nothing.like.that"),
        ("state.ne=held", "query.state.ne"),
        ("state.regex=he.*", "query.state.regex"),
        ("productOrderItem.state.ne=held", "query.productOrderItem.state.ne"),
        ("state.held=1", "query.state.held"),
    ],
)
async def test_what_is_wrong_with_a_query_is_named(http: httpx2.AsyncClient, query: str, path: str) -> None:
    response = await http.get(f"{ORDERS}?{query}")
    assert response.status_code == 400, response.text
    assert [detail["path"] for detail in response.json()["details"]] == [path]


def test_the_attributes_that_orders_are_looked_for_by_are_those_of_the_standard_and_two_of_ours() -> None:
    plain, parts = attributes_of(TMF622, "ProductOrder")
    assert (ORDER.plain, ORDER.parts) == (plain | {"waitForProducts"}, parts | {"productOrderErrorMessage"})
