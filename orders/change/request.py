"""Changes to an order in flight: what is asked for, and what is said to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, NamedTuple, TypeAlias

from pydantic import Field, JsonValue, TypeAdapter, model_validator

from orders.change.impact import Impact, ImpactSummary
from orders.model.budget import MOST_REASONS, cut
from orders.model.instants import Instant
from orders.model.order import Appointment, Reason, RequestedItem, Site, Wishes, require_order
from orders.model.values import Frozen, Money, Priority, Quantity, Whole
from orders.model.writing.json_values import JsonObject
from orders.model.writing.reading import read_as
from orders.model.writing.text import Line, Name, Text

RequestId: TypeAlias = Annotated[Name, Field(min_length=1, max_length=100)]
"""The id of a change request, which whoever asks gives it."""

RevisionNumber: TypeAlias = Annotated[Whole, Field(ge=0, lt=2**31)]
"""The number of a revision."""


DocumentDigest: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""Names the form of an order that the register keeps."""

MOST_ATTRIBUTES: Final = 100
"""How many attributes of a document are named."""


class ChangeKind(StrEnum):
    """What a change asks for."""

    AMEND = "amend"
    """Add, update or remove items; and whatever a reschedule or a change of priority does, in one request."""
    RESCHEDULE = "reschedule"
    """Other requested dates, another appointment at a site."""
    CHANGE_PRIORITY = "changePriority"
    CHANGE_PROMISE = "changePromise"
    """Another date promised, by a person who says why. The plan and the customer's own dates stay as they are."""
    CANCEL_ITEMS = "cancelItems"
    """Some items are not wanted any more; the rest of the order is."""
    CANCEL = "cancel"
    REPLACE = "replace"
    """The same thing anew, though nothing about it differs: a lost parcel, a broken SIM card."""
    HOLD = "hold"
    RELEASE = "release"
    RETRY = "retry"
    RESOLVE = "resolve"
    """A person settles what was refused for good: done by hand, waived, or what a silo still holds kept or sunk."""

    @property
    def revises(self) -> bool:
        """True where it makes another revision, which has to be planned."""
        return self in (self.AMEND, self.RESCHEDULE, self.CHANGE_PRIORITY, self.CANCEL_ITEMS)

    @property
    def moves_the_target(self) -> bool:
        """True where it is decided by its impact: it asks for another target, or for something of this one anew."""
        return self.revises or self in (self.CANCEL, self.REPLACE)


class ChangeState(StrEnum):
    """What became of a change request."""

    ASSESSING = "assessing"
    """It depends on silos that were asked to let go. The order goes on with what is wanted either way."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    APPLIED = "applied"
    """Accepted, and the silos hold what it asked for."""
    SUPERSEDED = "superseded"
    """A cancellation came before it was decided."""


class Resolution(StrEnum):
    """How a person settles a task in fallout."""

    DONE = "done"
    KEPT = "kept"
    SUNK = "sunk"
    WAIVED = "waived"
    """Nobody does it: the order is done without."""


class Subject(StrEnum):
    """What about an item, or about the order, is to be different."""

    OFFERING = "offering"
    CHARACTERISTIC = "characteristic"
    QUANTITY = "quantity"
    STATUS = "status"
    """An installed product is suspended, or resumed."""
    PLACE = "place"
    APPOINTMENT = "appointment"
    REMOVAL = "removal"
    """The item is cancelled, with what depends on it."""
    REPLACEMENT = "replacement"
    """What a task holds is made anew."""
    DATES = "dates"
    PROMISE = "promise"
    """The date that the whole order is promised for."""
    CANCELLATION = "cancellation"
    """The whole order is cancelled."""
    FALLOUT = "fallout"
    """What a silo has refused is tried again."""


class ItemUpdate(Frozen):
    """What is to be different about an item. What is left out stays; a characteristic that is null has its default.

    `drop` names the products to give up when the quantity goes down; without it those least advanced go.
    """

    id: Line
    offering: Line | None = None
    characteristics: JsonObject = Field(default_factory=dict)
    quantity: Quantity | None = None
    drop: tuple[Line, ...] = ()
    site: Site | None = None
    wishes: Wishes = Wishes()


class Needs(NamedTuple):
    """The fields that a change of one kind carries beside who asks, and why.

    All of some, at least one of others, just one of `either`.
    """

    all_of: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    either: tuple[str, ...] = ()


_DATES = ("requested_start", "requested_completion", "appointments")
_ANSWERS = ("accept_fee", "digest")

NEEDS: Mapping[ChangeKind, Needs] = {
    ChangeKind.AMEND: Needs(
        one_of=("add", "update", "remove", *_DATES, "priority", "document"),
        may=("cascade", "attributes", *_ANSWERS),
    ),
    ChangeKind.RESCHEDULE: Needs(one_of=_DATES, may=_ANSWERS),
    ChangeKind.CHANGE_PRIORITY: Needs(all_of=("priority",), may=_ANSWERS),
    # A promise is not moved in silence: somebody answers for it by name, and says why.
    ChangeKind.CHANGE_PROMISE: Needs(all_of=("promised_at", "requester", "reason")),
    ChangeKind.CANCEL_ITEMS: Needs(all_of=("items",), may=("cascade", *_ANSWERS)),
    ChangeKind.CANCEL: Needs(may=_ANSWERS),
    ChangeKind.REPLACE: Needs(all_of=("task",), may=_ANSWERS),
    ChangeKind.HOLD: Needs(),
    ChangeKind.RELEASE: Needs(),
    ChangeKind.RETRY: Needs(either=("task", "silo"), may=("inputs",)),
    # Somebody has to answer for it by name.
    ChangeKind.RESOLVE: Needs(all_of=("task", "resolution", "requester"), may=("outputs",)),
}

_EVERY_KIND = ("request_id", "kind", "requester", "channel", "reason", "expected_revision", "asked_at", "asked_as")


def misfits(kind: ChangeKind, fields: Mapping[str, object]) -> list[tuple[str | None, str]]:
    """(field, what is wrong) of everything that does not fit a change's kind; None where any of several is missing."""
    said = [name for name, value in fields.items() if not _is_empty(value)]
    needs = NEEDS[kind]
    known = {*_EVERY_KIND, *needs.all_of, *needs.one_of, *needs.may, *needs.either}
    found: list[tuple[str | None, str]] = [
        (name, f"a change of kind {kind} carries no {name}") for name in said if name not in known
    ]
    found += [(name, f"a change of kind {kind} needs {name}") for name in needs.all_of if name not in said]
    if needs.one_of and not set(needs.one_of).intersection(said):
        found.append((None, f"a change of kind {kind} needs at least one of {', '.join(needs.one_of)}"))
    if fields.get("resolution") is Resolution.WAIVED and "reason" not in said:
        found.append(("reason", "what is waived needs a reason"))
    if "inputs" in said and "silo" in said:
        found.append(("inputs", "inputs are given for a task, not for a silo"))
    if needs.either and len(chosen := [name for name in needs.either if name in said]) != 1:
        where = chosen[-1] if chosen else None
        found.append((where, f"a change of kind {kind} needs {' or '.join(needs.either)}, and just one of them"))
    return found


def _is_empty(value: object) -> bool:
    return value is None or value is False or value in ((), {}, "")


class ChangeRequest(Frozen):
    """A request to change an order in flight, by update or signal.

    The same `request_id` is decided once, however often it arrives; it is that of one request, known by its
    `fingerprint`. `asked_as` stands for a request that came in another form, which this one was worked out from. An
    `expected_revision` that is not the current one is refused, and so is one whose `digest` is not that of its impact
    any more. `accept_fee` is what the customer agreed to pay. `promised_at` is what is promised from now on. `items`
    are those to cancel; `cascade` takes with an item what depends on it. `task` names the task to replace, retry or
    resolve; in place of one, `silo` has everything retried that this one has refused. `inputs` are given by hand for
    the one call that is tried again. `resolution` says how something is resolved, with the `outputs` of what was done
    by hand. `asked_at` is noted when it arrives, whatever it says. `document` is the digest of the form that the order
    is to have outside, which the register keeps. `attributes` are the names, there, of what is different, or the first
    of very many: by item id, under the empty one those of the order itself. Neither is read. `NEEDS` tells which kind
    carries what.
    """

    request_id: RequestId
    kind: ChangeKind
    requester: Name = ""
    channel: Name = ""
    reason: Text = ""
    expected_revision: RevisionNumber | None = None
    add: tuple[RequestedItem, ...] = ()
    update: tuple[ItemUpdate, ...] = ()
    remove: tuple[Line, ...] = ()
    items: tuple[Line, ...] = ()
    requested_start: Instant | None = None
    requested_completion: Instant | None = None
    appointments: tuple[Appointment, ...] = ()
    priority: Priority | None = None
    promised_at: Instant | None = None
    cascade: bool = False
    accept_fee: Money | None = None
    digest: Name | None = None
    task: Line | None = None
    silo: Line | None = None
    resolution: Resolution | None = None
    inputs: JsonObject = Field(default_factory=dict)
    outputs: JsonObject = Field(default_factory=dict)
    document: DocumentDigest | None = None
    attributes: Annotated[dict[Line, tuple[Line, ...]], Field(max_length=MOST_ATTRIBUTES)] = Field(default_factory=dict)
    asked_at: Name = ""
    asked_as: Text = ""

    @property
    def fingerprint(self) -> str:
        """What tells this request from any other: who asks for what, apart from its id and when it arrived."""
        if self.asked_as:
            return fingerprint(self.requester, self.channel, self.asked_as)
        content = self.model_dump(mode="json", exclude={"request_id", "asked_at"}, exclude_defaults=True)
        return fingerprint(self.requester, self.channel, content)

    @property
    def chooses_slots(self) -> bool:
        """True where it makes an appointment."""
        return bool(self.appointments) or any(each.wishes.appointment for each in (*self.add, *self.update))

    @property
    def update_id(self) -> str:
        """That of the update that asks for it: Temporal answers one again as before, whatever is asked for under it."""
        return f"{self.request_id} {self.fingerprint}"

    @property
    def replaced_task(self) -> str | None:
        """The task that is to be made anew though nothing about it differs, or None."""
        return self.task if self.kind is ChangeKind.REPLACE else None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> ChangeRequest:
        found = misfits(self.kind, dict(self))
        if found:
            raise ValueError("; ".join(problem for _, problem in found))
        require_order(self.requested_start, self.requested_completion)
        return self


_CHANGE_REQUEST: TypeAdapter[ChangeRequest] = TypeAdapter(ChangeRequest)


def read_change(content: object) -> ChangeRequest:
    """A change request as somebody sent it; see `read_as`."""
    return read_as(_CHANGE_REQUEST, content)


def fingerprint(requester: str, channel: str, asked: JsonValue) -> str:
    """The same for the same request of the same requester through the same channel, and else another."""
    content = json.dumps([requester, channel, asked], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()[:32]


class Verdict(Frozen):
    """An entry of the log of changes: who asked for what, when and why, and what was decided.

    `fingerprint` is that of the request. `revision` is the order's after it. `asked_at` is the instant of arrival,
    `decided_at` that of the last decision: empty while it waits for one. `promised_at` is the date that a change of the
    promise asks for.
    """

    request_id: str
    kind: ChangeKind | None
    state: ChangeState
    revision: int
    reasons: tuple[Reason, ...] = ()
    impact: ImpactSummary | None = None
    requester: str = ""
    channel: str = ""
    reason: str = ""
    expected_revision: int | None = None
    asked_at: str = ""
    decided_at: str = ""
    fingerprint: str = ""
    promised_at: datetime | None = None

    @property
    def waits(self) -> bool:
        """True while nobody has looked at the change."""
        return self.state is ChangeState.ASSESSING and not self.decided_at

    def answers(self, fingerprint: str) -> bool:
        """True if this is the verdict on the request of a fingerprint; False on another that had the same id."""
        return self.fingerprint == fingerprint


def entry_of(
    change: ChangeRequest,
    state: ChangeState,
    revision: int,
    reasons: tuple[Reason, ...] = (),
    impact: Impact | None = None,
    decided_at: str = "",
) -> Verdict:
    """The log's entry about a change, in a size that does not grow with the order."""
    return Verdict(
        request_id=change.request_id,
        kind=change.kind,
        state=state,
        revision=revision,
        reasons=_in_short(reasons),
        impact=impact.summary() if impact else None,
        requester=cut(change.requester),
        channel=cut(change.channel),
        reason=cut(change.reason),
        expected_revision=change.expected_revision,
        asked_at=change.asked_at,
        decided_at=decided_at,
        fingerprint=change.fingerprint,
        promised_at=change.promised_at,
    )


def _in_short(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    told = tuple(reason.model_copy(update={"message": cut(reason.message)}) for reason in reasons[:MOST_REASONS])
    left = len(reasons) - len(told)
    return (*told, Reason(code="more", message=f"and {left} reasons more")) if left else told
