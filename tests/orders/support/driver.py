"""An order of the shipped catalog, driven by hand: silos answer at once, except those that a test keeps waiting."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from functools import cache
from typing import Any

from catalog_loader.catalog_files import read_catalog
from orders.change.request import ChangeKind, ChangeRequest, Verdict
from orders.fulfilment.deciding import assess, consider, first_verdict
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.snapshot import OrderStart
from orders.model.catalog import Catalog, Protocol
from orders.model.order import OrderRequest, RequestedItem, Site
from orders.model.values import Verb
from orders.planning.amend import amended
from orders.planning.capture import baseline_of, capture
from orders.planning.decompose import decompose
from orders.planning.installed import InstalledProduct
from orders.reconcile.ledger import Step
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.tracking.installed_products import installed_products
from orders.tracking.observation import observe
from settings import ROOT

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
AT = "2026-03-02T09:00:00.000Z"


@cache
def shipped_catalog() -> Catalog:
    """The catalog that comes with orderpipe, but that all its silos work day and night: no test is about a weekday."""
    catalog = read_catalog(ROOT / "catalog")
    silos = {name: silo.model_copy(update={"hours": None}) for name, silo in catalog.silos.items()}
    return catalog.model_copy(update={"silos": silos})


def household(**internet: Any) -> OrderRequest:
    """Internet with a shipped router and a technician, voice and TV."""
    site = Site(id="home")
    return OrderRequest(
        external_id="x",
        channel="web",
        customer_id="cust-1",
        items=(
            RequestedItem(id="net", offering="fibre-flex", site=site, characteristics={"down_mbps": 200, **internet}),
            RequestedItem(
                id="voice", offering="voice-line", relies_on=("net",), characteristics={"number": "+4930111111"}
            ),
            RequestedItem(id="tv", offering="tv-basic", relies_on=("net",), site=site),
        ),
    )


class Driver:
    """One order, the calls made for it so far, and the silos that keep it waiting."""

    def __init__(
        self,
        request: OrderRequest,
        *,
        waiting: Collection[str] = (),
        installed: Collection[InstalledProduct] = (),
        catalog: Catalog | None = None,
    ) -> None:
        self.catalog = catalog or shipped_catalog()
        found = baseline_of(self.catalog, request, installed)
        revision = capture(self.catalog, request, baseline=found)
        self.order = Fulfilment(
            OrderStart(
                order_id=request.order_id,
                external_id=request.external_id,
                ordered_at=NOW,
                catalog=self.catalog.digest,
                revision=revision,
                plan=decompose(self.catalog, request.order_id, revision, found.revision, found.plan),
                promised_at=NOW,
                baseline=found.revision,
                baseline_plan=found.plan,
                baseline_ledger=found.ledger,
                installed=found.products,
            )
        )
        self.order.carried.started = True
        self.waiting = set(waiting)
        self.refuse: dict[str, str] = {}
        self.calls: list[str] = []

    @property
    def promised_at(self) -> datetime:
        """What the customer is promised. An order that does not wait for its products has a promise."""
        promised = self.order.promised_at
        assert promised is not None
        return promised

    def run(self) -> list[str]:
        """Carry out everything that can be, and tell the calls made: `silo.verb specification/task/generation/n`."""
        return self.run_some(500)

    def run_some(self, most: int) -> list[str]:
        """Carry out the first calls that can be, `most` of them, and tell them."""
        before = len(self.calls)
        while True:
            assess(self.order, AT)
            steps = self.order.reconciler.next_steps(most) if len(self.calls) - before < most else []
            observe(self.order, NOW)
            if not steps:
                return self.calls[before:]
            for step in steps:
                self.calls.append(self._name(step))
                self.order.record(step, self.answer(step), AT)

    def complete(self, silo: str) -> None:
        """What a silo has acknowledged is done."""
        reconciler = self.order.reconciler
        for fact_id in sorted(reconciler.waiting):
            fact = reconciler.ledger.fact(fact_id)
            if fact is not None and fact.waiting is not None and self.order.silo_of(fact.task) == silo:
                done = Outcome(OutcomeKind.DONE, {"report_id": "r", "tracking_id": "t"})
                self.order.answer(fact_id, fact.waiting.n, done, AT)

    def leaves(self) -> tuple[InstalledProduct, ...]:
        """What the order leaves in the installed base, now that it is settled."""
        assert self.order.settled
        return installed_products(self.order, NOW)

    def change(self, kind: str, request_id: str = "c", **fields: Any) -> Verdict:
        """Ask for a change, as the workflow would decide it."""
        change = ChangeRequest(request_id=request_id, kind=ChangeKind(kind), **fields)
        verdict = first_verdict(self.order, change, AT)
        if verdict is not None:
            return verdict
        order, start = self.order, self.order.start
        if change.kind is ChangeKind.CANCEL:
            return consider(order, change, None, start.baseline_plan, AT)
        advancement = order.advancement()
        revision, plan = amended(
            self.catalog, start.order_id, order.revision, change, advancement, start.baseline, start.baseline_plan
        )
        return consider(order, change, revision, plan, AT)

    def _name(self, step: Step) -> str:
        return f"{self.order.silo_of(step.task)}.{step.verb} {step.key.split('/', 1)[1]}"

    def answer(self, step: Step) -> Outcome:
        """What a silo says to a call."""
        silo = self.order.silo_of(step.task)
        refused = self.refuse.get(f"{silo}.{step.verb}")
        if refused:
            return Outcome(OutcomeKind.REFUSED, code=refused, reason="said the silo")
        asynchronous = self.catalog.silos[silo].protocol is Protocol.TMF641 and step.verb is not Verb.COMPENSATE
        if asynchronous and silo in self.waiting:
            return Outcome(OutcomeKind.ACKNOWLEDGED)
        declared = self.order.reconciler.ledger.operations[step.operation].outputs
        outputs = {name: f"{name} {step.task}/{step.generation}" for name in declared}
        return Outcome(OutcomeKind.DONE, {**outputs, "number": step.inputs.get("number") or step.key})


def key(driver: Driver, task: str) -> str:
    """The full key of the task whose name without its scope is given."""
    return next(name for name in driver.order.plan.tasks if name.endswith(task))
