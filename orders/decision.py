"""Deciding a change: its impact against the points of no return, the fees accepted, and the silos to be asked first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orders.change import ChangeRequest
from orders.impact import Effect, Impact
from orders.ledger import FactId, Ledger, Step
from orders.order import Reason, Revision
from orders.plan import Plan

FOLLOW_ON = "what is to be different now is for a follow-on order on the installed product"


def objections(change: ChangeRequest, impact: Impact) -> list[Reason]:
    """Why a change can not be accepted, naming task, item and since when. Empty where nothing stands in its way."""
    reasons = [
        Reason(
            code="past_no_return",
            item=", ".join(obstacle.items) or None,
            message=f"{obstacle.task} ({obstacle.silo}) can not be {obstacle.effect}: "
            f"past its point of no return since {obstacle.since}; {FOLLOW_ON}",
        )
        for obstacle in impact.hard
    ]
    if change.digest is not None and change.digest != impact.digest:
        message = f"the impact is not what was previewed any more: its digest is {impact.digest}"
        reasons.append(Reason(code="impact_changed", message=message))
    fees = impact.fees
    if fees and fees != ([change.accept_fee] if change.accept_fee else []):
        sums = " and ".join(f"{fee.amount} {fee.currency}" for fee in fees)
        tasks = ", ".join(obstacle.task for obstacle in impact.obstacles if obstacle.fee and not obstacle.accepted)
        message = f"costs a fee of {sums}, for {tasks}: the change must accept exactly that"
        reasons.append(Reason(code="fee_not_accepted", message=message))
    return reasons


@dataclass
class Assessment:
    """A change that waits for silos to let go of what they are working on.

    `before` is the target to go back to should one refuse; `asked` are the facts that must be gone first.
    """

    change: ChangeRequest
    revision: Revision | None
    target: Plan
    before: Plan
    asked: list[FactId]


def common_ground(before: Plan, after: Plan, ledger: Ledger, calls: dict[FactId, Step], asked: set[str]) -> Plan:
    """The target while silos are asked to let go: as before, but for the asked tasks and those that may not be wanted.

    Nothing else is undone for the change yet, and nothing new is begun that the change would undo.
    """
    begun = {*ledger.facts, *(task for task, _ in calls)}
    doubtful = {key for key, task in before.tasks.items() if key not in begun and after.tasks.get(key) != task}
    return replace(before, suspended=tuple(sorted(asked | doubtful)))


def undone_facts(ledger: Ledger, impact: Impact) -> list[FactId]:
    """The facts that the silos are asked to let go of."""
    return [(task, max(ledger.facts[task])) for task in impact.asks if task in ledger.facts]


def touched(impact: Impact) -> list[str]:
    """The tasks that the change does something to."""
    return [task.task for task in impact.tasks if task.effect not in (Effect.KEPT, Effect.DROPPED)]
