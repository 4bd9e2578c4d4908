"""A workflow that shows faults of the SDK. On its own here: the sandbox imports its module anew."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow


@workflow.defn
class Probe:
    """Waits for a signal, does one thing or another by whether time has passed meanwhile, and stays."""

    def __init__(self) -> None:
        self.signalled = False

    @workflow.run
    async def run(self) -> None:
        began = workflow.now()
        await workflow.wait_condition(lambda: self.signalled)
        if workflow.now() == began:  # As no workflow task has it: each has a time of its own.
            await workflow.sleep(timedelta(hours=1))
        workflow.upsert_memo({"passed": True})
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def go_on(self) -> None:
        self.signalled = True

    @workflow.query
    def has_signal(self) -> bool:
        return self.signalled
