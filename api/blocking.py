"""Blocking calls off the event loop: those to the register, and work that takes a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError

from api.errors import TooMuchWork, Unavailable
from register.engine import TakesTooLong

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
        result, cpu_s = await asyncio.to_thread(_measured, call, *args, **kwargs)
    bill(cpu_s)
    return result


def _measured(call: Callable[_Given, _Result], *args: _Given.args, **kwargs: _Given.kwargs) -> tuple[_Result, float]:
    began = time.thread_time()
    return call(*args, **kwargs), time.thread_time() - began


class Bill:
    """What a request of a caller has cost so far, in seconds of CPU."""

    def __init__(self, caller: str = "", cpu_s: float = 0.0) -> None:
        self.caller = caller
        self.cpu_s = cpu_s


BILL: ContextVar[Bill | None] = ContextVar("BILL", default=None)
"""That of the request which is being answered; background tasks have none."""


def bill(cpu_s: float) -> None:
    """Add what has been spent on a request to what it costs its caller."""
    current = BILL.get()
    if current is not None:
        current.cpu_s += cpu_s


@asynccontextmanager
async def register_errors() -> AsyncIterator[None]:
    """Uses of the register by others, with its errors mapped.

    Raises:
        Unavailable: if the register is locked, or cannot be reached.
        TooMuchWork: if it takes too long.
    """
    try:
        yield
    except TakesTooLong as error:
        raise TooMuchWork("It takes too long to find that", "Ask for less, by what is found quickly too") from error
    except DBAPIError as error:
        log.warning("the register cannot be asked", error=_told(error))
        raise Unavailable("The register cannot be asked now", type(error).__name__) from error


def _told(error: DBAPIError) -> str:
    """What may be logged of an error: what a database says of itself, and not what it says of values."""
    kind = type(error).__name__
    return f"{kind}: {error.orig}".partition("\n")[0] if isinstance(error, OperationalError) else kind
