"""Random orders on random catalogs, amended and cancelled at random moments, over silos with random faults.

Each settles as its final revision, captured anew and ordered alone on silos that hold nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial
from random import Random

from pydantic import TypeAdapter

from orders.change.request import ChangeKind, ChangeRequest, ChangeState
from orders.fulfilment.deciding import assess, consider, first_verdict
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.snapshot import OrderStart, Snapshot
from orders.model.catalog import Catalog
from orders.model.order import OrderRequest, Rejection, Revision
from orders.model.plan import BILLING, Plan
from orders.planning.amend import amended
from orders.planning.capture import Baseline, baseline_of, capture
from orders.planning.decompose import decompose
from orders.planning.installed import InstalledProduct
from orders.promising.forecast import promised_at
from orders.read_model.records import OrderRecord
from orders.read_model.states import LifecycleState
from orders.reconcile.reconciler import Reconciler
from orders.tracking.details import details
from orders.tracking.installed_products import installed_products
from orders.tracking.observation import observe
from orders.tracking.reporting import order_record, order_view, plan_page
from orders.tracking.timelining import timeline_page
from orders.tracking.what_if.settled import unsettled
from tests.orders.support.driving import assert_as_ordered_alone, drive, ordered_alone
from tests.orders.support.expectations import (
    assert_as_captured_anew,
    assert_at_rest,
    assert_fees_billed_once,
    assert_legal_to_the_end,
    assert_same_things,
    assert_untouched_verbatim,
    assert_verbatim,
    held,
    renamed,
)
from tests.orders.support.random_catalogs import (
    FEE,
    random_catalog,
    random_change,
    random_follow_on,
    random_items,
    taken_back,
)
from tests.orders.support.setting_right import see_to
from tests.orders.support.world import AT, Hears, World

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SNAPSHOT = TypeAdapter(Snapshot)


class Order:
    """One order, its catalog, and the changes made to it."""

    def __init__(self, choose: Random, catalog: Catalog, start: OrderStart) -> None:
        self.choose = choose
        self.catalog = catalog
        self.start = start
        self.fulfilment = Fulfilment(start)
        self.changes = 0
        self.inbox: list[Callable[[], None]] = []
        self.records: list[OrderRecord] = []
        self.before: Revision | None = None
        """What the last amendment was made of."""
        self.cancels_late = False
        """The customer cancels once something that was found installed has been given back."""
        self.replaced: set[str] = set()
        """Tasks that a person wanted anew."""
        self.settled: set[str] = set()
        """Tasks that a person has settled by hand, written off or waived."""

    @property
    def reconciler(self) -> Reconciler:
        return self.fulfilment.reconciler

    @property
    def hears(self) -> Hears:
        """The order, which bills what was undone."""
        return self.fulfilment

    @property
    def undecided(self) -> bool:
        return bool(self.inbox) or self.fulfilment.carried.assessment is not None

    def tick(self) -> bool:
        """Decide what can be decided, as the workflow does."""
        before = self.fulfilment.plan
        observe(self.fulfilment, NOW, ended=False)
        if self.choose.random() < 0.1:
            self.write_down()
        self.fulfilment.begin()
        assess(self.fulfilment, AT)
        if self.cancels_late and self.reconciler.ledger.gone:
            self.cancels_late = False
            self.cancel()
        while self.inbox and self.fulfilment.carried.assessment is None:
            self.inbox.pop(0)()
        return self.fulfilment.plan is not before

    def amend(self) -> None:
        """A random amendment comes in. It waits while another change is being assessed."""
        if self.fulfilment.carried.assessment is not None:
            self.inbox.append(self.amend)
            return
        before = self.fulfilment.revision
        self.propose(before, random_change(self.choose, self.catalog, before, f"c{self.changes + 1}"))

    def take_back(self) -> None:
        """What the last amendment made different is to be as it was."""
        if self.fulfilment.carried.assessment is not None:
            self.inbox.append(self.take_back)
        elif self.before is not None:
            now = self.fulfilment.revision
            change = taken_back(now, self.before, f"c{self.changes + 1}")
            if change is not None:
                self.propose(now, change)

    def propose(self, before: Revision, change: ChangeRequest) -> None:
        """An amendment is decided."""
        self.changes += 1
        order, plan = self.fulfilment, self.fulfilment.plan
        if first_verdict(order, change, AT) is None:
            try:
                revision, following = amended(
                    self.catalog,
                    self.start.order_id,
                    before,
                    change,
                    order.advancement(),
                    self.start.baseline,
                    self.start.baseline_plan,
                )
            except Rejection as rejection:
                order.reject(change, list(rejection.reasons), AT)
                assert order.plan is plan
                return
            self.consider(change, revision, following)
            assert_untouched_verbatim(before, plan, revision, following)
            if order.revision is not before:
                self.before = before
                if self.is_charged(change) and self.choose.random() < 0.7:
                    self.take_back()  # Before anything is undone for the fee.
        self.look()

    def is_charged(self, change: ChangeRequest) -> bool:
        """True where a change costs a fee."""
        return any(charge.change == change.request_id for charge in self.fulfilment.carried.charges)

    def cancel(self) -> None:
        """The customer cancels, whatever is being assessed."""
        self.changes += 1
        change = ChangeRequest(request_id=f"c{self.changes}", kind=ChangeKind.CANCEL)
        if first_verdict(self.fulfilment, change, AT) is None:
            self.consider(change, None, self.start.baseline_plan)
        self.look()

    def consider(self, change: ChangeRequest, revision: Revision | None, target: Plan) -> None:
        """Decide by the impact, which is the same whether asked for before or on deciding."""
        order, plan = self.fulfilment, self.fulfilment.carried.plan
        fees = order.impact_of_target(target).fees
        if fees and self.choose.random() < 0.7:
            change = change.model_copy(update={"accept_fee": fees[0]})
        verdict = consider(order, change, revision, target, AT)
        if verdict.state is ChangeState.REJECTED:
            assert order.carried.plan == plan or order.carried.assessment is None
            assert {reason.code for reason in verdict.reasons} <= {"past_no_return", "fee_not_accepted"}
        assert first_verdict(order, change, AT) == verdict

    def replace(self) -> None:
        """A person asks for something anew."""
        if self.fulfilment.carried.assessment is None and self.fulfilment.plan.tasks:
            self.changes += 1
            task = self.choose.choice(list(self.fulfilment.plan.tasks))
            change = ChangeRequest(request_id=f"c{self.changes}", kind=ChangeKind.REPLACE, task=task, accept_fee=FEE)
            verdict = first_verdict(self.fulfilment, change, AT)
            assert verdict is not None
            if verdict.state is not ChangeState.REJECTED:
                self.replaced.add(task)
            self.look()

    def see_to_fallout(self, world: World) -> bool:
        """A person sets something that was refused right, in any way that there is for it."""
        self.reconciler.look()
        fallout = sorted(self.reconciler.fallout)
        if not fallout or self.choose.random() < 0.3:
            return False
        return see_to(self, world, self.choose.choice(fallout))

    def settles(self, kind: ChangeKind, task: str, **fields: object) -> bool:
        """A person asks for what moves no target, and is told before what would be said to it."""
        self.changes += 1
        asked = {"request_id": f"c{self.changes}", "kind": kind, "task": task, **fields}
        change = ChangeRequest.model_validate(asked)
        problem = unsettled(self.fulfilment, change, NOW)
        verdict = first_verdict(self.fulfilment, change, AT)
        assert verdict is not None
        assert verdict.reasons == ((problem,) if problem is not None else ())
        self.look()
        return verdict.state is ChangeState.ACCEPTED

    def carry_over(self) -> None:
        """The order goes on in another run, where nothing is under way."""
        if not self.reconciler.calls:
            carried = SNAPSHOT.validate_json(SNAPSHOT.dump_json(self.fulfilment.carried))
            assert carried == self.fulfilment.carried
            self.fulfilment = Fulfilment(self.start.model_copy(update={"carried": carried}))

    def write_down(self) -> None:
        """A record is taken to the register."""
        record = order_record(self.fulfilment, NOW)
        self.records.append(record)
        if self.choose.random() < 0.9:  # Else the run ends before the answer, and the next record tells it again.
            self.fulfilment.recorded(record)

    def look(self) -> None:
        """What the order tells can be told at any moment, and agrees with itself."""
        order = self.fulfilment
        view = order_view(order, NOW)
        page = plan_page(order, 0, 1000)
        assert order.told_state in details(order, view.answer)
        assert page.total == len(page.tasks) >= len(order.plan.tasks)
        told = {entry.task: entry for entry in timeline_page(order, NOW, 0, 1000).tasks}
        assert told.keys() >= {task.key for task in page.tasks}
        assert all(told[task.key].state is task.state for task in page.tasks)
        assert all(entry.slack_s is None or entry.slack_s >= 0 for entry in told.values())
        statuses = Counter(
            (order.plan.operation(task).silo, order.reconciler.status[key]) for key, task in order.plan.tasks.items()
        )
        assert statuses == Counter(
            {(silo, status): n for silo, by in order.tally().items() for status, n in by.items()}
        )
        assert sum(silo.tasks for silo in view.silos) == len(order.plan.tasks)


def ordered(choose: Random) -> tuple[Catalog, OrderRequest, Revision, Plan]:
    """A random catalog, and an order that it can fulfil."""
    while True:
        catalog = random_catalog(choose)
        for _ in range(5):
            items = tuple(random_items(choose, catalog, None, "i"))
            request = OrderRequest(external_id="x", channel="web", customer_id="c", items=items)
            try:
                revision = capture(catalog, request, "o")
                return catalog, request, revision, decompose(catalog, "o", revision)
            except Rejection:
                continue


def start_of(order_id: str, catalog: Catalog, revision: Revision, plan: Plan, found: Baseline) -> OrderStart:
    """What an order starts with, under an id that is short enough to read."""
    return OrderStart(
        order_id=order_id,
        external_id="x",
        ordered_at=NOW,
        catalog=catalog.digest,
        revision=revision,
        plan=plan,
        promised_at=promised_at(revision, plan, NOW),
        baseline=found.revision,
        baseline_plan=found.plan,
        baseline_ledger=found.ledger,
        installed=found.products,
    )


def random_world(choose: Random, catalog: Catalog) -> World:
    slow = frozenset(
        f"{name}/{task.name}"
        for name, specification in catalog.specifications.items()
        for task in specification.tasks.values()
        if task.silo == "slow" and choose.random() < 0.7
    )
    return World(
        choose,
        refuse_rate=choose.choice([0.0, 0.0, 0.1]),
        doubt_rate=choose.choice([0.0, 0.0, 0.1]),
        asynchronous=slow,
        changing_outputs=frozenset(name for name in sorted(slow) if choose.random() < 0.5),
        identifying=frozenset(
            f"{name}/{task.name}"
            for name, specification in catalog.specifications.items()
            for task in specification.tasks.values()
            if task.identities
        ),
    )


def settle(choose: Random, kind: type[Order] = Order) -> None:
    """One random order, driven to its end and compared with its final revision ordered anew."""
    catalog, request, revision, plan = ordered(choose)
    start = start_of("o", catalog, revision, plan, baseline_of(catalog, request))
    world = random_world(choose, catalog)
    order = kind(choose, catalog, start)
    run(world, order, cancel_rate=0.25)
    if order.fulfilment.cancelled:
        assert [key for key in order.reconciler.ledger.facts if not key.endswith(BILLING)] == []
    else:
        assert_as_captured_anew(catalog, order.fulfilment.revision, order.reconciler)
        base: dict[str, InstalledProduct] = {}
        for number in range(choose.choice((0, 0, 1, 3))):
            order = follow_on(world, order, base, number)


def run(world: World, order: Order, cancel_rate: float) -> None:
    """Drive an order to its end through random changes."""
    choose = world.choose
    changes: list[Callable[[], object]] = [
        choose.choice((order.amend, order.amend, order.amend, order.take_back, order.replace, order.carry_over))
        for _ in range(choose.randint(0, 4))
    ]
    if choose.random() < cancel_rate:
        changes.insert(choose.randint(0, len(changes)), order.cancel)
    for _ in range(choose.randint(0, 3)):
        changes.insert(choose.randint(0, len(changes)), partial(order.see_to_fallout, world))
    order.cancels_late = choose.random() < cancel_rate
    drive(world, order, changes, loss_rate=choose.choice([0.0, 0.0, 0.03]))
    assert_as_ordered_alone(world, order.reconciler, order.fulfilment.plan)
    waived = order.reconciler.ledger.waived
    assert not any(waived.keys() & {*task.builds_on} for task in order.fulfilment.plan.tasks.values())
    wanted = LifecycleState.CANCELLED if order.fulfilment.cancelled else LifecycleState.COMPLETED
    assert order.fulfilment.state is wanted
    order.look()
    observe(order.fulfilment, NOW)
    order.fulfilment.close(NOW)
    order.write_down()
    assert_legal_to_the_end(order.records)
    # Nobody pays for the undo of what was written off: whether the silo has undone it all the same is not known.
    assert_fees_billed_once(order.fulfilment, world.undone - world.let_be, world.amended, world.lost)


def follow_on(world: World, before: Order, base: dict[str, InstalledProduct], number: int) -> Order:
    """A later order on what is installed. The order before where there is none that could be fulfilled.

    Where it is cancelled, everything is as it was. Where it is not, it is as its final revision ordered alone on what
    was there.
    """
    choose, catalog, order_id = world.choose, before.catalog, f"o{number}"
    base |= {product.id: product for product in installed_products(before.fulfilment, NOW)}
    items = random_follow_on(choose, catalog, list(base.values()))
    request = OrderRequest(external_id=f"x{number}", channel="web", customer_id="c", items=items)
    try:
        found = baseline_of(catalog, request, base.values())
        revision = capture(catalog, request, order_id, found)
        plan = decompose(catalog, order_id, revision, found.revision, found.plan)
    except Rejection:
        return before
    assert_at_rest(found)
    start = start_of(order_id, catalog, revision, plan, found)
    assert_verbatim(found, revision, plan)
    later = type(before)(choose, catalog, start)
    world.asked()
    world.lost.clear()
    # What products shared, and what is linked with none of those in the order, is no matter of this one.
    own = {fact.id for fact in found.ledger.all_facts()}
    others = {fact: inputs for fact, inputs in world.held.items() if fact not in own}
    world.held = {fact: inputs for fact, inputs in world.held.items() if fact in own}
    run(world, later, cancel_rate=0.4)
    world.held |= others
    order = later.fulfilment
    if order.cancelled:
        assert order.carried.plan == found.plan
        there = held(found.ledger, found.plan).keys() - later.reconciler.ledger.waived.keys()
        assert held(later.reconciler.ledger, found.plan).keys() == there
        but_for = world.lost | later.replaced | later.settled
        assert_same_things(found.ledger, later.reconciler.ledger, but_for=but_for)
    alone = ordered_alone(order.carried.plan, deepcopy(found.ledger))
    waived = later.reconciler.ledger.waived
    expected = {key: inputs for key, inputs in held(alone.ledger, order.carried.plan).items() if key not in waived}
    assert renamed(held(later.reconciler.ledger, order.carried.plan), {}) == renamed(expected, {})
    return later
