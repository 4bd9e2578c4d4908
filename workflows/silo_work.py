"""What silos do for an order: steps carried out, their reports recorded, and what is awaited asked for now and then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from temporalio import workflow

from orders.fulfilment.messages import SiloEvent
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.catalog import Silo
from orders.model.instants import instant
from orders.model.order import Reason
from orders.reconcile.ledger import FactId, Step, parse_key, parse_service_id
from orders.reconcile.outcome import Outcome, OutcomeKind
from workflows.guarding import Guard
from workflows.polling import PollSchedule
from workflows.silo_calls import ask, carry_out


class SiloWork:
    """The silos' work on one order. `stir` is called where something new has come of it."""

    def __init__(self, order: Fulfilment, guard: Guard, stir: Callable[[], None]) -> None:
        self._order = order
        self._guard = guard
        self._stir = stir
        self._polls = PollSchedule()

    async def carry_out(self, step: Step) -> None:
        """Make a call, and record how it has ended."""
        silo, operation = self._silo_and_operation(step.operation)
        priority = self._order.revision.priority
        outcome = await carry_out(self._order.start.order_id, step, operation, silo, priority)
        self._record(step, outcome, instant(workflow.now()))
        if outcome.kind is OutcomeKind.ACKNOWLEDGED:
            self._polls.expect(step.fact, step.n, workflow.now(), silo.polling)
        self._stir()

    def report(self, event: SiloEvent) -> None:
        """Record a callback: what a silo reports of its own tasks is a fact at once. An end stays one."""
        if self._order.carried.end_recorded:
            workflow.logger.info("%s reported on an order that has ended", event.silo)
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

    # What is awaited

    @property
    def next_poll(self) -> datetime | None:
        """When to ask for something that is awaited."""
        return self._polls.next_due

    def due(self) -> list[tuple[FactId, int, timedelta]]:
        """What to ask for now, each once: fact, call number, and the pause that led here."""
        return self._polls.pop_due(workflow.now())

    async def poll(self, fact_id: FactId, n: int, pause: timedelta) -> None:
        """Ask a silo how far it is with what it has acknowledged."""
        fact = self._order.reconciler.ledger.fact(fact_id)
        if fact is None or fact.waiting is None or fact.waiting.n != n or fact_id in self._order.reconciler.calls:
            return
        silo, operation = self._silo_and_operation(fact.operation)
        outcome = await ask(self._order.start.order_id, fact, operation, silo)
        known = outcome is not None and self._answered(fact_id, n, outcome)
        if outcome is None or not known or outcome.kind is OutcomeKind.ACKNOWLEDGED:
            self._polls.again(fact_id, n, pause, workflow.now(), silo.polling)

    def expect_answers(self) -> None:
        """After a new run began: go on asking for what was awaited in the last one."""
        ledger = self._order.reconciler.ledger
        for fact_id in sorted(self._order.reconciler.waiting):
            fact = ledger.fact(fact_id)
            if fact is not None and fact.waiting is not None:
                silo, _ = self._silo_and_operation(fact.operation)
                self._polls.expect(fact_id, fact.waiting.n, workflow.now(), silo.polling)

    def _silo_and_operation(self, name: str) -> tuple[Silo, str]:
        ledger = self._order.reconciler.ledger
        operation = ledger.operations[name]
        return ledger.silos[operation.silo], operation.operation

    # What is recorded

    def _record(self, step: Step, outcome: Outcome, at: str) -> None:
        def unknown(defect: Reason) -> None:  # A person decides, as wherever nobody knows what a silo has done.
            in_doubt = Outcome(OutcomeKind.UNKNOWN, code=defect.code, reason=defect.message)
            self._order.record(step, in_doubt, at)

        self._guard.attempt_on(step.task, "outcome", lambda: self._order.record(step, outcome, at), unknown)

    def _answered(self, fact: FactId, n: int, outcome: Outcome) -> bool:
        """Record what a silo has reported. False where a defect of ours is in the way: it is asked again."""
        answer = partial(self._order.answer, fact, n, outcome, instant(workflow.now()))
        news = self._guard.attempt_on(fact[0], "report", answer, lambda _: None)
        if news is not False:
            self._stir()
        return news is not None
