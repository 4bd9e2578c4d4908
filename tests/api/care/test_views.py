"""Saved views by the care API: what the list of orders takes, by a name, for whoever saved them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from api.access.principal import Scope
from register.saved_views import MOST
from tests.api.conftest import ShutDoor

VIEWS = "/care/v1/views"


def somebody(door: ShutDoor, scope: Scope = Scope.LOOK) -> dict[str, str]:
    return door.as_(scope, subject=f"person-{uuid4().hex[:8]}")


async def saved(door: ShutDoor, who: dict[str, str], name: str = "mine", **filters: Any) -> tuple[int, dict[str, Any]]:
    answer = await door.http.put(f"{VIEWS}/{name}", json={"filters": filters}, headers=who)
    return answer.status_code, answer.json()


async def test_a_view_is_what_the_list_takes_and_nobody_elses(shut_door: ShutDoor) -> None:
    ada, bob = somebody(shut_door), somebody(shut_door, Scope.CARE)
    status, told = await saved(shut_door, ada, "Held / web", state=["held"], channel="web", sort="promisedAt", q=None)
    assert (status, told["filters"]) == (200, {"state": ["held"], "channel": "web", "sort": "promisedAt"})
    listed = await shut_door.http.get("/care/v1/orders", params=told["filters"], headers=ada)
    assert listed.status_code == 200
    assert (await shut_door.http.get(VIEWS, headers=ada)).json() == {"views": [told]}
    assert (await shut_door.http.get(VIEWS, headers=bob)).json() == {"views": []}
    assert (await shut_door.http.delete(f"{VIEWS}/Held / web", headers=bob)).status_code == 404
    assert (await shut_door.http.delete(f"{VIEWS}/Held / web", headers=ada)).status_code == 204
    assert (await shut_door.http.get(VIEWS, headers=ada)).json() == {"views": []}


@pytest.mark.parametrize(
    ("name", "filters", "path"),
    [
        ("mine", {"state": ["gone"]}, "filters.state[0]"),
        ("mine", {"offset": 3}, "filters.offset"),
        ("mine", {"q": "Erika Musterfrau"}, None),
        ("mine", {"orderedFrom": "soon"}, "filters.orderedFrom"),
        ("mine", {"state": ["held"] * 400}, None),
        ("x" * 61, {}, "path.name"),
        ("a%01b", {}, "path.name"),
    ],
)
async def test_what_no_list_takes_is_no_view(
    shut_door: ShutDoor, name: str, filters: dict[str, Any], path: str | None
) -> None:
    who = somebody(shut_door)
    status, told = await saved(shut_door, who, name, **filters)
    assert (status, told["code"]) == (400, "malformed")
    if path is not None:
        assert [detail["path"] for detail in told["details"]] == [path]
    assert (await shut_door.http.get(VIEWS, headers=who)).json() == {"views": []}


async def test_views_are_so_many_at_most_and_not_for_channels(shut_door: ShutDoor) -> None:
    ada = somebody(shut_door)
    for number in range(MOST):
        assert (await saved(shut_door, ada, str(number)))[0] == 200
    status, told = await saved(shut_door, ada, "one more")
    assert (status, told["code"]) == (409, "too_many_views")
    assert (await saved(shut_door, shut_door.as_channel("web")))[0] == 403
