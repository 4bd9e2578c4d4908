"""People tell what has become of a work item: checked against its form, handed on to its order, and then written down.

Handed on first: what is told as done has reached the order. Should it not be written down then, it is still open, and
to be told again, which the order takes for the repetition that it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from api.blocking import run_blocking
from api.errors import (
    Detail,
    Malformed,
    OrderClosed,
    UnknownOrder,
    WorkItemChanged,
    WorkItemClaimed,
    WorkItemOver,
    problem,
)
from api.service.gathering import Gathering
from orders.fulfilment.messages import SiloEvent
from orders.model.budget import OUTPUTS, size_of
from orders.model.instants import instant
from orders.model.values import Inputs, Verb
from orders.planning.items import value_problem
from orders.read_model.work_state import WorkState
from orders.reconcile.outcome import OutcomeKind
from register.hands import Claimed, Over
from register.work_items.item import WorkItem
from register.work_items.register import WorkItems

REFUSED_BY_HAND: Final = "refused_by_hand"
"""The code of what a person has refused, where none is given."""


class WorkDone:
    """Ends work items."""

    def __init__(self, gathering: Gathering, work_items: WorkItems) -> None:
        self._gathering = gathering
        self._work_items = work_items

    async def done(self, item: WorkItem, by: str, outputs: Inputs, note: str) -> None:
        """It is done, with these outputs; those of before that are not given anew stay as they are.

        Raises:
            Malformed: if they do not fit the form.
            WorkItemClaimed: if somebody else has it.
            WorkItemOver: if it is over.
            WorkItemChanged: if its order has asked for something else meanwhile.
            OrderClosed: if its order has ended without it.
            Unavailable: if it cannot be handed on now.
        """
        undone = item.verb is Verb.COMPENSATE
        given = outputs if undone else {**item.outputs, **outputs}
        if item.state is WorkState.DONE and (undone or given == item.outputs):
            return  # Told before, and the answer got lost.
        _require_open(item)
        if wrong := list(misfits(item, given)):
            raise Malformed(wrong)
        await self._begin(item, by)
        await self._hand_on(item, by, SiloEvent(item.silo, OutcomeKind.DONE, item.key(item.number), outputs=given))
        await self._end(item, WorkState.DONE, by, outputs=given, note=note)

    async def refused(self, item: WorkItem, by: str, code: str, reason: str, note: str) -> None:
        """It cannot be done, for that reason: that goes for all that the newest call has taken over.

        Raises:
            As `done`.
        """
        _require_open(item)
        await self._begin(item, by)
        code = code or REFUSED_BY_HAND
        # The oldest first: what counts is why the newest was refused.
        for number in (*item.older, item.number):
            event = SiloEvent(item.silo, OutcomeKind.REFUSED, item.key(number), code=code, reason=reason)
            await self._hand_on(item, by, event)
        await self._end(item, WorkState.REFUSED, by, code=code, reason=reason, note=note)

    async def _begin(self, item: WorkItem, by: str) -> None:
        now = datetime.now(UTC)
        try:
            await run_blocking(self._work_items.hands.claim, item.id, by, now)
        except Claimed as claimed:
            raise claimed_by_another(claimed) from claimed
        except Over as over:
            raise _over() from over
        await run_blocking(self._work_items.begin, item.id, now)

    async def _hand_on(self, item: WorkItem, by: str, event: SiloEvent) -> None:
        try:
            await self._gathering.hand_on(item.order_id, event)
        except UnknownOrder as error:
            reason = f"Order {item.order_id} has ended without it"
            await self._end(item, WorkState.REFUSED, by, code=OrderClosed.code, reason=reason)
            raise OrderClosed(reason, "Nobody waits for it any more") from error

    async def _end(
        self,
        item: WorkItem,
        state: WorkState,
        by: str,
        *,
        outputs: Inputs | None = None,
        code: str = "",
        reason: str = "",
        note: str = "",
    ) -> None:
        def write() -> bool:
            return self._work_items.end(
                item, state, by, datetime.now(UTC), outputs=outputs, code=code, reason=reason, note=note
            )

        if not await run_blocking(write):
            raise WorkItemChanged("Something else is asked for by now", "Look at it again")


def _require_open(item: WorkItem) -> None:
    if item.state is not WorkState.OPEN:
        raise _over()


def _over() -> WorkItemOver:
    return WorkItemOver("It is over", "Nobody is to do it any more")


def claimed_by_another(claimed: Claimed) -> WorkItemClaimed:
    """Who has it, and since when."""
    return WorkItemClaimed(
        f"{claimed.by} has it since {instant(claimed.at)}", "Have it handed over, or released, first"
    )


def misfits(item: WorkItem, outputs: Inputs) -> Iterator[Detail]:
    """What does not fit the form of a work item."""
    if size_of(outputs) > OUTPUTS:
        yield problem("outputs", f"have {size_of(outputs)} bytes: at most {OUTPUTS} are taken")
    form = {} if item.verb is Verb.COMPENSATE else item.form
    for name in outputs:
        if name not in form:
            yield problem(f"outputs.{name}", f"is none of the form, which has: {', '.join(form) or 'none'}")
    for name, declared in form.items():
        value = outputs.get(name)
        if value is None and declared.required:
            yield problem(f"outputs.{name}", "is required")
        elif (reason := value_problem(declared, value)) is not None:
            yield problem(f"outputs.{name}", reason)
