"""From an order in flight to what it tells: summaries, records, pages of its plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.order import Item, Reason
from orders.read_model.records import ChargeRecord, OrderRecord
from orders.read_model.states import LifecycleState, TaskState, task_state
from orders.read_model.views import (
    FactView,
    FalloutView,
    FeeState,
    FeeView,
    GivenView,
    ItemView,
    OrderView,
    PlanPage,
    SiloView,
    TaskView,
)
from orders.reconcile.ledger import Fact
from orders.reconcile.target import TaskStatus
from orders.tracking.answering import answer
from orders.tracking.endangered import jeopardy_of
from orders.tracking.fallout import id_of, refused_calls
from orders.tracking.installed_products import installed_products
from orders.tracking.observation import NOTHING_AHEAD, Ahead, awaited_s, foresee, told_ahead
from orders.tracking.timelining import recorded_timeline

END_UNRECORDED: Final = "end_unrecorded"
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_UNRECORDED: Final = (
    "Everything is done. The register has yet to write that down: until then the order is not told as ended, "
    "and nothing can be ordered on what it leaves"
)


def order_view(order: Fulfilment, now: datetime) -> OrderView:
    """The order in summary as everybody is told it."""
    problems = tuple(order.problems.values())
    if order.ending:
        problems = (*problems, Reason(code=END_UNRECORDED, message=_UNRECORDED))
    view = _view(order, now, ended=order.carried.end_recorded)
    return view.model_copy(update={"problems": problems, "ending": order.ending})


def _view(order: Fulfilment, now: datetime, *, ended: bool) -> OrderView:
    start, revision, ahead = order.start, order.revision, told_ahead(order, now)
    items = item_views(order, ahead)
    if order.carried.rejected and not ended:  # They are told as rejected with their order.
        items = [item.model_copy(update={"state": LifecycleState.ACKNOWLEDGED}) for item in items]
    return OrderView(
        id=start.order_id,
        external_id=start.external_id,
        customer_id=revision.customer_id,
        channel=revision.channel,
        state=order.state if ended else order.told_state,
        revision=revision.number,
        catalog=start.catalog,
        ordered_at=start.ordered_at,
        requested_start=revision.requested_start,
        requested_completion=revision.requested_completion,
        promised_at=order.promised_at,
        expected_at=ahead.expected,
        completed_at=order.carried.completed_at if ended else None,
        in_jeopardy=ahead.in_jeopardy,
        items=tuple(items),
        silos=tuple(silo_views(order)),
        fallout=tuple(fallout_views(order)),
        changes=order.log,
        appointments=revision.appointments,
        priority=revision.priority,
        fees=tuple(fee_views(order)),
        given=tuple(given_views(order)),
        safe_at=ahead.safe,
        percent_complete=percent_complete(order, now),
        jeopardy=jeopardy_of(order, ahead.level, ahead.decides, now, _endangered_since(order, ahead, now)),
        reasons=order.reasons,
        document=order.document,
        submitted=start.document,
        answer=answer(order, ahead.decides, ended=ended),
    )


def _endangered_since(order: Fulfilment, ahead: Ahead, now: datetime) -> datetime | None:
    carried = order.journal.carried
    return carried.jeopardy_since if ahead.level is carried.jeopardy else now


def order_record(order: Fulfilment, now: datetime) -> OrderRecord:
    """Everything that the register does not know yet.

    From here on it counts as on its way there.
    """
    journal, ended = order.journal, order.carried.completed_at is not None
    foresee(order, now)
    record = OrderRecord(
        version=journal.carried.version + 1,
        # Without its problems: what stands in the way now is over, or another thing, once this is read.
        view=_view(order, now, ended=ended),
        # What one that waits asks for is no revision yet, but what stands where its first one will.
        revisions=() if order.waits else tuple(order.carried.revisions[journal.carried.revisions :]),
        transitions=tuple(journal.carried.transitions),
        events=tuple(journal.carried.events),
        charges=tuple(charge_records(order)),
        products=installed_products(order, now) if ended else (),
        fallout=journal.carried.kept.told(),
        timeline=tuple(recorded_timeline(order, now)) if ended else (),
    )
    journal.begin_record()
    return record


def percent_complete(order: Fulfilment, now: datetime) -> int | None:
    """How much of the work is done, by the time that it takes as a rule. What was found done is no work."""
    if order.waits or order.cancelled:
        return None
    course, total, done = order.carried.course, 0.0, 0.0
    for key, task in order.plan.tasks.items():
        in_place = order.is_in_place(key)
        if in_place and key not in course:
            continue
        takes_s = order.plan.takes(task).likely_s or 1.0
        total += takes_s
        done += takes_s if in_place else min(awaited_s(order, key, now), 0.9 * takes_s)
    return int(100 * done / total) if total else 100


def charge_records(order: Fulfilment) -> list[ChargeRecord]:
    """The fees of accepted changes."""
    return [
        ChargeRecord(
            task=charge.task,
            change=charge.change,
            money=charge.money,
            billed=order.is_in_place(charge.task),
            forgone=charge.forgone,
        )
        for charge in order.carried.charges
    ]


def fee_views(order: Fulfilment) -> list[FeeView]:
    """The fees of accepted changes, for people."""
    return [
        FeeView(change=charge.change, fee=charge.money, state=_fee_state(charge)) for charge in charge_records(order)
    ]


def _fee_state(charge: ChargeRecord) -> FeeState:
    if charge.billed:
        return FeeState.BILLED
    return FeeState.NOT_OWED if charge.forgone else FeeState.PENDING


def item_views(order: Fulfilment, ahead: Ahead = NOTHING_AHEAD) -> list[ItemView]:
    """Every item that the order ever named, in order of first appearance, as it last was."""
    progress, amended = order.progress, order.carried.amended
    likely, safe = (
        _by_item(order, ends) if ahead.expected is not None else {} for ends in (ahead.tasks.likely, ahead.tasks.safe)
    )
    return [
        _item_view(item, order.state_of(item.id), progress.tasks_of(item.id), amended.get(item.id, ())).model_copy(
            update={"expected_at": likely.get(item.id), "safe_at": safe.get(item.id)}
        )
        for item in progress.items.values()
    ]


def _by_item(order: Fulfilment, ends: Mapping[str, datetime]) -> dict[str, datetime]:
    """When the last task of each item is done, as far as any is to come; of a bundle, that of what is in it."""
    items, found = order.progress.items, dict[str, datetime]()
    for key, end in ends.items():
        if order.is_in_place(key):
            continue
        for item_id in order.progress.items_of(key):
            at: str | None = item_id
            while at is not None and found.get(at, _FIRST) < end:
                found[at] = end
                at = items[at].parent if at in items else None
    return found


def _item_view(item: Item, state: LifecycleState, states: Counter[TaskState], amended: tuple[str, ...]) -> ItemView:
    return ItemView(
        id=item.id,
        offering=item.offering,
        action=item.action,
        state=state,
        quantity=item.quantity,
        products=item.products,
        characteristics=item.characteristics,
        site=item.site,
        parent=item.parent,
        relies_on=item.relies_on,
        status=item.status,
        billing_account=item.billing_account,
        amended=amended,
        tasks=states.total(),
        tasks_done=states[TaskState.DONE],
    )


def _tasks_with_items(order: Fulfilment) -> dict[str, tuple[str, ...]]:
    """The items that each task serves: those of the target, of facts that it does not know any more, and of calls."""
    progress = order.progress
    keys = [*order.plan.tasks, *order.reconciler.ledger.facts, *(task for task, _ in order.reconciler.calls)]
    return {key: progress.items_of(key) for key in dict.fromkeys(keys)}


def silo_views(order: Fulfilment) -> list[SiloView]:
    """How far each silo has come."""
    return [
        SiloView(
            silo=silo,
            tasks=sum(counts.values()),
            done=counts[TaskStatus.IN_PLACE],
            fallout=counts[TaskStatus.FALLOUT],
        )
        for silo, counts in sorted(order.tally().items())
    ]


def given_views(order: Fulfilment) -> list[GivenView]:
    """What silos hold of the order that people know by a number or the like."""
    ledger = order.reconciler.ledger
    told = {name for name, operation in ledger.operations.items() if operation.shown}
    return [
        GivenView(
            task=fact.task,
            silo=ledger.operations[fact.operation].silo,
            name=name,
            value=value,
            items=order.progress.items_of(fact.task),
            since=fact.since,
        )
        for fact in (ledger.all_facts() if told else ())
        if fact.operation in told and fact.established
        for name, value in ledger.operations[fact.operation].told(fact.outputs).items()
    ]


def fallout_views(order: Fulfilment) -> list[FalloutView]:
    """What waits for a person, and why."""
    return [
        FalloutView(
            id=id_of(order, refused),
            task=task,
            silo=order.silo_of(task),
            verb=refused.refusal.verb,
            code=refused.refusal.code,
            reason=refused.refusal.reason,
            since=refused.refusal.at,
        )
        for task in sorted(order.reconciler.fallout)
        for refused in refused_calls(order, task)
    ]


def plan_page(order: Fulfilment, offset: int, limit: int) -> PlanPage:
    """A page of the order's tasks: those of the target first, then what is still to be undone."""
    tasks = _tasks_with_items(order)
    page = [_task_view(order, key, items) for key, items in islice(tasks.items(), offset, offset + limit)]
    following = offset + len(page)
    return PlanPage(tasks=tuple(page), total=len(tasks), next_offset=following if following < len(tasks) else None)


def _task_view(order: Fulfilment, key: str, items: tuple[str, ...]) -> TaskView:
    task = order.plan.tasks.get(key)
    ledger = order.reconciler.ledger
    operation = ledger.operation_of(key)
    return TaskView(
        key=key,
        silo=operation.silo,
        operation=operation.operation,
        state=task_state(order.reconciler, key),
        items=items,
        builds_on=task.builds_on if task else (),
        after=task.after if task else (),
        facts=tuple(_fact_view(fact) for fact in ledger.facts.get(key, {}).values()),
    )


def _fact_view(fact: Fact) -> FactView:
    state = (
        "residue"
        if fact.compensation_refused
        else "unknown"
        if fact.outcome_unknown
        else "waiting"
        if fact.waiting
        else "held"
    )
    return FactView(
        generation=fact.generation,
        state=state,
        inputs=fact.desired_inputs,
        outputs=fact.outputs,
        built_on=fact.built_on,
        since=fact.since,
    )
