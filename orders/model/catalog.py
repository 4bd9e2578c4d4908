"""The catalog: what is sold (offerings), how it is fulfilled (specifications with task templates), and by whom (silos).

These are the models of one catalog version. `orders.catalog_check.check` says whether a catalog makes sense as a whole;
`catalog_loader.catalog_files` reads one from YAML and keeps the versions in use. Names follow TMF620.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Final, Literal, Self, cast

from pydantic import Field, JsonValue, model_validator

from orders.model.characteristic import Characteristic
from orders.model.silos.breaker import Breaker
from orders.model.silos.capacity import Capacity
from orders.model.silos.http_silo import HttpSilo
from orders.model.silos.manual_silo import ManualSilo
from orders.model.silos.rules import Rule
from orders.model.silos.working_hours import Hours
from orders.model.values import Action, CharacteristicName, Frozen, Money, Name

SITE = "site"
"""In `on_change_of`: where the product is installed."""


EVERY = "*"
"""In `of`: every product that a shared task serves."""


class Scope(StrEnum):
    """What one task of a template serves: a product, an item, all products at a site, or the whole order."""

    PRODUCT = "product"
    ITEM = "item"
    SITE = "site"
    ORDER = "order"


class EdgeKind(StrEnum):
    """Why a task waits for another: it stands on the other's effect, or only comes after it."""

    BUILDS_ON = "builds_on"
    AFTER = "after"


class OnChange(StrEnum):
    """What a new value of an input means for what is already held."""

    AMEND = "amend"
    REPLACE = "replace"
    KEEP = "keep"


class Replacement(StrEnum):
    """Which comes first when a task is replaced: the new generation, or the end of the old one."""

    MAKE_BEFORE_BREAK = "make_before_break"
    BREAK_BEFORE_MAKE = "break_before_make"


class Undo(StrEnum):
    """Whether what an operation did can be compensated.

    `until_done`: only while it waits (a visit can be called off, not unmade). `never`: there is nothing to
    compensate (a message was sent). What is spent in this way is dropped from the ledger without a call.
    """

    ALWAYS = "always"
    UNTIL_DONE = "until_done"
    NEVER = "never"


class Awaited(StrEnum):
    """What people wait for once a silo has taken a task on."""

    SILO = "silo"
    VISIT = "visit"
    PARCEL = "parcel"


class Protocol(StrEnum):
    """How a silo is spoken to, and whether a call is done once it is answered, unless the silo's templates say more.

    Each has its class in `activities`, which `activities.calling.silo_activities.adapter_of` names.
    """

    TMF640 = "tmf640", True
    TMF641 = "tmf641", False
    HTTP = "http", True
    MANUAL = "manual", False

    answers_at_once: bool

    def __new__(cls, name: str, answers_at_once: bool) -> Self:
        """A protocol by its name in the catalog."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.answers_at_once = answers_at_once
        return member


SECOND_LOOK: Final = 20
"""What is awaited is asked for again after this part of the time that it usually takes: a twentieth."""
SOONEST_LOOK: Final = timedelta(seconds=30)
"""Before that no callback is missed yet. By then a silo knows whether it refuses."""


class RetryBudget(Frozen):
    """How often, with which pauses, a call is tried before a person is asked. Compensations are tried without end."""

    attempts: Annotated[int, Field(ge=1, le=1000)] = 20
    first_pause: timedelta = timedelta(seconds=1)
    longest_pause: timedelta = timedelta(minutes=1)


class Polling(Frozen):
    """How an awaited callback is backed up: asked for after `first`, then with pauses that double up to `longest`.

    Where `first` is not given it is soon, and the pause after it follows what is awaited: a visit that takes five days
    is not asked for every minute.
    """

    first: timedelta | None = None
    longest: timedelta = timedelta(hours=6)

    @property
    def first_pause(self) -> timedelta:
        """When to ask first."""
        return self.first or min(SOONEST_LOOK, self.longest)

    def pause_after(self, pause: timedelta, usual: timedelta) -> timedelta:
        """The pause after another one, of what usually takes so long."""
        least = usual / SECOND_LOOK if self.first is None else pause
        return min(max(pause * 2, least), self.longest)


class Silo(Frozen):
    """A system that provisions.

    `address` is absolute, or a path below the configured address of all silos. `retry: inspect` marks a silo that
    knows no idempotency keys: after an unknown outcome it is asked what it holds before the call is repeated. `bulk` is
    how many calls an order may hand to a worker at once. `fees` is the operation by which the one silo that has it
    bills the fees of changes. `rules` say what is done about refusals before a person is asked. `http` are the
    templates of a silo of that protocol, `manual` says what people are asked to do: they have no address. `hours` are
    those in which the silo works, if not always.
    """

    name: Name
    title: str = ""
    protocol: Protocol
    address: str
    rate_per_second: Annotated[float, Field(gt=0)] = 500.0
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 50
    bulk: Annotated[int, Field(ge=1, le=100)] = 20
    call_timeout: timedelta = timedelta(seconds=10)
    retry: Literal["key", "inspect"] = "key"
    retry_budget: RetryBudget = RetryBudget()
    polling: Polling = Polling()
    breaker: Breaker = Breaker()
    rules: tuple[Rule, ...] = ()
    fees: Name | None = None
    http: HttpSilo | None = None
    manual: ManualSilo | None = None
    hours: Hours | None = None

    @model_validator(mode="before")
    @classmethod
    def _people_have_no_address(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        given = cast("dict[str, object]", value)
        return {"address": "", **given} if given.get("protocol") == Protocol.MANUAL else given

    @property
    def in_orders(self) -> Self:
        """As orders carry it along, and products for life: without what only those need who speak to it."""
        carried = self.http is None and self.manual is None and self.hours is None
        return self if carried else self.model_copy(update={"http": None, "manual": None, "hours": None})

    @property
    def answers_at_once(self) -> bool:
        """True where a call is done, or refused, once it is answered."""
        return self.protocol.answers_at_once and not (self.http is not None and self.http.acknowledges)

    @property
    def longest_attempt(self) -> timedelta:
        """How long one attempt may take: the call, and with `retry: inspect` the wait and the look before it."""
        return self.call_timeout * (1 if self.retry == "key" else 3) + timedelta(seconds=5)

    @property
    def patience(self) -> timedelta:
        """How long calls made together wait for each other: to begin, and from the first outcome to the last.

        What is not known by then is told apart from the rest.
        """
        return min(self.call_timeout / 4, timedelta(seconds=2))


class TaskRef(Frozen):
    """Names tasks of a plan from the place of one template.

    `task` alone is a task of the same specification, `specification/task` one of an included specification. `of` is a
    role: the task of that name of the product with that role beside this one (in its bundle, or relied on). In a
    shared task `of` may be `*`: what each product brings that is called so, or counts as such. Unless that is optional,
    the shared task serves only products that bring something.
    """

    task: Annotated[str, Field(pattern=r"^[a-z0-9-]+(/[a-z0-9-]+)?$")]
    of: Name | Literal["*"] | None = None
    optional: bool = False


class Dependency(TaskRef):
    """An edge to another task. `as` names it in `${...}` where the task's own name would be ambiguous."""

    kind: EdgeKind = EdgeKind.BUILDS_ON
    as_: Annotated[Name | None, Field(alias="as")] = None

    @property
    def alias(self) -> str:
        """The name by which inputs refer to this dependency's outputs."""
        return self.as_ or self.task.rpartition("/")[2]


class InputTemplate(Frozen):
    """A value, literal or with `${namespace.name}` references, and what a change of it means.

    `exclusive`: two things in the silo never have the same value at once, such as a telephone number. `by_hand`: a
    person may give another value for a call that the silo has refused.
    """

    value: JsonValue
    on_change: OnChange = OnChange.AMEND
    exclusive: bool = False
    by_hand: bool = False

    @model_validator(mode="after")
    def _exclusive_is_replaced(self) -> InputTemplate:
        if self.exclusive and self.on_change is not OnChange.REPLACE:
            raise ValueError("an exclusive input has on_change replace")
        return self


class PointOfNoReturn(Frozen):
    """The fact after which changing a task is refused (hard) or costs a fee (soft).

    It is passed when the silo reports the `milestone`, as a rule `reached_after` it has taken the task on, and at the
    latest when the task is done.
    """

    kind: Literal["hard", "soft"]
    verbs: tuple[Literal["amend", "replace", "compensate"], ...] = ("amend", "replace", "compensate")
    milestone: Name | None = None
    reached_after: timedelta | None = None
    fee: Money | None = None

    @model_validator(mode="after")
    def _soft_has_a_fee(self) -> PointOfNoReturn:
        if (self.kind == "soft") != (self.fee is not None):
            raise ValueError("a soft point of no return has a fee, a hard one has none")
        if (self.milestone is None) != (self.reached_after is None):
            raise ValueError("a milestone and reached_after, its usual time, belong together")
        return self


class Identity(Frozen):
    """That an output identifies a thing, to the customer or to others: another one of its kind is not the same.

    `asked_by` is the input by which the silo can be asked for that very thing again once it was given back. `keep`:
    what an order itself has drawn is worth keeping too, as long as it may be wanted again.
    """

    asked_by: CharacteristicName | None = None
    keep: bool = False


class DurationBy(StrEnum):
    """What makes the same task take longer here than there."""

    PLACE = "place"
    """The city of its site, as the address has it."""
    OFFERING = "offering"


class TaskTemplate(Frozen):
    """One unit of silo work that a specification calls for.

    People are told of it by its `title`; `awaits` says what they wait for while the silo is at it.

    `counts_as` is a name that several products' tasks share, by which a shared task takes them. A shared task that
    builds on others, or has `on_change_of`, applies on modify only where something that it builds on is made anew, or
    one of those characteristics, or the `site`, differs from what is installed.

    `duration` is the usual one, until it was seen often enough how long the task takes; `duration_by` is what that
    depends on, beside the task itself.

    Every one of the `outputs` must come: a call that is done without is fallout. `identities` are those that identify,
    `shown` those that people are told and ask by.
    """

    name: Name
    title: Annotated[str, Field(max_length=60)] = ""
    silo: Name
    operation: Name
    awaits: Awaited = Awaited.SILO
    counts_as: Name | None = None
    scope: Scope = Scope.PRODUCT
    when: dict[CharacteristicName, JsonValue] = Field(default_factory=dict)
    applies_on: tuple[Action, ...] = (Action.ADD, Action.MODIFY, Action.NO_CHANGE)
    on_change_of: tuple[CharacteristicName, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    inputs: dict[CharacteristicName, InputTemplate] = Field(default_factory=dict)
    outputs: tuple[CharacteristicName, ...] = ()
    identities: dict[CharacteristicName, Identity] = Field(default_factory=dict)
    shown: tuple[CharacteristicName, ...] = ()
    replacement: Replacement = Replacement.MAKE_BEFORE_BREAK
    release_after: tuple[TaskRef, ...] = ()
    amend_while_waiting: bool = False
    undo: Undo = Undo.ALWAYS
    duration: timedelta = timedelta(minutes=1)
    duration_by: DurationBy | None = None
    point_of_no_return: PointOfNoReturn | None = None
    milestone: Name | None = None

    @property
    def shared(self) -> bool:
        """True where one task may serve several products."""
        return self.scope is not Scope.PRODUCT

    def goes_by(self, name: str) -> bool:
        """True where `of: "*"` means this task by that name."""
        return name in (self.name, self.counts_as) and not self.shared


class ProductSpecification(Frozen):
    """What a product is, and the tasks that provide it. Without a role it is only included by others."""

    name: Name
    title: str = ""
    role: Name | None = None
    site: Literal["required", "none"] = "none"
    characteristics: dict[CharacteristicName, Characteristic] = Field(default_factory=dict)
    includes: tuple[Name, ...] = ()
    tasks: dict[Name, TaskTemplate] = Field(default_factory=dict)


class BundleComponent(Frozen):
    """The offerings that can fill one role of a bundle; the default fills it when the order names none."""

    offerings: Annotated[tuple[Name, ...], Field(min_length=1)]
    default: Name | None = None
    optional: bool = False


class Price(Money):
    """What an offering costs, once or a month."""

    period: Literal["once", "month"] = "month"


class ProductOffering(Frozen):
    """What can be ordered: a simple offering of one specification with some values fixed, or a bundle of others."""

    name: Name
    title: str = ""
    description: str = ""
    specification: Name | None = None
    characteristics: dict[CharacteristicName, JsonValue] = Field(default_factory=dict)
    bundle: dict[Name, BundleComponent] = Field(default_factory=dict)
    prices: tuple[Price, ...] = ()

    @model_validator(mode="after")
    def _simple_or_bundle(self) -> ProductOffering:
        if (self.specification is None) == (not self.bundle):
            raise ValueError("an offering has either a specification or a bundle")
        return self


class Catalog(Frozen):
    """One version of the catalog, told apart by its digest."""

    silos: dict[Name, Silo]
    specifications: dict[Name, ProductSpecification]
    offerings: dict[Name, ProductOffering]
    capacities: dict[Name, Capacity] = Field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical content, as 16 hexadecimal digits: equal content, equal digest."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()[:16]

    def canonical(self) -> str:
        """The content as JSON with sorted keys: what the digest is of, and what is kept of a version."""
        content = self.model_dump(mode="json", by_alias=True)
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def capacity_of(self, silo: str, operation: str) -> Capacity | None:
        """What a silo can do of an operation, where the catalog says so."""
        found = (each for each in self.capacities.values() if (each.silo, each.operation) == (silo, operation))
        return next(found, None)

    def biller(self) -> Silo | None:
        """The silo that bills the fees of changes."""
        return next((silo for silo in self.silos.values() if silo.fees is not None), None)

    def templates(self, specification: str) -> list[tuple[ProductSpecification, TaskTemplate]]:
        """The templates that a product of the specification brings, with those of the included specifications."""
        own = self.specifications[specification]
        return [
            (spec, template)
            for spec in (own, *(self.specifications[name] for name in own.includes if name in self.specifications))
            for template in spec.tasks.values()
        ]
