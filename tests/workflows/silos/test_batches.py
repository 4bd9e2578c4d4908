"""Which of an order's steps are made together."""

from __future__ import annotations

import pytest

from orders.model.order import OrderRequest, RequestedItem, Site
from orders.model.values import Verb
from orders.reconcile.ledger import Step
from tests.orders.support.driver import Driver, shipped_catalog
from workflows import silo_work
from workflows.guarding import Guard
from workflows.silo_work import SiloWork


def seven_homes(bulk: int) -> Driver:
    """An order of internet at seven addresses, with silos that take so many calls in bulk."""
    catalog = shipped_catalog()
    silos = {name: silo.model_copy(update={"bulk": bulk}) for name, silo in catalog.silos.items()}
    items = tuple(
        RequestedItem(
            id=f"net-{number}",
            offering="fibre-flex",
            site=Site(id=f"home-{number}"),
            characteristics={"down_mbps": 200},
        )
        for number in range(7)
    )
    request = OrderRequest(external_id="x", channel="web", customer_id="cust-1", items=items)
    return Driver(request, catalog=catalog.model_copy(update={"silos": silos}))


def steps_of(driver: Driver) -> list[Step]:
    """A step for each task of the plan."""
    return [Step(Verb.PROVISION, task.key, 0, 0, task.operation, {}, {}) for task in driver.order.plan.tasks.values()]


def batches(driver: Driver, steps: list[Step]) -> list[list[Step]]:
    return SiloWork(driver.order, Guard(driver.order), lambda: None).batches(steps)


def silo_of(driver: Driver, step: Step) -> str:
    return driver.order.reconciler.ledger.operations[step.operation].silo


@pytest.mark.parametrize(("bulk", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (20, [7])])
def test_steps_for_the_same_silo_go_together_up_to_what_it_takes_in_bulk(bulk: int, sizes: list[int]) -> None:
    driver = seven_homes(bulk)
    steps = steps_of(driver)
    made = batches(driver, steps)
    assert sorted(step.key for batch in made for step in batch) == sorted(step.key for step in steps)
    assert all(len({(silo_of(driver, step), step.verb) for step in batch}) == 1 for batch in made)
    lines = [batch for batch in made if silo_of(driver, batch[0]) == "access-network"]
    assert [len(batch) for batch in lines] == sizes


def test_steps_of_another_verb_are_made_apart() -> None:
    driver = seven_homes(20)
    steps = steps_of(driver)
    undo = [Step(Verb.COMPENSATE, step.task, step.generation, 1, step.operation, step.inputs, {}) for step in steps[:2]]
    made = batches(driver, [steps[0], undo[0], steps[1], undo[1]])
    assert all(len({step.verb for step in batch}) == 1 for batch in made)
    assert len({id(batch) for batch in made}) == 2 * len({silo_of(driver, step) for step in steps[:2]})


def test_what_has_much_to_say_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = seven_homes(20)
    steps = steps_of(driver)
    monkeypatch.setattr(silo_work, "MOST_BYTES", 1)
    assert [len(batch) for batch in batches(driver, steps)] == [1] * len(steps)
