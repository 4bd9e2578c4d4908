"""One order being fulfilled: its revisions, its target and ledger, and the changes decided. What the workflow carries.

Everything here is deterministic; the instant `now` comes from outside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from itertools import count, islice

from orders.change.by_hand import named_by, settle_by_hand
from orders.change.charges import (
    already_accepted,
    charges_of,
    fall_due,
    forgo,
    spared,
    take_over,
    undone,
    with_charges,
)
from orders.change.impact import Impact, has_passed, impact_of, settled
from orders.change.nearby import Nearby
from orders.change.objections import Assessment
from orders.change.request import ChangeKind, ChangeRequest, ChangeState, Resolution, Verdict, entry_of
from orders.fulfilment.amended import amended_with
from orders.fulfilment.change_log import ChangeLog
from orders.fulfilment.inbox import Inbox
from orders.fulfilment.messages import PlanQuestion
from orders.fulfilment.snapshot import Fork, OrderStart, Snapshot
from orders.model.budget import INBOX, MOST_WAITING, cut
from orders.model.order import Reason, Revision
from orders.model.plan import BILLING, Plan
from orders.model.silos.rules import Rule
from orders.model.values import Verb
from orders.planning.advancement import Advancement, advancement_of
from orders.planning.scheduling.dates import chooses_dates
from orders.promising.forecast import promised_at
from orders.read_model.course import Course
from orders.read_model.fallout import FalloutEnd, Hand
from orders.read_model.journal import Journal, Journalled
from orders.read_model.progress import Progress
from orders.read_model.records import OrderRecord
from orders.read_model.states import LifecycleState, order_state, short_of_the_end
from orders.reconcile.given import Given
from orders.reconcile.ledger import FactId, Ledger, Refusal, Step, operation_name
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.reconcile.reconciler import Early, Reconciler
from orders.reconcile.target import TaskStatus


class Fulfilment:
    """One order on its way from what the silos hold to what the customer last asked for."""

    def __init__(self, start: OrderStart, calls: Iterable[Step] = ()) -> None:
        self.start = start
        self.problems: dict[str, Reason] = {}
        """What no silo and no customer is to blame for, by what it is about, while it lasts."""
        self.begun: dict[str, str] = {}
        """When each call under way began, by its key, as far as somebody has looked since."""
        self.inbox = Inbox()
        self.carried = start.carried or Snapshot(
            revisions=[start.baseline, start.revision],
            plan=start.plan,
            ledger=deepcopy(start.baseline_ledger),
            waits_for=start.waits_for,
        )
        self.journal = Journal(self.carried.journal)
        self.course = Course(self.carried.course)
        self.change_log = ChangeLog(self.carried.verdicts)
        self.reconciler = Reconciler(self._charged(self.carried.plan), self.carried.ledger, calls)
        self._given = Given(self.carried.ledger)
        self.progress = self._progress()
        if start.carried is None:
            self.journal.opened(self.revision.number, self.progress.items, self.carried.ledger, start.ordered_at)
            if self.waits:
                self.journal.waits(start.ordered_at)

    @classmethod
    def of(cls, fork: Fork) -> Fulfilment:
        """The order that a copy was made of, as it was then."""
        order = cls(fork.start, fork.calls)
        order.reconciler.status.update(fork.status)
        return order

    def fork(self) -> Fork:
        """A copy of the order as it is now."""
        carried = replace(self.carried, verdicts={}, journal=Journalled(), course={})
        start = self.start.model_copy(update={"plan": Plan(), "carried": carried})
        return Fork(start=start, calls=tuple(self.reconciler.calls.values()), status=self.reconciler.status)

    # What it is

    @property
    def revision(self) -> Revision:
        """The current revision. A cancelled order keeps its last one, though its target is the baseline."""
        return self.carried.revisions[-1]

    @property
    def plan(self) -> Plan:
        """The plan of the target."""
        return self.reconciler.plan

    @property
    def cancelled(self) -> bool:
        """True once a cancellation was accepted."""
        return self.carried.cancelled

    @property
    def settled(self) -> bool:
        """True when the silos hold the target and nothing else, and there is no turn to wait for."""
        return self.reconciler.settled and not self.waits

    @property
    def waits(self) -> bool:
        """True until the order has its turn with the installed products that it needs: nothing is done for it yet."""
        return bool(self.carried.waits_for)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the order waits, or was rejected."""
        return self.carried.waits_for or self.carried.rejected

    @property
    def told_state(self) -> LifecycleState:
        """The order's TMF622 state as everybody is told it: an end once the register knows of that, and not before.

        So whoever is told finds the products, and may order what comes next.
        """
        carried = self.carried
        return self.state if carried.end_recorded else short_of_the_end(self.state, started=carried.started)

    @property
    def ending(self) -> bool:
        """True from when the order has come to its end until the register knows."""
        return self.carried.completed_at is not None and not self.carried.end_recorded

    @property
    def state(self) -> LifecycleState:
        """The TMF622 state that the order has come to."""
        if self.waits:
            return LifecycleState.PENDING
        if self.carried.rejected:
            return LifecycleState.REJECTED
        assessment = self.carried.assessment
        if assessment is not None:
            cancels = assessment.change.kind is ChangeKind.CANCEL
            return LifecycleState.ASSESSING_CANCELLATION if cancels else LifecycleState.PENDING
        if self.carried.on_hold:
            return LifecycleState.HELD
        return order_state(self.reconciler, started=self.carried.started, cancelled=self.cancelled)

    def state_of(self, item: str) -> LifecycleState:
        """The TMF622 state of an item."""
        return LifecycleState.REJECTED if self.carried.rejected else self.progress.state_of(item)

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The changes decided or being assessed, by request id. Of very many the oldest are forgotten."""
        return self.carried.verdicts

    @property
    def log(self) -> tuple[Verdict, ...]:
        """The changes asked for, in the order of decision; at the end what is assessed, and the first that wait."""
        waiting = {
            change.request_id: entry_of(change, ChangeState.ASSESSING, self.revision.number)
            for change in islice(self.inbox, MOST_WAITING)
            if change.request_id not in self.verdicts
        }
        return (*self.change_log.decided, *self.change_log.assessed, *waiting.values())

    @property
    def document(self) -> str:
        """The digest of the order's form outside, as last asked for."""
        return self.carried.document or self.start.document

    @property
    def not_before(self) -> datetime | None:
        """The instant before which nothing is provisioned. A cancelled order waits for nothing."""
        return None if self.cancelled else self.revision.requested_start

    @property
    def promised_at(self) -> datetime | None:
        """When the customer was promised to have it, last. None before its turn."""
        return self.carried.promised_at or self.start.promised_at

    def is_in_place(self, task: str) -> bool:
        """True when a task of the target is held as wanted."""
        return self.reconciler.status.get(task) is TaskStatus.IN_PLACE

    def fallout_silos(self) -> list[str]:
        """The silos whose calls wait for a person."""
        return sorted({self.silo_of(task) for task in self.reconciler.fallout})

    def silo_of(self, task: str) -> str:
        """The silo that does a task, of the target or of the ledger."""
        return self.reconciler.ledger.operation_of(task).silo

    def rule_about(self, task: str, refusal: Refusal) -> Rule | None:
        """What the catalog says about a refusal, or None."""
        ledger = self.reconciler.ledger
        return ledger.rule_for(ledger.operation_of(task).name, refusal.code, refusal.status)

    def is_done_by(self, task: str, silo: str) -> bool:
        """True if a silo does a task; False also where the order knows no such task."""
        operation = self.reconciler.ledger.operations.get(operation_name(task))
        return operation is not None and operation.silo == silo

    # What comes about

    def note_calls(self, at: str) -> None:
        """Note since when the calls are under way that are by now."""
        begun = self.begun
        for step in self.reconciler.calls.values():
            if step.key not in begun:
                self.course.begins(step, at)
        self.begun = {step.key: begun.get(step.key, at) for step in self.reconciler.calls.values()}

    def wait_on(self, reasons: tuple[Reason, ...], now: datetime) -> None:
        """Others come first still, or others than before."""
        if reasons != self.carried.waits_for:
            self.carried.waits_for = reasons
            self.journal.note(now)

    def take_turn(self, captured: OrderStart, now: datetime) -> None:
        """Go on as captured now, on what is installed now. What was told and decided while it waited stays."""
        kept = ("external_id", "ordered_at", "document")
        own = {name: getattr(self.start, name) for name in kept}
        self.start = start = captured.model_copy(update=own)
        carried = self.carried
        carried.waits_for = ()
        carried.revisions = [start.baseline, start.revision]
        carried.plan, carried.ledger = start.plan, deepcopy(start.baseline_ledger)
        carried.promised_at = start.promised_at
        self.reconciler = Reconciler(self._charged(carried.plan), carried.ledger)
        self._given = Given(carried.ledger)
        self.progress = self._progress()
        self.journal.opened(self.revision.number, self.progress.items, carried.ledger, now)

    def turn_down(self, reasons: tuple[Reason, ...]) -> None:
        """It has its turn, and cannot be fulfilled: it ends as rejected."""
        self.carried.waits_for, self.carried.rejected = (), reasons
        self.journal.because(f"rejected: {', '.join(dict.fromkeys(reason.code for reason in reasons))}")
        self.progress = self._progress()

    def begin(self) -> None:
        """The start asked for has come: from here on silos are called."""
        if not self.carried.started:
            self.carried.started = True
            if self.not_before is not None:
                self.journal.because("start date reached")

    def try_again(self, now: datetime) -> None:
        """Have what was refused tried again whose time has come by a rule of its silo."""
        for task in self.reconciler.try_again(now):
            self.journal.because(f"{task} tried again", self.reconciler.items_of(task))

    @property
    def tries_again_at(self) -> datetime | None:
        """When a rule next has something tried again. None where none does."""
        times = [datetime.fromisoformat(refusal.again_at) for _, refusal in self.reconciler.tried_again()]
        return min(times, default=None)

    def record(self, step: Step, outcome: Outcome, at: str) -> None:
        """Record how a call has ended."""
        self.reconciler.record(step, self._given.fitting(outcome), at)
        self._given.note(step.task)
        self.course.heard(step.fact, step.verb, outcome, self.reconciler.ledger, self.reconciler.calls, at)
        self._see_undone(step.fact, step.verb)
        self._bill()
        self.journal.because(f"{step.task} {step.verb} {outcome.kind}", self.reconciler.items_of(step.task))

    def answer(self, fact_id: FactId, n: int, outcome: Outcome, at: str) -> bool:
        """Record what a silo reported by callback or polling. False where it says nothing new."""
        fact = self.reconciler.ledger.fact(fact_id)
        verb = fact.waiting.verb if fact is not None and fact.waiting is not None else None
        outcome = self._given.fitting(outcome)
        news = self.reconciler.answer(fact_id, n, outcome, at)
        self._given.note(fact_id[0])
        if news:
            self.course.heard(fact_id, verb, outcome, self.reconciler.ledger, self.reconciler.calls, at)
            on_its_way = outcome.kind is OutcomeKind.ACKNOWLEDGED
            told = ", ".join(outcome.milestones) if on_its_way else outcome.kind
            self.journal.because(" ".join(filter(None, (fact_id[0], verb, told))), self.reconciler.items_of(fact_id[0]))
        if outcome.kind is OutcomeKind.LOST:
            # What is gone by itself will not be undone, so nobody pays for that.
            forgo(self.carried.charges, fact_id)
        self._see_undone(fact_id, verb)
        self._bill()
        return news

    def _see_undone(self, fact: FactId, verb: Verb | None) -> None:
        """Note whose undo is paid for and was just done."""
        if verb is Verb.COMPENSATE and self.reconciler.ledger.fact(fact) is None:
            undone(self.carried.charges, fact)

    def _bill(self) -> None:
        """Make charges part of the target whose undo has been done."""
        charges = self.carried.charges
        if charges:
            fall_due(charges, self.reconciler.ledger)
            if any(charge.due and charge.task not in self.plan.tasks for charge in charges):
                self.aim_at(self.carried.plan)

    def recorded(self, record: OrderRecord) -> None:
        """The register has a record: of the revisions that it tells, only the current one is carried any longer."""
        self.journal.recorded(record)
        carried = self.carried
        # Not that of an end from which it has gone on meanwhile.
        if carried.completed_at is not None and record.view.completed_at == carried.completed_at:
            carried.end_recorded = True
        kept = min(carried.journal.revisions, len(carried.revisions) - 1)
        for revision in carried.revisions[:kept]:
            carried.named.update((item.id, item) for item in revision.ordered())
        del carried.revisions[:kept]
        carried.journal.revisions -= kept

    def close(self, now: datetime) -> None:
        """The order is settled: this is its end, unless something comes in before the register knows of it."""
        if self.carried.completed_at is None:
            self.carried.completed_at = now
            self.journal.note(now)
        for verdict in list(self.verdicts.values()):
            if verdict.state is ChangeState.ACCEPTED:
                self._keep_verdict(verdict.model_copy(update={"state": ChangeState.APPLIED}), now)

    def reopen(self) -> None:
        """The order has not come to its end, or not any more."""
        self.carried.completed_at = None

    # What stands in its way that nobody asked for

    def go_back(self, start: OrderStart, carried: Snapshot, journal: Journal) -> None:
        """Be as it was before, but for what the reconciler knows: `restart` it next."""
        self.start, self.carried, self.journal = start, carried, journal
        self.course = Course(carried.course)
        self.change_log = self.change_log.anew(carried.verdicts)

    def restart(self, calls: Iterable[Step], early: Early, status: Mapping[str, TaskStatus]) -> None:
        """Work out anew where everything stands, by target, ledger and the calls under way."""
        carried = self.carried
        self.reconciler = self.reconciler.anew(self._charged(carried.plan), carried.ledger, calls, early)
        self._given = Given(carried.ledger)
        self.reconciler.status.update(status)
        self.look_anew()

    def look_anew(self) -> None:
        """Have everything count as moved since somebody last looked."""
        self.progress = self._progress()

    # What changes it

    def receive(self, change: ChangeRequest, at: str) -> str:
        """Take a change in, to be decided in its turn. Gives the id that its verdict will have.

        It is refused at once, under an id of its own, where its id is that of another request; and where very many wait
        already.
        """
        change = change.model_copy(update={"asked_at": at})
        request_id = change.request_id
        known = self.verdicts.get(request_id)
        first = known.fingerprint if known is not None else self.inbox.fingerprint(request_id)
        if first not in (None, change.fingerprint):
            message = f"request id {request_id} is that of another request"
            refused = change.model_copy(update={"request_id": self.free_id("reused")})
            return self.reject(refused, [Reason(code="request_id_reused", message=message)], at).request_id
        if self.inbox.has_room_for(change):
            self.inbox.put(change, is_known=known is not None)
        elif first is None:
            message = f"{INBOX} changes wait to be decided already: ask again later"
            self.reject(change, [Reason(code="too_many_changes", message=message)], at)
        return request_id

    def next_change(self) -> ChangeRequest | None:
        """The next change to decide."""
        return self.inbox.take_first(lambda change: not self.holds_back(change))

    def holds_back(self, change: ChangeRequest) -> bool:
        """True while another change is being assessed, and this one would move the target too.

        A cancellation is not held back: it supersedes what is being assessed.
        """
        waits = change.kind.moves_the_target and change.kind is not ChangeKind.CANCEL
        return self.carried.assessment is not None and waits

    def question(self, change: ChangeRequest) -> PlanQuestion:
        """What a planner needs to work out an amendment."""
        return PlanQuestion(
            catalog=self.start.catalog,
            order_id=self.start.order_id,
            revision=self.revision,
            change=change,
            advancement=self.advancement(),
            baseline=self.start.baseline,
            baseline_plan=self.start.baseline_plan,
        )

    def impact_of_target(
        self,
        target: Plan,
        replaced_task: str | None = None,
        *,
        of: Ledger | None = None,
        near: Nearby | None = None,
    ) -> Impact:
        """What another target would do to the order as it is, or to other facts `of` it, worked out on a copy.

        Those facts may have been looked at before: then it is worked out from what is `near`.
        """
        ledger = of or self.reconciler.ledger
        calls = () if of else self.reconciler.calls.values()
        assessment = self.carried.assessment
        decided = assessment.before if assessment else None
        goes_back = target == self.start.baseline_plan
        if near is not None and not goes_back:
            impact = near.impact(self._charged(target), replaced_task)
        else:
            charged = self._charged(target)
            impact = impact_of(self.plan, ledger, calls, charged, replaced_task, decided, goes_back=goes_back)
        impact = already_accepted(self.carried.charges, ledger, impact)
        if of is not None or not self._has_fees_to_come:
            return impact
        after = settled(target, ledger, self.reconciler.calls.values(), replaced_task)
        saved = spared(self.carried.charges, ledger, self.reconciler.calls, after)
        return impact.model_copy(update={"spared": saved})

    @property
    def _has_fees_to_come(self) -> bool:
        return any(not charge.due and not charge.forgone for charge in self.carried.charges)

    def promise(self, revision: Revision, target: Plan, now: datetime) -> datetime | None:
        """What the customer is promised with another revision: as if its dates had been chosen at once.

        It stays where none is chosen anew, however late the order is or becomes.
        """
        if not chooses_dates(self.revision, revision):
            return self.promised_at
        return promised_at(revision, target, self.start.ordered_at if self.carried.started else now)

    def promise_anew(self, change: ChangeRequest, promised: datetime, now: datetime) -> None:
        """Promise another date, as somebody has decided: neither the revision nor the target is different by it."""
        if promised != self.promised_at:
            self.carried.promised_at = promised
            self.journal.promised(change, self.revision.number, now)

    def hold(self) -> None:
        """Begin nothing new until it is released."""
        self.carried.on_hold = True

    def release(self) -> None:
        """Go on after a hold."""
        self.carried.on_hold = False

    def settle(self, change: ChangeRequest, at: str) -> Reason | None:
        """Carry out what a person settles, or say why there is nothing to settle."""
        tasks = named_by(change, self.reconciler)
        problem = settle_by_hand(change, self.reconciler, self.carried.charges, at)
        for task in tasks:
            self._given.note(task)
            self.course.settled(task, self.reconciler.ledger, self.reconciler.calls, at)
        if problem is None:
            self._handled(change, tasks, at)
            self._bill()
        return problem

    def _handled(self, change: ChangeRequest, tasks: Iterable[str], at: str) -> None:
        """Note what somebody does by a change about the fallout of some tasks; of `""`: about all that it reaches."""
        what = _WHAT_IS_DONE.get(change.kind, FalloutEnd.AMENDED)
        what = FalloutEnd.WAIVED if change.resolution is Resolution.WAIVED else what
        hand = Hand(what=what, change=change.request_id, by=cut(change.requester or change.channel), at=at)
        self.journal.hands.update(dict.fromkeys(tasks, hand))

    def ask_silos(self, assessment: Assessment, common: Plan) -> None:
        """Assess a change: silos are asked to let go, and meanwhile what is `common` to both targets is aimed at."""
        self.carried.assessment = assessment
        self.aim_at(common)

    def stop_assessing(self) -> None:
        """The change that was assessed is decided, or given up."""
        self.carried.assessment = None

    def cancel(self) -> None:
        """From here on its last revision is not wanted any more, nor does it wait for a turn."""
        self.carried.cancelled = True
        self.carried.waits_for = ()

    def revise(self, change: ChangeRequest, revision: Revision, target: Plan, now: datetime) -> None:
        """Make the revision that an amendment leads to the current one, with what is promised for it."""
        carried = self.carried
        promised = self.promise(revision, target, now)
        moved = ("promised_at",) if promised != self.promised_at else ()
        self.journal.amended(change, self.revision, revision, now, moved)
        carried.promised_at = promised
        carried.amended |= amended_with(revision, self.revision, carried.amended)
        carried.revisions.append(revision)
        carried.document = change.document or carried.document

    def charge(self, change: ChangeRequest, impact: Impact, target: Plan) -> None:
        """Take on what an accepted change costs. Those of earlier ones are given up whose undo its target spares."""
        charges = self.carried.charges
        ledger, calls = self.reconciler.ledger, self.reconciler.calls
        if self._has_fees_to_come:
            take_over(charges, ledger, calls, settled(target, ledger, calls.values(), change.replaced_task))
        charges += charges_of(self.start.order_id, change.request_id, len(charges) + 1, ledger, impact)

    def accept(self, change: ChangeRequest, at: str, impact: Impact | None = None) -> Verdict:
        """Note that a change was accepted."""
        if change.kind.moves_the_target:
            self._handled(change, [change.task or ""], at)
        return self.decided(change, ChangeState.ACCEPTED, (), at, impact)

    def reject(self, change: ChangeRequest, reasons: list[Reason], at: str, impact: Impact | None = None) -> Verdict:
        """Note that a change was refused, and why. Nothing else is different."""
        return self.decided(change, ChangeState.REJECTED, tuple(reasons), at, impact)

    def reject_malformed(self, reason: str, at: str) -> Verdict:
        """Note a request that could not even be read, under an id of our own that nobody else has used."""
        verdict = Verdict(
            request_id=self.free_id("malformed"),
            kind=None,
            state=ChangeState.REJECTED,
            revision=self.revision.number,
            reasons=(Reason(code="malformed", message=reason),),
            asked_at=at,
            decided_at=at,
        )
        return self._keep_verdict(verdict, datetime.fromisoformat(at))

    def decided(
        self,
        change: ChangeRequest,
        state: ChangeState,
        reasons: tuple[Reason, ...],
        at: str,
        impact: Impact | None = None,
    ) -> Verdict:
        """Note what became of a change: a decision, or that it is being assessed."""
        decided_at = "" if state is ChangeState.ASSESSING else at
        verdict = entry_of(change, state, self.revision.number, reasons, impact, decided_at)
        if state is not ChangeState.REJECTED or self.journal.carried.state in _ASSESSED:
            self.journal.because(f"change {change.request_id}: {change.kind} {state}")
        return self._keep_verdict(verdict, datetime.fromisoformat(at))

    def free_id(self, kind: str) -> str:
        """A request id of our own, `malformed-2`, that nobody else has used."""
        taken = {*self.verdicts, *self.inbox.taken}
        return next(name for number in count(1) if (name := f"{kind}-{number}") not in taken)

    def _keep_verdict(self, verdict: Verdict, now: datetime) -> Verdict:
        self.journal.decided(verdict, self.verdicts.get(verdict.request_id), now)
        self.change_log.keep(verdict)
        self.inbox.decided(verdict.request_id)
        return verdict

    def _charged(self, plan: Plan) -> Plan:
        carried, start = self.carried, self.start
        billing = carried.ledger.operations.get(BILLING)
        charged = with_charges(plan, carried.charges, billing, start.order_id, start.revision.customer_id)
        return replace(charged, final=True) if self.cancelled else charged

    def aim_at(self, plan: Plan) -> None:
        """Make another plan the target, with the charges that are due."""
        self.carried.plan = plan
        self.reconciler.retarget(self._charged(plan))
        self.progress = self._progress()

    def _progress(self) -> Progress:
        carried = self.carried
        told = carried.journal.items
        self.journal.look_at_all_fallout = True  # What the target does not have any more does not count as moved.
        return Progress(self.reconciler, carried.named, carried.revisions, told, cancelled=self.cancelled)

    # How far it is

    def advancement(self) -> dict[str, Advancement]:
        """How far each product of the current revision has come."""
        return advancement_of(self.revision, self.plan, self.is_in_place, self._is_past)

    def _is_past(self, task: str) -> bool:
        ledger = self.reconciler.ledger
        facts = ledger.facts.get(task)
        return facts is not None and has_passed(ledger, facts[max(facts)])

    def tally(self) -> Mapping[str, Counter[TaskStatus]]:
        """How many tasks of the target stand where, by silo."""
        return self.progress.tally()


_WHAT_IS_DONE = {
    ChangeKind.RETRY: FalloutEnd.RETRIED,
    ChangeKind.RESOLVE: FalloutEnd.RESOLVED,
    ChangeKind.CANCEL: FalloutEnd.CANCELLED,
}
_ASSESSED = (LifecycleState.PENDING, LifecycleState.ASSESSING_CANCELLATION)
