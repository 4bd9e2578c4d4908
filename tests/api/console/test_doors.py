"""Who comes into the console: nobody without a session, nobody beyond their scopes, and no other page's request."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute

from api.access.principal import Scope
from api.access.sessions import CONSOLE, form_token
from api.console.pages import ROUTERS
from tests.api.console.conftest import FROM_OUR_PAGE, Console

UNKNOWN = "web-000000000000"
WITHOUT_A_SESSION = {("GET", "/login"), ("GET", "/login/callback")}
FOR_EVERYBODY_LOGGED_IN = {("POST", "/logout"), ("POST", "/looks")}
OWN = {("POST", "/orders")}
"""What is one's own, so that whoever looks may change it: saved views."""


def routes() -> Iterator[tuple[str, str]]:
    """Method and path of every route of the console."""
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for method in route.methods or ():
                yield method, route.path


ROUTES = sorted(routes())


def filled(path: str) -> str:
    """A path with something in place of every parameter, which does not exist."""
    return re.sub(r"\{.*?\}", UNKNOWN, path)


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route not in WITHOUT_A_SESSION])
async def test_a_route_is_shut_to_those_without_a_session_or_without_its_scope(
    console: Console, method: str, path: str
) -> None:
    nobody = console.stranger
    if method == "GET":
        without = await nobody.get(filled(path))
        assert without.status_code == 303
        assert without.headers["location"].startswith("/console/login?to=%2Fconsole%2F")
        part = await nobody.get(filled(path), **{"HX-Request": "true"})
        assert (part.status_code, part.headers["hx-refresh"], part.text) == (401, "true", "")
    else:
        assert (await nobody.post(filled(path), {})).status_code == 401
    for scopes in ((), (Scope.SUBMIT,), (Scope.READ, Scope.SUBMIT)):
        person = await console.person(*scopes, channel="web")
        answer = await (person.get(filled(path)) if method == "GET" else person.post(filled(path), {}))
        assert (answer.status_code == 403) is ((method, path) not in FOR_EVERYBODY_LOGGED_IN), answer.text


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[0] != "GET"])
async def test_nobody_who_only_looks_changes_anything(console: Console, method: str, path: str) -> None:
    reader = await console.person(Scope.LOOK)
    answer = await reader.post(filled(path), {})
    assert (answer.status_code == 403) is ((method, path) not in FOR_EVERYBODY_LOGGED_IN | OWN)


@pytest.mark.parametrize("scope", [Scope.WORK, Scope.LOOK, Scope.CARE, Scope.OPERATE])
async def test_everybody_is_led_to_pages_that_they_may_open_and_to_no_others(console: Console, scope: Scope) -> None:
    person = await console.person(scope)
    first = await person.get("/")
    if scope is Scope.WORK:
        assert (first.status_code, first.headers["location"]) == (303, f"{CONSOLE}/work-items")
        first = await person.get("/work-items")
    assert first.status_code == 200
    bar = re.search(r'<nav aria-label="Pages">.*?</nav>', first.text, re.DOTALL)
    assert bar is not None
    offered = re.findall(r'href="/console([^"]+)"', bar[0])
    assert offered
    for path in offered:
        assert (await person.get(path)).status_code in (200, 303), path
    everything = {path for path in (await operators_pages(console)) if path not in offered}
    for path in everything - {"/"}:
        assert (await person.get(path)).status_code == 403, path
    assert ('role="search"' in first.text) is ("/orders" in offered)


async def operators_pages(console: Console) -> list[str]:
    """What the navigation offers to an operator."""
    page = await (await console.person(Scope.OPERATE)).page("/")
    bar = re.search(r'<nav aria-label="Pages">.*?</nav>', page, re.DOTALL)
    assert bar is not None
    return re.findall(r'href="/console([^"]+)"', bar[0])


async def test_a_token_opens_no_page_and_a_session_opens_no_api(console: Console) -> None:
    agent = await console.person(Scope.CARE)
    cookie = {"Cookie": f"{console.sessions.cookie}={agent.session}"}
    assert (await console.http.get("/care/v1/orders", headers=cookie)).status_code == 401
    assert (await console.stranger.get("/orders", Authorization="Bearer x")).status_code == 303
    assert (await agent.get("/orders")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://elsewhere.example"},
        {},
    ],
)
async def test_a_form_that_another_page_has_sent_is_refused(console: Console, headers: dict[str, str]) -> None:
    agent = await console.person(Scope.CARE)
    assert (await agent.post("/looks", {"theme": "dark"}, headers)).status_code == 403


async def test_a_form_needs_what_only_pages_of_its_session_know(console: Console) -> None:
    agent, other = await console.person(Scope.CARE), await console.person(Scope.CARE)
    for token in ("", "none", form_token(other.session), form_token(None)):
        assert (await agent.post("/looks", {"theme": "dark", "token": token})).status_code == 403
    assert (await agent.post("/looks", {"theme": "dark"})).status_code == 303
    origin = {"Origin": str(console.http.base_url).rstrip("/")}
    assert (await agent.post("/looks", {"theme": "dark"}, origin)).status_code == 303
    by_header = {**FROM_OUR_PAGE, "Orderpipe-Token": form_token(agent.session)}
    assert (await agent.post("/looks", {"theme": "dark", "token": ""}, by_header)).status_code == 303


async def test_who_logs_out_is_out_at_once(console: Console) -> None:
    agent = await console.person(Scope.CARE)
    assert "agent-7" in await agent.page("/orders")
    out = await agent.post("/logout", {})
    assert out.status_code == 200
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert (await agent.get("/orders")).status_code == 303


async def test_pages_say_what_browsers_may_load_and_that_they_are_not_to_be_kept(console: Console) -> None:
    agent = await console.person(Scope.CARE)
    answer = await agent.get("/orders")
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    loaded = re.findall(r'(?:href|src)="(/console/(?:static|vendor)/[^"]+)"', answer.text)
    assert len(loaded) == 4
    for path in loaded:
        asset = await console.http.get(path)
        assert (asset.status_code, asset.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")


async def test_the_console_is_reached_by_a_name_of_the_api_only(console: Console) -> None:
    agent = await console.person(Scope.CARE)
    assert (await agent.get("/orders", Host="elsewhere.example")).status_code == 400


async def test_nobody_is_led_elsewhere_after_the_login_or_a_choice(console: Console) -> None:
    agent = await console.person(Scope.CARE)
    for to in ("https://elsewhere.example", "//elsewhere.example", "/console/../docs\\", "/docs", "/consolex"):
        for answer in (await agent.get(f"/login?to={to}"), await agent.post("/looks", {"to": to})):
            assert answer.headers["location"] == "/console", to
    assert (await agent.get("/login?to=/console/orders?q=x")).headers["location"] == "/console/orders?q=x"
