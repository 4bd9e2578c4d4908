"""The login: over the development issuer's pages to a session, once by each link, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import pytest_asyncio

from api.access.principal import Scope
from api.app import create_app
from ops.local.console import ConsoleError, link
from ops.local.issuer import DevelopmentIssuer
from ops.local.login_pages import LoginPages
from settings import Settings
from tests.running.pipe import Pipe, free_port, listening


@dataclass
class Entrance:
    """The console, its issuer, and a browser between them."""

    browser: httpx2.AsyncClient
    issuer: DevelopmentIssuer
    settings: Settings

    async def ask(self, address: str) -> httpx2.Response:
        """Follow an address of the console, or of its issuer, one step."""
        if urlsplit(address).port == self.settings.issuer_port:
            async with httpx2.AsyncClient() as http:
                return await http.get(address)
        return await self.browser.get(address)

    async def arrive(self, address: str) -> httpx2.Response:
        """Follow an address until there is a page."""
        answer = await self.ask(address)
        while answer.is_redirect:
            answer = await self.ask(str(httpx2.URL(str(answer.url)).join(answer.headers["location"])))
        return answer


@pytest_asyncio.fixture(loop_scope="session")
async def entrance(shared_pipe: Pipe) -> AsyncIterator[Entrance]:
    given = {**shared_pipe.settings.model_dump(), "issuer_port": free_port()}
    issuer = DevelopmentIssuer(Settings.model_validate(given))
    issuer.prepare(["tv"])
    settings = issuer.configured
    app = create_app(settings, shared_pipe.client)
    async with app.router.lifespan_context(app), listening(LoginPages(settings).app(), settings.issuer_port):
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url=settings.api_address) as browser:
            yield Entrance(browser, issuer, settings)


async def test_a_link_of_this_machine_logs_in_once(entrance: Entrance) -> None:
    address = link(entrance.settings, "agent", "Ada")
    desk = await entrance.arrive(address)
    assert (desk.status_code, desk.url.path) == (200, "/console/")
    assert "Ada" in desk.text
    entrance.browser.cookies.clear()
    again = await entrance.arrive(address)
    assert (again.status_code, again.url.port) == (200, entrance.settings.issuer_port)
    assert "has been used" in again.text


async def test_the_cookie_is_for_the_browser_alone_and_the_register_does_not_know_it(entrance: Entrance) -> None:
    answer = await entrance.ask(link(entrance.settings, "reader", "Ada"))
    answer = await entrance.ask(answer.headers["location"])
    answer = await entrance.ask(answer.headers["location"])
    cookie = next(each for each in answer.headers.get_list("set-cookie") if "login" not in each.partition("=")[0])
    assert re.search(r"HttpOnly.*Max-Age=43200.*Path=/.*SameSite=lax", cookie)
    session = cookie.partition("=")[2].partition(";")[0]
    assert session not in (entrance.settings.data_dir / "register.db").read_bytes().decode("latin-1")


async def test_a_person_chooses_who_to_be_and_comes_to_where_they_wanted(entrance: Entrance) -> None:
    page = await entrance.arrive(f"{entrance.settings.api_address}/console/orders?state=held")
    assert page.url.port == entrance.settings.issuer_port
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    async with httpx2.AsyncClient() as http:
        own = {"Origin": f"http://127.0.0.1:{entrance.settings.issuer_port}"}
        form = {**fields, "role": "agent", "name": "Grace"}
        elsewhere = await http.post(str(page.url), data=form, headers={"Origin": "http://elsewhere.example"})
        assert elsewhere.status_code == 403
        chosen = await http.post(str(page.url), data=form, headers=own)
    orders = await entrance.arrive(chosen.headers["location"])
    assert (orders.url.path, orders.url.query) == ("/console/orders", b"state=held")
    assert "Grace" in orders.text


async def test_a_code_is_taken_only_from_the_browser_that_began_and_only_once(entrance: Entrance) -> None:
    answer = await entrance.ask(link(entrance.settings, "agent", "Ada"))
    back = (await entrance.ask(answer.headers["location"])).headers["location"]
    kept = dict(entrance.browser.cookies)
    entrance.browser.cookies.clear()
    stolen = await entrance.ask(back)
    assert stolen.status_code == 403
    assert "set-cookie" not in stolen.headers or "HttpOnly" not in stolen.headers["set-cookie"].partition("login")[0]
    entrance.browser.cookies.update(kept)
    assert (await entrance.ask(back)).status_code == 303
    assert (await entrance.ask(back)).status_code == 403


async def test_the_issuer_gives_no_token_without_the_clients_secret_or_the_verifier(entrance: Entrance) -> None:
    answer = await entrance.ask(link(entrance.settings, "agent", "Ada"))
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    code = parse_qs(urlsplit((await entrance.ask(answer.headers["location"])).headers["location"]).query)["code"][0]
    login = entrance.settings.read_console_login()
    assert login is not None
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": asked["redirect_uri"][0]}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{entrance.settings.issuer_port}") as http:
        assert (await http.post("/token", data=form)).status_code == 401
        assert (await http.post("/token", data=form, auth=(login.client_id, "x" * 20))).status_code == 401
        known = (login.client_id, login.client_secret)
        assert (await http.post("/token", data={**form, "code_verifier": "x"}, auth=known)).status_code == 400
        assert (await http.post("/token", data={**form, "code_verifier": "x"}, auth=known)).status_code == 400


@pytest.mark.parametrize("role", ["reader", "agent", "operator"])
async def test_each_role_sees_the_orders(entrance: Entrance, role: str) -> None:
    await entrance.arrive(link(entrance.settings, role, role))
    assert (await entrance.browser.get("/console/orders")).status_code == 200


def test_there_are_no_other_roles(shared_pipe: Pipe) -> None:
    with pytest.raises(ConsoleError, match="agent, operator, reader"):
        link(shared_pipe.settings, "root", "x")


async def test_a_ticket_is_no_token_and_a_token_is_no_ticket(entrance: Entrance) -> None:
    ticket = entrance.issuer.ticket([Scope.OPERATE])
    answer = await entrance.browser.get("/care/v1/orders", headers={"Authorization": f"Bearer {ticket}"})
    assert answer.status_code == 401
    token = entrance.issuer.token([Scope.OPERATE])
    page = await entrance.arrive(f"{entrance.settings.api_address}/console/login?login_hint={token}")
    assert "has been used" in page.text
