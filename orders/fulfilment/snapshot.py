"""An order in flight as a value: what its workflow starts with, what one run hands to the next, and a copy to ask."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from orders.change.charges import Charge
from orders.change.objections import Assessment
from orders.change.request import Verdict
from orders.model.order import Item, OrderRequest, Reason, Revision
from orders.model.plan import Plan
from orders.model.values import Frozen
from orders.planning.installed import InstalledProduct
from orders.read_model.course import Stint
from orders.read_model.journal import Journalled
from orders.reconcile.ledger import Ledger, Step
from orders.reconcile.target import TaskStatus


@dataclass
class Snapshot:
    """The whole state of an order in flight, as it is carried from one run of its workflow to the next.

    `completed_at` is when it came to its end, `end_recorded` whether the register knows that: then it is final.
    `promised_at` is set once a change of dates, or somebody, has moved the promise that the order started with.
    `revisions` are those that the register does not have, and the current one. What items those before it had is in
    `named`: by id, in order of first appearance, each as it last was.
    `document` is the digest of the order's form outside, once a change has brought another one. `amended` tells what
    changes have made different about each item.
    `course` is what became of each task, by key.
    `waits_for` says why an order has not had its turn yet, `rejected` why it could not be fulfilled when it had.
    """

    revisions: list[Revision]
    plan: Plan
    ledger: Ledger
    cancelled: bool = False
    started: bool = False
    completed_at: datetime | None = None
    end_recorded: bool = False
    on_hold: bool = False
    charges: list[Charge] = field(default_factory=list)
    assessment: Assessment | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    journal: Journalled = field(default_factory=Journalled)
    document: str | None = None
    amended: dict[str, tuple[str, ...]] = field(default_factory=dict)
    promised_at: datetime | None = None
    named: dict[str, Item] = field(default_factory=dict)
    waits_for: tuple[Reason, ...] = ()
    rejected: tuple[Reason, ...] = ()
    course: dict[str, Stint] = field(default_factory=dict)

    def copy(self) -> Snapshot:
        """A copy to go back to. Shared is what is never changed: revisions, plans, verdicts."""
        return replace(
            self,
            revisions=list(self.revisions),
            ledger=self.ledger.copy(),
            charges=[replace(charge) for charge in self.charges],
            verdicts=dict(self.verdicts),
            journal=self.journal.copy(),
            amended=dict(self.amended),
            named=dict(self.named),
            course=dict(self.course),
        )


class OrderStart(Frozen):
    """What a workflow is started with: the order as captured, and its plan.

    `document` is the digest of the order as submitted, which the register keeps.

    `installed` are the products of the baseline, whose holdings are in its plan and ledger. An order that has to wait
    for them says why in `waits_for`: it is captured, planned and promised once it has its turn, and until then brings
    the `request` as it was made. A later run of the same workflow gets the state that the run before it `carried`.
    """

    order_id: str
    external_id: str
    ordered_at: datetime
    catalog: str
    revision: Revision
    plan: Plan
    promised_at: datetime | None
    baseline: Revision
    baseline_plan: Plan = Plan()
    baseline_ledger: Ledger = Ledger()
    installed: tuple[InstalledProduct, ...] = ()
    document: str = ""
    request: OrderRequest | None = None
    waits_for: tuple[Reason, ...] = ()
    carried: Snapshot | None = None


class Fork(Frozen):
    """A copy of an order in flight, with the calls under way: to work out what could become of it, outside of it.

    `status` is where each task of the target stands. There is neither its log nor its journal.
    """

    start: OrderStart
    calls: tuple[Step, ...]
    status: dict[str, TaskStatus]
