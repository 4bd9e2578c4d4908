"""Whether what identifies things is what it was, and whether fees are billed once, for what they were accepted for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from orders.change.impact import Effect
from orders.change.request import ChangeState, Verdict
from orders.model.plan import BILLING
from orders.planning.installed import InstalledProduct
from orders.read_model.states import LifecycleState
from simulated_silos.silo.model import JournalEntry, Outcome, Service
from tests.soak.judges.followers import Way


def of_identities(
    products: Iterable[InstalledProduct], ways: Iterable[Way], journal: Sequence[JournalEntry]
) -> Iterator[str]:
    """What an order that was cancelled has made anew, and has not asked for by its value: it is another one now."""
    cancelled = {way.order for way in ways if way.states[-1:] == (LifecycleState.CANCELLED,)}
    made = {entry.id: entry for entry in journal if entry.verb == "provision" and entry.outcome is Outcome.APPLIED}
    for product in products:
        ledger = product.holding.ledger
        for fact in ledger.all_facts():
            operation = ledger.operations[fact.operation]
            entry = made.get(f"{fact.task}/{fact.generation}")
            if entry is None or entry.order not in cancelled or not operation.identities:
                continue
            asked = operation.asked_outputs(entry.inputs)
            if asked != {name: fact.outputs[name] for name in operation.identities}:
                yield f"{entry.order} was cancelled, and left another {fact.task}: it asked for {asked}"


def of_fees(verdicts: Iterable[Verdict], billed: Iterable[Service], journal: Sequence[JournalEntry]) -> Iterator[str]:
    """Fees that nobody accepted, that are billed twice, or not at all though what they pay for was undone."""
    applied = {verdict.request_id: verdict for verdict in verdicts if verdict.state is ChangeState.APPLIED}
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for charge in billed:
        sums[str(charge.characteristics["change"])] += Decimal(str(charge.characteristics["amount"]))
    for change, amount in sums.items():
        accepted = _fees(applied.get(change))
        if amount > accepted:
            yield f"{change} is billed {amount}, accepted was {accepted}"
    last = max(applied.values(), key=lambda verdict: verdict.decided_at, default=None)
    if last is not None and last.impact is not None:
        owed = Decimal(
            sum(
                obstacle.fee.amount
                for obstacle in last.impact.obstacles
                if obstacle.fee is not None and not obstacle.accepted
                if obstacle.effect is not Effect.AMENDED and _undone(obstacle.task, last.decided_at, journal)
            )
        )
        if sums[last.request_id] < owed:
            yield f"{last.request_id} is billed {sums[last.request_id]}, and owes {owed}"


def fees_of(order: str, held: Mapping[str, Sequence[Service]]) -> list[Service]:
    """The fees that silos have billed for an order."""
    charges = [service for services in held.values() for service in services if service.task.endswith(f"/{BILLING}")]
    assert not [task for task, times in Counter(charge.task for charge in charges).items() if times > 1]
    return [charge for charge in charges if charge.characteristics["order"] == order]


def _fees(verdict: Verdict | None) -> Decimal:
    fees = verdict.impact.fees if verdict is not None and verdict.impact is not None else ()
    return Decimal(sum(fee.amount for fee in fees))


def _undone(task: str, since: str, journal: Sequence[JournalEntry]) -> bool:
    return any(
        entry.verb in ("compensate", "compensate.done") and entry.outcome is Outcome.APPLIED and entry.time >= since
        for entry in journal
        if entry.id is not None and entry.id.rsplit("/", 1)[0] == task
    )
