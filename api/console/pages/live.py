"""One stream a page, which says no more than that an order has changed: what, the page asks for by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from api.access.principal import Principal
from api.access.sessions import Sessions
from api.console.changes import Changes
from api.http.dependencies import AskingDep, Looker
from api.http.visibility import seen

router = APIRouter()

_SAID_EVERY_S: Final = 15.0
_ASKED_EVERY: Final = 4
"""After how many signs of life it is looked whether the session is still there."""


@router.get("/changes")
async def changes(
    request: Request,
    asking: AskingDep,
    looker: Looker,
    order: Annotated[str | None, Query(max_length=200)] = None,
) -> StreamingResponse:
    """Tell of one order, or of any, when it has changed."""
    if order is not None and not looker.sees_every_order:
        await seen(looker, order, asking)
    told: Changes = request.app.state.changes
    return StreamingResponse(
        _stream(request, told, order, looker),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _stream(request: Request, told: Changes, order: str | None, looker: Principal) -> AsyncIterator[str]:
    sessions: Sessions = request.app.state.sessions
    yield "retry: 2000\n\n"
    with told.listening(order) as news:
        silent = 0
        while True:
            try:
                async with asyncio.timeout(_SAID_EVERY_S):
                    changed = await news.get()
            except TimeoutError:
                silent += 1
                if silent % _ASKED_EVERY == 0 and not await _still_there(request, sessions):
                    return
                yield ": still here\n\n"
                continue
            if changed is None:
                return
            # Nothing is said of orders that one may not see: the page finds out what has changed of those it shows.
            what = f"{changed[0]} {changed[1]}" if looker.sees_every_order else "something"
            yield f"event: changed\ndata: {what}\n\n"


async def _still_there(request: Request, sessions: Sessions) -> bool:
    if getattr(request.state, "session", None) is None:
        return True
    unattended = {**request.scope, "headers": [*request.scope["headers"], (b"orderpipe-unattended", b"1")], "state": {}}
    return await sessions.principal(unattended) is not None
