"""Faults on demand: which calls fail, which answers and callbacks get lost, what is refused for good."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Annotated

from pydantic import ConfigDict, Field

from simulated_silos.profiles import Milliseconds
from simulated_silos.silo.model import Frozen, Refusal

Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

ANY_OPERATION = "*"


class PermanentFault(Frozen):
    """Refuses with `status` and `code` calls on an operation (`*`: any) whose key contains `match`.

    Every one, or the first `times`. `retry_after_s` is told as Retry-After.
    """

    model_config = ConfigDict(strict=True)

    operation: str = ANY_OPERATION
    match: str = ""
    code: Annotated[str, Field(min_length=1)]
    status: Annotated[int, Field(ge=400, le=499)] = 422
    retry_after_s: Annotated[int, Field(ge=0)] | None = None
    times: Annotated[int, Field(ge=1)] | None = None


class Faults(Frozen):
    """The faults of one silo. Rates are probabilities; `seed` makes what they hit the same at every run."""

    model_config = ConfigDict(strict=True)

    error_rate: Rate = 0.0
    latency_ms: Milliseconds = 0
    outage: bool = False
    lose_response_rate: Rate = 0.0
    drop_callback_rate: Rate = 0.0
    duplicate_callback_rate: Rate = 0.0
    permanent: list[PermanentFault] = []
    seed: int | None = None


class FaultPlan:
    """The faults of one silo at work."""

    def __init__(self, silo: str, faults: Faults) -> None:
        self.faults = faults
        self._forbidden: defaultdict[int, set[str]] = defaultdict(set)
        # A generator for each kind: how many callbacks went out must not change which responses get lost.
        self._errors, self._responses, self._drops, self._copies = (
            random.Random(None if faults.seed is None else f"{faults.seed}/{silo}/{kind}")
            for kind in ("error", "response", "drop", "duplicate")
        )

    @property
    def latency(self) -> float:
        """Seconds by which a call is delayed before it takes effect."""
        return self.faults.latency_ms / 1000

    def failure(self) -> Refusal | None:
        """The failure that a call meets before it has any effect, if it meets one."""
        if self.faults.outage:
            return Refusal(status=503, code="outage", message="the silo is out of order")
        if self._errors.random() < self.faults.error_rate:
            return Refusal(status=500, code="internal_error", message="something went wrong")
        return None

    def loses_response(self) -> bool:
        """True where the answer to a call gets lost."""
        return self._responses.random() < self.faults.lose_response_rate

    def callback_copies(self) -> int:
        """How often a callback is sent: 0 where it gets lost, 2 where it is doubled."""
        if self._drops.random() < self.faults.drop_callback_rate:
            return 0
        return 2 if self._copies.random() < self.faults.duplicate_callback_rate else 1

    def forbids(self, operations: tuple[str, ...], key: str) -> Refusal | None:
        """The permanent fault that a call on an operation (by any of its names) meets, if it meets one."""
        for number, fault in enumerate(self.faults.permanent):
            if fault.operation not in (ANY_OPERATION, *operations) or fault.match not in key:
                continue
            forbidden = self._forbidden[number]
            if fault.times is None or key in forbidden or len(forbidden) < fault.times:
                forbidden.add(key)
                message = f"{fault.code}: refused for good"
                return Refusal(status=fault.status, code=fault.code, message=message, retry_after_s=fault.retry_after_s)
        return None
