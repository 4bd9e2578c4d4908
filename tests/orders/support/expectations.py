"""What holds of every order, however it went: legal moves, products left verbatim, and what is held in the end."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from dataclasses import replace

from pydantic import JsonValue

from orders.change.impact import Effect
from orders.change.request import ChangeState
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.catalog import Catalog, OnChange, Undo
from orders.model.order import Item, OrderRequest, Revision
from orders.model.plan import BILLING, Plan, product_of
from orders.model.values import Action, Inputs
from orders.planning.capture import Baseline, capture
from orders.planning.decompose import decompose
from orders.read_model.records import EventKind, OrderEvent, OrderRecord, Transition
from orders.read_model.states import ITEM_MOVES, ORDER_MOVES, LifecycleState
from orders.reconcile.ledger import FactId, Ledger, operation_name
from orders.reconcile.reconciler import Reconciler
from tests.orders.support.driving import ordered_alone
from tests.orders.support.random_catalogs import as_ordered_anew


def assert_legal_to_the_end(records: list[OrderRecord]) -> None:
    """What was recorded are legal moves of each item and of the order, from its beginning to where it stands now."""
    told: dict[int, Transition] = {}
    events: dict[int, OrderEvent] = {}
    for record in records:
        for transition in record.transitions:
            assert told.setdefault(transition.number, transition) == transition
        for event in record.events:
            assert events.setdefault(event.number, event) == event
    assert sorted(told) == list(range(1, len(told) + 1))
    assert sorted(events) == list(range(1, len(events) + 1))
    stands: dict[str | None, LifecycleState] = {}
    for _, transition in sorted(told.items()):
        if transition.milestone is not None:
            assert transition.before is transition.after is stands[None]
            continue
        moves = ORDER_MOVES if transition.item is None else ITEM_MOVES
        assert transition.before is stands.get(transition.item)
        assert transition.after in moves[transition.before]
        assert transition.cause
        stands[transition.item] = transition.after
    view = records[-1].view
    assert stands == {None: view.state} | {item.id: item.state for item in view.items}
    assert events[1].kind is EventKind.CREATED
    announced: dict[str, JsonValue] = {item: LifecycleState.ACKNOWLEDGED.value for item in stands if item is not None}
    state: JsonValue = LifecycleState.ACKNOWLEDGED.value
    for _, event in sorted(events.items()):
        if event.kind is EventKind.STATE_CHANGED:
            state = event.data["state"]
            items = event.data.get("items", {})
            assert isinstance(items, dict)
            announced.update(items)
    assert announced | {"": state} == {item.id: item.state.value for item in view.items} | {"": view.state.value}


_ACCEPTED = (ChangeState.ACCEPTED, ChangeState.APPLIED)


def assert_same_things(found: Ledger, ledger: Ledger, but_for: set[str]) -> None:
    """What was found is the same thing by what identifies it, but for what got lost or a person wanted anew.

    So may be what refers to that. What a person waived is not there.
    """
    for fact in found.all_facts():
        if fact.task in ledger.waived and fact.task not in ledger.facts:
            continue
        operation, (now,) = found.operations[fact.operation], ledger.facts[fact.task].values()
        follows = bool(but_for) and not operation.is_same_thing(fact.inputs, now.inputs)
        if fact.task not in but_for and not follows:
            changed = [name for name in operation.identities if now.outputs[name] != fact.outputs[name]]
            assert not changed, f"{fact.task} was {fact.outputs}, and is {now.outputs}"


def assert_fees_billed_once(
    order: Fulfilment, undone: set[FactId], amended: dict[FactId, list[Inputs]], lost: set[str]
) -> None:
    """Each accepted fee is charged to its change, and billed once if the undo came about, else not at all.

    What a silo has `lost` by itself nobody pays for, also where it says later that it has undone it.
    """
    charges, ledger = order.carried.charges, order.reconciler.ledger
    for verdict in order.verdicts.values():
        fees = verdict.impact.fees if verdict.impact is not None and verdict.state in _ACCEPTED else ()
        charged = [charge.money.amount for charge in charges if charge.change == verdict.request_id]
        assert sum(charged) == sum(money.amount for money in fees), f"{verdict.request_id} costs {fees}, not {charged}"
    for fact in {charge.fact for charge in charges}:
        about = [charge for charge in charges if charge.fact == fact]
        due = [charge for charge in about if charge.due]
        on_change = ledger.operations[operation_name(fact[0])].on_change
        other = any(
            on_change.get(name) is not OnChange.KEEP and inputs.get(name) != about[-1].inputs.get(name)
            for inputs in amended.get(fact, [])
            for name in {**inputs, **about[-1].inputs}
        )
        # A thing is let go of once, but may be amended again and again: each time for a fee of its own.
        undoes = [charge for charge in due if charge.effect is not Effect.AMENDED]
        assert len(undoes) <= 1, f"the undo of {fact} is paid for twice: {due}"
        assert len(due) - len(undoes) <= len(amended.get(fact, [])), (
            f"{fact} is not amended as often as paid for: {due}"
        )
        assert not due or fact in undone or other, f"{due} is due for what was never undone"
        assert due or fact not in undone or fact[0] in lost, (
            f"the undo of {fact} came about, and none of {about} is due"
        )
        assert due or about[-1].forgone, f"{about} is neither due nor forgone"
    billed = sorted(str(fact.inputs["change"]) for fact in ledger.all_facts() if fact.operation == BILLING)
    # A person may waive the bill itself.
    assert billed == sorted(charge.change for charge in charges if charge.due and charge.task not in ledger.waived)


def assert_at_rest(found: Baseline) -> None:
    """What orders leave installed is just what its tasks ask for: nothing is to be done about it."""
    reconciler = Reconciler(found.plan, deepcopy(found.ledger))
    assert reconciler.next_steps() == []
    assert reconciler.settled


def assert_verbatim(found: Baseline, revision: Revision, plan: Plan) -> None:
    """Where nothing is ceased, what an order leaves alone keeps its tasks."""
    if any(item.action is Action.DELETE for item in revision.items):
        return
    for item in revision.items:
        if item.action is Action.NO_CHANGE:
            own = [
                {key: replace(task, items=()) for key, task in given.tasks.items() if task.product == item.products[0]}
                for given in (found.plan, plan)
            ]
            assert own[0] == own[1]


def assert_untouched_verbatim(before: Revision, plan: Plan, after: Revision, following: Plan) -> None:
    """Products of items that a revision leaves alone, with all that they stand beside, keep their tasks verbatim."""
    touched = {
        item.id
        for revision in (before, after)
        for item in revision.items
        if before.item(item.id) != after.item(item.id)
    }
    products = {product for item in (*before.items, *after.items) if item.id in touched for product in item.products}
    for item in before.items:
        if _stands_on(products, item, plan) or _stands_on(products, item, following):
            continue
        if not touched & _beside(before, item) and not touched & _beside(after, item):
            for product in item.products:
                own = [
                    {key: task for key, task in given.tasks.items() if key.startswith(f"{product}/")}
                    for given in (plan, following)
                ]
                assert own[0] == own[1]


def _stands_on(products: set[str], item: Item, plan: Plan) -> bool:
    """True where something of an item waits for a task of one of these products, whatever links their items.

    Components of a bundle that has ceased, of which one stood on the other, are not related in any other way. If the
    one is touched, the other has to move off it.
    """
    own = [task for task in plan.tasks.values() if task.product in item.products]
    return any(product_of(other) in products for task in own for other in task.depends_on)


def _beside(revision: Revision, item: Item) -> set[str]:
    """The items that an item is linked with, by bundles and reliance, in both directions."""
    linked = {item.id}
    while True:
        more = {other.id for other in revision.items if other.parent in linked or linked.intersection(other.relies_on)}
        for other in revision.items:
            if other.id in linked:
                more.update(other.relies_on, [other.parent] if other.parent else [])
        if more <= linked:
            return linked
        linked |= more


def assert_as_captured_anew(catalog: Catalog, revision: Revision, reconciler: Reconciler) -> None:
    """The ledger is that of a new order for the final revision, after renaming products and generations."""
    if not revision.items:
        assert all(key.endswith(BILLING) for key in reconciler.ledger.facts)
        return
    request = OrderRequest(external_id="x", channel="web", customer_id="c", items=as_ordered_anew(revision))
    anew = capture(catalog, request, "o")
    names = {
        product: new
        for item in revision.items
        for product, new in zip(item.products, _item(anew, item.id).products, strict=True)
    }
    plan = decompose(catalog, "o", anew)
    fresh = ordered_alone(plan)
    keys = [key for key in reconciler.plan.tasks if not key.endswith(BILLING)]
    assert renamed(list[JsonValue](keys), names) == sorted(plan.tasks)
    waived = [str(renamed(key, names)) for key in reconciler.ledger.waived.keys() & set(keys)]
    alone = {key: inputs for key, inputs in held(fresh.ledger, plan).items() if key not in waived}
    assert renamed(held(reconciler.ledger, reconciler.plan), names) == renamed(alone, {})


def _item(revision: Revision, item_id: str) -> Item:
    item = revision.item(item_id)
    assert item is not None
    return item


def held(ledger: Ledger, plan: Plan) -> dict[str, JsonValue]:
    """What is held of a plan, by task key. Spent operations, inputs to keep and the order of items do not count."""
    found: dict[str, JsonValue] = {}
    for key, task in plan.tasks.items():
        operation = plan.operation(task)
        if operation.name == BILLING or key in ledger.waived:
            continue
        (fact,) = ledger.facts[key].values()
        assert {other: ledger.facts[other].keys() for other in fact.built_on} == {
            other: {generation} for other, generation in fact.built_on.items()
        }
        if operation.undo is Undo.ALWAYS:
            kept: Inputs = {
                name: value for name, value in fact.inputs.items() if operation.on_change.get(name) is not OnChange.KEEP
            }
            found[key] = kept
    return found


def renamed(value: JsonValue, names: dict[str, str]) -> JsonValue:
    """The same value with products renamed, lists sorted, and the generations of silos' outputs left out."""
    text = json.dumps(value)
    if names:
        known = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
        text = re.sub(rf"({known})(?![0-9])", lambda match: names[match[1]], text)
    return _sorted(json.loads(re.sub(r'/[0-9]+(#[0-9]+)?"', '"', text)))


def _sorted(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _sorted(part) for name, part in value.items()}
    return sorted(value, key=str) if isinstance(value, list) else value
