"""Changing orders: changes and what they would do, what may still be changed, and deleting what holds nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

from api.blocking import run_blocking
from api.errors import (
    CatalogNotKept,
    IdempotencyKeyReused,
    OrderClosed,
    OrderNotOver,
    OrderTooLarge,
    Unavailable,
    UnknownOrder,
)
from api.service.abandoned import WorkflowEnded, closed, starting, without_workflow
from api.service.asking import DELETABLE, Asking
from api.service.gateway import Gateway
from api.service.previewing import Foresight, NotInFlight
from api.tmf.json_body import require_sound
from orders.change.request import ChangeRequest, Verdict
from orders.fulfilment.messages import Preview
from orders.model import wire_names
from orders.model.budget import CHANGE, size_of
from orders.planning.scheduling.visits import Visit
from orders.tracking.what_if.options import OptionsPage, OrderOptions
from orders.tracking.what_if.setting_right import OfferedWay
from register.recording.records import Records

_CLOSES_WITHIN_S: Final = 2.0
_PAUSE_S: Final = 0.05
"""How long a workflow may take to close once the register knows the order's end, and how often that is looked at."""

_Foreseen = TypeVar("_Foreseen")


class Changing:
    """Orders, by their ids. Every method may raise `Unavailable`, after which the same call may be made again."""

    def __init__(self, gateway: Gateway, asking: Asking, foresight: Foresight, records: Records) -> None:
        self._gateway = gateway
        self._asking = asking
        self._foresight = foresight
        self._records = records

    async def change(self, order_id: str, request: ChangeRequest) -> Verdict | None:
        """Ask for a change. None if it is not decided yet: it will be, with the verdict among the order's changes.

        The same request id is decided once, however often and whichever way it arrives.

        Raises:
            IdempotencyKeyReused: if the id is that of another request.
            OrderTooLarge: if it is larger than any change may be.
            UnknownOrder: if there is no such order.
            OrderClosed: if it has ended, and the change was not among those decided before.
        """
        require_sound(request.model_dump())
        too_large = CHANGE.exceeded_by(size_of(request.model_dump(mode="json")))
        if too_large is not None:
            raise OrderTooLarge("The change is too large", too_large.message)
        try:
            try:
                verdict = await self._gateway.update(
                    order_id, wire_names.CHANGE_UPDATE, request, request.update_id, Verdict
                )
                return verdict and own_verdict(verdict, request.request_id, request.fingerprint)
            except Unavailable:
                await self._require_free(order_id, request)
                # Too many at once, paused, or no worker: an update that was not accepted can get lost, a signal cannot.
                await self._gateway.signal(order_id, wire_names.CHANGE_SIGNAL, request)
                return None
        except UnknownOrder:
            return await self._decided_without(order_id, request)

    async def _require_free(self, order_id: str, request: ChangeRequest) -> None:
        """Return unless the register knows that the order has ended, or of another request under the id.

        Whoever asks like that will not be told what became of it.
        """
        record = await run_blocking(self._records.find, order_id)
        verdict = record.view.verdict_on(request.request_id) if record is not None else None
        if verdict is not None:
            own_verdict(verdict, request.request_id, request.fingerprint)
        elif record is not None and record.view.completed_at is not None:
            raise closed(order_id, record.view)

    async def preview(self, order_id: str, request: ChangeRequest) -> Preview:
        """What a change would do now, worked out on a copy of the order, without a trace in its history.

        Raises:
            UnknownOrder: if there is no such order.
            OrderClosed: if it has ended: what follows is a new order.
            CatalogNotKept: if the catalog version that it was sold from is gone.
        """
        require_sound(request.model_dump())
        return await self._foreseen(order_id, partial(self._foresight.preview, order_id, request))

    async def options(self, order_id: str, page: OptionsPage) -> OrderOptions:
        """What may still be changed, worked out like a preview.

        Raises:
            UnknownOrder, OrderClosed, CatalogNotKept: like a preview.
        """
        return await self._foreseen(order_id, partial(self._foresight.options, order_id, page))

    async def visits(self, order_id: str) -> list[Visit]:
        """The visits of an order that are still to come, each with its appointment.

        Raises:
            UnknownOrder, OrderClosed, CatalogNotKept: like a preview.
        """
        return await self._foreseen(order_id, partial(self._foresight.visits, order_id))

    async def ways(self, order_id: str, task: str) -> tuple[OfferedWay, ...] | None:
        """How what waits for a person of one task can be set right. None where that cannot be told now."""
        try:
            return await self._foreseen(order_id, partial(self._foresight.ways, order_id, task))
        except (UnknownOrder, OrderClosed, CatalogNotKept, Unavailable):
            return None

    async def delete(self, order_id: str) -> None:
        """Tell no more of an order that holds nothing: it was cancelled, or rejected. Its id stays taken.

        Raises:
            UnknownOrder: if there is no such order.
            OrderNotOver: if it is in flight, or holds what it ordered.
            Unavailable: also where its workflow has yet to close, and may write once more.
        """
        view = await self._asking.view(order_id)
        if view.state not in DELETABLE:
            raise OrderNotOver(f"Order {order_id} is {view.state}", "Only what is cancelled or rejected can be deleted")
        await self._until_closed(order_id)
        if not await run_blocking(self._records.delete, order_id, datetime.now(UTC)):
            raise Unavailable("The order's record is in motion")

    async def _foreseen(self, order_id: str, foresee: Callable[[bytes], Awaitable[_Foreseen]]) -> _Foreseen:
        """What is worked out on a copy of the order."""
        try:
            fork = await self._gateway.query_as_it_came(order_id, wire_names.FORK_QUERY)
        except UnknownOrder as error:
            raise await self._without_workflow(order_id, error) from None
        try:
            return await foresee(fork)
        except NotInFlight:
            raise await self._closed(order_id) from None

    async def _decided_without(self, order_id: str, request: ChangeRequest) -> Verdict:
        """The verdict on a change of a closed order: it cannot take any more, but may have taken it before."""
        try:
            view = await self._asking.view(order_id)
        except Unavailable:
            raise closed(order_id, None) from None
        verdict = view.verdict_on(request.request_id)
        if verdict is not None:
            return own_verdict(verdict, request.request_id, request.fingerprint)
        if view.completed_at is None and await self._is_open(order_id):
            raise starting(order_id)
        raise closed(order_id, view)

    async def _until_closed(self, order_id: str) -> None:
        deadline = asyncio.get_running_loop().time() + _CLOSES_WITHIN_S
        while await self._is_open(order_id):
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable(f"Order {order_id} is about to close")
            await asyncio.sleep(_PAUSE_S)

    async def _without_workflow(self, order_id: str, error: UnknownOrder) -> OrderClosed | Unavailable:
        if isinstance(error, WorkflowEnded):
            return await self._closed(order_id)
        return without_workflow(order_id, await self._asking.view(order_id))

    async def _is_open(self, order_id: str) -> bool:
        execution = await self._gateway.describe(order_id)
        return execution is not None and execution.is_open

    async def _closed(self, order_id: str) -> OrderClosed:
        return closed(order_id, await self._asking.view(order_id))


def own_verdict(verdict: Verdict, request_id: str, fingerprint: str) -> Verdict:
    """A verdict, if it is that on the request of this fingerprint.

    Raises:
        IdempotencyKeyReused: if another request had the id.
    """
    if verdict.request_id != request_id or not verdict.answers(fingerprint):
        raise IdempotencyKeyReused(f"Request id {request_id} is taken", "Another change was asked for under it")
    return verdict
