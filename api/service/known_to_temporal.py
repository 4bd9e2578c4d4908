"""What of an order Temporal alone knows: that its workflow task fails, and how often calls under way were tried."""

from __future__ import annotations

from collections.abc import Iterable

from orders.model import wire_names
from orders.model.order import Reason
from orders.model.writing.wording import verbatim
from orders.read_model.answer import Answer, NowView, WaitsFor
from workflows.sdk.executions import WORKFLOW_TASK_FAILS, Execution, Tries


def stuck(execution: Execution) -> tuple[Reason, ...]:
    """Why nothing is done for an order, where its workflow task fails again and again."""
    if not execution.is_stuck:
        return ()
    told = f"its workflow task has failed {execution.failed_in_a_row} times in a row: nothing is done for the order"
    return (Reason(code=WORKFLOW_TASK_FAILS, message=told),)


def with_tries(answer: Answer, failing: Iterable[Tries]) -> Answer:
    """The answer, with how often the calls that it names were tried in vain."""
    failing = tuple(failing)
    if not failing:
        return answer
    return answer.model_copy(update={"now": tuple(_told(line, failing) for line in answer.now)})


def _told(line: NowView, failing: Iterable[Tries]) -> NowView:
    # Not every activity is named for all of its calls, but all of them are calls on one silo, by one verb.
    activity = wire_names.silo_activity(line.silo, line.verb)
    found = sorted(
        (tries for tries in failing if tries.activity == activity),
        key=lambda tries: not tries.key.startswith(f"{line.task}/"),
    )
    if not found or line.waits_for is not WaitsFor.SILO:
        return line
    tries = found[0]
    known = {
        "attempts": tries.attempts,
        "next_try": tries.next_try,
        "last_error_wording": verbatim(tries.last_error) if tries.last_error else None,
    }
    return line.model_copy(update=known)
