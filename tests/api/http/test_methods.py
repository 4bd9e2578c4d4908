"""HTTP's methods as RFC 9110 has them."""

from __future__ import annotations

import pytest

from tests.api.conftest import ORDERS, Door, ShutDoor
from tests.given.households import internet_voice_tv

ORDER = f"{ORDERS}/web-000000000000"
BASE = ORDERS.removesuffix("/productOrder")
READ_ONLY = "GET, HEAD"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", ORDERS, "GET, HEAD, POST"),
        ("PATCH", ORDERS, "GET, HEAD, POST"),
        ("PUT", ORDER, "GET, HEAD, PATCH, DELETE"),
        ("POST", ORDER, "GET, HEAD, PATCH, DELETE"),
        ("DELETE", f"{BASE}/cancelProductOrder", "GET, HEAD, POST"),
        ("DELETE", f"{BASE}/cancelProductOrder/web-000000000000.c", READ_ONLY),
        ("GET", f"{BASE}/hub", "POST"),
        ("HEAD", f"{BASE}/hub", "POST"),
        ("GET", f"{BASE}/hub/1", "DELETE"),
        ("POST", "/tmf-api/productCatalogManagement/v4/productOffering", READ_ONLY),
        ("POST", "/tmf-api/productInventory/v4/product/1", READ_ONLY),
        ("PUT", "/care/v1/orders/web-000000000000/changes", "GET, HEAD, POST"),
        ("OPTIONS", ORDERS, "GET, HEAD, POST"),
        ("POST", "/healthz", READ_ONLY),
        ("PUT", "/codec/decode", "POST"),
    ],
)
async def test_a_path_names_all_its_methods_where_it_does_not_have_one(
    door: Door, method: str, path: str, allowed: str
) -> None:
    response = await door.http.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    assert bool(response.content) is (method != "HEAD")


async def test_head_is_answered_as_get_without_the_content(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    for path, status in (
        (f"{ORDERS}/{order_id}?fields=id", 200),
        (ORDERS, 200),
        (ORDER, 404),
        (f"{ORDERS}?limit=0", 400),
        ("/healthz", 200),
        ("/docs", 200),
    ):
        named = {"X-Request-Id": "the-same"}
        read, asked = await door.http.get(path, headers=named), await door.http.head(path, headers=named)
        assert (read.status_code, asked.status_code, asked.content) == (status, status, b"")
        assert asked.headers == read.headers, path


async def test_head_needs_a_token_like_get(shut_door: ShutDoor) -> None:
    response = await shut_door.http.head(ORDERS)
    assert (response.status_code, response.headers["www-authenticate"].partition(" ")[0]) == (401, "Bearer")
