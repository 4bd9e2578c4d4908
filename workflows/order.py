"""The order pipe's one workflow: a customer order, from capture until the silos hold what was last asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime

from temporalio import workflow
from temporalio.common import RawValue

from orders.change.request import ChangeKind, ChangeRequest, Verdict, read_change
from orders.fulfilment.messages import OrderOutcome, read_several
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.snapshot import Fork, OrderStart
from orders.model import wire_names
from orders.model.instants import instant
from orders.model.plan import Plan
from orders.read_model.records import Unrecorded
from orders.read_model.timeline import TimelinePage
from orders.read_model.views import OrderView, PlanPage
from orders.tracking.ended import outcome_of
from orders.tracking.observation import observe
from orders.tracking.reporting import order_view, plan_page
from orders.tracking.timelining import timeline_page
from workflows.alarm import Alarm, Why
from workflows.deciding import Decisions, is_large
from workflows.display import Display
from workflows.draining import Drain
from workflows.guarding import Guard
from workflows.recording import Recorder
from workflows.silo_work import SiloWork
from workflows.telling import Logbook
from workflows.turn import Turn, call_next

MOST_CALLS_UNDER_WAY = 500
MOST_OF_A_LARGE_ORDER = 40
"""While a workflow task is worked on, Temporal keeps up to 100 events back, two for each call that ends, and then has
the task done anew: that of a large order takes long enough for it to happen over and over."""
TELL = "tell"


@workflow.defn(name=wire_names.ORDER_WORKFLOW)
class OrderWorkflow:
    """One order. Messages only put something on the inbox or the ledger; the main loop alone acts on it."""

    @workflow.init
    def __init__(self, start: OrderStart) -> None:
        self._order = Fulfilment(start)
        self._stirred = False
        self._broken: BaseException | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._drain = Drain()
        self._alarm = Alarm(self._stir)
        self._guard = Guard(self._order)
        self._decisions = Decisions(self._order, self._guard)
        self._silos = SiloWork(self._order, self._guard, self._stir)
        self._turn = Turn(self._order, self._guard)
        self._recorder = Recorder(self._order)
        self._display = Display(self._order)
        self._logbook = Logbook(self._order)

    @workflow.run
    async def run(self, start: OrderStart) -> OrderOutcome:
        """Fulfil the order, whatever is asked of it meanwhile. A cancel from the Web UI is a change like any other."""
        body = asyncio.create_task(self._fulfil())
        while not body.done():
            try:
                await workflow.wait_condition(body.done)
            except asyncio.CancelledError:
                self._receive(_cancel_asked_for_natively())
        if body.result():
            return outcome_of(self._order, workflow.now())
        workflow.continue_as_new(self._order.start.model_copy(update={"plan": Plan(), "carried": self._order.carried}))

    async def _fulfil(self) -> bool:
        """Reconcile until the order is settled and closed. False where it is to go on in a new run.

        One that waits for products has nothing to reconcile before its turn.
        """
        await self._decisions.breathe()
        self._silos.expect_answers()
        while True:
            if not self._recorder.end_in_doubt:  # Else what comes in is decided once that is known.
                await self._decisions.decide()
            self._ask_for_turn()
            self._start_steps()
            self._tell()
            if self._closed():  # Still, unless a change comes in while the next in line are called.
                await call_next(self._recorder.next_in_line)
            if self._closed():
                return True
            if self._drained():
                return False
            await self._news()

    # What comes in

    @workflow.update(name=wire_names.CHANGE_UPDATE)
    async def change(self, request: ChangeRequest) -> Verdict:
        """Change the order, and wait for the verdict."""
        request_id = self._receive(request)
        with self._order.change_log.awaiting(request_id):
            await workflow.wait_condition(lambda: request_id in self._order.verdicts)
            return self._order.verdicts[request_id]

    @change.validator
    def change_can_be_read(self, request: ChangeRequest) -> None:
        """What cannot be read is refused on its way here, but for null, and for too many arguments."""
        read_change(request)

    @workflow.signal(name=wire_names.CHANGE_SIGNAL)
    def request_change(self, request: RawValue) -> None:
        """Change the order; the verdict is in the order's log. What cannot be read becomes a rejected change."""
        try:
            change = read_change(_content(request))
        except ValueError as error:
            self._order.reject_malformed(str(error), _instant())
            self._stirred = True
        else:
            self._receive(change)

    @workflow.signal(name=wire_names.SILO_EVENTS_SIGNAL)
    def silo_events(self, told: RawValue) -> None:
        """Callbacks of silos: what one reports of its own tasks is recorded as a fact at once."""
        try:
            events = read_several(_content(told))
        except ValueError as error:
            workflow.logger.error("events of silos cannot be read: %s", error)
            return
        for event in events:
            self._silos.report(event)

    @workflow.signal(name=wire_names.TURN_SIGNAL)
    def turn(self) -> None:
        """The order before this one has let go of products."""
        self._turn.call()
        self._stirred = True

    @workflow.query(name=wire_names.ORDER_QUERY)
    def order(self) -> OrderView:
        """The order in summary."""
        return order_view(self._order, workflow.now())

    @workflow.query(name=wire_names.PLAN_QUERY)
    def plan(self, offset: int = 0, limit: int = 200) -> PlanPage:
        """A page of the order's tasks with their facts."""
        return plan_page(self._order, max(offset, 0), min(max(limit, 1), 1000))

    @workflow.query(name=wire_names.TIMELINE_QUERY)
    def timeline(self, offset: int = 0, limit: int = 200) -> TimelinePage:
        """A page of the order's timeline."""
        return timeline_page(self._order, workflow.now(), max(offset, 0), min(max(limit, 1), 1000))

    @workflow.query(name=wire_names.JOURNAL_QUERY)
    def journal(self) -> Unrecorded:
        """What the order has to tell that the register does not know yet."""
        return self._order.journal.unrecorded()

    @workflow.query(name=wire_names.FORK_QUERY)
    def fork(self) -> Fork:
        """A copy of the order, to work out outside what a change would do and what may still be changed."""
        return self._order.fork()

    # The loop's parts

    def _ask_for_turn(self) -> None:
        """See now and then whether an order that waits has its turn."""
        due = self._turn.due()
        if due is not None and due <= workflow.now() and not self._draining():
            self._go(self._turn.ask())

    def _start_steps(self) -> None:
        """Start every silo call that can start now: none before its turn or the requested start, nor while draining.

        On hold nothing new begins, but what is awaited is asked for all the same.
        """
        not_before = self._order.not_before
        waits = not self._order.carried.started and not_before is not None and workflow.now() < not_before
        if self._order.waits or waits or self._draining():
            return
        if self._order.carried.on_hold:
            self._order.reconciler.look()
        else:
            self._order.begin()
            most = MOST_OF_A_LARGE_ORDER if is_large(self._order) else MOST_CALLS_UNDER_WAY
            for steps in self._silos.batches(self._order.reconciler.next_steps(most)):
                self._go(self._silos.carry_out(steps))
        for questions in self._silos.due():
            self._go(self._silos.poll(questions))

    def _go(self, work: Coroutine[None, None, None]) -> None:
        """Do what this run has to see the end of."""
        self._under_way.add(self._watch(work))

    def _watch(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._gone)
        return task

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = error
        self._stirred = True

    def _tell(self) -> None:
        """Tell the register, the log and Temporal's Web UI what is new."""
        self._guard.keep_trying(TELL, self._tell_register, self._order.look_anew)
        self._guard.keep_trying("log", self._logbook.tell)
        self._guard.keep_trying("show", self._display.show, at_once=self._finished())

    def _tell_register(self) -> None:
        now, ended = workflow.now(), self._finished()
        observe(self._order, now, ended=ended)
        if ended:
            self._order.close(now)
        else:
            self._order.reopen()
        due = self._recorder.due(ended=ended)
        if due is not None and due <= now:
            self._watch(self._recorder.write())

    async def _news(self) -> None:
        """Wait for an outcome, a change, a callback or a deadline, and at the end until everything is written down."""
        self._alarm.set(self._deadlines(), exactly=not self._order.reconciler.calls)
        heard = len(self._order.inbox)
        await workflow.wait_condition(lambda: self._stirred or len(self._order.inbox) > heard or self._closed())
        self._stirred = False
        if self._broken is not None:  # A defect of ours: the workflow task fails, and goes on when it is mended.
            raise self._broken

    def _deadlines(self) -> dict[Why, datetime | None]:
        """What there is to wait for, and until when. At the end, for the register alone."""
        finished = self._finished()
        deadlines: dict[Why, datetime | None] = {
            "try again after a defect": self._guard.tries_again_at,
            "record what is new": self._recorder.due(ended=finished),
        }
        if finished:
            doubt = self._recorder.in_doubt_until if self._order.inbox else None
            return deadlines | {"decide what came in": doubt}
        begun = self._order.carried.started
        return deadlines | {
            self._silos.why_look: self._silos.next_look if begun else None,
            "begin as requested": None if begun else self._order.not_before,
            "ask for the turn": self._turn.due(),
            "promise at stake": self._order.journal.late_at,
            "show what is waited for": self._display.due,
            "go on in this run": self._drain.until,
        }

    def _receive(self, request: ChangeRequest) -> str:
        self._stirred = True  # Also by one that is refused at once: the register has to know.
        return self._order.receive(request, _instant())

    def _stir(self) -> None:
        self._stirred = True

    # The end of a run

    def _draining(self) -> bool:
        """True when nothing new is begun, so that this run can end. What is being assessed is decided first."""
        if self._order.carried.assessment is not None:
            self._drain.call_off()
            return False
        run, now = workflow.info(), workflow.now()
        length, size = run.get_current_history_length(), run.get_current_history_size()
        self._drain.look(run.is_continue_as_new_suggested(), length, size, now)
        return self._drain.on

    def _drained(self) -> bool:
        """True when this run's history has grown long, and nothing of it is under way any more but maybe a record.

        The next run writes that anew, under the next version.
        """
        idle = not self._under_way and not self._order.inbox and workflow.all_handlers_finished()
        return self._draining() and idle and not self._finished()

    def _finished(self) -> bool:
        """True when nothing is left to do or to decide. It is no end before the register knows: more may come in."""
        carried = self._order.carried
        at_rest = self._order.settled and not carried.on_hold and carried.assessment is None
        return at_rest and (not self._order.inbox or carried.end_recorded or self._recorder.end_in_doubt)

    def _closed(self) -> bool:
        """True when nothing is left to do, the register knows it, and whoever asked for something has his answer."""
        told = self._order.journal.complete and not self._guard.is_undone(TELL) and not self._turn.asking
        heard = not self._order.inbox and workflow.all_handlers_finished()
        return told and heard and self._finished()


def _cancel_asked_for_natively() -> ChangeRequest:
    # Temporal delivers one such cancel a run, so the run names it.
    return ChangeRequest(
        request_id=f"native-cancel-{workflow.info().run_id}",
        kind=ChangeKind.CANCEL,
        channel="temporal",
        reason=workflow.cancellation_reason() or "",
    )


def _content(sent: RawValue) -> object:
    try:
        return workflow.payload_converter().from_payload(sent.payload)
    except Exception as error:  # Whatever a converter may raise: anyone may send anything.
        raise ValueError("what was sent cannot be read as JSON") from error


def _instant() -> str:
    return instant(workflow.now())
