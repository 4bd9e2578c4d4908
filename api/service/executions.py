"""Calls to Temporal with their errors told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from pydantic import ValidationError
from temporalio.client import RPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from api.errors import Unavailable, UnknownOrder
from workflows.executions import lacks_namespace

log = structlog.get_logger()


@asynccontextmanager
async def reaching(within: timedelta, order_id: str = "") -> AsyncIterator[None]:
    """Calls to Temporal about an order, bounded as a whole: the SDK's own timeout is that of one try among several.

    Raises:
        UnknownOrder: if there is no such workflow, or it is closed and cannot be told anything.
        Unavailable: if Temporal, or a worker, does not answer in time, or in a form that can be read.
    """
    try:
        async with asyncio.timeout(within.total_seconds()):
            yield
    except (TimeoutError, RPCTimeoutOrCancelledError) as error:
        raise Unavailable("No answer in time", "Temporal is slow, or no worker is running") from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND and not lacks_namespace(error):
            raise UnknownOrder(f"There is no order {order_id}, or it has ended") from error
        log.warning("temporal call failed", status=error.status.name, error=error.message)
        raise Unavailable("Temporal does not take the call now", error.status.name) from error
    except ValidationError as error:
        log.warning("answer cannot be read", order=order_id, error=str(error))
        raise Unavailable("The order's answer cannot be read", "Its worker may be of another version") from error
    except RuntimeError as error:  # What a client raises that connects lazily, and cannot.
        log.warning("temporal call failed", error=str(error))
        raise Unavailable("Temporal cannot be reached") from error
