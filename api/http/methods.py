"""HTTP's methods as RFC 9110 has them, for every path: HEAD, and what there is where a method is not (405)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.routing import Match, Mount, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Methods:
    """Middleware that has HEAD answered as GET without the content, and names all methods of a path in `Allow`.

    A route alone knows its own method only.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and put its answer right."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # The server knows that HEAD was asked for, and leaves the content out.
        asked: Scope = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        before = dict(asked)  # Routing writes into it.

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 405:
                allowed = list(_allowed(before))
                if allowed:
                    MutableHeaders(scope=message)["Allow"] = ", ".join(allowed)
            await send(message)

        await self.app(asked, receive, answer)


def _allowed(scope: Scope) -> Iterator[str]:
    """The methods of a path. What is mounted below it answers for itself."""
    router: Router = scope["app"].router
    routes = [route for route in router.routes if not isinstance(route, Mount)]
    for method in _METHODS:
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes):
            yield from ("GET", "HEAD") if method == "GET" else (method,)
