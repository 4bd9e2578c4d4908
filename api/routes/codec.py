"""Temporal's Web UI asks here for payloads that were compressed on their way into history."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Body, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import DecodeError
from pydantic import JsonValue
from starlette.types import ASGIApp
from temporalio.api.common.v1 import Payloads
from temporalio.converter import PayloadCodec

from api.access.principal import Scope
from api.blocking import run_blocking
from api.error_answers import install
from api.errors import Malformed, problem
from api.http.dependencies import needs
from api.tmf.json_body import Json

LARGEST_BYTES = 16 * 2**20
"""What one request may have restored."""


def codec_app(codec: PayloadCodec, web_ui: str, *, is_open: bool) -> ASGIApp:
    """An app of its own, since only it is to be called by pages of another origin: those of the Web UI.

    They send their user's token along, where Temporal's Web UI is set up for that (`TEMPORAL_CODEC_PASS_ACCESS_TOKEN`).
    Where it has no users (`temporal server start-dev`), it has none to send: then this has to be open.
    """
    app = FastAPI(openapi_url=None, dependencies=[] if is_open else [needs(Scope.CARE)])
    install(app)

    @app.post("/encode")
    async def encode(body: Annotated[dict[str, JsonValue], Body()]) -> Json:
        return await run_blocking(_through, codec.encode_wrapper, body)

    @app.post("/decode")
    async def decode(body: Annotated[dict[str, JsonValue], Body()]) -> Json:
        return await run_blocking(_through, codec.decode_wrapper, body)

    return for_pages(app, web_ui)


def for_pages(app: ASGIApp, web_ui: str) -> ASGIApp:
    """An app whose answers the Web UI's pages may read."""
    return CORSMiddleware(
        app,
        allow_origins=origins(web_ui),
        allow_methods=["POST"],
        allow_headers=["content-type", "x-namespace", "authorization"],
        allow_credentials=True,
    )


async def _changed(change: Callable[[Payloads], Awaitable[None]], payloads: Payloads) -> None:
    await change(payloads)


def origins(web_ui: str) -> list[str]:
    """The origins that the Web UI's pages may have: as configured, and by this machine's other name."""
    parts = urlsplit(web_ui)
    names = {"127.0.0.1", "localhost"} if parts.hostname in ("127.0.0.1", "localhost") else {parts.hostname}
    port = f":{parts.port}" if parts.port else ""
    return sorted(f"{parts.scheme}://{name}{port}" for name in names)


def _through(change: Callable[[Payloads], Awaitable[None]], body: Json) -> Json:
    try:
        payloads = ParseDict(body, Payloads())
        asyncio.run(_changed(change, payloads))
    except (ParseError, zlib.error, DecodeError) as error:
        raise Malformed([problem("payloads", str(error))]) from error
    return MessageToDict(payloads)
