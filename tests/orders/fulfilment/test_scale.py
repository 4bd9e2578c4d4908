"""How the work of the loop grows with an order, counted in judgements, and how much of an order is carried along."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orders.fulfilment.snapshot import Snapshot
from orders.model.order import Item, OrderRequest, RequestedItem, Revision, Site
from orders.model.plan import Plan, Task
from orders.model.values import Action
from orders.read_model.progress import Progress
from orders.reconcile.judging import Judge
from orders.reconcile.ledger import Fact, Ledger, Step
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.reconcile.reconciler import Reconciler
from orders.tracking.what_if.options import OptionsPage, options_of
from tests.orders.support.builders import AT, operation, plan, task
from tests.orders.support.driver import NOW, Driver
from workflows.sdk.connection import data_converter

MOST_BYTES = 1_000_000


class CountingJudge(Judge):
    """Counts how often a task is judged."""

    effort = 0

    def judge(self, task: Task) -> None:
        self.effort += 1
        super().judge(task)


class Counting(Reconciler):
    """Counts how often a task is judged, and how often a fact is weighed to be compensated."""

    def __init__(self, target: Plan) -> None:
        self.effort = 0
        super().__init__(target, Ledger())

    def retarget(self, plan: Plan) -> None:
        super().retarget(plan)
        self._judge = CountingJudge(self._dependencies, self._target)

    def _compensate(self, fact: Fact) -> None:
        self.effort += 1
        super()._compensate(fact)

    def effort_to(self, target: Plan, *, slow: bool = False) -> int:
        """Settle on a target, calls answered one by one in the order in which they left. The effort that it took."""
        self.effort = 0
        self.retarget(target)
        steps = self.next_steps()
        while steps:
            step = steps.pop(0)
            if slow:
                self.record(step, Outcome(OutcomeKind.ACKNOWLEDGED), AT)
                steps += self.next_steps()
                self.answer(step.fact, step.n, _done(step), AT)
            else:
                self.record(step, _done(step), AT)
            steps += self.next_steps()
        assert self.settled
        assert isinstance(self._judge, CountingJudge)
        return self.effort + self._judge.effort


def _done(step: Step) -> Outcome:
    return Outcome(OutcomeKind.DONE, {"out": step.key})


def products(number: int, *, changed: int = 0, kind: str = "b", speed: int = 2) -> Plan:
    """Products of ten tasks each, and an account and a message that all share. The first few are `changed`."""
    tasks = [task("account")]
    for each in range(number):
        is_changed = each < changed
        tasks += _product(each, kind if is_changed else "a", speed if is_changed else 1)
    tasks.append(task("message", after=[f"billing-{each}" for each in range(number)]))
    ports = [operation(f"port-{each}", replace=["kind"], break_before_make=True) for each in range(number)]
    return plan(*tasks, operations=ports)


def _product(each: int, kind: str, speed: int) -> Iterator[Task]:
    yield task(f"contract-{each}", on=["account"])
    yield task(f"port-{each}", after=[f"contract-{each}"], kind=kind)
    yield task(f"vlan-{each}", on=[f"port-{each}"], refs=[f"port-{each}"])
    yield task(f"line-{each}", on=[f"port-{each}", f"vlan-{each}"], refs=[f"port-{each}"], speed=speed)
    for above in range(5):
        yield task(f"tv{above}-{each}", on=[f"line-{each}"], refs=[f"line-{each}"])
    yield task(f"billing-{each}", after=[f"line-{each}", f"tv0-{each}"], speed=speed)


@pytest.mark.parametrize("slow", [False, True])
def test_the_effort_to_complete_and_to_cancel_grows_with_the_tasks(slow: bool) -> None:
    efforts = {number: Counting(plan()) for number in (10, 100)}
    completing = {number: loop.effort_to(products(number), slow=slow) for number, loop in efforts.items()}
    cancelling = {number: loop.effort_to(plan(), slow=slow) for number, loop in efforts.items()}
    for effort in (completing, cancelling):
        assert effort[100] < 11 * effort[10]
        assert effort[100] < 8 * 1000


def test_the_effort_of_an_outcome_does_not_grow_with_the_order() -> None:
    efforts: dict[int, int] = {}
    for number in (10, 100):
        loop = Counting(products(number))
        steps = loop.next_steps()
        while not any("line-3" in step.task for step in steps):
            loop.record(step := steps.pop(0), _done(step), AT)
            steps += loop.next_steps()
        line = next(step for step in steps if "line-3" in step.task)
        loop.effort = 0
        loop.record(line, _done(line), AT)
        loop.next_steps()
        efforts[number] = loop.effort
    assert efforts[100] == efforts[10] < 10


class CountingProgress(Progress):
    """Counts how often it looks where a task stands."""

    effort = 0

    def _look_at(self, task: str) -> None:
        self.effort += 1
        super()._look_at(task)


def test_the_effort_to_tell_of_an_outcome_does_not_grow_with_the_order() -> None:
    revision = Revision(number=1, customer_id="c", channel="web", items=())
    efforts: dict[int, int] = {}
    revision = Revision(number=1, customer_id="c", channel="web", items=())
    for number in (10, 100):
        loop = Counting(products(number))
        progress = CountingProgress(loop, {}, [revision], {}, cancelled=False)
        steps = loop.next_steps()
        while not any("line-3" in step.task for step in steps):
            loop.record(step := steps.pop(0), _done(step), AT)
            steps += loop.next_steps()
        line = next(step for step in steps if "line-3" in step.task)
        progress.take_moved()
        progress.effort = 0
        loop.record(line, _done(line), AT)
        loop.next_steps()
        assert line.task in progress.take_moved()[1]
        efforts[number] = progress.effort
    assert efforts[100] == efforts[10] < 10


def test_the_effort_to_change_one_product_is_one_look_at_the_others() -> None:
    efforts: dict[int, int] = {}
    for number in (10, 100):
        loop = Counting(products(number))
        loop.effort_to(products(number))
        efforts[number] = loop.effort_to(products(number, changed=1, kind="a"))
    assert efforts[100] - efforts[10] == 10 * (100 - 10)


def test_the_effort_to_break_and_make_anew_one_product_is_one_look_at_the_others() -> None:
    efforts: dict[int, int] = {}
    for number in (10, 100):
        loop = Counting(products(number))
        loop.effort_to(products(number))
        efforts[number] = loop.effort_to(products(number, changed=1))
    assert efforts[100] - efforts[10] == 10 * (100 - 10)


async def test_an_order_of_five_thousand_facts_is_carried_over_in_less_than_a_megabyte() -> None:
    loop = Counting(products(500))
    loop.effort_to(products(500))
    item = Item(
        id="1",
        action=Action.ADD,
        offering="fibre-500",
        specification="fibre-internet",
        characteristics={"down_mbps": 500},
        products=tuple(f"o.1.{n}" for n in range(1, 501)),
    )
    revision = Revision(number=1, customer_id="c", channel="web", items=(item,))
    before = Snapshot(revisions=[revision], plan=loop.plan, ledger=loop.ledger)
    assert len(before.ledger.all_facts()) == 5002
    payloads = await data_converter().encode([before])
    assert sum(payload.ByteSize() for payload in payloads) < MOST_BYTES
    (after,) = await data_converter().decode(payloads, [Snapshot])
    assert after == before


def vpn(sites: int) -> Driver:
    """A VPN of so many sites whose visits are awaited."""
    core = RequestedItem(id="core", offering="business-vpn-core")
    rest = (
        RequestedItem(id=f"s{n}", offering="business-vpn-site", relies_on=("core",), site=Site(id=f"site-{n}"))
        for n in range(sites)
    )
    request = OrderRequest(external_id="x", channel="web", customer_id="cust-1", items=(core, *rest))
    driver = Driver(request, waiting=["field-service"])
    driver.run()
    return driver


def test_the_effort_of_the_options_of_one_site_is_one_look_at_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = 0

    def counting(self: Judge, task: Task) -> None:
        nonlocal judged
        judged += 1
        judge(self, task)

    judge = Judge.judge
    monkeypatch.setattr(Judge, "judge", counting)
    efforts: dict[int, list[int]] = {}
    for number in (10, 40):
        driver = vpn(number)
        efforts[number] = []
        for sites in (1, 2):
            judged = 0
            told = options_of(driver.order, driver.catalog, NOW, OptionsPage(offset=1, limit=sites))
            assert [len(item.options) for item in told.items] == [len(told.items[0].options)] * sites
            efforts[number].append(judged)
    of_one = {number: two - one for number, (one, two) in efforts.items()}
    assert of_one[40] == of_one[10]
