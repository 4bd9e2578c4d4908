"""The words of a simulated silo: calls, the services it holds, its service orders, its journal.

What others read is a pydantic model. What a silo keeps for each call is a slotted dataclass, a third of the size:
benchmarks make a million of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict, JsonValue

Characteristics: TypeAlias = dict[str, JsonValue]
"""Inputs of a service by name."""

Outputs: TypeAlias = dict[str, str]
"""What a silo adds to a service, by name: numbers and ids that it gives out."""


class Frozen(BaseModel):
    """An immutable value that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Verb(StrEnum):
    """What a silo can be asked to do. The last two change nothing."""

    PROVISION = "provision"
    AMEND = "amend"
    COMPENSATE = "compensate"
    INSPECT = "inspect"
    POLL = "poll"


class Outcome(StrEnum):
    """What came of a call: `refused` is for good (4xx), `failed` for now (5xx)."""

    APPLIED = "applied"
    REPLAYED = "replayed"
    REFUSED = "refused"
    FAILED = "failed"


class ServiceState(StrEnum):
    """State of a service. A terminated one is never held, only told about."""

    ACTIVE = "active"
    PENDING = "pending"
    TERMINATED = "terminated"


class ServiceOrderState(StrEnum):
    """States of a TMF641 service order."""

    ACKNOWLEDGED = "acknowledged"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a call was not done, with the HTTP status that says so, and after how many seconds to ask again."""

    status: int
    code: str
    message: str
    retry_after_s: int | None = None


class Service(Frozen):
    """A thing that a silo holds. `id` is `<task>/<generation>`; `order` is the last one to have changed it."""

    id: str
    order: str
    task: str
    generation: int
    operation: str
    characteristics: Characteristics
    outputs: Outputs
    state: ServiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that changes something. `n` numbers the calls on one id; `key` is `<id>/<n>`.

    Only silos without keys get calls without one (their `n` is 0). A deletion may leave the operation open. `plain`
    calls have come as plain JSON, and are reported on in that.
    """

    verb: Verb
    id: str
    key: str | None
    n: int
    operation: str
    inputs: Characteristics
    order: str
    callback_url: str | None
    asynchronous: bool
    plain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOrder:
    """A TMF641 service order. `due` is when its work is done (seconds since the epoch), None is when somebody says so.

    `carries` are the keys of the orders whose pending work this one took over: they end as it ends. `milestones` are
    those reached, by name with the time.
    """

    id: str
    call: Call
    state: ServiceOrderState
    due: float | None = None
    outputs: Outputs = field(default_factory=dict)
    carries: tuple[str, ...] = ()
    error: Refusal | None = None
    milestones: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What a silo knows of one id, held or not.

    A tombstone is `gone`: it answers what arrives late (silos without keys do not look at it). `n` is the highest
    number of the calls accepted, `pending` the key of the service order at work on it, `orders` every order that ever
    changed it.
    """

    id: str
    n: int = 0
    service: Service | None = None
    gone: bool = False
    pending: str | None = None
    orders: tuple[str, ...] = ()
    callback_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call is answered with: a service, a service order, a refusal or, all being None, nothing (204)."""

    status: int
    service: Service | None = None
    service_order: ServiceOrder | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenKey:
    """An idempotency key that was used: for what, and how that was answered."""

    key: str
    verb: Verb
    fingerprint: str
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a decision alters: a thing and service orders as they are now, a key seen, how far the outputs counted."""

    thing: Thing | None = None
    service_orders: tuple[ServiceOrder, ...] = ()
    key: SeenKey | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a call, and what it alters. `landed`: the effect of an asynchronous call came with the answer."""

    outcome: Outcome
    answer: Answer
    change: Change | None
    landed: bool = False


@dataclass(frozen=True, slots=True)
class Landing:
    """The end of a service order's work, or a milestone on the way there, and what it alters."""

    service_order: ServiceOrder
    change: Change


class JournalEntry(Frozen):
    """One call that arrived, or (verb `<verb>.done`) the effect of an asynchronous one. `seq` counts over all silos."""

    seq: int
    time: str
    silo: str
    verb: str
    key: str | None
    id: str | None
    order: str | None
    inputs: Characteristics
    outcome: Outcome
    code: str | None = None


def split_id(service_id: str) -> tuple[str, int]:
    """A service id as task key and generation.

    Raises:
        ValueError: if it is not of the form `<task key>/<generation>`.
    """
    task, slash, generation = service_id.rpartition("/")
    if not (slash and task and generation.isascii() and generation.isdecimal()):
        raise ValueError(f"a service id is <task key>/<generation>: {service_id!r}")
    return task, int(generation)
