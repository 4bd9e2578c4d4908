"""Orders that wait for others to be done with a product: each begins when it has its turn, or can be cancelled before.

The register holds who waits for what, so nothing is forgotten over restarts. Any number of API processes may look at
those who wait: one at a time looks at an order, and where two do after all, there is still one workflow.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from api.background import WITHOUT_REGISTER_S
from api.blocking import run_blocking
from api.errors import ChangeRefused, Malformed, OrderTooLarge, OrderWaits, Unavailable
from api.service import not_begun, submission
from api.service.gateway import AlreadyStarted
from api.service.installed_base import InstalledBase, ProductsInFlight
from api.service.starting import Starter
from api.tmf.times import instant
from api.tmf.tmf622_request import to_request
from orders.change.request import ChangeKind, ChangeRequest, ChangeState, Verdict, entry_of
from orders.model.order import Reason, Rejection
from orders.read_model.states import LifecycleState
from orders.read_model.views import OrderView
from register import Register
from register.waiting import Look, NotWaiting, Waiting

log = structlog.get_logger()

LEASE: Final = timedelta(seconds=30)
"""How long one process has to look at an order before another may."""


class WaitingOrders:
    """Orders that are still to begin. Every method may raise `Unavailable`."""

    def __init__(self, starter: Starter, installed_base: InstalledBase, register: Register) -> None:
        self._starter = starter
        self._installed_base = installed_base
        self._records = register.records
        self._submissions = register.submissions
        self._waiting = register.waiting

    async def look_at(self, look: Look) -> None:
        """Start an order if it has its turn now, on what is installed now. It is rejected if that can not be had."""
        if await self._starter.started_with(look.order_id) is None:
            digest = await run_blocking(self._submissions.digest_of, look.order_id)
            view = await self._view(look.order_id)
            if digest is None or view is None or not await self._begin(look, view, digest):
                return
        await run_blocking(self._waiting.begun, look.order_id)

    async def _begin(self, look: Look, view: OrderView, digest: str) -> bool:
        """Start an order if it has its turn. False if there is no workflow of it."""
        body, now = view.body or {}, datetime.now(UTC)
        try:
            request = to_request(body, view.external_id, view.channel)
            installed = await self._installed_base.claim(request, waited=True)
            start = submission.prepare(self._starter.catalog, request, body, now, installed)
            since = {"ordered_at": view.ordered_at, "journal": not_begun.waited(view).carried}
            await self._starter.start(start.model_copy(update=since), digest)
        except NotWaiting:
            return False
        except AlreadyStarted:
            return True
        except ProductsInFlight as others:
            await self._wait_on(look, view, others)
            return False
        except Rejection as rejection:
            await self._reject(view, rejection.reasons)
            return False
        except (Malformed, OrderTooLarge) as error:
            await self._reject(view, [Reason(code=error.code, message=str(error))])
            return False
        return True

    async def _wait_on(self, look: Look, view: OrderView, others: ProductsInFlight) -> None:
        told = view.model_copy(update={"reasons": others.reasons}) if view.reasons != others.reasons else None
        await run_blocking(self._waiting.wait_on, look, others.products, datetime.now(UTC), told)

    async def _reject(self, view: OrderView, reasons: list[Reason] | tuple[Reason, ...]) -> None:
        now = datetime.now(UTC)
        rejected = not_begun.turned_down(view, reasons, now)
        record = not_begun.recorded_rejection(rejected, not_begun.waited(view), now)
        await run_blocking(self._waiting.end, record, even_begun=True)

    async def require_begun(self, order_id: str) -> None:
        """Return if an order does not wait.

        Raises:
            OrderWaits: if it does.
        """
        if await run_blocking(self._waiting.waits, order_id):
            raise OrderWaits(f"Order {order_id} waits for products", "Until it begins it can only be cancelled")

    async def decide(self, order_id: str, change: ChangeRequest) -> Verdict | None:
        """Cancel an order that waits, at once: nothing was done for it. None if it does not wait.

        Raises:
            OrderWaits: if another change is asked for.
            ChangeRefused: if another revision is meant than the one there is.
        """
        if not await run_blocking(self._waiting.waits, order_id):
            return None
        if change.kind is not ChangeKind.CANCEL:
            await self.require_begun(order_id)
        view = await self._view(order_id)
        if view is None:
            return None
        if change.expected_revision not in (None, view.revision):
            message = f"revision {change.expected_revision} was expected, the current one is {view.revision}"
            raise ChangeRefused([Reason(code="stale_revision", message=message)])
        now = datetime.now(UTC)
        at = instant(now)
        asked = change.model_copy(update={"asked_at": at})
        verdict = entry_of(asked, ChangeState.APPLIED, view.revision, decided_at=at)
        record = not_begun.recorded_cancellation(view, verdict, now)
        if not await run_blocking(self._waiting.end, record, even_begun=False):
            raise Unavailable(f"Order {order_id} is about to begin")
        return verdict

    async def _view(self, order_id: str) -> OrderView | None:
        record = await run_blocking(self._records.find, order_id)
        return record.view if record is not None and record.view.state is LifecycleState.PENDING else None


class Waiter:
    """Looks at orders that wait, until it is stopped."""

    def __init__(self, orders: WaitingOrders, waiting: Waiting, *, poll_every_s: float = 0.5) -> None:
        self._orders = orders
        self._waiting = waiting
        self._poll_every_s = poll_every_s

    async def run(self) -> None:
        """Look at whoever is due, first who came first, until cancelled."""
        while True:
            pause_s = self._poll_every_s
            try:
                while (look := await self._next()) is not None:
                    await self._look_at(look)
            except Exception as error:
                log.error(
                    "waiting orders wait on: the register can not be used now", error=f"{type(error).__name__}: {error}"
                )
                pause_s = WITHOUT_REGISTER_S
            await asyncio.sleep(pause_s)

    async def _next(self) -> Look | None:
        now = datetime.now(UTC)
        return await run_blocking(self._waiting.next, now, now + LEASE)

    async def _look_at(self, look: Look) -> None:
        try:
            await self._orders.look_at(look)
        except Unavailable as error:
            log.info("a waiting order can not be looked at now", order=look.order_id, error=str(error))
            await run_blocking(self._waiting.put_off, look, datetime.now(UTC))
        except Exception as error:
            # A defect of ours, which must not keep those behind it waiting. Its lease is left to run out: a pause.
            log.error("a waiting order can not begin", order=look.order_id, exc_info=error)
