"""Blocking calls off the event loop: those to the register, and work that takes a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError

from api.errors import Unavailable

log = structlog.get_logger()

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


async def run_blocking(call: Callable[_Given, _Result], *args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
    """Make a call in a thread, and give what it gives.

    found = await run_blocking(register.records.find, order_id)

    Raises:
        Unavailable: if the register is locked, or cannot be reached.
    """
    async with register_errors():
        return await asyncio.to_thread(call, *args, **kwargs)


@asynccontextmanager
async def register_errors() -> AsyncIterator[None]:
    """Uses of the register by others, with its errors mapped.

    Raises:
        Unavailable: if the register is locked, or cannot be reached.
    """
    try:
        yield
    except DBAPIError as error:
        log.warning("the register cannot be asked", error=_told(error))
        raise Unavailable("The register cannot be asked now", type(error).__name__) from error


def _told(error: DBAPIError) -> str:
    """What may be logged of an error: what a database says of itself, and not what it says of values."""
    kind = type(error).__name__
    return f"{kind}: {error.orig}".partition("\n")[0] if isinstance(error, OperationalError) else kind
