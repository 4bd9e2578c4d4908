"""A history as a script: an order, and what is done to it when. It is JSON, so that a failing one can be kept and run.

A step comes once so many calls for the order have taken effect, or once the order stands still, whichever is first: the
clock has no part in it, or the same script would be another history on another machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from orders.change.request import Resolution
from simulated_silos.faults import Faults

Json: TypeAlias = dict[str, Any]

EVERY_SILO = "*"

Door: TypeAlias = Literal["signal", "update", "care", "silo_events", "turn", "callback", "patch"]
"""Where messages come in to an order in flight."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Step(_Part):
    after: int
    """How many calls that changed something must have taken effect for the order, counted over all silos."""


class Change(_Step):
    """A change is asked for: a body of the care API without an id; `{order}` in it stands for the order's id.

    `pays`: the fee that a preview tells is accepted. `twice`: the same request arrives two times at once.
    """

    do: Literal["change"] = "change"
    body: Json
    by: Literal["update", "signal"] = "update"
    pays: bool = False
    twice: bool = False


class Fail(_Step):
    """From now on the order's calls on a silo meet these faults."""

    do: Literal["fail"] = "fail"
    silo: str
    faults: Faults


class Mend(_Step):
    """The order's calls on a silo, or on all, meet no faults any more."""

    do: Literal["mend"] = "mend"
    silo: str = EVERY_SILO


class Complete(_Step):
    """An asynchronous silo ends what it has under way for the order, well or badly."""

    do: Literal["complete"] = "complete"
    silo: str
    outcome: Literal["completed", "failed"] = "completed"


class Lose(_Step):
    """A silo loses the oldest thing that it holds for the order, if it holds one."""

    do: Literal["lose"] = "lose"
    silo: str


class Restart(_Step):
    """A process ends, at once or having finished what it can, and is started again. All orders in flight meet that."""

    do: Literal["restart"] = "restart"
    process: Literal["worker", "api", "temporal"] = "worker"
    how: Literal["kill", "stop"] = "kill"


class Maintain(_Step):
    """A silo is in maintenance for so many seconds: its calls wait. All orders in flight meet that."""

    do: Literal["maintain"] = "maintain"
    silo: str
    seconds: float


class Hostile(_Step):
    """A hostile message by its name in `tests.soak.hostile.messages`.

    As Temporal has it, it comes as so many `copies`, and claims an `encoding`.
    """

    do: Literal["hostile"] = "hostile"
    door: Door
    message: str
    encoding: str = "json/plain"
    copies: int = 1


Step: TypeAlias = Annotated[
    Change | Fail | Mend | Complete | Lose | Restart | Maintain | Hostile, Field(discriminator="do")
]


class Follower(_Part):
    """Another order of the customer, mostly on products of the first, whose id stands as `{order}` in its body.

    It comes once the first order has ended, and so many calls have taken effect for the followers all together. If it
    `cancel_after`s so many, it may wait at that time, be in the middle of its work, or have ended.
    """

    after: int
    order: Json
    cancel_after: int | None = None


class Script(_Part):
    """One history. `residues` is what a person decides about what a silo does not let go of.

    What was refused is retried task by task, or `by_silo`: all that each silo has refused.

    `later_restarts` come while followers are in line, counted as those are.
    """

    name: str
    order: Json
    steps: tuple[Step, ...] = ()
    residues: Resolution | Literal["retry"] = "retry"
    by_silo: bool = False
    followers: tuple[Follower, ...] = ()
    later_restarts: tuple[Restart, ...] = ()

    def without_step(self, number: int) -> Script:
        """The same, a step left out."""
        return self.model_copy(update={"steps": (*self.steps[:number], *self.steps[number + 1 :])})

    def shorter(self) -> Iterator[Script]:
        """Every script that is a little shorter than this one, the greatest cuts first."""
        if self.followers:
            yield self.model_copy(update={"followers": (), "later_restarts": ()})
        half = len(self.steps) // 2
        if half > 1:
            yield self.model_copy(update={"steps": self.steps[:half]})
            yield self.model_copy(update={"steps": self.steps[half:]})
        for number in reversed(range(len(self.steps))):
            yield self.without_step(number)
        yield from self._with_less_after_it()
        items = self.order["productOrderItem"]
        for number, item in enumerate(items):
            if len(items) > 1 and not _relied_on(item["id"], items):
                yield self._with_items([*items[:number], *items[number + 1 :]])
            if item.get("quantity", 1) > 1:
                yield self._with_items([*items[:number], {**item, "quantity": 1}, *items[number + 1 :]])
        for number, step in enumerate(self.steps):
            for simpler in _simpler(step):
                yield self.model_copy(update={"steps": (*self.steps[:number], simpler, *self.steps[number + 1 :])})

    def _with_less_after_it(self) -> Iterator[Script]:
        if self.later_restarts:
            yield self.model_copy(update={"later_restarts": self.later_restarts[:-1]})
        for number, follower in enumerate(self.followers):
            before, behind = self.followers[:number], self.followers[number + 1 :]
            yield self.model_copy(update={"followers": (*before, *behind)})
            if follower.cancel_after is not None:
                stays = follower.model_copy(update={"cancel_after": None})
                yield self.model_copy(update={"followers": (*before, stays, *behind)})

    def _with_items(self, items: list[Json]) -> Script:
        return self.model_copy(update={"order": {**self.order, "productOrderItem": items}})


def _relied_on(item: str, items: list[Json]) -> bool:
    return any(item == link["id"] for other in items for link in other.get("productOrderItemRelationship", []))


def _simpler(step: Step) -> Iterator[Step]:
    if isinstance(step, Change):
        if step.twice or step.by == "signal":
            yield step.model_copy(update={"twice": False, "by": "update"})
        for part in ("add", "update", "remove"):
            parts = step.body.get(part, [])
            if len(parts) > 1:
                for number in range(len(parts)):
                    yield step.model_copy(update={"body": {**step.body, part: parts[:number] + parts[number + 1 :]}})


def read(path: Path) -> Script:
    """A script from a file.

    Raises:
        OSError: if there is no such file.
        pydantic.ValidationError: if it holds no script.
    """
    return Script.model_validate_json(path.read_text(encoding="utf-8"))


def written(script: Script) -> str:
    """A script as text, for a file: a line for each step."""
    whole = script.model_dump(mode="json", exclude={"steps"}, exclude_defaults=True)
    steps = [{"do": step.do, **step.model_dump(mode="json", exclude_defaults=True)} for step in script.steps]
    parts = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in whole.items()]
    lines = ",\n  ".join(json.dumps(step, ensure_ascii=False) for step in steps)
    return "{" + ",\n ".join([*parts, f'"steps": [\n  {lines}\n ]']) + "}\n"
