"""One short line for each request."""

from __future__ import annotations

import re
import time
import uuid
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

_QUIET = ("/healthz", "/readyz")


REQUEST_ID: Final = "X-Request-Id"
"""The header that names a request: as the caller does, or as we do. It comes back with the answer."""
_FIT = re.compile(r"[\w.:-]{1,64}", re.ASCII)


class AccessLog:
    """Logs method, path, who asked, status and milliseconds; not the probes, which come every few seconds.

    Every line that a request leads to in this process has its `request_id`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log how it was answered."""
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self.app(scope, receive, send)
            return
        status, started = 500, time.perf_counter()
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _FIT.fullmatch(given) else uuid.uuid4().hex[:16]

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).setdefault(REQUEST_ID, request_id)
            await send(message)

        before = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self.app(scope, receive, watched)
        finally:
            took = round((time.perf_counter() - started) * 1000, 1)
            who = scope.get("state", {}).get("principal")
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                who=who.name if who else None,
                status=status,
                ms=took,
            )
            structlog.contextvars.reset_contextvars(**before)
