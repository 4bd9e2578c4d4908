"""`orderpipe console`: the way into the console of the stack on this machine."""

from __future__ import annotations

from urllib.parse import urlencode

from api.access.sessions import CONSOLE, LOGIN
from ops.local.issuer import DevelopmentIssuer
from ops.local.login_pages import ROLES
from settings import Settings


class ConsoleError(Exception):
    """There is no way in: says why, for people."""


def link(settings: Settings, role: str, name: str) -> str:
    """An address that logs somebody in as one of the roles: once, and within two minutes.

    Raises:
        ConsoleError: if there is no such role.
        IssuerError: if there is no development issuer here.
    """
    if role not in ROLES:
        raise ConsoleError(f"There is no role {role}: it is one of {', '.join(ROLES)}")
    ticket = DevelopmentIssuer(settings).ticket(ROLES[role][2], name)
    query = urlencode({"to": f"{CONSOLE}/", "login_hint": ticket})
    return f"{settings.api_address}{LOGIN}?{query}"
