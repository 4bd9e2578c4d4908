"""Asking how orders stand: their workflows first, and the register where those are gone or do not answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from api.blocking import run_blocking
from api.errors import Unavailable, UnknownOrder
from api.service.abandoned import as_recorded, without_workflow
from api.service.gateway import Gateway
from api.service.known_to_temporal import stuck, with_tries
from orders.model import wire_names
from orders.read_model.records import Transition, TransitionPage, Unrecorded
from orders.read_model.silo_waits import with_silos
from orders.read_model.states import LifecycleState
from orders.read_model.timeline import TimelinePage
from orders.read_model.views import OrderView, PlanPage
from register import Register

DELETABLE: Final = (LifecycleState.CANCELLED, LifecycleState.REJECTED)
"""States in which an order holds nothing, and never will."""

_ALL: Final = 1_000_000
"""More moves than an order within its budget makes."""


class Asking:
    """Orders, by their ids. Every method may raise `Unavailable`, after which the same call may be made again."""

    def __init__(self, gateway: Gateway, register: Register) -> None:
        self._gateway = gateway
        self._register = register

    async def view(self, order_id: str, *, with_body: bool = False, live: bool = False) -> OrderView:
        """An order in summary, from its workflow, or from the register when that is gone or does not answer.

        Its document is in the register alone.

        One that was abandoned is shown as that. A `live` one is not taken from the register while its workflow may know
        better.

        Raises:
            UnknownOrder: if neither knows it.
        """
        ended = await self._over(order_id)
        if ended is not None:
            return ended if with_body else ended.model_copy(update={"body": None})
        try:
            view = await self._gateway.query(order_id, wire_names.ORDER_QUERY, [], OrderView)
        except (UnknownOrder, Unavailable) as error:
            record = await run_blocking(self._register.records.find, order_id)
            if record is None or (live and isinstance(error, Unavailable)):
                raise
            view = as_recorded(record, error)
            return view if with_body else view.model_copy(update={"body": None})
        if view.ending:
            view = await self._at_its_end(view)
        # Only such orders can be deleted, and their workflows do not know.
        if view.state in DELETABLE and await run_blocking(self._register.records.is_deleted, order_id):
            raise UnknownOrder(f"There is no order {order_id}, or it has ended")
        if not with_body:
            return view
        document = await run_blocking(self._register.documents.find, order_id, view.document)
        return view.model_copy(update={"body": document})

    async def _over(self, order_id: str) -> OrderView | None:
        """An order whose end the register knows, and whose workflow is closed: nothing of it changes any more.

        Its workflow would say the same, once a worker has carried out all of it anew to answer.
        """
        try:
            ended = await run_blocking(self._register.records.ended, order_id)
            execution = await self._gateway.describe(order_id) if ended is not None else None
        except Unavailable:
            return None
        return ended if execution is None or not execution.is_open else None

    async def _at_its_end(self, view: OrderView) -> OrderView:
        """An order that has come to its end by its own account: told like that once the register knows of it.

        Lists, events and products come from there, so nobody is told of an end before the others are.
        """
        try:
            record = await run_blocking(self._register.records.find, view.id)
        except Unavailable:
            return view
        if record is None or record.view.completed_at is None:
            return view
        return record.view.model_copy(update={"body": None})

    async def with_problems(self, order_id: str) -> OrderView:
        """The same, with what its workflow cannot tell itself: what stands in its way, and how often calls were tried.

        Raises:
            UnknownOrder: if neither knows it.
        """
        view = await self.with_silos(await self.view(order_id))
        if view.completed_at is not None:
            return view
        try:
            execution = await self._gateway.describe(order_id)
        except Unavailable:
            return view
        if execution is None:
            return view
        answer, problems = with_tries(view.answer, execution.failing), (*view.problems, *stuck(execution))
        return view.model_copy(update={"answer": answer, "problems": problems})

    async def with_silos(self, view: OrderView) -> OrderView:
        """An order with what keeps its silos from what is under way there, as far as that is known."""
        if not view.answer.now:
            return view
        try:
            conditions = await run_blocking(self._register.silos.conditions)
        except Unavailable:
            return view
        return with_silos(view, conditions, datetime.now(UTC))

    async def plan(self, order_id: str, offset: int, limit: int) -> PlanPage:
        """A page of an order's tasks with what the silos are known to hold. One that was rejected has none.

        Raises:
            UnknownOrder: if there is no such order.
            OrderClosed: if it has ended and Temporal has it no more: the register keeps no tasks.
        """
        try:
            return await self._gateway.query(order_id, wire_names.PLAN_QUERY, [offset, limit], PlanPage)
        except UnknownOrder:
            view = await self.view(order_id)
            if view.state is LifecycleState.REJECTED:
                return PlanPage(tasks=(), total=0, next_offset=None)
            raise without_workflow(order_id, view) from None

    async def timeline(self, order_id: str, offset: int, limit: int) -> TimelinePage:
        """A page of an order's timeline: from its workflow, or where that is gone from the register.

        Raises:
            UnknownOrder: if there is no such order.
            OrderClosed: if its workflow was ended from outside, or it ended before timelines were kept.
        """
        if await self._over(order_id) is not None:
            page = await run_blocking(self._register.history.timeline, order_id, offset, limit)
            if page is not None:
                return page
        try:
            return await self._gateway.query(order_id, wire_names.TIMELINE_QUERY, [offset, limit], TimelinePage)
        except (UnknownOrder, Unavailable) as error:
            page = await run_blocking(self._register.history.timeline, order_id, offset, limit)
            if page is not None:
                return page
            if isinstance(error, Unavailable):
                raise
            view = await self.view(order_id)
            if view.state is LifecycleState.REJECTED:
                return TimelinePage()
            raise without_workflow(order_id, view) from None

    async def history(self, order_id: str, offset: int, limit: int) -> TransitionPage:
        """A page of an order's moves from state to state: what was recorded, and what its workflow has still to record.

        Raises:
            UnknownOrder: if there is no such order.
        """
        try:  # First, so that what is recorded meanwhile is found in one place or in both.
            fresh = (await self._gateway.query(order_id, wire_names.JOURNAL_QUERY, [], Unrecorded)).transitions
        except (UnknownOrder, Unavailable):
            if await run_blocking(self._register.records.find, order_id) is None:
                raise
            fresh = ()
        page = await run_blocking(self._register.history.transitions, order_id, offset, limit)
        numbered = {move.number: move for move in (*page.transitions, *fresh) if offset < move.number <= offset + limit}
        total = max(page.total, *(move.number for move in fresh), 0)
        return TransitionPage(transitions=tuple(numbered[number] for number in sorted(numbered)), total=total)

    async def as_it_is(self, order_id: str) -> OrderView:
        """An order with its document, as nothing but a decision on a new change could make it differ.

        Raises:
            UnknownOrder: if there is no such order.
            Unavailable: also where all that is there is a copy of it, or a change of it still waits to be decided.
        """
        view = await self.view(order_id, with_body=True, live=True)
        if any(verdict.waits for verdict in view.changes):
            raise Unavailable("A change of the order is still to be decided")
        return view

    async def moves(self, order_id: str) -> tuple[Transition, ...]:
        """All moves of an order from state to state, as far as they are recorded or its workflow tells of them.

        Raises:
            UnknownOrder: if there is no such order.
        """
        return (await self.history(order_id, 0, _ALL)).transitions

    async def has_order(self, channel: str, customer_id: str) -> bool:
        """True if a channel has submitted an order of a customer that was not rejected."""
        return await run_blocking(self._register.records.has_order, channel, customer_id)
