"""A workflow that stored histories must not fit: it shows that the replay test can fail."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from orders.fulfilment.messages import OrderOutcome
from orders.fulfilment.snapshot import OrderStart
from orders.model import wire_names
from workflows.order import OrderWorkflow


@workflow.defn(name=wire_names.ORDER_WORKFLOW)
class ChangedWorkflow(OrderWorkflow):
    """The order workflow, but for a moment's rest before its end: a timer that no history has."""

    @workflow.init
    def __init__(self, start: OrderStart) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: OrderStart) -> OrderOutcome:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(start)
