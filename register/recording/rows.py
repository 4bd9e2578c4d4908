"""From what an order records to rows of the register's tables."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from pydantic import JsonValue

from orders.planning.installed import InstalledProduct
from orders.read_model.records import OrderRecord
from orders.read_model.states import LifecycleState
from orders.read_model.views import OrderView
from register.searching.query import Pair

_SAID_WHY = (LifecycleState.CANCELLED, LifecycleState.PENDING_CANCELLATION)

Row: TypeAlias = Mapping[str, Any]
"""Values by column."""

LONGEST_FOUND: Final = 200
"""Characters of a value that products are found by: an index holds no long ones."""

_TOLD_AS_THEY_ARE = (
    "id",
    "customer_id",
    "channel",
    "external_id",
    "revision",
    "catalog",
    "document",
    "priority",
    "ordered_at",
    "requested_start",
    "requested_completion",
    "promised_at",
    "expected_at",
    "completed_at",
    "in_jeopardy",
    "safe_at",
)


def telling_of(view: OrderView) -> str:
    """Names everything that, beside what stands in columns, decides how an order is shown."""
    answer = view.answer
    noted = (view.reasons, answer.summary, answer.late_because, answer.late_since)
    shown = (view.document, view.revision, [item.amended for item in view.items], view.state in _SAID_WHY, noted)
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def order_row(version: int, view: OrderView) -> Row:
    """The row of table `orders`, but for what is told of it otherwise than it stands in its document."""
    columns = {name: getattr(view, name) for name in _TOLD_AS_THEY_ARE}
    content = view.model_dump(mode="json", exclude={"body"})
    state, telling = str(view.state), telling_of(view)
    wait, danger = view.answer.waits_for, view.jeopardy
    return {
        **columns,
        "version": version,
        "state": state,
        "written_at": datetime.now(UTC),
        "telling": telling,
        "waits_for": str(wait.kind) if wait is not None else None,
        "jeopardy": danger.level.value if danger is not None else None,
        "jeopardy_cause": danger.cause.value if danger is not None else None,
        "jeopardy_silo": danger.silo if danger is not None else None,
        "view": content,
    }


def offering_rows(view: OrderView) -> list[Row]:
    """The rows of table `order_offerings`."""
    return [{"order_id": view.id, "offering": each} for each in sorted({item.offering for item in view.items})]


def fallout_rows(view: OrderView) -> list[Row]:
    """The rows of table `order_fallout`."""
    return [{"order_id": view.id, "silo": each} for each in sorted({fallout.silo for fallout in view.fallout})]


def item_rows(view: OrderView) -> list[Row]:
    """The rows of table `items`."""
    return [
        {
            "order_id": view.id,
            "item_id": item.id,
            "position": position,
            "state": str(item.state),
            "offering": item.offering,
            "action": item.action,
            "quantity": item.quantity,
            "parent": item.parent,
        }
        for position, item in enumerate(view.items)
    ]


def change_rows(view: OrderView) -> list[Row]:
    """The rows of table `changes`."""
    return [
        {
            "order_id": view.id,
            "request_id": verdict.request_id,
            "position": position,
            "kind": str(verdict.kind) if verdict.kind else None,
            "state": str(verdict.state),
            "requester": verdict.requester,
            "channel": verdict.channel,
            "requested_at": None,
            "decided_at": _instant(verdict.decided_at),
            "content": verdict.model_dump(mode="json"),
        }
        for position, verdict in enumerate(view.changes)
    ]


def charge_rows(record: OrderRecord) -> list[Row]:
    """The rows of table `charges`."""
    return [
        {
            "order_id": record.view.id,
            "task": charge.task,
            "change": charge.change,
            "amount": str(charge.money.amount),
            "currency": charge.money.currency,
            "billed": charge.billed,
            "forgone": charge.forgone,
        }
        for charge in record.charges
    ]


def revision_rows(record: OrderRecord) -> list[Row]:
    """The rows of table `revisions`."""
    return [
        {"order_id": record.view.id, "number": revision.number, "content": revision.model_dump(mode="json")}
        for revision in record.revisions
    ]


def transition_rows(record: OrderRecord) -> list[Row]:
    """The rows of table `transitions`."""
    return [
        {
            "order_id": record.view.id,
            "number": transition.number,
            "at": transition.at,
            "item": transition.item,
            "before": str(transition.before) if transition.before else None,
            "after": str(transition.after),
            "cause": transition.cause,
            "milestone": transition.milestone,
        }
        for transition in record.transitions
    ]


def timeline_rows(record: OrderRecord) -> list[Row]:
    """The row of table `timelines`, if there is anything to tell."""
    if not record.timeline:
        return []
    told = [entry.model_dump(mode="json", exclude_defaults=True) for entry in record.timeline]
    content = zlib.compress(json.dumps(told, separators=(",", ":")).encode())
    return [{"order_id": record.view.id, "content": content}]


def event_rows(record: OrderRecord) -> list[Row]:
    """The rows of table `events`."""
    return [
        {
            "order_id": record.view.id,
            "number": event.number,
            "at": event.at,
            "kind": str(event.kind),
            "data": dict(event.data),
        }
        for event in record.events
    ]


def product_row(product: InstalledProduct) -> Row:
    """The row of table `products`."""
    return {
        "id": product.id,
        "version": product.version,
        "customer_id": product.customer_id,
        "status": str(product.status),
        "offering": product.offering,
        "specification": product.specification,
        "order_id": product.order_id,
        "item_id": product.item_id,
        "started_at": product.started_at,
        "ended_at": product.ended_at,
        "content": product.model_dump(mode="json"),
    }


def relation_rows(product: InstalledProduct) -> list[Row]:
    """The rows of table `product_relations`: the bundle that holds a product, and what it stands on."""
    others = {*product.relies_on, *([product.bundle] if product.bundle else [])}
    return [{"product_id": product.id, "other_id": other} for other in sorted(others)]


def value_rows(product: InstalledProduct) -> list[Row]:
    """The rows of table `product_values`: what a product is found by that has a name. Long texts are left out."""
    found = {(Pair.CHARACTERISTIC, name, value) for name, value in _in_words(product.shown_characteristics.items())}
    drawn = ((each.name, each.value) for each in product.holding.drawn())
    found |= {(Pair.RESOURCE, name, value) for name, value in _in_words(drawn)}
    return [
        {"product_id": product.id, "kind": pair.value, "name": name, "value": value}
        for pair, name, value in sorted(found)
    ]


def _in_words(pairs: Iterable[tuple[str, JsonValue]]) -> Iterator[tuple[str, str]]:
    """The values as they are written, as far as they are text, numbers or booleans."""
    for name, value in pairs:
        words = value if isinstance(value, str) else json.dumps(value)
        if isinstance(value, str | int | float) and len(words) <= LONGEST_FOUND:
            yield name, words


def _instant(written: str) -> datetime | None:
    return datetime.fromisoformat(written).astimezone(UTC) if written else None
