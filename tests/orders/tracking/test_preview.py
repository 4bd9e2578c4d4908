"""Previews: the same on a copy of the order as on the order itself, and what the change then gets."""

from __future__ import annotations

import os
from random import Random

import pytest

from orders.change.request import ChangeKind, ChangeRequest, ChangeState, Resolution, Verdict
from orders.fulfilment.deciding import consider, first_verdict
from orders.fulfilment.messages import PlanAnswer, Preview
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.snapshot import Fork
from orders.model.order import Revision
from orders.model.plan import Plan
from orders.tracking.what_if.preview import preview
from tests.orders.support.driver import Driver, household, key
from tests.orders.support.random_orders import NOW, Order, settle
from tests.orders.support.world import AT

ORDERS = int(os.environ.get("ORDERPIPE_TEST_PREVIEWS", "100"))
CHUNKS = 2
NOTHING_PLANNED = PlanAnswer()


def copy(order: Fulfilment) -> Fulfilment:
    """The order as the API gets it: by way of JSON."""
    return Fulfilment.of(Fork.model_validate_json(order.fork().model_dump_json()))


def foretold(order: Fulfilment, change: ChangeRequest, answer: PlanAnswer = NOTHING_PLANNED) -> Preview:
    """The preview, which is the same on a copy. It touches nothing."""
    before, other = order.fork().model_dump_json(), copy(order)
    told = preview(order, change, answer, NOW)
    assert order.question(change) == other.question(change)
    assert preview(other, change, answer, NOW) == told
    assert order.fork().model_dump_json() == other.fork().model_dump_json() == before
    return told


def assert_true(told: Preview, verdict: Verdict) -> None:
    """The verdict is what was told, once the fees that were told are accepted."""
    assert (verdict.state, verdict.reasons) == (told.state, told.reasons)
    if verdict.impact is not None:
        assert told.impact is not None
        assert verdict.impact == told.impact.summary()
        assert (told.digest, list(told.fees)) == (verdict.impact.digest, list(verdict.impact.fees))


class Foretold(Order):
    """An order of which every change is previewed first."""

    def consider(self, change: ChangeRequest, revision: Revision | None, target: Plan) -> None:
        """Decide an amendment or a cancellation, once it was previewed."""
        answer = PlanAnswer(revision=revision, plan=target) if revision is not None else NOTHING_PLANNED
        told = foretold(self.fulfilment, change, answer)
        willing = _willing(change, told)
        assert_true(told, consider(self.fulfilment, willing, revision, target, AT))

    def replace(self) -> None:
        """A person asks for something anew, held or not."""
        order = self.fulfilment
        tasks = sorted({*order.plan.tasks, *order.reconciler.ledger.facts})
        if not tasks or order.carried.assessment is not None:
            return
        self.changes += 1
        task = self.choose.choice(tasks)
        change = ChangeRequest(request_id=f"c{self.changes}", kind=ChangeKind.REPLACE, task=task)
        told = foretold(order, change)
        verdict = first_verdict(order, _willing(change, told), AT)
        assert verdict is not None
        if verdict.state is not ChangeState.REJECTED:
            self.replaced.add(task)
        assert_true(told, verdict)

    def tick(self) -> bool:
        """Every now and then, and more often in trouble, somebody wants to know what he could do."""
        troubled = self.fulfilment.reconciler.fallout or self.fulfilment.carried.assessment is not None
        if self.choose.random() < (0.2 if troubled else 0.02):
            self.ask()
        return super().tick()

    def ask(self) -> None:
        """Preview what a person could do by hand, tried on a copy; and what has to wait for a change being assessed."""
        order = self.fulfilment
        hold = ChangeRequest(request_id="hold", kind=ChangeKind.HOLD)
        assert foretold(order, hold).state is ChangeState.ACCEPTED
        task = self.choose.choice(sorted(order.reconciler.fallout) or list(order.plan.tasks) or ["none"])
        silo = order.silo_of(task) if task != "none" else "none"
        change = self.choose.choice(_by_hand(task, silo))
        told, trial = foretold(order, change), copy(order)
        trial.reconciler.next_steps()
        verdict = first_verdict(trial, change, AT)
        assert verdict is not None
        assert_true(told, verdict)
        if order.carried.assessment is not None:
            anew = ChangeRequest(request_id="anew", kind=ChangeKind.REPLACE, task=task)
            assert foretold(order, anew).state is not ChangeState.ACCEPTED


def _willing(change: ChangeRequest, told: Preview) -> ChangeRequest:
    return change.model_copy(update={"accept_fee": told.fees[0] if told.fees else None, "digest": told.digest})


def _by_hand(task: str, silo: str) -> list[ChangeRequest]:
    return [
        ChangeRequest(request_id="retry", kind=ChangeKind.RETRY, task=task),
        ChangeRequest(request_id="retry-silo", kind=ChangeKind.RETRY, silo=silo),
        *(
            ChangeRequest(request_id=way, kind=ChangeKind.RESOLVE, task=task, resolution=way, requester="somebody")
            for way in (Resolution.DONE, Resolution.KEPT)
        ),
    ]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_change_of_a_random_order_gets_what_its_preview_told(chunk: int) -> None:
    for seed in range(chunk, ORDERS, CHUNKS):
        try:
            settle(Random(seed), Foretold)
        except AssertionError as error:
            raise AssertionError(f"order with seed {seed}: {error}") from error


def test_a_preview_tells_that_there_is_nothing_to_settle_by_hand() -> None:
    driver = Driver(household())
    driver.refuse["tv.provision"] = "no_coverage"
    driver.run()
    for task, told in (("tv/activate-tv", []), ("installation/visit-site", ["nothing_to_retry"])):
        change = ChangeRequest(request_id="r", kind=ChangeKind.RETRY, task=key(driver, task))
        assert [reason.code for reason in foretold(driver.order, change).reasons] == told
