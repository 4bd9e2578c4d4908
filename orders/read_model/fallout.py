"""A fallout as it is kept: a call that a person is needed for, from when it came up until it is over.

The call is that of one task, on its way to what is wanted or (residue) on its way out. A fallout is not over because
somebody acts: what is tried again and refused again is the same one. It is over when what was refused is in place, or
is wanted no more. What is refused after that is another fallout, with another id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from orders.model.silos.rules import Severity, Texts
from orders.model.values import Frozen, Verb


class FalloutState(StrEnum):
    """How a fallout stands."""

    WAITING = "waiting"
    """A person is needed."""
    UNDER_WAY = "underWay"
    """Somebody has acted, or its silo has answered after all: what comes of it is not known yet."""
    OVER = "over"


class FalloutEnd(StrEnum):
    """What was done about a fallout, and so how it ended once it is over."""

    RETRIED = "retried"
    RESOLVED = "resolved"
    """Done by hand, or what a silo still held written off as kept or sunk."""
    WAIVED = "waived"
    """The order is done without it."""
    AMENDED = "amended"
    """A change has made the call another one, or needless."""
    CANCELLED = "cancelled"
    ANSWERED = "answered"
    """Nobody did anything: its silo has done it after all, or holds nothing any more."""
    UNKNOWN = "unknown"
    """The order does not have it any more, and nobody wrote down why."""


class FalloutSort(StrEnum):
    """What fallout is sorted by."""

    SINCE = "since"
    OVER_AT = "overAt"
    PROMISED_AT = "promisedAt"
    ATTEMPTS = "attempts"
    SILO = "silo"
    OPERATION = "operation"
    CODE = "code"
    CUSTOMER = "customer"
    ORDER = "order"


class Hand(Frozen):
    """What somebody did about a fallout: by which change, who, and when. `by` is empty where that names nobody."""

    what: FalloutEnd
    change: str
    by: str = ""
    at: str


class FalloutRecord(Frozen):
    """One fallout as its order tells it. What people say of it to each other, the register alone knows.

    `key` is the idempotency key of the call refused last, `attempts` how often it was made in vain, each time with the
    whole retry budget of its silo. `since` is when it was refused first, `refused_at` when last, `revision` that of the
    order then. The `group` that is to see to it, its `severity` and the texts, by language, are those of the catalog.
    `behind` are the titles of what waits for it. `hand` is what was done about it last. Of items, offerings
    and titles the first few are named, and the others counted.
    """

    id: str
    task: str
    key: str
    title: str
    silo: str
    operation: str
    verb: Verb
    items: tuple[str, ...] = ()
    more_items: int = 0
    offerings: tuple[str, ...] = ()
    site: str | None = None
    code: str
    reason: str
    group: str | None = None
    severity: Severity | None = None
    for_agents: Texts = {}
    for_customers: Texts = {}
    attempts: int = 1
    since: str
    refused_at: str
    revision: int
    behind: tuple[str, ...] = ()
    more_behind: int = 0
    state: FalloutState = FalloutState.WAITING
    hand: Hand | None = None
    over_at: str | None = None
    ended: FalloutEnd | None = None


def fallout_id(order_id: str, slot: str, since: str) -> str:
    """The id of what fell out at that instant. `slot` names the task, and what of it on its way out."""
    return f"{order_id}-f{hashlib.sha256(f'{slot} {since}'.encode()).hexdigest()[:10]}"


@dataclass
class FalloutKept:
    """What an order carries of its fallout: by slot what is not over, and what is over and not recorded yet."""

    open: dict[str, FalloutRecord] = field(default_factory=dict)
    over: list[FalloutRecord] = field(default_factory=list)

    def copy(self) -> FalloutKept:
        """A copy to go back to. What is written down is never changed, and shared."""
        return FalloutKept(dict(self.open), list(self.over))

    def told(self) -> tuple[FalloutRecord, ...]:
        """What the next record tells: all that is not over, and what is since the record before."""
        return (*self.over, *self.open.values())

    def recorded(self, told: Iterable[FalloutRecord]) -> None:
        """The register knows what was told: what is over is not carried any longer."""
        known = {(each.id, each.over_at) for each in told if each.over_at is not None}
        self.over = [each for each in self.over if (each.id, each.over_at) not in known]
