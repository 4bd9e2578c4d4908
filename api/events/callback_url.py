"""A subscriber's callback as it is written: what is wrong with it, before anything is looked up or sent."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Final

import httpx2

_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
"""A part of a host's name between dots (RFC 1035, and the underscore that some have)."""
_LONGEST_NAME: Final = 253


def wrong_with(callback: str, *, allow_internal: bool) -> str | None:
    """What is wrong with a callback; None if events can be sent there, as far as one can see."""
    try:
        url = httpx2.URL(callback)
    except (httpx2.InvalidURL, ValueError) as error:
        return f"is no URL: {error}"
    schemes = ("https", "http") if allow_internal else ("https",)
    if url.scheme not in schemes:
        return f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    if not url.host:
        return "names no host"
    if not _is_host(url.raw_host.decode("ascii")):
        return "names a host that there cannot be"
    if url.port is not None and not 1 <= url.port <= 65535:
        return "names a port that there cannot be: they are 1 to 65535"
    if url.userinfo:
        return "may hold no user and password: what is sent there is signed"
    if "#" in callback:
        return "may hold no fragment (#)"
    return None


def _is_host(name: str) -> bool:
    """True for what can be looked up: an address, or a name whose parts, IDNA-encoded, are not too long."""
    if ":" in name:
        try:
            return bool(IPv6Address(name))
        except ValueError:
            return False
    name = name.removesuffix(".")
    return len(name) <= _LONGEST_NAME and all(_LABEL.fullmatch(label) for label in name.split("."))
