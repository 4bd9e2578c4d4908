"""The development issuer's login: as much of OpenID Connect as the console needs, for one machine.

Whoever reaches it may log in as anybody: it listens on loopback only, as everything that is for development.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from api.access.principal import Scope
from api.access.sessions import LOGIN
from ops.local.issuer import ISSUER, METADATA, TICKETS, DevelopmentIssuer
from settings import ConsoleLogin, Settings

ROLES: Final[Mapping[str, tuple[str, str, tuple[Scope, ...]]]] = {
    "agent": (
        "Care agent",
        "sees every order, orders more, previews and makes changes, settles what waits for a person",
        (Scope.CARE, Scope.SUBMIT),
    ),
    "operator": ("Operator", "may do everything: pause silos, send events again", tuple(Scope)),
    "reader": ("Read only", "sees every order, and changes nothing", (Scope.LOOK,)),
}
_CODE_LASTS_S: Final = 60
_ASKED: Final = (
    "client_id",
    "redirect_uri",
    "response_type",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)


@dataclass(frozen=True, slots=True)
class _Given:
    """What a code stands for."""

    subject: str
    scopes: tuple[Scope, ...]
    redirect_uri: str
    nonce: str
    challenge: str
    ends: float


class LoginPages:
    """The endpoints of one development issuer. Codes and used tickets are kept in memory: all lasts two minutes."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = DevelopmentIssuer(settings)
        login = self._issuer.configured.read_console_login()
        assert login is not None, "the issuer was prepared"
        self._login: ConsoleLogin = login
        self._callback = f"{settings.api_address}{LOGIN}/callback"
        self._console = f"{settings.api_address}/console/"
        self._base = f"http://127.0.0.1:{settings.issuer_port}"
        self._codes: dict[str, _Given] = {}
        self._used: dict[str, float] = {}

    def app(self) -> Starlette:
        """The endpoints as an application."""
        return Starlette(
            routes=[
                Route(METADATA, self._metadata),
                Route("/jwks", self._keys),
                Route("/authorize", self._authorize, methods=["GET"]),
                Route("/authorize", self._chosen, methods=["POST"]),
                Route("/token", self._token, methods=["POST"]),
                Route("/logout", self._log_out),
                Route("/healthz", self._up),
            ],
            # A page elsewhere could make its own name lead here.
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        )

    async def _metadata(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": ISSUER,
                "authorization_endpoint": f"{self._base}/authorize",
                "token_endpoint": f"{self._base}/token",
                "jwks_uri": f"{self._base}/jwks",
                "end_session_endpoint": f"{self._base}/logout",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["EdDSA"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "scopes_supported": ["openid", *Scope],
            }
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse(self._issuer.public_keys)

    async def _up(self, _: Request) -> Response:
        return PlainTextResponse("up")

    async def _log_out(self, _: Request) -> Response:
        return RedirectResponse(self._console, 303)

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        wrong = self._wrong_with(asked)
        if wrong is not None:
            return _page("Login", f"<h1>That is no login</h1><p>{html.escape(wrong)}</p>", 400)
        ticket = asked.get("login_hint")
        if ticket is not None:
            try:
                found = self._issuer.read(ticket, TICKETS)
            except jwt.InvalidTokenError:
                return _page("Login", _chooser(asked, "The link has been used, or is too old."))
            if self._first_use(found["jti"]):
                scopes = tuple(scope for scope in Scope if scope in found["scope"].split())
                return self._back(asked, found["sub"], scopes)
            return _page("Login", _chooser(asked, "The link has been used, or is too old."))
        return _page("Login", _chooser(asked))

    async def _chosen(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        if request.headers.get("origin") != self._base:
            return PlainTextResponse("The form is not from here", 403)
        wrong = self._wrong_with(form)
        role = ROLES.get(form.get("role", ""))
        if wrong is not None or role is None:
            return _page("Login", f"<h1>That is no login</h1><p>{html.escape(wrong or 'role')}</p>", 400)
        return self._back(form, form.get("name", "").strip()[:100] or form["role"], role[2])

    def _wrong_with(self, asked: Mapping[str, str]) -> str | None:
        if asked.get("client_id") != self._login.client_id or asked.get("redirect_uri") != self._callback:
            return "It is not asked for by the console"
        if asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256":
            return "It is not asked for by a code with PKCE"
        return None

    def _back(self, asked: Mapping[str, str], subject: str, scopes: tuple[Scope, ...]) -> Response:
        code, now = secrets.token_urlsafe(32), time.monotonic()
        self._codes = {known: given for known, given in self._codes.items() if given.ends > now}
        self._codes[code] = _Given(
            subject, scopes, asked["redirect_uri"], asked.get("nonce", ""), asked["code_challenge"], now + _CODE_LASTS_S
        )
        query = urlencode({"code": code, "state": asked.get("state", "")})
        return RedirectResponse(f"{asked['redirect_uri']}?{query}", 303)

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), self._basic()):
            return JSONResponse({"error": "invalid_client"}, 401)
        given = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        verified = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if given is None or given.ends < time.monotonic() or verified != given.challenge:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if form.get("redirect_uri") != given.redirect_uri:
            return JSONResponse({"error": "invalid_grant"}, 400)
        lifetime = timedelta(minutes=5)
        who = {"sub": given.subject, "aud": self._login.client_id, "nonce": given.nonce}
        return JSONResponse(
            {
                "access_token": self._issuer.token(given.scopes, subject=given.subject, lifetime=lifetime),
                "id_token": self._issuer.signed(who, lifetime),
                "token_type": "Bearer",
                "expires_in": int(lifetime.total_seconds()),
                "scope": " ".join(("openid", *given.scopes)),
            },
            headers={"Cache-Control": "no-store"},
        )

    def _basic(self) -> bytes:
        return b"Basic " + base64.b64encode(f"{self._login.client_id}:{self._login.client_secret}".encode())

    def _first_use(self, ticket: str) -> bool:
        now = time.monotonic()
        self._used = {known: ends for known, ends in self._used.items() if ends > now}
        first = ticket not in self._used
        self._used[ticket] = now + 300
        return first


def serve(settings: Settings) -> None:
    """Serve the login pages until a signal comes."""
    uvicorn.run(
        LoginPages(settings).app(),
        host="127.0.0.1",
        port=settings.issuer_port,
        log_config=None,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )


def _chooser(asked: Mapping[str, Any], said: str = "") -> str:
    given = {name: html.escape(asked[name]) for name in _ASKED if name in asked}
    kept = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in given.items())
    roles = "".join(
        f'<button name="role" value="{role}"><strong>{title}</strong><span>{what}</span></button>'
        for role, (title, what, _) in ROLES.items()
    )
    told = f'<p role="alert">{html.escape(said)}</p>' if said else ""
    return (
        f"<h1>Log in to orderpipe</h1>{told}<p>This is the development issuer of the stack on this machine: "
        f'it believes whoever reaches it.</p><form method="post">{kept}<label for="name">Your name</label>'
        f'<input id="name" name="name" autocomplete="username" placeholder="as written with what you do">{roles}</form>'
    )


_STYLE: Final = """
:root{color-scheme:light dark;--ground:#f4f6f9;--paper:#fff;--line:#7a8699;
--ink:#17202e;--soft:#4d5a6d;--accent:#1a5dbb}
@media(prefers-color-scheme:dark){:root{--ground:#10151d;--paper:#19202b;--line:#76859b;
--ink:#e7ecf3;--soft:#a9b5c6;--accent:#8db8f7}}
body{margin:0;font:100%/1.5 system-ui,sans-serif;background:var(--ground);color:var(--ink)}
main{max-width:30rem;margin:10vh auto 0;padding:1.5rem;background:var(--paper);border-radius:.8rem}
h1{font-size:1.4rem;margin:0 0 .5rem}p{color:var(--soft)}
label{display:block;color:var(--soft);font-size:.9rem}
input{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;border:1px solid var(--line);border-radius:.4rem;
background:var(--paper);color:var(--ink);margin-bottom:1rem}
button{display:block;width:100%;text-align:left;font:inherit;padding:.7rem 1rem;margin-top:.6rem;
border:1px solid var(--line);border-radius:.5rem;background:var(--paper);color:var(--ink);cursor:pointer}
button:hover{border-color:var(--accent)}button span{display:block;color:var(--soft);font-size:.9rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
"""
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def _page(title: str, content: str, status: int = 200) -> Response:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main>{content}</main></body></html>"
    )
    # No form-action: it would hold for where the form leads to in the end, and that is the console.
    policy = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return HTMLResponse(text, status, headers)
