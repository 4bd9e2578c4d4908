"""Saved views of the list of orders: kept under a name of one's own, opened, and forgotten."""

from __future__ import annotations

import html
import re
from uuid import uuid4

from api.access.principal import Scope
from tests.api.console.conftest import Console
from tests.api.console.pages.test_orders import text_of


def views_in(page: str) -> dict[str, str]:
    """The addresses of the views that a page offers, by name."""
    bar = re.search(r'<nav class="chips" aria-label="Saved views">.*?</nav>', page, re.DOTALL)
    found = re.findall(r'href="/console([^"]+)">([^<]+)</a>', bar[0]) if bar is not None else []
    return {html.unescape(name): html.unescape(path) for path, name in found}


async def test_what_a_list_is_filtered_by_is_saved_opened_and_forgotten(console: Console) -> None:
    ada = await console.person(Scope.LOOK, name=f"ada-{uuid4().hex[:8]}")
    bob = await console.person(Scope.CARE, name=f"bob-{uuid4().hex[:8]}")
    path = "/orders?state=held&state=pending&inJeopardy=true&orderedFrom=2026-03-01&q=&sort=promisedAt"
    assert "Save this view" in await ada.page(path)
    assert "Save this view" not in await ada.page("/orders")  # There is nothing to save.
    saved = await ada.post(path, {"do": "save", "name": "Late & <held>"})
    assert (saved.status_code, saved.headers["location"]) == (303, f"/console{path}")
    page = await ada.page("/orders")
    views = views_in(page)
    assert list(views) == ["Late & <held>"]
    assert "<held>" not in page
    opened = await ada.page(views["Late & <held>"])
    assert re.search(r'<a class="chip" aria-current="true"[^>]*>Late', opened)
    assert 'name="orderedFrom" type="date" value="2026-03-01"' in opened
    assert 'value="promisedAt"' in opened
    assert re.search(r'name="inJeopardy" value="true" checked', opened)
    assert views_in(await bob.page("/orders")) == {}
    assert (await ada.post("/orders", {"do": "forget", "name": "Late & <held>"})).status_code == 303
    assert views_in(await ada.page("/orders")) == {}


async def test_what_cannot_be_saved_is_told_beside_the_list(console: Console) -> None:
    ada = await console.person(Scope.LOOK, name=f"ada-{uuid4().hex[:8]}")
    for name in ("", "x" * 61, "a\nb"):
        refused = await ada.post("/orders?state=held", {"do": "save", "name": name})
        assert refused.status_code == 400
        assert "must have 1 to 60 characters" in text_of(refused.text)
    for number in range(20):
        assert (await ada.post("/orders?state=held", {"do": "save", "name": f"v{number}"})).status_code == 303
    refused = await ada.post("/orders?state=pending", {"do": "save", "name": "one more"})
    assert refused.status_code == 409
    assert "There are 20 saved views" in text_of(refused.text)
    assert (await ada.post("/orders?state=godot", {"do": "save", "name": "v1"})).status_code == 400
    assert (await ada.post("/orders", {"do": "forget", "name": "none"})).status_code == 404
