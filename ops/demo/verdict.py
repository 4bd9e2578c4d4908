"""Whether the silos hold what an order asks for: by its items, by its ledger, and by a fresh order of that content.

Each comparison gives a readable line for each difference, and none where all is as it should be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from pydantic import JsonValue

from api.care.orders.care_bodies import ItemResponse, OrderResponse, TaskResponse
from orders.model.catalog import Catalog, TaskTemplate
from orders.read_model.states import LifecycleState
from simulated_silos.silo.model import JournalEntry, Outcome, Service, ServiceState

Services: TypeAlias = Mapping[str, Sequence[Service]]
"""What is held, by silo."""

ASSIGNED_BY_THE_API = ("id", "href", "state", "orderDate", "completionDate", "expectedCompletionDate")


def against_items(order: OrderResponse, held: Services, catalog: Catalog) -> list[str]:
    """What an order that ended asks for by its items, against what the silos hold for it.

    A cancelled one asks for nothing. Otherwise every product of every item is held by some silo, nothing is held for
    another product, and what the catalog takes from a characteristic, offering or site of an item has its value.
    """
    services = [(silo, service) for silo, its in held.items() for service in its]
    if order.state is not LifecycleState.COMPLETED:
        return [f"{silo} still holds {service.task}" for silo, service in services]
    problems = [f"{silo}: {s.task} is {s.state}" for silo, s in services if s.state is not ServiceState.ACTIVE]
    items = {product: item for item in order.items if _is_wanted(item) for product in item.products}
    served: Counter[str] = Counter()
    for silo, service in services:
        scope, specification, task = service.task.split("/")
        if not scope.startswith(f"{order.id}."):
            continue  # It belongs to a site or to the whole order.
        served[scope] += 1
        if scope not in items:
            problems.append(f"{silo} holds {service.task}, which no item asks for")
            continue
        wanted = _wanted(items[scope], catalog.specifications[specification].tasks[task])
        problems += [
            f"{silo}: {service.task} has {name} {service.characteristics.get(name)}, the order asks for {value}"
            for name, value in wanted
            if service.characteristics.get(name) != value
        ]
    problems += [f"no silo holds anything for {product}" for product in items if not served[product]]
    return problems


def against_ledger(tasks: Iterable[TaskResponse], held: Services) -> list[str]:
    """What an order believes the silos to hold, against what they hold for it."""
    believed = {
        (task.silo, f"{task.key}/{fact.generation}"): _given({**fact.inputs, **fact.outputs})
        for task in tasks
        for fact in task.facts
    }
    true = {
        (silo, service.id): _given({**service.characteristics, **service.outputs})
        for silo, its in held.items()
        for service in its
    }
    problems = [f"{silo} holds {service}, which the ledger does not know" for silo, service in true.keys() - believed]
    problems += [f"{silo} does not hold {service}, which is in the ledger" for silo, service in believed.keys() - true]
    problems += [
        f"{silo} holds {service} with {true[silo, service]}, the ledger has {believed[silo, service]}"
        for silo, service in believed.keys() & true.keys()
        if believed[silo, service] != true[silo, service]
    ]
    return sorted(problems)


def applied_twice(journal: Iterable[JournalEntry]) -> list[str]:
    """Calls that took effect more than once."""
    applied = Counter(
        (entry.silo, entry.verb, entry.key)
        for entry in journal
        if entry.outcome is Outcome.APPLIED and entry.key is not None and entry.verb not in ("inspect", "poll")
    )
    return [f"{silo} did {verb} {key} {count} times" for (silo, verb, key), count in applied.items() if count > 1]


def ordered_anew(resource: Mapping[str, JsonValue], external_id: str) -> dict[str, JsonValue]:
    """A TMF622 body for a fresh order of what an order, as the API tells it, has come to ask for."""
    body = {name: value for name, value in resource.items() if name not in ASSIGNED_BY_THE_API}
    return {**body, "externalId": external_id, "productOrderItem": list(_items_anew(resource.get("productOrderItem")))}


def _is_wanted(item: ItemResponse) -> bool:
    """False for what was removed, and for a bundle, whose components are items of their own."""
    return item.tasks > 0 and item.state is not LifecycleState.CANCELLED


def _wanted(item: ItemResponse, task: TaskTemplate) -> Iterator[tuple[str, JsonValue]]:
    """The inputs of a task that come straight from its item, with the values that they should have."""
    values = {f"${{char.{name}}}": value for name, value in item.characteristics.items()}
    values["${product.offering}"] = item.offering
    if item.site is not None:
        values["${site.id}"] = item.site.id
    for name, template in task.inputs.items():
        if isinstance(template.value, str) and template.value in values:
            yield name, values[template.value]


def _given(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: value for name, value in values.items() if value is not None}


def _items_anew(items: JsonValue) -> Iterator[JsonValue]:
    for item in items if isinstance(items, list) else []:
        if not isinstance(item, dict) or item.get("state") == LifecycleState.CANCELLED:
            continue
        anew = {name: value for name, value in item.items() if name != "state"}
        if "productOrderItem" in item:
            anew["productOrderItem"] = list(_items_anew(item["productOrderItem"]))
        yield anew
