"""A workflow that shows faults of the SDK. On its own here: the sandbox imports its module anew."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow


@workflow.defn
class Probe:
    """Waits for two signals. After each it does one thing if workflow time has moved meanwhile, and another if not.

    It never ends.
    """

    def __init__(self) -> None:
        self.signals = 0

    @workflow.run
    async def run(self) -> None:
        for number in (1, 2):
            began = workflow.now()
            await workflow.wait_condition(lambda least=number: self.signals >= least)
            if workflow.now() == began:  # Each workflow task has a time of its own.
                await workflow.sleep(timedelta(hours=1))
            workflow.upsert_memo({"passed": number})
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def go_on(self) -> None:
        self.signals += 1

    @workflow.query
    def has_signal(self) -> bool:
        return self.signals > 0
