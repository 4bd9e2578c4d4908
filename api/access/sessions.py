"""Sessions of people who are logged in to the console: a cookie that stands for a principal.

The browser has a random id, the register its hash. A cookie opens the console alone: everything else asks for a token.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict
from starlette.requests import cookie_parser
from starlette.types import Scope

from api.access.principal import Principal
from api.access.principal import Scope as Allowed
from api.blocking import run_blocking
from register.console_sessions import ConsoleSessions

CONSOLE: Final = "/console"
LOGIN: Final = f"{CONSOLE}/login"
OPEN_BELOW: Final = (f"{CONSOLE}/static/", f"{CONSOLE}/vendor/")
"""What every page loads, that of the login too."""
LONGEST: Final = timedelta(hours=12)
UNATTENDED: Final = "orderpipe-unattended"
"""The header of requests that a page makes by itself: they do not keep a session alive."""


class _Kept(BaseModel):
    """A principal as the register has it."""

    model_config = ConfigDict(frozen=True)

    name: str
    scopes: tuple[Allowed, ...]
    channel: str | None
    customer: str | None
    of_customers: bool
    groups: tuple[str, ...]


class Sessions:
    """The sessions of one API. `kept` is where they are; until that is there, nobody is logged in."""

    def __init__(self, address: str) -> None:
        """`address` is that of the API, as browsers have it."""
        place = urlsplit(address)
        self.secure = place.scheme == "https"
        # Cookies know no ports: two stacks on one machine would log each other out.
        self.cookie = "__Host-orderpipe" if self.secure else f"orderpipe-{place.port or 80}"
        self.kept: ConsoleSessions | None = None

    async def principal(self, scope: Scope) -> Principal | None:
        """Who sends a request to the console. Notes the session in its state."""
        session = _cookie(scope, self.cookie)
        if session is None or self.kept is None:
            return None
        unattended = any(name == UNATTENDED.encode() for name, _ in scope["headers"])
        found = await run_blocking(self.kept.find, _hash(session), datetime.now(UTC), used=not unattended)
        if found is None:
            return None
        scope.setdefault("state", {})["session"] = session
        kept = _Kept.model_validate(found)
        return Principal(
            kept.name,
            frozenset(kept.scopes),
            channel=kept.channel,
            customer=kept.customer,
            of_customers=kept.of_customers,
            groups=frozenset(kept.groups),
        )

    async def begin(self, principal: Principal) -> str:
        """The id of a new session, for the browser alone."""
        assert self.kept is not None, "the API is up"
        session, now = secrets.token_urlsafe(32), datetime.now(UTC)
        kept = _Kept(
            name=principal.name,
            scopes=_sorted(principal.scopes),
            channel=principal.channel,
            customer=principal.customer,
            of_customers=principal.of_customers,
            groups=tuple(sorted(principal.groups)),
        )
        await run_blocking(self.kept.begin, _hash(session), kept.model_dump(mode="json"), now, now + LONGEST)
        return session

    async def end(self, session: str) -> None:
        """End a session, in every process at once."""
        if self.kept is not None:
            await run_blocking(self.kept.end, _hash(session))


def is_of_console(path: str) -> bool:
    """True for a path of the console."""
    return path == CONSOLE or path.startswith(f"{CONSOLE}/")


def form_token(session: str | None) -> str:
    """What a page of a session sends along with whatever is to change something: other pages cannot know it.

    Where nobody logs in there is no session, and what tells our pages from others is where a request comes from.
    """
    return "none" if session is None else hmac.new(session.encode(), b"form", hashlib.sha256).hexdigest()


def _cookie(scope: Scope, name: str) -> str | None:
    given = [value.decode("latin-1") for key, value in scope["headers"] if key == b"cookie"]
    return cookie_parser("; ".join(given)).get(name)


def _hash(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()


def _sorted(scopes: Iterable[Allowed]) -> tuple[Allowed, ...]:
    return tuple(sorted(scopes))
