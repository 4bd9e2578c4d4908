"""What the check of a catalog promises: whatever passes it can be fulfilled, changed and cancelled."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog_loader.catalog_files import CatalogError, read_catalog
from orders.model.catalog import Catalog
from orders.model.order import OrderRequest, Rejection, RequestedItem, Site
from orders.model.plan import Plan
from orders.planning.capture import capture
from orders.planning.decompose import decompose
from orders.reconcile.ledger import Ledger
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.reconcile.reconciler import Reconciler
from tests.orders.support.catalogs import SOUND, parsed

AT = "2026-01-01T00:00:00.000Z"
EDGES = [
    "port",
    "line",
    "router",
    "account/open",
    "installation/visit",
    {"task": "line", "of": "voice", "optional": True, "as": "voice-line"},
    {"task": "line", "of": "internet", "optional": True, "as": "access"},
    {"task": "port", "of": "internet", "optional": True, "as": "port"},
]
VALUES = ["${char.technology}", "${char.speed}", "${port.port_id}", "${access.line_id}", "${each.id}", "${site.id}"]


def tinker(choose: Random, content: dict[str, Any]) -> None:
    """Give a task of the catalog something that may or may not make sense."""
    tasks = [task for part in content["specifications"].values() for task in part["tasks"].values()]
    task = choose.choice(tasks)
    match choose.choice(["input", "edge", "release", "replacement", "when", "scope", "kind"]):
        case "input":
            given = {
                "value": choose.choice(VALUES),
                "on_change": choose.choice(["replace", "replace", "amend", "keep"]),
            }
            task.setdefault("inputs", {})[choose.choice("abc")] = given
        case "edge":
            task.setdefault("depends_on", []).append(choose.choice(EDGES))
        case "release":
            task.setdefault("release_after", []).append(choose.choice(EDGES[:-3]))
        case "replacement":
            task["replacement"] = choose.choice(["break_before_make", "make_before_break"])
        case "when":
            task["when"] = {"router": choose.choice([True, False])}
        case "scope":
            task["scope"] = choose.choice(["product", "item", "site", "order"])
        case _:
            task["depends_on"] = [
                {**(edge if isinstance(edge, dict) else {"task": edge}), "kind": choose.choice(["after", "builds_on"])}
                for edge in task.get("depends_on", [])
            ]


def a_plan(choose: Random, catalog: Catalog) -> Plan | None:
    """The plan of some order for internet and something on top of it. None where it is refused."""
    site = Site(id="home")
    speed, number = {"speed": choose.choice([5, 6])}, {"number": choose.choice("12")}
    chosen = {"technology": choose.choice(["gpon", "xgs"]), "router": choose.choice([True, False])}
    first = RequestedItem(
        id="1", offering="fibre-flex", site=site, quantity=choose.choice([1, 1, 2]), characteristics={**speed, **chosen}
    )
    offering = choose.choice(["phone", "phone", "fibre-flex", "duo"])
    given = {"phone": number, "fibre-flex": speed, "duo": {}}[offering]
    second = RequestedItem(id="2", offering=offering, site=site, relies_on=("1",), characteristics=given)
    request = OrderRequest(external_id="x", channel="web", customer_id="c", items=(first, second))
    try:
        return decompose(catalog, "o", capture(catalog, request, "o"))
    except Rejection as rejection:
        assert {reason.code for reason in rejection.reasons} == {"missing_reliance"}
        return None


def run(reconciler: Reconciler, catalog: Catalog) -> None:
    while steps := reconciler.next_steps():
        for step in steps:
            specification, _, task = step.operation.partition("/")
            outputs = catalog.specifications[specification].tasks[task].outputs
            values = {name: f"{step.task}/{step.generation}:{name}" for name in outputs}
            reconciler.record(step, Outcome(OutcomeKind.DONE, dict(values)), AT)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(min_value=0, max_value=2**32))
def test_every_order_and_change_under_a_catalog_that_passes_the_check_settles(tmp_path: Path, seed: int) -> None:
    choose = Random(seed)
    content = deepcopy(parsed(SOUND))
    for _ in range(choose.randint(1, 4)):
        tinker(choose, content)
    (tmp_path / "catalog.yaml").write_text(json.dumps(content))
    try:
        catalog = read_catalog(tmp_path)
    except CatalogError:
        return
    plans = [plan for _ in range(5) if (plan := a_plan(choose, catalog)) is not None]
    reconciler = Reconciler(Plan(), Ledger())
    for plan in [*plans, Plan()]:
        reconciler.retarget(plan)
        run(reconciler, catalog)
        assert reconciler.settled
    assert reconciler.ledger.all_facts() == []
