"""Whether what performed scripts have left behind is right: silos, journals, verdicts, and the work it took."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from activities.catalog_files import read_catalog
from orders.catalog import Catalog
from orders.change import ChangeKind, ChangeState, Verdict
from orders.states import LifecycleState
from orders.views import OrderView
from silos.compare import differences
from silos.model import JournalEntry, Outcome, ServiceState
from tests.e2e.comparison import (
    Ended,
    all_held,
    done_twice,
    ended_order,
    left_by,
    left_by_fresh_orders,
    read_journal,
    refused,
)
from tests.e2e.running import StackPipe
from tests.e2e.undoing import undone_too_early
from tests.soak.counting import done_for_nothing
from tests.soak.performing import Performed
from tests.soak.random_scripts import REFUSED
from tests.soak.script import Lose

_FINAL = (ChangeState.APPLIED, ChangeState.REJECTED, ChangeState.SUPERSEDED)
_EXPECTED_REFUSALS = (REFUSED, "work_failed", "unknown_service")


async def judge(pipe: StackPipe, performed: Sequence[Performed]) -> list[list[str]]:
    """For each performed script, everything that is wrong with what it left behind, a readable line each.

    Empties the silos, and uses them for fresh orders of what the orders have come to ask for.
    """
    flaws: list[list[str]] = [[each.trouble] if each.trouble else [] for each in performed]
    whole = [number for number, each in enumerate(performed) if not each.trouble]
    journal: defaultdict[str, list[JournalEntry]] = defaultdict(list)
    for entry in await read_journal(pipe):
        journal[entry.order or ""].append(entry)
    held = await all_held(pipe)
    catalog = read_catalog(pipe.settings.catalog_dir)
    ended: dict[int, Ended] = {}
    left = {}
    for number in whole:
        script = performed[number]
        view, ended[number] = await asyncio.gather(pipe.view(script.order), ended_order(pipe, script.order))
        written_off = _written_off(script, view)
        its = {
            silo: [service for service in services if service.id not in written_off] for silo, services in held.items()
        }
        left[number] = left_by(its, script.order)
        flaws[number] += [
            *_of_verdicts(script, view),
            *_of_journal(journal[script.order]),
            *(
                f"{silo} holds {service.id}, which is {service.state}, though its order has ended"
                for silo, services in its.items()
                for service in services
                if service.order == script.order and service.state is not ServiceState.ACTIVE
            ),
            *await done_for_nothing(pipe.client, script.order, _instants(view.changes)),
        ]
        if ended[number].state == LifecycleState.CANCELLED:
            flaws[number] += [f"was cancelled, and left {holding}" for holding in left[number]]
            flaws[number] += _of_order(catalog, script, view, journal[script.order])
    completed = [number for number in whole if ended[number].state == LifecycleState.COMPLETED]
    fresh = await left_by_fresh_orders(pipe, [ended[number].content for number in completed])
    for number, expected in zip(completed, fresh, strict=True):
        flaws[number] += differences(left[number], expected)
    return flaws


def _written_off(performed: Performed, view: OrderView) -> set[str]:
    applied = {verdict.request_id for verdict in view.changes if verdict.state is ChangeState.APPLIED}
    return {service for request, left in performed.written_off.items() if request in applied for service in left}


def _of_verdicts(performed: Performed, view: OrderView) -> Iterator[str]:
    """Every change that was taken in is decided once, and what was told at once stays true."""
    verdicts = {verdict.request_id: verdict for verdict in view.changes}
    for request_id, told in performed.asked.items():
        verdict = verdicts.get(request_id)
        if verdict is None:
            yield f"{request_id} was taken in, and never decided"
        elif verdict.state not in _FINAL:
            yield f"{request_id} is {verdict.state}, though the order has ended"
        elif told in ("rejected", "applied", "superseded") and verdict.state != told:
            yield f"{request_id} was {told} first, then {verdict.state}"
        elif told == "accepted" and verdict.state is not ChangeState.APPLIED:
            yield f"{request_id} was accepted first, then {verdict.state}"
    for verdict in view.changes:
        if any(reason.code == "planning_failed" for reason in verdict.reasons):
            yield f"{verdict.request_id} could not be planned: {verdict.reasons}"
    cancels = [verdict for verdict in view.changes if verdict.kind is ChangeKind.CANCEL]
    cancelled = any(verdict.state is ChangeState.APPLIED for verdict in cancels)
    wanted = LifecycleState.CANCELLED if cancelled else LifecycleState.COMPLETED
    if view.state is not wanted:
        yield f"is {view.state}, not {wanted}"


def _instants(verdicts: Sequence[Verdict]) -> list[datetime]:
    return [datetime.fromisoformat(verdict.decided_at) for verdict in verdicts if verdict.decided_at]


def _of_journal(journal: Sequence[JournalEntry]) -> Iterator[str]:
    """Effects applied twice, refusals that nobody asked for, amendments that change nothing."""
    yield from done_twice(journal)
    yield from refused(entry for entry in journal if entry.code not in _EXPECTED_REFUSALS)
    inputs: dict[str, Mapping[str, object]] = {}
    for entry in journal:
        if entry.outcome is Outcome.APPLIED and entry.id and entry.verb in ("provision", "amend"):
            if entry.verb == "amend" and entry.inputs == inputs.get(entry.id):
                yield f"{entry.silo}.amend {entry.key} changes nothing"
            inputs[entry.id] = entry.inputs


def _of_order(catalog: Catalog, performed: Performed, view: OrderView, journal: Sequence[JournalEntry]) -> list[str]:
    """What was undone before what stood on it: only where it was asked for all at once, and nothing got lost."""
    at_once = view.revision == 1 and not performed.written_off
    whole = not any(isinstance(step, Lose) for step in performed.script.steps)
    return undone_too_early(catalog, journal) if at_once and whole else []
