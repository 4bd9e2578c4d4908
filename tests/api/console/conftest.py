"""The console in front of the whole pipe, people who are logged in to it, and a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import pytest_asyncio
from fastapi import FastAPI
from playwright.async_api import Browser
from starlette.routing import Mount

from api.access.principal import Principal, Scope
from api.access.sessions import CONSOLE, Sessions, form_token
from api.app import create_app
from settings import Settings
from tests.api.conftest import shut
from tests.api.console.browser import chromium
from tests.running.pipe import Pipe, free_port, listening

FROM_OUR_PAGE: Final = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Person:
    """Somebody with a browser: a session, if they are logged in."""

    http: httpx2.AsyncClient
    sessions: Sessions
    session: str | None = None

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        """Ask for a page."""
        return await self.http.get(f"{CONSOLE}{path}", headers={**self._cookie, **headers})

    async def page(self, path: str, **headers: str) -> str:
        """The text of a page that is there."""
        answer = await self.get(path, **headers)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def post(
        self, path: str, form: Mapping[str, Any], headers: Mapping[str, str] = FROM_OUR_PAGE
    ) -> httpx2.Response:
        """Send a form of ours."""
        sent = {"token": form_token(self.session), **form}
        return await self.http.post(f"{CONSOLE}{path}", data=sent, headers={**self._cookie, **headers})

    @property
    def _cookie(self) -> dict[str, str]:
        return {"Cookie": f"{self.sessions.cookie}={self.session}"} if self.session else {}


@dataclass
class Console:
    """The API with its console."""

    http: httpx2.AsyncClient
    sessions: Sessions

    async def person(self, *scopes: Scope, name: str = "agent-7", **more: Any) -> Person:
        """Somebody who has those scopes."""
        session = await self.sessions.begin(Principal(name, frozenset(scopes), **more))
        return Person(self.http, self.sessions, session)

    @property
    def stranger(self) -> Person:
        """Somebody who is not logged in."""
        return Person(self.http, self.sessions)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def console(shared_pipe: Pipe) -> AsyncIterator[Console]:
    """The console, with access control, in front of the whole pipe."""
    settings, _ = shut(shared_pipe.settings)
    app = create_app(settings, shared_pipe.client)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url=settings.api_address) as http:
            mounted = next(route for route in app.routes if isinstance(route, Mount) and route.path == CONSOLE)
            assert isinstance(mounted.app, FastAPI)
            sessions: Sessions = mounted.app.state.sessions
            yield Console(http, sessions)


@dataclass
class Desk:
    """A browser, and the console on a port."""

    browser: Browser
    address: str
    sessions: Sessions

    async def cookie(self, *scopes: Scope) -> tuple[str, str]:
        """That of somebody who has those scopes."""
        return self.sessions.cookie, await self.sessions.begin(Principal("agent-7", frozenset(scopes)))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(shared_pipe: Pipe) -> AsyncIterator[Desk]:
    given = {**shared_pipe.settings.model_dump(), "api_port": free_port()}
    settings, _ = shut(Settings.model_validate(given))
    app = create_app(settings, shared_pipe.client)
    mounted: Any = next(route for route in app.routes if getattr(route, "path", "") == CONSOLE)
    async with chromium() as browser, listening(app, settings.api_port):
        yield Desk(browser, settings.api_address, mounted.app.state.sessions)
