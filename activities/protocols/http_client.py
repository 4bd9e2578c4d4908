"""HTTP to silos: pooled clients, and for each silo what HTTP's answers mean."""

from __future__ import annotations

import asyncio
import email.utils
import json
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, ValidatorFunctionWrapHandler
from pydantic.alias_generators import to_camel

from activities.protocols.protocol import UNKNOWN_SERVICE, Refused, SiloUnavailable
from orders.fulfilment.messages import SiloCall
from orders.model.catalog import Silo
from settings import Settings

LONGEST_RETRY_AFTER: Final = timedelta(minutes=5)
"""A silo that asks for more patience than this is asked again earlier: it may have been put right meanwhile."""

_LONGEST_WAIT: Final = timedelta(days=30)

FOR_NOW: Final = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
"""The 4xx that say nothing about the call itself."""

_OF_A_GATEWAY: Final = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
"""Answers that do not come from where the work is done: it may be going on."""

_LONGEST_REASON: Final = 500

AS_FAR_AS_IT_FITS: Final = {"answer": True}
"""The context in which answers are read. Callbacks are read without: whoever sends one is told what is wrong."""


class SiloBody(BaseModel):
    """A body: camel case outside, snake case inside. What is not known is ignored: TM Forum bodies carry much else."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class SiloErrorBody(SiloBody):
    """What a refused call is answered with."""

    code: str = ""
    reason: str = ""
    message: str = ""


@asynccontextmanager
async def silo_client(silos: Iterable[Silo]) -> AsyncIterator[httpx2.AsyncClient]:
    """An HTTP client with a connection for each call that these silos may have under way at once."""
    connections = max(1, sum(silo.concurrency for silo in silos))
    # Idle connections are closed before servers do so (many after 5 s): a call must not meet one that is just closing.
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=4)
    # Silos stand in the provider's own network, hence no proxy from the environment; the trusted certificates are.
    async with httpx2.AsyncClient(
        limits=limits,
        timeout=None,  # SiloHttp sets one around each call as a whole
        trust_env=False,
        verify=_trusted(),
        headers={"Accept": "application/json", "User-Agent": "orderpipe"},
    ) as client:
        yield client


@cache
def _trusted() -> ssl.SSLContext:
    """Read once: there is a client for each silo."""
    return httpx2.create_ssl_context()


class SiloHttp:
    """One silo over HTTP. A request takes no longer than the silo's `call_timeout`, from start to end."""

    def __init__(self, silo: Silo, client: httpx2.AsyncClient, settings: Settings) -> None:
        address = silo.address if "://" in silo.address else f"{settings.silos_address}/{silo.address.lstrip('/')}"
        self._address = address.rstrip("/")
        self.callback_url = f"{settings.api_address}/callbacks/{silo.name}"
        self.silo = silo
        self.settings = settings
        self._name = silo.name
        self._timeout_s = silo.call_timeout.total_seconds()
        self._client = client

    async def change(self, method: str, path: tuple[str, ...], call: SiloCall, body: SiloBody | None = None) -> bytes:
        """Have something done under the call's idempotency key, and return the answer's body.

        Raises:
            Refused: if the silo says no for good.
            SiloUnavailable: if it gives no usable answer.
        """
        headers = {"Idempotency-Key": call.key, "Order-Id": call.order_id, "Callback-Url": self.callback_url}
        answer = await self._send(method, _joined(path), headers | _type_of(body), content=_json(body))
        if _refused(answer):
            error = _error_of(answer)
            raise Refused(
                error.code,
                (error.message or error.reason)[:_LONGEST_REASON],
                status=answer.status_code,
                retry_after=told_delay(answer.headers.get("Retry-After")),
            )
        return self._content(answer)

    async def ask(
        self,
        path: tuple[str, ...],
        call: SiloCall,
        query: dict[str, str] | None = None,
        *,
        method: str = "GET",
        body: SiloBody | None = None,
    ) -> bytes | None:
        """Ask something, and return the answer's body, or None where the silo knows of no such thing.

        Some protocols ask by POST, with a body.

        Raises:
            SiloUnavailable: if there is no usable answer. That a question is refused says nothing about the call that
                it is about, so that counts here too.
        """
        headers = {"Order-Id": call.order_id}
        answer = await self._send(method, _joined(path), headers | _type_of(body), content=_json(body), query=query)
        if _refused(answer):
            error = _error_of(answer)
            if answer.status_code == HTTPStatus.NOT_FOUND and error.code == UNKNOWN_SERVICE:
                return None
            raise SiloUnavailable(f"{self._name} refused a question: {error.code}: {error.message}"[:_LONGEST_REASON])
        return self._content(answer)

    async def exchange(
        self, method: str, path: str, headers: dict[str, str], *, content: str | None, query: dict[str, str]
    ) -> httpx2.Response:
        """Send a request whose path is quoted already, and return the answer, whatever its status.

        Raises:
            SiloUnavailable: if there is none.
        """
        return await self._send(method, path, headers, content=content, query=query or None)

    async def _send(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        *,
        content: str | None = None,
        query: dict[str, str] | None = None,
    ) -> httpx2.Response:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._client.request(
                    method, self._address + path, content=content, params=query, headers=headers
                )
        except httpx2.ConnectError as error:
            raise SiloUnavailable(f"{self._name} cannot be reached: {error}") from None
        except TimeoutError:
            message = f"{self._name} gave no answer within {self._timeout_s:g} s"
            raise SiloUnavailable(message, may_still_land=True) from None
        except httpx2.HTTPError as error:
            message = f"{self._name} gave no answer: {type(error).__name__} {error}".rstrip()
            raise SiloUnavailable(message, may_still_land=True) from None

    def _content(self, answer: httpx2.Response) -> bytes:
        if answer.is_success:
            return answer.content
        raise self.unusable(answer)

    def unusable(self, answer: httpx2.Response) -> SiloUnavailable:
        """What to raise for an answer after which a call is to be made again."""
        return SiloUnavailable(
            f"{self._name} answered {answer.status_code} {answer.reason_phrase}".rstrip(),
            may_still_land=answer.status_code in _OF_A_GATEWAY,
            retry_after=_retry_after(answer.headers.get("Retry-After")),
        )


def _joined(path: tuple[str, ...]) -> str:
    return "".join(f"/{quote(segment, safe='')}" for segment in path)


def _type_of(body: SiloBody | None) -> dict[str, str]:
    return {} if body is None else {"Content-Type": "application/json"}


def _json(body: SiloBody | None) -> str | None:
    return None if body is None else body.model_dump_json(by_alias=True, exclude_unset=True)


_Body = TypeVar("_Body", bound=BaseModel)


def understood(kind: type[_Body], content: bytes) -> _Body:
    """The body of an answer. What is in it may not fit all the same: see `kept_of` in the core.

    Python's own parser takes what others refuse, such as half a surrogate pair, and with it the rest of the answer.

    Raises:
        SiloUnavailable: if it is something else.
    """
    try:
        return kind.model_validate(json.loads(content), context=AS_FAR_AS_IT_FITS)
    except ValidationError as error:
        raise SiloUnavailable(_unreadable(error)) from None
    except (ValueError, RecursionError):
        raise SiloUnavailable("the answer cannot be understood: it is no JSON") from None


def or_none(value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
    """In an answer, None in place of what does not fit: what is done must not count as failed for its date."""
    if info.context is not AS_FAR_AS_IT_FITS:
        return handler(value)
    try:
        return handler(value)
    except ValidationError:
        return None


def _unreadable(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"])) or "body"
    return f"the answer cannot be understood: {place}: {first['msg']}"


def _refused(answer: httpx2.Response) -> bool:
    return answer.is_client_error and answer.status_code not in FOR_NOW


def _error_of(answer: httpx2.Response) -> SiloErrorBody:
    """The error body, or one that stands for the status where there is none that can be read."""
    try:
        error = SiloErrorBody.model_validate_json(answer.content)
    except ValidationError:
        error = SiloErrorBody()
    if error.code:
        return error
    return SiloErrorBody(
        code=f"http_{answer.status_code}", message=error.message or error.reason or answer.reason_phrase
    )


def _retry_after(value: str | None) -> timedelta | None:
    """How long a silo that gives no usable answer asks to be left alone, within bounds."""
    delay = told_delay(value)
    return min(delay, LONGEST_RETRY_AFTER) if delay is not None else None


def told_delay(value: str | None) -> timedelta | None:
    """How long a silo asks to be left alone (RFC 9110: seconds, or a date), a month at most."""
    if value is None:
        return None
    try:
        if value.strip().isdecimal():
            delay = timedelta(seconds=int(value))
        else:
            delay = email.utils.parsedate_to_datetime(value).astimezone(UTC) - datetime.now(UTC)
    except (ValueError, OverflowError):
        return None
    return min(delay, _LONGEST_WAIT) if delay > timedelta() else None
