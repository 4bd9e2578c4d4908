"""Before any route: who is asking, how often, and with how much. Nothing of a request is read before that is known."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.access.limits import BODY_CPU_S, RateLimit, read_body
from api.access.principal import ANYBODY, Principal
from api.access.sessions import OPEN_BELOW, Sessions, is_of_console
from api.access.tokens import Keys, Tokens
from api.blocking import BILL, Bill
from api.error_answers import error_response
from api.errors import ApiError, Unauthorized
from settings import Settings

DOCS_ASSETS: Final = "/docs/assets"
"""Below it stands what the documentation's page loads."""
_PROBES: Final = ("/healthz", "/readyz")
_OPEN: Final = (*_PROBES, "/docs", "/openapi.json")
"""What tells nothing about anybody, beside those assets."""
_OPEN_BELOW: Final = (f"{DOCS_ASSETS}/", *OPEN_BELOW)
_CODEC: Final = "/codec/"
"""Is called by pages of another origin."""
_LONGEST_TOKEN: Final = 8192


class AccessError(Exception):
    """The settings give no protection, or no access: says which to set."""


class Doorkeeper:
    """Identifies callers by their tokens: those of the issuer, and one for each silo.

    `of_customers` are the channels that see all orders of their customers.
    """

    def __init__(
        self, tokens: Tokens, silos: Mapping[str, tuple[str, ...]], of_customers: Collection[str] = ()
    ) -> None:
        self._tokens = tokens
        self._of_customers = frozenset(of_customers)
        # Looked up by digest: how long that takes tells nothing about the secret.
        self._silos = {_digest(secret): silo for silo, secrets in silos.items() for secret in secrets}

    async def principal(self, authorization: str | None) -> Principal:
        """Who sends a header `Authorization`.

        Raises:
            Unauthorized: if it has no token that is taken here.
            Unavailable: if that cannot be told now.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized()
        if len(token) > _LONGEST_TOKEN:
            raise Unauthorized("The token is too long")
        silo = self._silos.get(_digest(token))
        if silo is not None:
            return Principal(f"silo {silo}", silo=silo)
        principal = await self._tokens.principal(token)
        return replace(principal, of_customers=principal.channel in self._of_customers)


class Guard:
    """Middleware that lets in who may come in, and puts the `principal` into the request's state.

    Everything but the few open paths needs a token, whether a route asks for the principal or not. Where none is asked
    for, the API must be reached by one of its `names`: else a page elsewhere could make its own name lead here, and
    have its visitor's browser ask (DNS rebinding). `for_pages` lets those of another origin read refusals of the codec.
    The console knows people by their `sessions`, and shows who has none to the login.
    """

    def __init__(
        self,
        app: ASGIApp,
        doorkeeper: Doorkeeper | None,
        rate: RateLimit,
        most_bytes: int,
        names: Collection[str],
        *,
        sessions: Sessions | None = None,
        codec_open: bool = False,
        for_pages: Callable[[ASGIApp], ASGIApp] = lambda answer: answer,
    ) -> None:
        self.app = app
        self._by_name = TrustedHostMiddleware(app, [*names], www_redirect=False)
        self._doorkeeper = doorkeeper
        self._rate = rate
        self._most_bytes = most_bytes
        self._sessions = sessions
        self._codec_open = codec_open
        self._for_pages = for_pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer why not."""
        if scope["type"] != "http" or scope["path"] in _OPEN or scope["path"].startswith(_OPEN_BELOW):
            # Probes come by address.
            await (self.app if scope.get("path") in _PROBES else self._by_name)(scope, receive, send)
            return
        read = 0
        try:
            principal = scope.setdefault("state", {})["principal"] = await self._admit(scope)
            receive, read = await read_body(scope, receive, self._most_bytes)
        except ApiError as error:
            # Told here, before any route is looked for: a refusal costs next to nothing.
            refusal = error_response(error)
            answer = self._for_pages(refusal) if scope["path"].startswith(_CODEC) else refusal
            await answer(scope, receive, send)
            return
        bill = Bill(_address(scope) if principal is None else principal.name, read * BODY_CPU_S)
        BILL.set(bill)
        has_token = principal not in (None, ANYBODY) and not is_of_console(scope["path"])
        try:
            await (self.app if has_token else self._by_name)(scope, receive, send)
        finally:
            if principal is None or principal.silo is None:
                self._rate.charge(bill.caller, bill.cpu_s)

    async def _admit(self, scope: Scope) -> Principal | None:
        principal = ANYBODY
        if self._doorkeeper is not None and self._sessions is not None and is_of_console(scope["path"]):
            principal = await self._sessions.principal(scope)
            self._rate.take(_address(scope) if principal is None else principal.name)
            if principal is None and scope["method"] not in ("GET", "HEAD"):
                raise Unauthorized("Nobody is logged in to the console")
            return principal
        if self._doorkeeper is not None:
            try:
                principal = await self._doorkeeper.principal(Headers(scope=scope).get("authorization"))
            except Unauthorized:
                self._rate.take(_address(scope))
                if self._codec_open and scope["path"].startswith(_CODEC):
                    return None
                raise
        if principal.silo is None:  # What silos report, they were asked to do.
            self._rate.take(principal.name)
        return principal


def doorkeeper(settings: Settings) -> Doorkeeper | None:
    """The doorkeeper that the settings ask for. None where everybody may come in.

    Raises:
        AccessError: if they ask for only a part of one, or the silos' secrets cannot be read.
    """
    needed = {
        "ORDERPIPE_AUTH_ISSUER": settings.auth_issuer,
        "ORDERPIPE_AUTH_JWKS": settings.auth_jwks,
        "ORDERPIPE_SILO_SECRETS": settings.silo_secrets,
    }
    missing = [name for name, value in needed.items() if value is None]
    if len(missing) == len(needed):
        return None
    if settings.auth_issuer is None or settings.auth_jwks is None or settings.silo_secrets is None:
        raise AccessError(f"Access is set up in part only: {' and '.join(missing)} must be set too")
    try:
        silos = settings.read_silo_secrets()
    except (OSError, ValueError) as error:
        raise AccessError(f"ORDERPIPE_SILO_SECRETS, {settings.silo_secrets}, cannot be read: {error}") from error
    tokens = Tokens(settings.auth_issuer, settings.auth_audience, Keys(settings.auth_jwks))
    return Doorkeeper(tokens, silos, settings.channels_of_customers)


def check_exposure(settings: Settings, host: str) -> None:
    """Return if the API may listen at a host.

    Raises:
        AccessError: if others than this machine would reach there what is open to everybody.
    """
    if is_loopback(host):
        return
    if settings.auth_issuer is None:
        raise AccessError(
            f"Without access control the API listens on loopback only, not at {host}. Set ORDERPIPE_AUTH_ISSUER, "
            "ORDERPIPE_AUTH_JWKS and ORDERPIPE_SILO_SECRETS"
        )
    if settings.codec_open:
        raise AccessError(f"ORDERPIPE_CODEC_OPEN is for an API on loopback, not at {host}")


def is_loopback(host: str) -> bool:
    """True if only this machine can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return f"address {client[0]}" if client else "address"
