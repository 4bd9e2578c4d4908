"""Whether silos hold what orders asked for, judged by fresh orders of the same content instead of by our own ledger.

After any run whose orders have all ended, `flaws(pipe, orders) == []`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from pydantic import JsonValue, TypeAdapter

from catalog_loader.catalog_files import read_catalog
from orders.read_model.states import LifecycleState
from simulated_silos.compare import Canonical, canonical, differences, read_services
from simulated_silos.silo.model import JournalEntry, Outcome, Service, ServiceState
from tests.e2e.undoing import undone_too_early
from tests.running.pipe import SPENT, Pipe

WITHOUT_KEYS = "tv"
"""The silo that refuses what is repeated: its callers look before they repeat, and take the refusal for an answer."""

_JOURNAL = TypeAdapter(list[JournalEntry])
_OURS = ("id", "href", "state", "orderDate", "completionDate", "cancellationDate", "cancellationReason")

_Json = dict[str, JsonValue]
_Held = Mapping[str, Sequence[Service]]


@dataclass(frozen=True)
class Ended:
    """An order that has ended, as a TMF622 resource."""

    resource: _Json

    @property
    def id(self) -> str:
        return str(self.resource["id"])

    @property
    def state(self) -> str:
        return str(self.resource["state"])

    @property
    def content(self) -> _Json:
        """The body of a fresh order of what this one has come to ask for, without an external id. It begins at once."""
        body = {name: value for name, value in self.resource.items() if name not in (*_OURS, "requestedStartDate")}
        return {**body, "externalId": "", "productOrderItem": list(_wanted_items(self.resource["productOrderItem"]))}


async def flaws(pipe: Pipe, orders: Collection[str]) -> list[str]:
    """Everything that is wrong with what these orders, all ended, have left behind; a readable line for each.

    The silos may hold nothing of any other order. They are emptied, and used for the fresh orders.
    """
    ended = await asyncio.gather(*(ended_order(pipe, order) for order in orders))
    held, journal = await all_held(pipe), await read_journal(pipe)
    found = [*done_twice(journal), *refused(journal), *_oddities(held, orders)]
    cancelled = [order for order in ended if order.state == LifecycleState.CANCELLED]
    completed = [order for order in ended if order.state == LifecycleState.COMPLETED]
    found += [f"{order.id} is {order.state}" for order in ended if order not in cancelled + completed]
    catalog = read_catalog(pipe.settings.catalog_dir)
    for order in cancelled:
        found += [f"{order.id} was cancelled, and left {holding}" for holding in left_by(held, order.id)]
        if await _revision(pipe, order.id) == 1:  # Else something may have gone before, with all that was built on it.
            found += undone_too_early(catalog, [entry for entry in journal if entry.order == order.id])
    fresh = await left_by_fresh_orders(pipe, [order.content for order in completed])
    for order, expected in zip(completed, fresh, strict=True):
        found += [f"{order.id}: {line}" for line in differences(left_by(held, order.id), expected)]
    return found


def done_twice(journal: Iterable[JournalEntry]) -> list[str]:
    """Effects that were applied more than once: under one key, or one generation provisioned under two keys.

    What was acknowledged may fail, and is then asked for under another key: there, only the end of the work counts.
    """
    applied = [entry for entry in journal if entry.outcome is Outcome.APPLIED and entry.verb not in ("inspect", "poll")]
    acknowledging = {entry.silo for entry in applied if entry.verb.endswith(".done")}
    calls: Counter[str] = Counter()
    for entry in applied:
        calls[f"{entry.silo}.{entry.verb} under key {entry.key}"] += 1
        if entry.verb == ("provision.done" if entry.silo in acknowledging else "provision"):
            calls[f"{entry.silo}.{entry.verb} of {entry.id}"] += 1
    return [f"{call} was applied {times} times" for call, times in calls.items() if times > 1]


def refused(journal: Iterable[JournalEntry]) -> list[str]:
    """Calls that a silo refused for good, but for those that answer a repetition where there are no keys."""
    return [
        f"{entry.silo} refused to {entry.verb} {entry.key}: {entry.code}"
        for entry in journal
        if entry.outcome is Outcome.REFUSED and entry.silo != WITHOUT_KEYS and entry.verb != "inspect"
    ]


async def read_journal(pipe: Pipe, silo: str = "") -> list[JournalEntry]:
    """Every call that arrived at a silo, or at any."""
    path = f"/_sim/{silo}/journal" if silo else "/_sim/journal"
    return _JOURNAL.validate_json((await pipe.http.get(f"{pipe.settings.silos_address}{path}")).content)


async def ended_order(pipe: Pipe, order: str) -> Ended:
    """An order that has ended, as the API tells of it."""
    answer = await pipe.http.get(pipe.api(f"/productOrder/{order}"))
    assert answer.status_code == 200, answer.text
    return Ended(answer.json())


async def _revision(pipe: Pipe, order: str) -> int:
    answer = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{order}")
    return int(answer.json()["revision"])


def _wanted_items(items: JsonValue) -> Iterator[JsonValue]:
    """TMF622 items as somebody would submit them: without states, and without those that were removed."""
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict) and item.get("state") != LifecycleState.CANCELLED:
            anew = {name: value for name, value in item.items() if name != "state"}
            if "productOrderItem" in anew:
                anew["productOrderItem"] = list(_wanted_items(anew["productOrderItem"]))
            yield anew


async def all_held(pipe: Pipe) -> dict[str, list[Service]]:
    """What the silos hold, by silo."""
    return read_services((await pipe.http.get(f"{pipe.settings.silos_address}/_sim/services")).content)


def _oddities(held: _Held, orders: Collection[str]) -> Iterator[str]:
    for silo, services in held.items():
        for service in services:
            if service.order not in orders:
                yield f"{silo} holds {service.id} of {service.order}, an order unknown here"
            if service.state is not ServiceState.ACTIVE:
                yield f"{silo} holds {service.id}, which is {service.state}, though its order has ended"


def left_by(held: _Held, order: str) -> Canonical:
    """What an order left, with the products of each item renumbered from 1, as if they had been ordered together."""
    its = {
        silo: [
            service.model_dump(mode="json") for service in services if service.order == order and _counts(silo, service)
        ]
        for silo, services in held.items()
    }
    text = json.dumps(its)
    product = re.compile(rf"(?<![\w.-])({re.escape(order)}\.[\w.-]+)\.(\d+)(?![\w.-])")
    numbers: defaultdict[str, set[int]] = defaultdict(set)
    for item, number in product.findall(text):
        numbers[item].add(int(number))
    text = product.sub(lambda match: f"{match[1]}.{sorted(numbers[match[1]]).index(int(match[2])) + 1}", text)
    return canonical(read_services(text), order)


def _counts(silo: str, service: Service) -> bool:
    """False for what is spent, and for fees: nobody would order them."""
    return f"{silo}.{service.operation}" not in SPENT and "/charges/" not in service.task


async def left_by_fresh_orders(pipe: Pipe, contents: Sequence[_Json]) -> list[Canonical]:
    """What a fresh order of each content leaves on empty silos. Equal contents are ordered only once."""
    await pipe.sim("POST", "/reset")
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": 0})
    distinct = dict.fromkeys(json.dumps(content, sort_keys=True) for content in contents)
    place = {content: number for number, content in enumerate(distinct)}
    bodies = [{**json.loads(content), "externalId": f"fresh-{uuid4().hex[:12]}"} for content in distinct]
    orders = await asyncio.gather(*(pipe.submit(body) for body in bodies))
    await asyncio.gather(*(pipe.outcome(order) for order in orders))
    held = await all_held(pipe)
    left = [left_by(held, order) for order in orders]
    return [left[place[json.dumps(content, sort_keys=True)]] for content in contents]
