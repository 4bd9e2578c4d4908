"""Random histories of the reconcile loop: it settles, as ordered alone, with no more work than the rules allow."""

from __future__ import annotations

import os
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.model.catalog import Identity, OnChange, Replacement, Undo
from orders.model.plan import Operation, OutputRef, Plan, Task
from orders.reconcile.ledger import Ledger
from orders.reconcile.reconciler import Reconciler
from tests.orders.support.driving import Loop, assert_as_ordered_alone, drive, ordered_alone
from tests.orders.support.world import World

HISTORIES = int(os.environ.get("ORDERPIPE_TEST_HISTORIES", "19000"))
CHUNKS = 20


def random_plans(choose: Random) -> list[Plan]:
    """One to five plans over the same operations: what a customer asks for, and what they change their mind to."""
    size = choose.randint(1, 7)
    edges = {
        number: [
            (other, choose.random() < 0.6, choose.random() < 0.6) for other in range(number) if choose.random() < 0.4
        ]
        for number in range(size)
    }
    exclusive = {number for number in range(size) if choose.random() < 0.5} if choose.random() < 0.4 else set[int]()
    operations = {f"s/t{number}": _operation(choose, number, size, number in exclusive) for number in range(size)}
    releases = {number: [later for later in range(number + 1, size) if choose.random() < 0.2] for number in range(size)}
    plans: list[Plan] = []
    for revision in range(choose.randint(1, 5)):
        present = [number for number in range(size) if choose.random() < 0.85]
        if revision and choose.random() < 0.2:
            present = []
        plans.append(_plan(choose, present, operations, edges, releases))
    return plans


def _operation(choose: Random, number: int, size: int, exclusive: bool) -> Operation:
    values = {f"v{k}": choose.choice([OnChange.AMEND, OnChange.AMEND, OnChange.REPLACE, OnChange.KEEP]) for k in (0, 1)}
    if exclusive:
        values["v0"] = OnChange.REPLACE
    identities: dict[str, Identity] = {}
    if choose.random() < 0.4:
        identities["out"] = Identity(asked_by=choose.choice(("out", "out", None)), keep=choose.random() < 0.4)
    return Operation(
        name=f"s/t{number}",
        silo="silo",
        operation="op",
        on_change={**values, **{f"r{other}": choose.choice(list(OnChange)) for other in range(size)}},
        replacement=choose.choice(list(Replacement)),
        undo=Undo.ALWAYS
        if exclusive or identities
        else choose.choice([Undo.ALWAYS] * 6 + [Undo.UNTIL_DONE, Undo.NEVER]),
        amend_while_waiting=choose.random() < 0.3,
        duration_s=1.0,
        exclusive=("v0",) if exclusive else (),
        identities=identities,
    )


def _plan(
    choose: Random,
    present: list[int],
    operations: dict[str, Operation],
    edges: dict[int, list[tuple[int, bool, bool]]],
    releases: dict[int, list[int]],
) -> Plan:
    tasks: dict[str, Task] = {}
    only_once = choose.sample(range(len(operations) + 1), len(operations) + 1)
    for number in present:
        builds_on = [other for other, stands, _ in edges[number] if stands]
        if any(f"o/s/t{other}" not in tasks for other in builds_on):
            continue
        after = [other for other, stands, _ in edges[number] if not stands and f"o/s/t{other}" in tasks]
        if choose.random() < 0.2:
            builds_on = [other for other in builds_on if choose.random() < 0.7]
        known = {*builds_on, *after}
        tasks[f"o/s/t{number}"] = Task(
            key=f"o/s/t{number}",
            operation=f"s/t{number}",
            items=("1",),
            products=("p",),
            inputs={
                "v0": only_once[number] if operations[f"s/t{number}"].exclusive else choose.randint(0, 2),
                "v1": choose.randint(0, 2),
            },
            refs={
                f"r{other}": OutputRef((f"o/s/t{other}",), "out")
                for other, _, refers in edges[number]
                if refers and other in known
            },
            builds_on=tuple(f"o/s/t{other}" for other in builds_on),
            after=tuple(f"o/s/t{other}" for other in after),
            release_after=tuple(f"o/s/t{later}" for later in releases[number]),
        )
    return Plan(tasks, operations, {})


def settle(choose: Random) -> None:
    """One random history, driven to its end and compared with the last plan ordered alone."""
    plans = random_plans(choose)
    names = [f"s/t{number}" for number in range(8)]
    world = World(
        choose,
        refuse_rate=choose.choice([0.0, 0.0, 0.05, 0.2]),
        doubt_rate=choose.choice([0.0, 0.0, 0.1]),
        asynchronous=frozenset(name for name in names if choose.random() < 0.4),
        changing_outputs=frozenset(name for name in names if choose.random() < 0.4),
        identifying=frozenset(name for name, each in plans[0].operations.items() if each.identities),
    )
    found = _found(world, plans[0]) if choose.random() < 0.5 else Ledger()
    if found.facts and choose.random() < 0.6:
        plans.append(plans[0])
    reconciler = Reconciler(plans[0], deepcopy(found))
    changes: list[Callable[[], object]] = [partial(reconciler.retarget, plan) for plan in plans[1:]]
    if choose.random() < 0.2:
        world.lost.add("o/s/t0")
        changes.insert(choose.randint(0, len(changes)), partial(reconciler.mark_for_replacement, "o/s/t0"))
    drive(world, Loop(reconciler), changes, loss_rate=choose.choice([0.0, 0.0, 0.05]))
    assert_as_ordered_alone(world, reconciler, plans[-1])
    if plans[-1] is plans[0]:
        _assert_same_things(found, reconciler.ledger, world.lost)


def _found(world: World, plan: Plan) -> Ledger:
    """What an earlier order has left."""
    ledger = ordered_alone(plan).ledger
    for fact in ledger.all_facts():
        fact.found = fact.installed = True
    world.hold(ledger)
    return ledger


def _assert_same_things(found: Ledger, ledger: Ledger, lost: set[str]) -> None:
    """Back to what was found, it is the very same, where its silo can be asked for it. Of the others, rules tell.

    What refers to something that is another one now may be another one as well.
    """
    for fact in found.all_facts():
        operation, (now,) = found.operations[fact.operation], ledger.facts[fact.task].values()
        asked = any(identity.asked_by for identity in operation.identities.values())
        if asked and fact.task not in lost and operation.is_same_thing(fact.inputs, now.inputs):
            assert now.outputs == fact.outputs, f"{fact.task} is {now.outputs}, and was {fact.outputs}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_random_history_settles_as_ordered_alone(chunk: int) -> None:
    """19,000 seeded histories by default, 20,000 with the 1,000 whole orders of test_orders_at_random.

    A failing seed is named, and repeats.
    """
    for seed in range(chunk, HISTORIES, CHUNKS):
        try:
            settle(Random(seed))
        except AssertionError as error:
            raise AssertionError(f"history with seed {seed}: {error}") from error


def test_what_stands_as_wanted_but_for_a_note_is_taken_though_something_newer_is_there() -> None:
    settle(Random(19987))  # Found among 200,000: two held each other up, and a number was given back for it.


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.randoms(use_true_random=False))
def test_hypothesis_finds_no_history_that_does_not_settle(choose: Random) -> None:
    """The same histories, their choices drawn by hypothesis, which shrinks what fails."""
    settle(choose)
