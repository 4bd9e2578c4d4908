"""Whether what performed scripts have left behind is right: silos, journals, verdicts, and the work it took."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue
from temporalio.client import WorkflowQueryFailedError
from temporalio.service import RPCError

from catalog_loader.catalog_files import read_catalog
from orders.change.request import ChangeKind, ChangeState
from orders.model.catalog import Catalog
from orders.read_model.states import LifecycleState
from orders.read_model.views import OrderView
from simulated_silos.compare import Canonical, differences
from simulated_silos.silo.model import JournalEntry, Outcome, Service, ServiceState
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
from tests.soak.counting import done_for_nothing, failed_tasks
from tests.soak.judges.followers import installed, of_installed, of_turns, way_of
from tests.soak.judges.identities import fees_of, of_fees, of_identities
from tests.soak.performed import Performed
from tests.soak.random_histories.scripts import LATER, REFUSED
from tests.soak.script import Lose

_FINAL = (ChangeState.APPLIED, ChangeState.REJECTED, ChangeState.SUPERSEDED)
_EXPECTED_REFUSALS = (REFUSED, LATER, "work_failed", "unknown_service")


async def judge(pipe: StackPipe, performed: Sequence[Performed]) -> list[list[str]]:
    """For each performed script, everything that is wrong with what it left behind, a readable line each.

    Empties the silos, and uses them for fresh orders of what the orders have come to ask for.
    """
    judged = _Judged(
        pipe, read_catalog(pipe.settings.catalog_dir), await all_held(pipe), _by_order(await read_journal(pipe))
    )
    flaws = [await judged.flaws(each) for each in performed]
    completed = [number for number, each in enumerate(performed) if each.order in judged.completed]
    contents = [_honest(judged.completed[performed[number].order].content) for number in completed]
    fresh = await left_by_fresh_orders(pipe, contents)
    for number, expected in zip(completed, fresh, strict=True):
        flaws[number] += differences(judged.left[performed[number].order], expected)
    return flaws


@dataclass
class _Judged:
    """What the silos held and were asked for in the end, and what is known of the orders judged so far."""

    pipe: StackPipe
    catalog: Catalog
    held: Mapping[str, Sequence[Service]]
    journal: Mapping[str, Sequence[JournalEntry]]
    left: dict[str, Canonical] = field(default_factory=dict)
    completed: dict[str, Ended] = field(default_factory=dict)

    async def flaws(self, performed: Performed) -> list[str]:
        """All that is wrong, but for a comparison with a fresh order."""
        trouble = [each.trouble for each in performed.all() if each.trouble] + performed.bad_answers
        try:
            for each in performed.all():
                if each.order and not each.turned_away:
                    trouble += await failed_tasks(self.pipe.client, each.order)
            if trouble:
                return trouble
            views = [await self._view(each) for each in performed.all() if not each.turned_away]
            for_nothing = [flaw for view in views for flaw in await self._done_for_nothing(view)]
            silos = self._of_followers if performed.followers else self._of_order
            silos_and_turns = await silos(performed, views)
        except (RPCError, WorkflowQueryFailedError, AssertionError) as error:
            return [f"cannot be asked how it ended: {error}"]
        with_workflow = [each for each in performed.all() if not each.turned_away]
        verdicts = [flaw for each, view in zip(with_workflow, views, strict=True) for flaw in _of_verdicts(each, view)]
        journal = self._journal_of(performed)
        fees = [flaw for view in views for flaw in of_fees(view.changes, fees_of(view.id, self.held), journal)]
        return [*verdicts, *_of_journal(journal), *for_nothing, *silos_and_turns, *fees]

    async def _view(self, performed: Performed) -> OrderView:
        return await self.pipe.view(performed.order)

    async def _done_for_nothing(self, view: OrderView) -> list[str]:
        moved_at = [datetime.fromisoformat(verdict.decided_at) for verdict in view.changes if verdict.decided_at]
        return await done_for_nothing(self.pipe.client, view.id, moved_at)

    def _journal_of(self, performed: Performed) -> list[JournalEntry]:
        entries = [entry for each in performed.all() for entry in self.journal.get(each.order, ())]
        return sorted(entries, key=lambda entry: entry.seq)

    async def _of_order(self, performed: Performed, views: Sequence[OrderView]) -> list[str]:
        """Of an order that nobody followed, what it left behind."""
        [view] = views
        ended = await ended_order(self.pipe, performed.order)
        return list(self._of_silos(performed, view, ended))

    async def _of_followers(self, performed: Performed, views: Sequence[OrderView]) -> list[str]:
        """Of an order and those that followed it, whether they took turns, and what they left behind together."""
        ways = [await way_of(self.pipe, each.order) for each in performed.all()]
        products = await asyncio.to_thread(installed, self.pipe, performed)
        with_workflow = [each for each in performed.all() if not each.turned_away]
        left_alone = {
            service for each, view in zip(with_workflow, views, strict=True) for service in _written_off(each, view)
        }
        return [
            *(flaw for way in ways for flaw in way.flaws()),
            *of_turns(performed.followers, ways[1:], products, self._journal_of(performed)),
            *of_installed(products, self.held, ways, left_alone),
            *of_identities(products, ways, self._journal_of(performed)),
        ]

    def _of_silos(self, performed: Performed, view: OrderView, ended: Ended) -> Iterator[str]:
        written_off = _written_off(performed, view)
        held = {
            silo: [service for service in services if service.id not in written_off]
            for silo, services in self.held.items()
        }
        for silo, services in held.items():
            for service in services:
                if service.order == performed.order and service.state is not ServiceState.ACTIVE:
                    yield f"{silo} holds {service.id}, which is {service.state}, though its order has ended"
        left = self.left[performed.order] = left_by(held, performed.order)
        if ended.state == LifecycleState.COMPLETED:
            self.completed[performed.order] = ended
        if ended.state == LifecycleState.CANCELLED:
            yield from (f"was cancelled, and left {holding}" for holding in left)
            yield from _of_order(self.catalog, performed, view, self.journal.get(performed.order, ()))


def _honest(content: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """What was asked for, without what hostile messages hung on it."""
    return {name: value for name, value in content.items() if not name.startswith("hostile")}


def _by_order(journal: Iterable[JournalEntry]) -> dict[str, list[JournalEntry]]:
    found: defaultdict[str, list[JournalEntry]] = defaultdict(list)
    for entry in journal:
        found[entry.order or ""].append(entry)
    return found


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
    turned_down = performed.script.order.get("waitForProducts") and view.state is LifecycleState.REJECTED
    if view.state is not wanted and not (turned_down and not cancelled):
        yield f"is {view.state}, not {wanted}"
    yield from of_promise(view)


def of_promise(view: OrderView) -> Iterator[str]:
    """What a person has promised holds, unless the customer chose other dates after it."""
    moving = (ChangeKind.CHANGE_PROMISE, ChangeKind.RESCHEDULE, ChangeKind.AMEND)
    moved = [change for change in view.changes if change.kind in moving and change.state is ChangeState.APPLIED]
    if moved and moved[-1].promised_at not in (None, view.promised_at):
        yield f"is promised for {view.promised_at}, and not for {moved[-1].promised_at} by {moved[-1].request_id}"


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
