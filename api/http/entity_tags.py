"""The header ETag of an order, and requests that depend on it (RFC 9110, section 13).

A tag is `"<revision>-<digest of what is shown>"`, and a strong one: it differs with every byte. If-None-Match compares
all of it. If-Match compares the revision alone, which a tag may also be: `"2"`. What a patch depends on is what was
asked for, not how far that has come since; an order in flight moves all the time.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from fastapi import Response
from fastapi.responses import JSONResponse

from api.errors import Outdated
from api.tmf.json_body import Json
from orders.read_model.views import OrderView

_TAGS: Final = re.compile(r'(?P<weak>W/)?"(?P<opaque>[^"]*)"')
_REVISION: Final = re.compile(r"(\d+)(-[0-9a-f]+)?")


def tagged(resource: Json, view: OrderView, status: int = 200, *, if_none_match: str | None = None) -> Response:
    """An order as an answer, with its tag; without content (304) where that is what the client has already."""
    answer = JSONResponse(resource, status)
    tag = f'"{view.revision}-{hashlib.sha256(answer.body).hexdigest()[:16]}"'
    if if_none_match is not None and _names(if_none_match, tag):
        return Response(status_code=304, headers={"ETag": tag})
    answer.headers["ETag"] = tag
    return answer


def _names(if_none_match: str, tag: str) -> bool:
    """By the weak comparison: `W/` does not count."""
    return if_none_match.strip() == "*" or any(
        found.group().removeprefix("W/") == tag for found in _TAGS.finditer(if_none_match)
    )


def require_match(if_match: str | None, view: OrderView) -> None:
    """Return if an order is at a revision that the header If-Match names, or that names none. A weak tag names none.

    Raises:
        Outdated: if it is not.
    """
    if if_match is None or if_match.strip() == "*":
        return
    tags = [_REVISION.fullmatch(found["opaque"]) for found in _TAGS.finditer(if_match) if not found["weak"]]
    if str(view.revision) not in (tag[1] for tag in tags if tag is not None):
        raise Outdated(f"The order is at revision {view.revision}", f"If-Match names {if_match}")
