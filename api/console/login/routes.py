"""Log in, come back from the issuer, log out; and the colours and the language that somebody likes."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.access.guard import Doorkeeper
from api.access.sessions import CONSOLE, LONGEST, Sessions, is_of_console
from api.console.login.login import Login, LoginRefused
from api.console.page import FormDep, PageDep
from api.console.viewer import THEME, THEMES
from api.console.words import LANGUAGE, LANGUAGES
from api.errors import Unauthorized

router = APIRouter()

_TO: Final = "to"
_A_YEAR_S: Final = 365 * 24 * 3600


@router.get("/login")
async def log_in(
    request: Request,
    page: PageDep,
    to: Annotated[str, Query(max_length=2000)] = CONSOLE,
    login_hint: Annotated[str | None, Query(max_length=4000)] = None,
) -> Response:
    """On to the issuer; or to where one wanted, where nobody has to log in."""
    login: Login | None = request.app.state.login
    if request.app.state.doorkeeper is None or (page.principal is not None and login_hint is None):
        return RedirectResponse(_ours(to), 303)
    if login is None:
        return page.show("no_login.html", 503)
    request.session[_TO] = _ours(to)
    return await login.begin(request, login_hint)


@router.get("/login/callback")
async def came_back(request: Request) -> Response:
    """From the issuer, with a code for a token: that says who has come."""
    login: Login | None = request.app.state.login
    doorkeeper: Doorkeeper | None = request.app.state.doorkeeper
    sessions: Sessions = request.app.state.sessions
    if login is None or doorkeeper is None:
        return RedirectResponse(CONSOLE, 303)
    to = _ours(request.session.pop(_TO, CONSOLE))
    token = await login.token(request)
    try:
        principal = await doorkeeper.principal(f"Bearer {token}")
    except Unauthorized as error:
        raise LoginRefused("The issuer's token is not taken here", error.message) from error
    await _end_former(request, sessions)
    answer = RedirectResponse(to, 303)
    answer.set_cookie(
        sessions.cookie,
        await sessions.begin(principal),
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=sessions.secure,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.post("/logout")
async def log_out(request: Request, page: PageDep) -> Response:
    """End the session, and say where the issuer's own can be ended."""
    sessions: Sessions = request.app.state.sessions
    login: Login | None = request.app.state.login
    await _end_former(request, sessions)
    page.principal = None
    answer = page.show("logged_out.html", elsewhere=await login.elsewhere() if login is not None else None)
    answer.delete_cookie(sessions.cookie, path="/", secure=sessions.secure, httponly=True, samesite="lax")
    return answer


@router.post("/looks")
async def looks(request: Request, form: FormDep) -> Response:
    """Keep somebody's colours and language in their browser."""
    answer = RedirectResponse(_ours(str(form.get(_TO, CONSOLE))), 303)
    for field, cookie, known in (("theme", THEME, THEMES), ("language", LANGUAGE, tuple(LANGUAGES))):
        chosen = form.get(field)
        if chosen in known:
            secure = request.app.state.sessions.secure
            answer.set_cookie(cookie, str(chosen), max_age=_A_YEAR_S, path=CONSOLE, secure=secure, samesite="lax")
    return answer


async def _end_former(request: Request, sessions: Sessions) -> None:
    session = getattr(request.state, "session", None)
    if session is not None:
        await sessions.end(session)


def _ours(path: str) -> str:
    """A path of the console, and nothing else: nobody is led to other places by a link of ours."""
    plain = path.partition("?")[0].partition("#")[0]
    safe = is_of_console(plain) and "\\" not in path and path.isprintable() and not plain.startswith("//")
    return path if safe else CONSOLE
