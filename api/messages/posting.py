"""Handing messages over by HTTP: to the address that a file of settings names, with what is secret in it.

No redirect is followed, and nothing is taken from the environment: what is secret goes to that address only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import httpx2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from api.access.guard import is_loopback
from api.events.callback_url import wrong_with
from api.messages.handing_over import LONGEST_NOTE, Handed, Taken, note_of
from settings import SettingsError

WITHIN_S: Final = 10.0
"""What a system is given for the whole of its answer."""

_MOST_OF_AN_ANSWER: Final = 16 * 1024
"""What is read of an answer, at most: only its status says anything."""

_REFUSALS: Final = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""Answers about the message itself: sent again, it would be refused again."""

_NOT_DONE: Final = {HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.SERVICE_UNAVAILABLE}
"""Failures that say of themselves that nothing was done. After any other the message may have gone out."""


def _target(url: str) -> str:
    wrong = wrong_with(url, allow_internal=True)
    if wrong is None and not is_loopback(httpx2.URL(url).host):
        wrong = wrong_with(url, allow_internal=False)
    if wrong is not None:
        raise ValueError(wrong)
    return url


class Target(BaseModel):
    """Where messages are posted to: by TLS, or on this machine. `headers` hold what is secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(_target)]
    headers: dict[Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")], SecretStr] = Field(
        default_factory=dict
    )


T = TypeVar("T", bound=Target)


def read_target(file: Path, kind: type[T], variable: str) -> T:
    """What a file (JSON) of settings says of a target.

    Raises:
        SettingsError: if it cannot be read, or holds something else: told without what is in it.
    """
    try:
        return kind.model_validate_json(file.read_bytes())
    except OSError as error:
        raise SettingsError(f"{variable}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        found = (f"{'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}" for each in error.errors())
        raise SettingsError(f"{variable}: {'; '.join(found)}") from None


class Poster:
    """Posts messages to a target, each under its key. Safe to use for several at once."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._context = httpx2.create_ssl_context()

    async def post(self, url: str, key: str, body: Mapping[str, Any], *, form: bool = False, again: bool) -> Handed:
        """Post a message as JSON, or as a form; `again` if it may have gone out before."""
        headers = {name: value.get_secret_value() for name, value in self._target.headers.items()}
        headers |= {"Idempotency-Key": key, "User-Agent": "orderpipe"}
        client = httpx2.AsyncClient(
            verify=self._context, trust_env=False, follow_redirects=False, headers=headers, timeout=WITHIN_S
        )
        content, as_json = (body, None) if form else (None, body)
        try:
            # The limit is for the whole: an answer that comes byte by byte would outlast any limit to a single read.
            async with (
                asyncio.timeout(WITHIN_S),
                client,
                client.stream("POST", url, data=content, json=as_json) as answer,
            ):
                read = 0
                async for part in answer.aiter_raw():
                    read += len(part)
                    if read > _MOST_OF_AN_ANSWER:
                        break
                return _handed(answer.status_code, again=again)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.InvalidURL, ValueError) as error:
            return Handed(Taken.NOT_NOW, note_of(error))
        except (httpx2.HTTPError, TimeoutError, OSError) as error:
            return Handed(Taken.UNKNOWN, note_of(error))


def _handed(status: int, *, again: bool) -> Handed:
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    note = f"answered {status} {phrase}".rstrip()[:LONGEST_NOTE]
    if 200 <= status < 300:
        return Handed(Taken.YES, note)
    if status == HTTPStatus.CONFLICT and again:
        return Handed(Taken.YES, f"{note}: it was there already")
    if status in _REFUSALS:
        return Handed(Taken.REFUSED, note)
    return Handed(Taken.UNKNOWN if status >= 500 and status not in _NOT_DONE else Taken.NOT_NOW, note)
