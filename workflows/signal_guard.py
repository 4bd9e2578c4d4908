"""A signal that its handler cannot take is dropped, and said so: whoever may signal may send anything.

An exception in a handler fails the workflow task, and each one after it: the order would stand still for good. The SDK
drops what it cannot decode, but not what has too few arguments or too many.
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.worker import HandleSignalInput, WorkflowInboundInterceptor


class SignalGuard(WorkflowInboundInterceptor):
    """Stands between Temporal and the signal handlers of an order. These change nothing before they can fail."""

    async def handle_signal(self, input: HandleSignalInput) -> None:
        """Hand a signal on, and outlive what comes of it."""
        try:
            await super().handle_signal(input)
        except Exception as error:  # It is for nobody to harm the order by a signal.
            # Not what it says: there may be personal data in it.
            workflow.logger.error("signal %s was dropped: %s", input.signal, type(error).__name__)
