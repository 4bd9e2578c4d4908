"""Whether the orders of one customer took turns, and what the silos hold after all of them is what is installed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from orders.model.plan import BILLING, Operation, product_of
from orders.planning.installed import InstalledProduct
from orders.read_model.states import ORDER_MOVES, LifecycleState
from orders.reconcile.ledger import Fact, service_id
from register import Register
from simulated_silos.silo.model import JournalEntry, Service, ServiceState, Verb
from tests.running.pipe import SPENT, Pipe
from tests.soak.performed import Performed
from tests.soak.script import Json

_HAS_ITS_TURN = (LifecycleState.ACKNOWLEDGED, LifecycleState.IN_PROGRESS, LifecycleState.HELD)
_OVER = (LifecycleState.COMPLETED, LifecycleState.CANCELLED, LifecycleState.REJECTED)
_PEOPLE = ("construction-office",)
"""Silos that are people: what they have done stands in no journal of simulated silos."""
_WORDS = {"old-pbx.city": "place"}
"""What a silo that is spoken to by templates calls an input."""


@dataclass(frozen=True)
class Way:
    """The states that an order passed through."""

    order: str
    states: tuple[LifecycleState, ...]

    @property
    def waited_to_its_end(self) -> bool:
        """True where it was to wait, and never had its turn."""
        if LifecycleState.PENDING not in self.states:
            return False
        return not set(self.states[self.states.index(LifecycleState.PENDING) :]) & set(_HAS_ITS_TURN)

    def flaws(self) -> Iterator[str]:
        """Moves that there are not, and an end that is none."""
        for before, after in zip((None, *self.states), self.states, strict=False):
            if after not in ORDER_MOVES[before]:
                yield f"{self.order} went from {before} to {after}"
        if not self.states or self.states[-1] not in _OVER:
            yield f"{self.order} did not come to an end: {self.states}"


async def way_of(pipe: Pipe, order: str) -> Way:
    """The way of an order, as the API tells it."""
    address = f"{pipe.settings.api_address}/care/v1/orders/{order}/history"
    answer = await pipe.http.get(address, params={"limit": 1000})
    assert answer.status_code == 200, answer.text
    moves = answer.json()["transitions"]
    return Way(
        order, tuple(LifecycleState(move["after"]) for move in moves if not (move.get("item") or move.get("milestone")))
    )


def installed(pipe: Pipe, performed: Performed) -> list[InstalledProduct]:
    """The products that the orders of a script have made. The same customer may have others, of an earlier run."""
    customer = performed.script.order["relatedParty"][0]["id"]
    orders = [each.order for each in performed.all()]
    with closing(Register(pipe.settings.register_address)) as register:
        return [each for each in register.products.of_customer(customer) if _is_of(each.id, orders)]


def of_turns(
    followers: Sequence[Performed],
    ways: Sequence[Way],
    products: Iterable[InstalledProduct],
    journal: Sequence[JournalEntry],
) -> Iterator[str]:
    """What was done at silos out of turn: by two at once, by who came later before who came first, while waiting."""
    calls: defaultdict[str, list[JournalEntry]] = defaultdict(list)
    for entry in journal:
        if entry.verb not in (Verb.INSPECT, Verb.POLL):
            calls[entry.order or ""].append(entry)
    for way in ways:
        if way.waited_to_its_end and calls[way.order]:
            yield f"{way.order} never had its turn, and called {calls[way.order][0].silo}"
    part_of = _linked(products)
    needs = [{part_of.get(each, each) for each in _named(follower.script.order)} for follower in followers]
    for number, later in enumerate(followers):
        for earlier, needed in zip(followers[:number], needs, strict=False):
            before, behind = calls[earlier.order], calls[later.order]
            if before and behind and needed & needs[number] and before[-1].seq > behind[0].seq:
                yield f"{later.order} called {behind[0].silo} before {earlier.order}, which came first, had ended"


def of_installed(
    products: Iterable[InstalledProduct],
    held: Mapping[str, Sequence[Service]],
    ways: Iterable[Way],
    left_alone: Collection[str],
) -> Iterator[str]:
    """Where silos and installed base differ, and what orders that ended without effect have left at silos.

    `left_alone` are services that a person decided to leave there.
    """
    facts = dict(_facts(products))
    ended = {way.order: way.states[-1] for way in ways}
    for silo, services in held.items():
        for service in services:
            if service.id in left_alone or not _is_of(service.task, ended):
                continue
            if service.state is not ServiceState.ACTIVE:
                yield f"{silo} holds {service.id}, which is {service.state}, though all orders have ended"
            if service.task.endswith(f"/{BILLING}"):
                continue  # A fee is no part of a product: it is judged by the verdict that it was accepted with.
            scope = product_of(service.task)
            order, _, _ = scope.partition("@")
            if order in ended:
                if ended[order] != LifecycleState.COMPLETED and f"{silo}.{service.operation}" not in SPENT:
                    yield f"{silo} holds {service.id}, whose order is {ended[order]}"
                continue
            found = facts.pop(service.id, None)
            if found is None and f"{silo}.{service.operation}" not in SPENT:
                yield f"{silo} holds {service.id}, which is not installed"
            elif found is not None:
                yield from (f"{silo} {flaw}" for flaw in _as_installed(*found, service))
    for name in facts:
        yield f"{name} is installed, and no silo holds it"


def _as_installed(fact: Fact, operation: Operation, service: Service) -> Iterator[str]:
    """Where a silo holds something else than is installed, by what it was asked for or by what identifies it."""
    asked = {_WORDS.get(f"{operation.silo}.{name}", name): value for name, value in fact.inputs.items()}
    if service.characteristics != {**asked, **fact.asks}:
        yield f"holds {service.id} with {service.characteristics}, installed is {fact.inputs}"
    for name in operation.identities:
        if service.outputs.get(name) != fact.outputs.get(name):
            yield f"holds {service.id} as {service.outputs}, installed is {fact.outputs}"


def _facts(products: Iterable[InstalledProduct]) -> Iterator[tuple[str, tuple[Fact, Operation]]]:
    for product in products:
        ledger = product.holding.ledger
        for fact in ledger.all_facts():
            operation = ledger.operations[fact.operation]
            if operation.silo not in _PEOPLE:
                yield service_id(fact.id), (fact, operation)


def _is_of(name: str, orders: Iterable[str]) -> bool:
    return any(name == order or name.startswith((f"{order}.", f"{order}@", f"{order}/")) for order in orders)


def _linked(products: Iterable[InstalledProduct]) -> dict[str, str]:
    """For each product one that stands for all that are linked with it, by bundle or reliance."""
    part_of: dict[str, str] = {}
    products = list(products)
    for product in products:
        part_of.setdefault(product.id, product.id)
        for other in (*product.relies_on, *([product.bundle] if product.bundle else ())):
            one, two = part_of[product.id], part_of.setdefault(other, other)
            part_of = {each: one if part == two else part for each, part in part_of.items()}
    return part_of


def _named(order: Json) -> Iterator[str]:
    """The installed products that the items of an order name."""
    for item in order["productOrderItem"]:
        product = item.get("product", {})
        if "id" in product:
            yield product["id"]
        yield from (each["product"]["id"] for each in product.get("productRelationship", ()))
