"""What every page has: whoever looks at it, and a way to show a template.

@router.get("/silos")
async def silos(page: PageDep, desk: SilosDep, agent: Looker) -> Response:
    return page.show("silos.html", silos=await silo_routes.every(desk, ...))
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import quote, urlencode

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import FormData

from api.access.principal import ANYBODY, Principal, Scope
from api.access.sessions import CONSOLE, form_token
from api.console import named, queues
from api.console.viewer import Viewer
from api.console.words import LANGUAGES, translations
from settings import VERSION

HERE: Final = Path(__file__).parent


class Page:
    """A page for one request."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.viewer = Viewer.of(request)
        self.principal: Principal | None = request.state.principal

    @property
    def words(self) -> Any:
        """Words in the viewer's language: `page.words.gettext("...")`."""
        return translations(self.viewer.language)

    def show(self, template: str, answer: int = 200, /, **what: Any) -> HTMLResponse:
        """A template with what it is about, as an answer of that HTTP status."""
        return HTMLResponse(self.text(template, **what), answer)

    def text(self, template: str, /, **what: Any) -> str:
        """The same as text."""
        return _environment(self.viewer.language).get_template(template).render({**self._always(), **what})

    @property
    def here(self) -> str:
        """The address of this page, with its query."""
        path = self.request.url.path
        return f"{path}?{self.request.url.query}" if self.request.url.query else path

    def go(self, path: str, **query: Any) -> Response:
        """On to another page, as after everything that was done."""
        given = {name: value for name, value in query.items() if value is not None}
        return RedirectResponse(f"{path}?{urlencode(given, doseq=True)}" if given else path, 303)

    def _always(self) -> dict[str, Any]:
        principal = self.principal
        session = getattr(self.request.state, "session", None)
        return {
            "page": self,
            "viewer": self.viewer,
            "who": None if principal in (None, ANYBODY) else principal,
            "may": lambda scope: principal is not None and principal.may(Scope(scope)),
            "token": form_token(session),
            "path": self.request.url.path,
            "here": self.here,
            "query": dict(self.request.query_params),
        }


def _page(request: Request) -> Page:
    return Page(request)


async def _form(request: Request) -> FormData:
    return await request.form()


PageDep: TypeAlias = Annotated[Page, Depends(_page)]
"""The page that a route shows."""

FormDep: TypeAlias = Annotated[FormData, Depends(_form)]
"""The fields that a page has sent."""


def with_query(page: Page, **changes: Any) -> str:
    """The address of the page with some of its query otherwise; None takes a name out, a list stands for several."""
    given: list[tuple[str, Any]] = [
        (name, value) for name, value in page.request.query_params.multi_items() if name not in changes
    ]
    for name, value in changes.items():
        values = value if isinstance(value, list | tuple) else [value]
        given += [(name, each) for each in values if each is not None]
    path = page.request.url.path
    return f"{path}?{urlencode(given)}" if given else path


def in_path(value: object) -> str:
    """Anything as one part of a path."""
    return quote(str(value), safe="")


@cache
def asset(name: str) -> str:
    """The address of a file below `static/` or `vendor/`, which changes with its content: browsers may keep it."""
    digest = hashlib.sha256((HERE / name).read_bytes()).hexdigest()[:12]
    return f"{CONSOLE}/{name}?v={digest}"


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(translations(language), newstyle=True)  # pyright: ignore[reportAttributeAccessIssue]
    environment.filters["in_path"] = in_path
    shared: Mapping[str, Any] = {
        "asset": asset,
        "named": named,
        "queues": queues,
        "with_query": with_query,
        "languages": LANGUAGES,
        "console": CONSOLE,
        "version": VERSION,
    }
    environment.globals.update(shared)
    return environment
