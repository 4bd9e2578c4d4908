"""The console as an application of its own below `/console`: its pages, how they are guarded, and how errors look."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.guard import Doorkeeper
from api.access.sessions import LOGIN, OPEN_BELOW, Sessions, form_token
from api.console.login.login import Login
from api.console.page import HERE, Page
from api.console.pages import ROUTERS
from api.errors import ApiError, Forbidden, Unauthorized, problems

log = structlog.get_logger()

_LOGIN_WITHIN_S: Final = 15 * 60
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
TOKEN_FIELD: Final = "token"
TOKEN_HEADER: Final = "orderpipe-token"
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def console_app(sessions: Sessions, login: Login | None, doorkeeper: Doorkeeper | None) -> FastAPI:
    """The console, to be mounted at `/console`. Without a doorkeeper nobody has to log in."""
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        default_response_class=HTMLResponse,
        dependencies=[Depends(_asked_by_our_page)],
    )
    app.state.sessions, app.state.login, app.state.doorkeeper = sessions, login, doorkeeper
    if login is not None:
        # For the minutes of a login: see `api.console.login`.
        app.add_middleware(
            SessionMiddleware,
            secret_key=login.key,
            session_cookie=f"{sessions.cookie.removeprefix('__Host-')}-login",
            max_age=_LOGIN_WITHIN_S,
            path=LOGIN,
            https_only=sessions.secure,
        )
    app.add_middleware(_Headers)
    for router in ROUTERS:
        app.include_router(router)
    for folder in ("static", "vendor"):
        app.mount(f"/{folder}", StaticFiles(directory=HERE / folder))
    _show_errors(app)
    return app


async def _asked_by_our_page(request: Request) -> None:
    """Return if a request changes nothing, or one of our pages has sent it.

    Raises:
        Forbidden: if another page had the browser send it.
    """
    if request.method in _SAFE:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    ours = (
        site == "same-origin" if site is not None else origin is not None and urlsplit(origin).netloc == _host(request)
    )
    given = request.headers.get(TOKEN_HEADER) or (await request.form()).get(TOKEN_FIELD)
    if not ours or given != form_token(getattr(request.state, "session", None)):
        raise Forbidden("The request did not come from a page of the console", "Load the page anew and try again")


def _host(request: Request) -> str:
    return request.headers.get("host", "")


def _show_errors(app: FastAPI) -> None:
    """Have every error shown as a page, or as the part of one that asked."""

    @app.exception_handler(ApiError)
    async def ours(request: Request, error: ApiError) -> Response:
        if isinstance(error, Unauthorized):
            return _to_the_login(request)
        shown = {"reason": error.reason, "message": error.message, "details": error.details}
        return _shown(request, int(error.status), error.code, **shown)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        return _shown(request, 400, "malformed", reason="", message="", details=problems(error))

    @app.exception_handler(HTTPException)
    async def of_the_framework(request: Request, error: HTTPException) -> Response:
        return _shown(request, error.status_code, "", reason="", message="", details=())

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        log.error("unforeseen error", method=request.method, path=request.url.path, exc_info=error)
        return _shown(request, 500, "internal", reason="", message="", details=())


def _shown(request: Request, status: int, code: str, **what: object) -> Response:
    part = "hx-request" in request.headers
    return Page(request).show("error_part.html" if part else "error.html", status, status=status, code=code, **what)


def _to_the_login(request: Request) -> Response:
    """A page leads to the login and back; a part of a page has the whole page led there."""
    if request.method not in _SAFE:
        return _shown(request, 401, "unauthorized", reason="", message="", details=())
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Refresh": "true"})
    asked = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return RedirectResponse(f"{LOGIN}?to={quote(asked, safe='')}", 303)


class _Headers:
    """Middleware for what browsers are told with every page: what it may load, and that it is not to be kept."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = scope.get("path", "").startswith(OPEN_BELOW) and b"v=" in scope.get("query_string", b"")

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
                if kept and message["status"] == 200:
                    headers["Cache-Control"] = "public, max-age=31536000, immutable"
            await send(message)

        await self.app(scope, receive, told)
