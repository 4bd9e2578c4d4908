"""A silo whose work people do: what they are asked for, and what they are to give back."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from orders.model.characteristic import Characteristic
from orders.model.values import CharacteristicName, Frozen, Name

Group = Annotated[str, Field(min_length=1, max_length=100)]


class ManualOperation(Frozen):
    """The work items of one operation. Title and instructions may name inputs: `${input.NAME}`.

    `due` is how long after it was asked for it is to be done. `outputs` is the form of what is given back: those that
    are `required`, and those that may be.
    """

    title: Annotated[str, Field(min_length=1, max_length=200)]
    instructions: Annotated[str, Field(max_length=4000)] = ""
    group: Group | None = None
    due: timedelta | None = None
    outputs: dict[CharacteristicName, Characteristic] = Field(default_factory=dict)


class ManualSilo(Frozen):
    """What people do, by operation, and the group that does it unless an operation names another."""

    group: Group | None = None
    operations: dict[Name, ManualOperation] = Field(default_factory=dict)

    def group_of(self, operation: ManualOperation) -> str | None:
        """The group whose work an operation is."""
        return operation.group or self.group
