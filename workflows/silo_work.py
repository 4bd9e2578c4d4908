"""What silos do for an order: steps carried out, their reports recorded, and what is awaited asked for now and then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from temporalio import workflow

from orders.fulfilment.messages import SiloCall, read_silo_event
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.budget import size_of
from orders.model.catalog import SOONEST_LOOK, Silo
from orders.model.instants import instant
from orders.model.order import Reason
from orders.model.values import Verb
from orders.reconcile.ledger import Fact, FactId, Step, parse_key, parse_service_id, service_id
from orders.reconcile.outcome import RETRY_BUDGET_SPENT, Outcome, OutcomeKind
from workflows.guarding import Guard
from workflows.polling import Look, PollSchedule
from workflows.silo_calls import Calling, fitting, what
from workflows.summaries import with_news

MOST_BYTES: Final = 200_000
"""Of the inputs in one activity. What has more goes alone."""


class Question(NamedTuple):
    """About an awaited call: what led here, and what is asked."""

    silo: Silo
    look: Look
    call: SiloCall


class SiloWork:
    """The silos' work on one order. `stir` is called where something new has come of it."""

    def __init__(self, order: Fulfilment, guard: Guard, stir: Callable[[], None]) -> None:
        self._order = order
        self._guard = guard
        self._stir = stir
        self._polls = PollSchedule()
        self._summarized = partial(with_news, order)

    def batches(self, steps: Sequence[Step]) -> list[list[Step]]:
        """Steps that can start now, those for the same silo and verb together, as many as the silo takes in bulk."""
        batches: list[list[Step]] = []
        filling: dict[tuple[str, Verb], tuple[list[Step], int]] = {}
        for step in steps:
            silo, _ = self._silo_and_operation(step.operation)
            size = size_of(step.sent)
            batch, taken = filling.get((silo.name, step.verb), ([], 0))
            if not batch or len(batch) >= silo.bulk or taken + size > MOST_BYTES:
                batch, taken = list[Step](), 0
                batches.append(batch)
            batch.append(step)
            filling[silo.name, step.verb] = batch, taken + size
        return batches

    async def carry_out(self, steps: Sequence[Step]) -> None:
        """Make calls on one silo, all with the same verb, and record how each has ended."""
        by_key = {step.key: step for step in steps}
        silo, _ = self._silo_and_operation(steps[0].operation)

        def heard(call: SiloCall, outcome: Outcome) -> None:
            step = by_key[call.key]
            self._record(step, outcome, instant(workflow.now()))
            if outcome.kind is OutcomeKind.ACKNOWLEDGED:
                self._polls.expect(step.fact, step.n, workflow.now(), silo.polling.first_pause)
            self._stir()

        calling = Calling(silo, steps[0].verb, heard, self._order.revision.priority, self._summarized)
        await calling.make([self._call(step) for step in steps])

    def _call(self, step: Step) -> SiloCall:
        _, operation = self._silo_and_operation(step.operation)
        return SiloCall(self._order.start.order_id, service_id(step.fact), step.key, operation, step.sent)

    def report(self, told: object) -> None:
        """Record a callback: what a silo reports of its own tasks is a fact at once. An end stays one."""
        try:
            event = read_silo_event(told)
        except ValueError as error:
            workflow.logger.error("an event of a silo cannot be read: %s", error)
            return
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
        if not self._answered(fact, n, Outcome(event.kind, event.outputs, event.code, event.reason, event.milestones)):
            self._ask_soon(fact)

    # What is awaited

    @property
    def next_look(self) -> datetime | None:
        """When to ask for something that is awaited."""
        while (look := self._polls.next) is not None:
            if self._awaited(look) is not None:
                return look.due
            self._polls.drop_next()
        return None

    def why_look(self) -> str:
        """What is asked for then, for the Web UI."""
        looks = [look for look in self._polls.next_round() if self._awaited(look) is not None]
        names = [what(self._order.start.order_id, service_id(look.fact)) for look in looks]
        return fitting("look again at ", names) if names else "look again"

    def due(self) -> list[list[Question]]:
        """What to ask for now, each once, those for the same silo together."""
        by_silo: dict[str, dict[str, Question]] = {}
        for look in self._polls.begin_round(workflow.now()):
            fact = self._awaited(look)
            if fact is None or fact.waiting is None or look.fact in self._order.reconciler.calls:
                continue
            silo, operation = self._silo_and_operation(fact.operation)
            service, waiting = service_id(look.fact), fact.waiting
            key = f"{service}/{look.n}"
            call = SiloCall(self._order.start.order_id, service, key, operation, waiting.sent, awaited=waiting.verb)
            by_silo.setdefault(silo.name, {})[key] = Question(silo, look, call)
        return [some for asked in by_silo.values() for some in _in_parts(list(asked.values()))]

    def _ask_soon(self, fact_id: FactId) -> None:
        """A defect of ours was in the way of what a silo has reported: it will not report it again by itself."""
        fact = self._order.reconciler.ledger.fact(fact_id)
        if fact is not None and fact.waiting is not None:
            self._polls.expect_sooner(fact_id, fact.waiting.n, workflow.now(), SOONEST_LOOK)
            self._stir()

    def _awaited(self, look: Look) -> Fact | None:
        """The fact that is looked at, if that call on it is still awaited."""
        fact = self._order.reconciler.ledger.fact(look.fact)
        return fact if fact is not None and fact.waiting is not None and fact.waiting.n == look.n else None

    async def poll(self, questions: Sequence[Question]) -> None:
        """Ask a silo how far it is with what it has acknowledged."""
        by_key = {question.call.key: question for question in questions}
        silo = questions[0].silo

        def heard(call: SiloCall, outcome: Outcome) -> None:
            look = by_key[call.key].look
            reached = (outcome.kind, outcome.code) != (OutcomeKind.UNKNOWN, RETRY_BUDGET_SPENT)
            if not reached:
                workflow.logger.warning("could not ask %s about %s: %s", silo.name, call.service, outcome.reason)
            known = reached and self._answered(look.fact, look.n, outcome)
            if not known or outcome.kind is OutcomeKind.ACKNOWLEDGED:
                self._polls.again(look, workflow.now(), silo.polling, self._usual(look.fact))

        asking = Calling(silo, Verb.INSPECT, heard, summarized=self._summarized)
        await asking.make([question.call for question in questions])

    def expect_answers(self) -> None:
        """After a new run began: go on asking for what was awaited in the last one."""
        ledger = self._order.reconciler.ledger
        for fact_id in sorted(self._order.reconciler.waiting):
            fact = ledger.fact(fact_id)
            if fact is not None and fact.waiting is not None:
                silo, _ = self._silo_and_operation(fact.operation)
                self._polls.expect(fact_id, fact.waiting.n, workflow.now(), silo.polling.first_pause)

    def _usual(self, fact_id: FactId) -> timedelta:
        """How long what is awaited usually takes. Of an undo nobody knows."""
        plan, task = self._order.plan, self._order.plan.tasks.get(fact_id[0])
        fact = self._order.reconciler.ledger.fact(fact_id)
        undone = fact is None or fact.waiting is None or fact.waiting.verb is Verb.COMPENSATE
        return timedelta() if task is None or undone else timedelta(seconds=plan.takes(task).likely_s)

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


def _in_parts(questions: list[Question]) -> list[list[Question]]:
    most = questions[0].silo.bulk
    return [questions[start : start + most] for start in range(0, len(questions), most)]
