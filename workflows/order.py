"""The order pipe's one workflow: a customer order, from capture until the silos hold what was last asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import FailureError

from orders.change.request import ChangeKind, ChangeRequest, Verdict, read_change
from orders.fulfilment.deciding import assess, consider, first_verdict, give_up
from orders.fulfilment.messages import OrderOutcome, PlanAnswer, PlanQuestion, read_silo_event
from orders.fulfilment.observation import observe
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.reporting import order_view, plan_page
from orders.fulfilment.snapshot import Fork, OrderStart
from orders.model import wire_names
from orders.model.instants import instant
from orders.model.order import Reason
from orders.model.plan import Plan
from orders.read_model.records import Unrecorded
from orders.read_model.views import OrderView, PlanPage
from orders.reconcile.ledger import FactId, Step, parse_key, parse_service_id
from orders.reconcile.outcome import Outcome, OutcomeKind
from workflows.alarm import Alarm
from workflows.display import Display
from workflows.draining import Drain
from workflows.guarding import Guard
from workflows.polling import PollSchedule
from workflows.recording import Recorder
from workflows.silo_calls import ask, carry_out
from workflows.turn import Turn, call_next

MOST_CALLS_UNDER_WAY = 500
TELL = "tell"
LARGE = 500
"""Tasks from which on reading an order, and working out an impact, count in what a worker may compute on end."""
BREATH_S = 0.001
_Answer = TypeVar("_Answer")


@workflow.defn(name=wire_names.ORDER_WORKFLOW)
class OrderWorkflow:
    """One order. Messages only put something on the inbox or the ledger; the main loop alone acts on it."""

    @workflow.init
    def __init__(self, start: OrderStart) -> None:
        self._order = Fulfilment(start)
        self._stirred = False
        self._broken: BaseException | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._polls = PollSchedule()
        self._drain = Drain()
        self._alarm = Alarm("next look at", self._stir)
        self._guard = Guard(self._order)
        self._turn = Turn(self._order, self._guard)
        self._recorder = Recorder(self._order)
        self._display = Display()

    @workflow.run
    async def run(self, start: OrderStart) -> OrderOutcome:
        """Fulfil the order, whatever is asked of it meanwhile. A cancel from the Web UI is a change like any other."""
        body = asyncio.create_task(self._fulfil())
        while not body.done():
            try:
                await workflow.wait_condition(body.done)
            except asyncio.CancelledError:
                self._order.receive(_cancel_asked_for_natively(), _instant())
        if body.result():
            return self._outcome()
        workflow.continue_as_new(self._order.start.model_copy(update={"plan": Plan(), "carried": self._order.carried}))

    async def _fulfil(self) -> bool:
        """Reconcile until the order is settled and closed. False where it is to go on in a new run.

        One that waits for products has nothing to reconcile before its turn.
        """
        await self._breathe()
        self._expect_answers()
        while True:
            await self._decide_changes()
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

    @workflow.signal(name=wire_names.SILO_EVENT_SIGNAL)
    def silo_event(self, told: RawValue) -> None:
        """A silo's callback: what it reports of its own tasks is recorded as a fact at once."""
        try:
            event = read_silo_event(_content(told))
        except ValueError as error:
            workflow.logger.error("an event of a silo cannot be read: %s", error)
            return
        try:
            fact, n = parse_key(event.key) if event.key else (parse_service_id(event.service), 0)
        except ValueError:
            workflow.logger.error("event of %s names no call: %r %r", event.silo, event.key, event.service)
            return
        if not self._order.is_done_by(fact[0], event.silo):
            workflow.logger.error("%s reported on %s, which is none of its tasks", event.silo, fact[0])
            return
        self._answered(fact, n, Outcome(event.kind, event.outputs, event.code, event.reason, event.milestones))

    @workflow.signal(name=wire_names.TURN_SIGNAL)
    def turn(self) -> None:
        """The order before this one has let go of products."""
        self._turn.call()
        self._stirred = True

    @workflow.query(name=wire_names.ORDER_QUERY)
    def order(self, with_body: bool = False) -> OrderView:
        """The order in summary."""
        return order_view(self._order, workflow.now(), with_body=with_body)

    @workflow.query(name=wire_names.PLAN_QUERY)
    def plan(self, offset: int = 0, limit: int = 200) -> PlanPage:
        """A page of the order's tasks with their facts."""
        return plan_page(self._order, max(offset, 0), min(max(limit, 1), 1000))

    @workflow.query(name=wire_names.JOURNAL_QUERY)
    def journal(self) -> Unrecorded:
        """What the order has to tell that the register does not know yet."""
        return self._order.journal.unrecorded()

    @workflow.query(name=wire_names.FORK_QUERY)
    def fork(self) -> Fork:
        """A copy of the order, to work out outside what a change would do and what may still be changed."""
        return self._order.fork()

    # The loop's parts

    async def _decide_changes(self) -> None:
        """Decide what is in the inbox, in order of arrival. An accepted change moves the target."""
        order, at = self._order, _instant()
        if order.carried.assessment is not None:
            self._guard.attempt("assessment", lambda: assess(order, at), lambda defect: give_up(order, defect, at))
        while (change := order.next_change()) is not None:
            if self._or_reject(change, partial(first_verdict, order, change, _instant())) is None:
                await self._consider(change)
            if change.kind.moves_the_target:
                await self._breathe()

    async def _breathe(self) -> None:
        """Let others have their turn in a large order: what comes next is a workflow task of its own."""
        if len(self._order.plan.tasks) > LARGE:
            await asyncio.sleep(BREATH_S)

    def _or_reject(self, change: ChangeRequest, decide: Callable[[], _Answer]) -> _Answer | Verdict:
        def reject(defect: Reason) -> _Answer | Verdict:
            return self._order.reject(change, [defect], _instant())

        return self._guard.attempt(f"change {change.request_id}", decide, reject)

    async def _consider(self, change: ChangeRequest) -> None:
        """Decide a change that moves the target: a cancellation to the baseline, an amendment to a new plan."""
        if change.kind is ChangeKind.CANCEL:
            baseline = self._order.start.baseline_plan
            self._or_reject(change, partial(consider, self._order, change, None, baseline, _instant()))
            return
        question = self._or_reject(change, partial(self._order.question, change))
        if not isinstance(question, PlanQuestion):
            return
        try:
            # No local activity: when it outlives a workflow task, `workflow.now()` after it is another at replay.
            answer = await workflow.execute_activity(
                wire_names.PLAN_REVISION,
                question,
                result_type=PlanAnswer,
                start_to_close_timeout=timedelta(seconds=30),
                retry_policy=RetryPolicy(maximum_attempts=3),
                summary=f"plan change {change.request_id}",
            )
        except FailureError as error:
            answer = PlanAnswer(reasons=(Reason(code="planning_failed", message=str(error.cause or error)[:500]),))
        if answer.revision is None or answer.plan is None:
            self._order.reject(change, list(answer.reasons), _instant())
        else:
            self._or_reject(change, partial(consider, self._order, change, answer.revision, answer.plan, _instant()))

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
            self._order.bill()
            for step in self._order.reconciler.next_steps(MOST_CALLS_UNDER_WAY):
                self._go(self._carry_out(step))
        for fact, n, pause in self._polls.pop_due(workflow.now()):
            self._go(self._poll(fact, n, pause))

    async def _carry_out(self, step: Step) -> None:
        ledger = self._order.reconciler.ledger
        operation = ledger.operations[step.operation]
        silo = ledger.silos[operation.silo]
        priority = self._order.revision.priority
        outcome = await carry_out(self._order.start.order_id, step, operation.operation, silo, priority)
        self._record(step, outcome, _instant())
        if outcome.kind is OutcomeKind.ACKNOWLEDGED:
            self._polls.expect(step.fact, step.n, workflow.now(), silo.polling)
        self._stirred = True

    def _record(self, step: Step, outcome: Outcome, at: str) -> None:
        def unknown(defect: Reason) -> None:  # A person decides, as wherever nobody knows what a silo has done.
            in_doubt = Outcome(OutcomeKind.UNKNOWN, code=defect.code, reason=defect.message)
            self._order.record(step, in_doubt, at)

        self._guard.attempt_on(step.task, "outcome", lambda: self._order.record(step, outcome, at), unknown)

    async def _poll(self, fact_id: FactId, n: int, pause: timedelta) -> None:
        ledger = self._order.reconciler.ledger
        fact = ledger.fact(fact_id)
        if fact is None or fact.waiting is None or fact.waiting.n != n or fact_id in self._order.reconciler.calls:
            return
        operation = ledger.operations[fact.operation]
        silo = ledger.silos[operation.silo]
        outcome = await ask(self._order.start.order_id, fact, operation.operation, silo)
        known = outcome is not None and self._answered(fact_id, n, outcome)
        if outcome is None or not known or outcome.kind is OutcomeKind.ACKNOWLEDGED:
            self._polls.again(fact_id, n, pause, workflow.now(), silo.polling)

    def _answered(self, fact: FactId, n: int, outcome: Outcome) -> bool:
        """Record what a silo has reported. False where a defect of ours is in the way: it is asked again."""
        answer = partial(self._order.answer, fact, n, outcome, _instant())
        news = self._guard.attempt_on(fact[0], "report", answer, lambda _: None)
        self._stirred = self._stirred or news is not False
        return news is not None

    def _expect_answers(self) -> None:
        """After a new run began: go on asking for what was awaited in the last one."""
        ledger = self._order.reconciler.ledger
        for fact_id in sorted(self._order.reconciler.waiting):
            fact = ledger.fact(fact_id)
            if fact is not None and fact.waiting is not None:
                silo = ledger.silos[ledger.operations[fact.operation].silo]
                self._polls.expect(fact_id, fact.waiting.n, workflow.now(), silo.polling)

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
        """Tell the register and Temporal's Web UI what is new."""
        self._guard.keep_trying(TELL, self._tell_register, self._order.look_anew)
        self._guard.keep_trying("show", lambda: self._display.show(self._order))

    def _tell_register(self) -> None:
        now, ended = workflow.now(), self._finished()
        observe(self._order, now)
        if ended:
            self._order.close(now)
        else:
            self._order.reopen()
        due = self._recorder.due(ended=ended)
        if due is not None and due <= now:
            self._watch(self._recorder.write())

    async def _news(self) -> None:
        """Wait for an outcome, a change, a callback or a deadline, and at the end until everything is written down."""
        self._alarm.set(self._next_look(), exactly=not self._order.reconciler.calls)
        heard = len(self._order.inbox)
        await workflow.wait_condition(lambda: self._stirred or len(self._order.inbox) > heard or self._closed())
        self._stirred = False
        if self._broken is not None:  # A defect of ours: the workflow task fails, and goes on when it is mended.
            raise self._broken

    def _next_look(self) -> datetime | None:
        """The nearest deadline: of the turn, the start, what is awaited, the promise, a record. At the end, of records.

        One that is over was seen to this turn, or cannot be now, and must not hide those to come.
        """
        finished = self._finished()
        deadlines = [self._guard.tries_again_at, self._recorder.due(ended=finished)]
        if not finished:
            begins = self._polls.next_due if self._order.carried.started else self._order.not_before
            deadlines += (begins, self._turn.due(), self._order.journal.late_at, self._drain.until)
        now = workflow.now()
        return min((deadline for deadline in deadlines if deadline is not None and deadline > now), default=None)

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
        """True when nothing is left to do or to decide. It is no end yet: more may come in."""
        carried = self._order.carried
        return self._order.settled and not carried.on_hold and not self._order.inbox and carried.assessment is None

    def _closed(self) -> bool:
        """True when nothing is left to do, the register knows it, and whoever asked for something has his answer."""
        told = self._order.journal.complete and not self._guard.is_undone(TELL) and not self._turn.asking
        return told and self._finished() and workflow.all_handlers_finished()

    def _outcome(self) -> OrderOutcome:
        return OrderOutcome(
            order_id=self._order.start.order_id,
            state=self._order.state,
            revision=self._order.revision.number,
            completed_at=self._order.carried.completed_at or workflow.now(),
        )


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
