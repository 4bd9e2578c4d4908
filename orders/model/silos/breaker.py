"""When a silo that fails is left alone, and how it is found to be back: a part of the catalog."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, TypeAlias

from pydantic import Field, model_validator

from orders.model.values import Frozen

Length: TypeAlias = Annotated[timedelta, Field(gt=timedelta(), le=timedelta(days=1))]

WARY: Final = 3
"""Calls that fail while the rate comes back."""


class Breaker(Frozen):
    """A silo is left alone once `failures` calls, and that `share` of all its calls, have failed within the `window`.

    A call counts once, however often it was tried. Whether the silo is back is looked at after `pause`, then ever less
    often up to `longest_pause`. Once it is, its rate comes back in steps of that length.
    """

    enabled: bool = True
    failures: Annotated[int, Field(ge=1, le=10_000)] = 20
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    window: Length = timedelta(minutes=1)
    pause: Length = timedelta(seconds=5)
    longest_pause: Length = timedelta(minutes=1)
    step: Length = timedelta(seconds=5)

    @property
    def wary(self) -> Breaker:
        """The same while the rate of a silo comes back: few failures are enough then."""
        return self.model_copy(update={"failures": min(self.failures, WARY)})

    @model_validator(mode="after")
    def _pauses_grow(self) -> Breaker:
        if self.longest_pause < self.pause:
            raise ValueError("longest_pause is no shorter than pause")
        return self
