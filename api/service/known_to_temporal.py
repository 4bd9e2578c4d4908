"""What of an order Temporal alone knows: that its workflow task fails, and how often calls under way were tried."""

from __future__ import annotations

from collections.abc import Iterable

from orders.model.order import Reason
from orders.read_model.answer import Answer, NowView
from workflows.sdk.executions import WORKFLOW_TASK_FAILS, Execution, Tries


def stuck(execution: Execution) -> tuple[Reason, ...]:
    """Why nothing is done for an order, where its workflow task fails again and again."""
    if not execution.is_stuck:
        return ()
    told = f"its workflow task has failed {execution.failed_in_a_row} times in a row: nothing is done for the order"
    return (Reason(code=WORKFLOW_TASK_FAILS, message=told),)


def with_tries(answer: Answer, failing: Iterable[Tries]) -> Answer:
    """The answer, with how often the calls that it names were tried in vain."""
    by_task = {tries.key.rsplit("/", 2)[0]: tries for tries in failing}
    if not by_task:
        return answer
    return answer.model_copy(update={"now": tuple(_told(line, by_task.get(line.task)) for line in answer.now)})


def _told(line: NowView, tries: Tries | None) -> NowView:
    if tries is None or line.last_error is not None:
        return line
    known = {"attempts": tries.attempts, "next_try": tries.next_try, "last_error": tries.last_error or None}
    return line.model_copy(update=known)
