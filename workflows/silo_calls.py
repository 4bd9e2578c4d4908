"""Silo calls as activities: one ordinary activity a call, on the silo's own queue, named for the task in the Web UI."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import FailureError

from orders.fulfilment.messages import SiloCall
from orders.model import wire_names
from orders.model.catalog import Silo
from orders.model.values import Verb
from orders.reconcile.ledger import Fact, FactId, Step, service_id
from orders.reconcile.outcome import Outcome, OutcomeKind

RETRY_BUDGET_SPENT = "retry_budget_spent"


async def carry_out(order_id: str, step: Step, operation: str, silo: Silo, priority: int) -> Outcome:
    """Run one step to an outcome. What stays unknown when the retry budget is spent is told as unknown.

    `priority` is the order's, 0 to 4: where calls on the silo queue up, those of the lowest number are made first.
    Nothing is read from the kind of failure, which may differ between live run and replay: what a silo refuses for good
    is an ordinary result of the activity.
    """
    call = SiloCall(order_id, service_id(step.fact), step.key, operation, step.sent)
    try:
        return await workflow.execute_activity(
            wire_names.silo_activity(silo.name, step.verb),
            call,
            result_type=Outcome,
            task_queue=wire_names.silo_queue(silo.name),
            activity_id=step.key,
            summary=_what(order_id, step.fact),
            start_to_close_timeout=silo.longest_attempt,
            retry_policy=_retry_policy(step.verb, silo),
            priority=wire_priority(priority),
        )
    except FailureError as error:
        reason = str(error.cause or error)[:500]
        return Outcome(OutcomeKind.UNKNOWN, code=RETRY_BUDGET_SPENT, reason=reason)


async def ask(order_id: str, fact: Fact, operation: str, silo: Silo) -> Outcome | None:
    """Ask a silo what became of a call that it acknowledged. None if it cannot be reached: ask again later."""
    waiting = fact.waiting
    if waiting is None:
        return None
    service = service_id(fact.id)
    call = SiloCall(order_id, service, f"{service}/{waiting.n}", operation, waiting.sent, awaited=waiting.verb)
    try:
        return await workflow.execute_activity(
            wire_names.silo_activity(silo.name, Verb.INSPECT),
            call,
            result_type=Outcome,
            task_queue=wire_names.silo_queue(silo.name),
            summary=_what(order_id, fact.id),
            start_to_close_timeout=silo.longest_attempt,
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=3),
        )
    except FailureError as error:
        workflow.logger.warning("could not ask %s about %s: %s", silo.name, service, error)
        return None


def wire_priority(priority: int) -> Priority:
    """TMF622's priority, 0 (highest) to 4, as Temporal's, 1 to 5."""
    return Priority(priority_key=priority + 1)


def _what(order_id: str, fact: FactId) -> str:
    """A task for the Web UI's timeline, beside the activity type: its name, specification and scope in the order."""
    scope, specification, task = fact[0].split("/")
    parts = (task, specification, scope.removeprefix(order_id).lstrip(".@"), f"generation {fact[1]}" if fact[1] else "")
    return " · ".join(part for part in parts if part)[:200]


def _retry_policy(verb: Verb, silo: Silo) -> RetryPolicy:
    budget = silo.retry_budget
    return RetryPolicy(
        initial_interval=budget.first_pause,
        maximum_interval=budget.longest_pause,
        # What was begun to be undone is undone: only a person may give up on it.
        maximum_attempts=0 if verb is Verb.COMPENSATE else budget.attempts,
    )
