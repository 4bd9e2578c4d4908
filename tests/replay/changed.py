"""A workflow that stored histories must not fit: it shows that the replay test can fail."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from orders import wire
from orders.messages import OrderOutcome
from orders.snapshot import OrderStart
from workflows.order import OrderWorkflow


@workflow.defn(name=wire.ORDER_WORKFLOW)
class ChangedWorkflow(OrderWorkflow):
    """The order workflow, but for a moment's rest before its end: a timer that no history has."""

    @workflow.init
    def __init__(self, start: OrderStart) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: OrderStart) -> OrderOutcome:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(start)
