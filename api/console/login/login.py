"""The login at an OpenID Connect issuer: it gives the same token that a program would show, and that says who it is."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import httpx2
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from fastapi import Request
from fastapi.responses import Response
from joserfc.errors import JoseError

from api.access.principal import Scope
from api.access.sessions import LOGIN
from api.errors import ApiError, Unavailable
from settings import ConsoleLogin

log = structlog.get_logger()

_TIMEOUT_S: Final = 10


class LoginRefused(ApiError):
    """403: the issuer, or what it says, does not let this person in."""

    status = 403  # pyright: ignore[reportAssignmentType]
    code = "login_refused"


class Login:
    """The login of one issuer. What is in between is kept by the browser, signed, for some minutes."""

    def __init__(self, settings: ConsoleLogin, api_address: str) -> None:
        self.callback = f"{api_address}{LOGIN}/callback"
        self.client_id = settings.client_id
        self.key = hashlib.sha256(b"login to the console:" + settings.client_secret.encode()).hexdigest()
        """By which the browser's notes are signed, in every process of this API."""
        self._issuer: Any = OAuth().register(
            "issuer",
            server_metadata_url=settings.metadata,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            client_kwargs={
                "scope": settings.scope or " ".join(("openid", *Scope)),
                "code_challenge_method": "S256",
                "timeout": _TIMEOUT_S,
            },
        )

    async def begin(self, request: Request, hint: str | None) -> Response:
        """To the issuer. `hint` is what may spare the person its login page.

        Raises:
            Unavailable: if the issuer does not answer.
        """
        given = {"login_hint": hint} if hint else {}
        try:
            return await self._issuer.authorize_redirect(request, self.callback, **given)
        except (httpx2.HTTPError, AuthlibBaseError, JoseError, ValueError) as error:
            raise _unreachable(error) from error

    async def token(self, request: Request) -> str:
        """The access token of whoever comes back from the issuer.

        Raises:
            LoginRefused: if the issuer did not let them in, or they did not begin here.
            Unavailable: if it does not answer.
        """
        try:
            given = await self._issuer.authorize_access_token(request)
        except httpx2.HTTPError as error:
            raise _unreachable(error) from error
        except (AuthlibBaseError, JoseError, ValueError) as error:
            log.warning("a login was refused", error=type(error).__name__)
            raise LoginRefused("The login did not come to its end", "It may have taken too long: try again") from error
        token = given.get("access_token")
        if not isinstance(token, str):
            raise LoginRefused("The issuer gave no access token")
        return token

    async def elsewhere(self) -> str | None:
        """Where one logs out at the issuer too, if it says so."""
        try:
            metadata = await self._issuer.load_server_metadata()
        except (httpx2.HTTPError, AuthlibBaseError, ValueError):
            return None
        place = metadata.get("end_session_endpoint")
        return place if isinstance(place, str) else None


def _unreachable(error: Exception) -> Unavailable:
    log.warning("the issuer cannot be asked", error=type(error).__name__)
    return Unavailable("The issuer cannot be asked now", "Nobody can log in until it answers")
