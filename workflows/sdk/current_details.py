"""Current details that are worked out when somebody asks for them, and not whenever they have changed."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import workflow


def tell_when_asked(tell: Callable[[], str]) -> None:
    """Have the current details of the workflow that this is called in be what `tell` gives at the time.

    The SDK (1.35) takes them ready-made alone (`workflow.set_current_details`). For an order to have them ready at each
    turn took longer than to decide what to do next, and hardly ever does anybody look. They go out with the answer to a
    query, for which the SDK asks this function of its own.
    """
    runtime = workflow._Runtime.current()  # pyright: ignore[reportPrivateUsage]
    runtime.workflow_get_current_details = tell
