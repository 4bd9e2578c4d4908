"""The installed base: what a customer has, product by product, with the facts that it was left with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from orders.model.order import Site
from orders.model.plan import Task
from orders.model.values import Frozen, ProductStatus
from orders.reconcile.ledger import Ledger, service_id


@dataclass(frozen=True, slots=True)
class Drawn:
    """Something that a silo holds and has drawn, such as a telephone number: under which id, and by which name."""

    id: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Holding:
    """What the silos hold for one product: its own tasks as they were last planned, and its part of the ledger.

    Only tasks of product scope are in it: what an order shares among its products does not outlive the order. The
    ledger brings along the operations and silos of its facts.
    """

    tasks: dict[str, Task] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)

    def drawn(self) -> Iterator[Drawn]:
        """What silos have drawn, each under the name of an input by which it could have been asked for."""
        for fact in self.ledger.all_facts():
            operation = self.ledger.operations[fact.operation]
            for name in operation.outputs if fact.established else ():
                value = fact.outputs.get(name)
                if name in operation.on_change and isinstance(value, str):
                    yield Drawn(service_id(fact.id), name, value)

    def told(self) -> dict[str, str]:
        """What silos have given out that people know the product by, such as a serial number."""
        return {
            name: value
            for fact in self.ledger.all_facts()
            if fact.established
            for name, value in self.ledger.operations[fact.operation].told(fact.outputs).items()
        }


class InstalledProduct(Frozen):
    """One product of a customer.

    `bundle` is the product of the bundle that holds it, `relies_on` are the products that it stands on. `version` goes
    up by one with each order that touches the product: a lower one never replaces a higher. `order_id` and `item_id`
    name the item that last did; `catalog` is the digest of the version that its tasks were planned under.
    """

    id: str
    version: int
    customer_id: str
    status: ProductStatus
    offering: str
    specification: str | None
    characteristics: dict[str, JsonValue]
    site: Site | None = None
    billing_account: str | None = None
    bundle: str | None = None
    relies_on: tuple[str, ...] = ()
    order_id: str
    item_id: str
    catalog: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    holding: Holding = Holding()

    @property
    def given(self) -> dict[str, str]:
        """What silos have given out that people know it by."""
        return self.holding.told()

    @property
    def shown_characteristics(self) -> dict[str, JsonValue]:
        """Its characteristics, and what it was given."""
        return {**self.characteristics, **self.given}
