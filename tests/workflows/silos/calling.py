"""A workflow that makes calls on a silo as an order does, and tells what it has heard in which order."""

from __future__ import annotations

from temporalio import workflow

from orders.fulfilment.messages import SiloCall
from orders.model.catalog import Silo
from orders.model.values import Verb
from orders.reconcile.outcome import Outcome
from workflows.silo_calls import Calling


@workflow.defn
class CallingWorkflow:
    """Calls on one silo, made together."""

    @workflow.run
    async def run(self, silo: Silo, verb: Verb, calls: list[SiloCall]) -> list[tuple[str, Outcome]]:
        """Each call's key and outcome, as they were heard."""
        heard: list[tuple[str, Outcome]] = []
        await Calling(silo, verb, lambda call, outcome: heard.append((call.key, outcome))).make(calls)
        return heard
