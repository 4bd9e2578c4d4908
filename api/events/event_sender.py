"""Events on their way to subscribers: signed, sent to an address that they chose, and what the answer means.

Signatures are those of Standard Webhooks, version 1 of its specification.

httpcore2 is used without httpx2 around it: nothing is followed, decoded, remembered or taken from the environment.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Final

import httpcore2
import httpx2
import structlog
from pydantic import SecretStr
from standardwebhooks import Webhook

from api.events.guarded_network import GuardedBackend, Resolve, look_up

log = structlog.get_logger()

ANSWER_WITHIN: Final = timedelta(seconds=10)
_CONNECT_WITHIN_S: Final = 3.0
"""For each address of a host."""

_REFUSALS: Final = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""The answers that are about the event itself: sent again, it would be refused again."""

_MOST_OF_AN_ANSWER: Final = 16 * 1024
"""An answer's body says nothing to us. A short one is read all the same, so that the connection can be used again."""

_LONGEST_NOTE: Final = 300


class Taken(StrEnum):
    """How a subscriber took an event."""

    YES = "yes"
    REFUSED = "refused"
    """It is there, and does not want this very event."""
    GONE = "gone"
    """It says that it will never be there again (410)."""
    NOT_NOW = "notNow"


@dataclass(frozen=True, slots=True)
class Reception:
    """How a subscriber took an event, with a note for people where it did not."""

    taken: Taken
    note: str = ""


def signed(secret: SecretStr, event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers by which a subscriber knows who sent an event, which one, and when."""
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret.get_secret_value()).sign(event_id, at.astimezone(UTC), body.decode()),
    }


class EventSender:
    """Posts events to subscribers. Safe to use for many of them at once."""

    def __init__(self, pool: httpcore2.AsyncConnectionPool, now: Callable[[], datetime]) -> None:
        self._pool = pool
        self._now = now

    async def send(self, url: str, secret: SecretStr, event_id: str, body: bytes) -> Reception:
        """Post an event (JSON), once. It takes no longer than `ANSWER_WITHIN`."""
        headers = {
            "Content-Type": "application/json;charset=utf-8",
            "User-Agent": "orderpipe",
            **signed(secret, event_id, self._now(), body),
        }
        try:
            # The limit is for the whole: a body that comes byte by byte would outlast any limit to a single read.
            async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
                return _reception(await self._post(url, headers, body))
        except TimeoutError:
            return Reception(Taken.NOT_NOW, f"no answer within {ANSWER_WITHIN.total_seconds():.0f} s")
        except (OSError, httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError) as error:
            return Reception(Taken.NOT_NOW, f"{type(error).__name__}: {error}"[:_LONGEST_NOTE])
        except Exception as error:
            # Whatever it is that does not work with this subscriber: it waits its turn like any other failure.
            log.error("an event cannot be sent", id=event_id, exc_info=error)
            return Reception(Taken.NOT_NOW, f"orderpipe could not send it: {type(error).__name__}")

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        extensions = {"timeout": {"connect": _CONNECT_WITHIN_S}}
        async with self._pool.stream(
            "POST", url, headers=list(headers.items()), content=body, extensions=extensions
        ) as answer:
            read = 0
            async for part in answer.aiter_stream():
                read += len(part)
                if read > _MOST_OF_AN_ANSWER:
                    break
            return answer.status


@asynccontextmanager
async def event_sender(
    *,
    allow_internal: bool,
    connections: int,
    resolve: Resolve = look_up,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncIterator[EventSender]:
    """A sender that leads outside only, unless internal addresses are allowed, with at most that many connections."""
    async with httpcore2.AsyncConnectionPool(
        ssl_context=httpx2.create_ssl_context(),
        max_connections=connections,
        keepalive_expiry=4,  # Before servers close idle connections: many do so after 5 s.
        network_backend=None if allow_internal else GuardedBackend(resolve),
    ) as pool:
        yield EventSender(pool, now)


def _reception(status: int) -> Reception:
    if 200 <= status < 300:
        return Reception(Taken.YES)
    note = f"answered {status} {HTTPStatus(status).phrase}" if status in set(HTTPStatus) else f"answered {status}"
    if status == HTTPStatus.GONE:
        return Reception(Taken.GONE, note)
    return Reception(Taken.REFUSED if status in _REFUSALS else Taken.NOT_NOW, note)
