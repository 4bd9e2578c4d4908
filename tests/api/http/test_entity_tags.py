"""ETag, If-None-Match and If-Match of an order (RFC 9110, section 13)."""

from __future__ import annotations

from typing import Any

import pytest

from api.errors import Outdated
from api.http.entity_tags import require_match, tagged
from orders.read_model.states import LifecycleState
from tests.api.conftest import ORDERS, Door
from tests.given.households import internet_voice_tv
from tests.given.registers import a_view


def tag(resource: dict[str, Any], **changes: Any) -> str:
    return tagged(resource, a_view(**changes)).headers["etag"]


def test_a_tag_stands_for_every_byte_that_is_shown() -> None:
    shown = {"id": "O1", "state": "inProgress"}
    assert tag(shown) == tag(dict(shown))
    others = [tag({"id": "O1", "state": "held"}), tag({"state": "inProgress", "id": "O1"}), tag(shown, revision=2)]
    assert len({tag(shown), *others}) == 4
    assert tag(shown).startswith('"1-')
    assert tag(shown, revision=2).startswith('"2-')


@pytest.mark.parametrize("known", ["{}", "W/{}", '"x", {}', '"x",W/{}', "*"])
def test_what_a_client_has_already_is_not_sent_again(known: str) -> None:
    shown: dict[str, Any] = {"id": "O1"}
    response = tagged(shown, a_view(), if_none_match=known.format(tag(shown)))
    assert (response.status_code, response.body, response.headers["etag"]) == (304, b"", tag(shown))


@pytest.mark.parametrize("known", ['"1"', "", "1", '"1-0000000000000000"'])
def test_anything_else_is_sent(known: str) -> None:
    assert tagged({"id": "O1"}, a_view(), if_none_match=known).status_code == 200


@pytest.mark.parametrize("wanted", [None, "*", " * ", '"2"', '"2-0123456789abcdef"', '"1", "2"', '"x,y","2-ab"'])
def test_a_patch_may_depend_on_the_revision_that_a_tag_names(wanted: str | None) -> None:
    require_match(wanted, a_view(revision=2, state=LifecycleState.HELD))


@pytest.mark.parametrize("wanted", ['"1"', '"1-0123456789abcdef"', 'W/"2"', "2", "", '"22"', '"2-"', '"-2"', '"2 "'])
def test_another_revision_and_a_weak_tag_are_refused(wanted: str) -> None:
    with pytest.raises(Outdated):
        require_match(wanted, a_view(revision=2))


async def test_an_order_is_told_with_its_tag_and_not_again_to_who_has_it(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    first = await door.http.get(f"{ORDERS}/{order_id}")
    again = await door.http.get(f"{ORDERS}/{order_id}", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    part = await door.http.get(f"{ORDERS}/{order_id}?fields=state", headers={"if-none-match": first.headers["etag"]})
    assert (part.status_code, set(part.json())) == (200, {"id", "href", "state"})
