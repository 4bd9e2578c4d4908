"""What can be asked of the register's list of fallout, typed and free of SQL, and what is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from orders.model.silos.rules import Severity
from orders.model.values import Frozen
from orders.read_model.fallout import FalloutEnd, FalloutRecord, FalloutSort, FalloutState
from register.hands import StoryEntry
from register.searching.query import Visibility

__all__ = [
    "OPEN",
    "Fallout",
    "FalloutGroup",
    "FalloutPage",
    "FalloutQuery",
    "FalloutSummary",
    "StoryEntry",
]

OPEN: Final = (FalloutState.WAITING, FalloutState.UNDER_WAY)


@dataclass(frozen=True, slots=True)
class FalloutQuery:
    """A page of the fallout that fits: all that is given has to hold. The oldest comes first without `sort`.

    `offering` is that of any item of the order. It has one of the severities given, if any is. `claimed` says whether
    anybody has it, `claimed_by` who. Sorts are (what, whether descending).
    """

    state: tuple[FalloutState, ...] = OPEN
    silo: str | None = None
    operation: str | None = None
    code: str | None = None
    offering: str | None = None
    channel: str | None = None
    customer: str | None = None
    order: str | None = None
    group: str | None = None
    severity: tuple[Severity, ...] = ()
    claimed: bool | None = None
    claimed_by: str | None = None
    in_jeopardy: bool | None = None
    since_from: datetime | None = None
    since_before: datetime | None = None
    visible_to: Visibility | None = None
    sort: tuple[tuple[FalloutSort, bool], ...] = ()
    offset: int = 0
    limit: int = 100


class Fallout(Frozen):
    """A fallout as the register has it: what its order told, who has it, and how that order stands."""

    record: FalloutRecord
    order_id: str
    external_id: str
    customer_id: str
    channel: str
    claimed_by: str | None
    claimed_at: datetime | None
    group: str | None
    order_state: str
    promised_at: datetime | None
    expected_at: datetime | None
    in_jeopardy: bool
    ended: FalloutEnd | None
    over_at: datetime | None


@dataclass(frozen=True, slots=True)
class FalloutPage:
    """The fallout asked for, as much as fits into a page's bytes, and how much fits in all."""

    fallout: tuple[Fallout, ...]
    total: int


class FalloutGroup(Frozen):
    """All fallout of one silo, operation and code: how much, of how many orders, since when, how much is claimed.

    `at_risk` are the orders expected later than promised. `severity` is the gravest of them, None without any.
    """

    silo: str
    operation: str
    code: str
    count: int
    orders: int
    at_risk: int
    claimed: int
    severity: Severity | None
    oldest: datetime


@dataclass(frozen=True, slots=True)
class FalloutSummary:
    """Groups of fallout, the largest first, and how much and how many there are in all."""

    groups: tuple[FalloutGroup, ...]
    total: int
    total_groups: int
