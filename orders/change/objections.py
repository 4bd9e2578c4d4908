"""Deciding a change: its impact against the points of no return, the fees accepted, and the silos to be asked first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from orders.change.impact import Effect, Impact, Obstacle
from orders.change.request import ChangeRequest
from orders.model.instants import moment
from orders.model.order import Reason, Revision
from orders.model.plan import Plan
from orders.model.writing.wording import NOTHING, Sentence, Wording, Words, of_money
from orders.reconcile.ledger import Fact, FactId, Ledger, Step

FOLLOW_ON = "what is to be different now is for a follow-on order on the installed product"

SUBMIT_AGAIN = "nothing of it is installed: what is wanted now is to be submitted again, under another externalId"


def objections(change: ChangeRequest, impact: Impact) -> list[Reason]:
    """Why a change cannot be accepted, naming task, item and since when. Empty where nothing stands in its way."""
    reasons = past_no_return(impact)
    if change.digest is not None and change.digest != impact.digest:
        message = f"the impact is not what was previewed any more: its digest is {impact.digest}"
        reasons.append(Reason(code="impact_changed", message=message))
    fees = impact.fees
    if fees and fees != ([change.accept_fee] if change.accept_fee else []):
        sums = " and ".join(f"{fee.amount} {fee.currency}" for fee in fees)
        reasons += [
            reason
            for obstacle in impact.charged
            for reason in reasons_about(
                "fee_not_accepted",
                obstacle,
                f"{obstacle.task} ({obstacle.silo}) is {obstacle.effect} at a fee, past its point of no return since "
                f"{obstacle.since}; the change costs {sums} in all, and must accept exactly that",
                words=fee_in_words(obstacle),
            )
        ]
    return reasons


def past_no_return(impact: Impact) -> list[Reason]:
    """What refuses a change whatever fee it accepts, for each task and item."""
    return [
        reason
        for obstacle in impact.hard
        for reason in reasons_about(
            "past_no_return",
            obstacle,
            _cannot_come_back(obstacle)
            if obstacle.identity
            else f"{obstacle.task} ({obstacle.silo}) cannot be {obstacle.effect}: "
            f"past its point of no return since {obstacle.since}; {FOLLOW_ON}",
            words=_too_late(obstacle),
        )
    ]


def _cannot_come_back(obstacle: Obstacle) -> str:
    gone = f"was given back at {obstacle.since}" if obstacle.since else "would have to be given back first"
    return (
        f"{obstacle.task} ({obstacle.silo}) cannot be put back as it was: {obstacle.identity} {gone}, "
        f"and {obstacle.silo} cannot be asked for it again"
    )


_GONE: Final = Sentence("{title}: {identity} cannot be had back")
_TOO_LATE: Final = Sentence("{title}: it is too late for a change. What is to be different needs a new order")
_TOO_LATE_SINCE: Final = Sentence(
    "{title}: it is too late for a change since {at}. What is to be different needs a new order"
)


def _too_late(obstacle: Obstacle) -> Wording:
    if obstacle.identity:
        return _GONE(title=obstacle.title, identity=obstacle.identity)
    if obstacle.since:
        return _TOO_LATE_SINCE(title=obstacle.title, at=_moment(obstacle.since))
    return _TOO_LATE(title=obstacle.title)


_COSTS: Final = {
    Effect.AMENDED: Sentence("{title}: {begun}, and has to be changed, which costs {fee}"),
    Effect.REPLACED: Sentence("{title}: {begun}, and has to be made anew, which costs {fee}"),
}
_UNDOING_COSTS: Final = Sentence("{title}: {begun}, and has to be taken back, which costs {fee}")
_BEGUN: Final = Sentence("this was under way already")
_BEGUN_SINCE: Final = Sentence("this was under way already since {at}")


def fee_in_words(obstacle: Obstacle) -> Wording:
    """Why a customer pays for a change."""
    fee = of_money(obstacle.fee) if obstacle.fee is not None else NOTHING()
    begun = _BEGUN_SINCE(at=_moment(obstacle.since)) if obstacle.since else _BEGUN()
    return _COSTS.get(obstacle.effect, _UNDOING_COSTS)(title=obstacle.title, begun=begun, fee=fee)


def _moment(written: str) -> str:
    return moment(datetime.fromisoformat(written))


def too_late_to_promise(change: ChangeRequest, now: datetime) -> Reason | None:
    """Why the date that a change of the promise asks for cannot be promised."""
    if change.promised_at is None or change.promised_at > now:
        return None
    message = f"{moment(change.promised_at)} is past: what is promised has to be still to come"
    return Reason(code="past_date", message=message)


def not_let_go(silo: str, fact: Fact) -> list[Reason]:
    """What refuses a change once a silo that was asked to let go of something has not, or is past its milestone."""
    if fact.refusal is not None:
        why = f"{fact.refusal.code}, {fact.refusal.reason}"
    else:
        why = "it is done meanwhile" if fact.established else f"it has reached {', '.join(fact.milestones)} meanwhile"
    return reasons_about("not_let_go", fact, f"{silo} does not let go of {fact.task}: {why}")


def reasons_about(code: str, subject: Obstacle | Fact, message: str, words: Words = "") -> list[Reason]:
    """A reason about a task, once for each item that it serves; a task may serve the order alone."""
    return [
        Reason(code=code, message=message, item=item, task=subject.task, words=words)
        for item in subject.items or (None,)
    ]


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
