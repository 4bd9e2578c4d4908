"""Compare what silos hold for two orders, though ids, generations and the values given out differ.

An order that went through amendments, faults and restarts should leave what a fresh order with the same content
leaves on empty silos: `differences(canonical(...), canonical(...)) == []`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from pydantic import JsonValue, TypeAdapter

from simulated_silos.silo.model import Characteristics, Frozen, Service

_HOLDINGS = TypeAdapter(dict[str, list[Service]])


class Holding(Frozen):
    """A service with nothing in it that differs between two runs of the same order."""

    silo: str
    task: str
    operation: str
    state: str
    characteristics: Characteristics
    outputs: tuple[str, ...]

    def __str__(self) -> str:
        """Silo and task."""
        return f"{self.silo}: {self.task}"

    @property
    def content(self) -> str:
        """Everything, as text: equal where the holdings are."""
        return json.dumps(self.model_dump(), sort_keys=True)


Canonical: TypeAlias = tuple[Holding, ...]


def read_services(body: bytes | str) -> dict[str, list[Service]]:
    """The answer of `GET /_sim/services`, by silo.

    Raises:
        pydantic.ValidationError: if it is something else.
    """
    return _HOLDINGS.validate_json(body)


def canonical(
    services: Mapping[str, Sequence[Service]],
    order_id: str,
    *,
    spent: Collection[str] = (),
    baseline: Sequence[str] = (),
) -> Canonical:
    """What silos hold for an order, with everything renamed that differs from run to run, sorted.

    Services of other orders are left out, but for those of the orders in `baseline`: earlier ones whose installed
    products this one changes. `spent` names operations to leave out, whose effect cannot be taken back and is nothing
    that is held (`field-service.visit`).

    Order ids become tokens wherever they stand in a string; generation numbers go. A value that a silo gave out becomes
    a token naming task and output wherever it stands, whole or in a string, at any depth. Not so a value that the
    silo gave out because it was asked for (a number): two runs of the same order ask for the same.
    """
    orders = {order_id: "{order}"} | {order: f"{{baseline {n}}}" for n, order in enumerate(baseline, start=1)}
    of_order = _renaming(orders)
    its = [
        (silo, service)
        for silo, held in services.items()
        for service in held
        if any(_belongs(service, order) for order in orders)
    ]
    tokens = {
        value: f"<{_renamed(service.task, of_order)}.{name}>"
        for _, service in its
        for name, value in service.outputs.items()
        if value and service.characteristics.get(name) != value
    }
    renaming = _renaming(orders | tokens)
    holdings = [
        Holding(
            silo=silo,
            task=_renamed(service.task, of_order),
            operation=service.operation,
            state=service.state,
            characteristics={name: _rename(value, renaming) for name, value in service.characteristics.items()},
            outputs=tuple(sorted(service.outputs)),
        )
        for silo, service in its
        if not {service.operation, f"{silo}.{service.operation}"} & set(spent)
    ]
    return tuple(sorted(holdings, key=lambda holding: (holding.silo, holding.task, holding.content)))


def differences(a: Canonical, b: Canonical) -> list[str]:
    """What differs between two canonical values, a readable line each; empty where they are equal."""
    surplus = Counter(holding.content for holding in a)
    surplus.subtract(holding.content for holding in b)
    only_a = _surplus(a, surplus)
    only_b = _surplus(b, Counter({content: -n for content, n in surplus.items()}))
    lines: list[str] = []
    for holding in only_a:
        twin = next((other for other in only_b if (other.silo, other.task) == (holding.silo, holding.task)), None)
        if twin is None:
            lines.append(f"{holding}: only in the first{_times(holding, a, b)}")
            continue
        only_b.remove(twin)
        lines += _contrasts(holding, twin)
    lines += [f"{holding}: only in the second{_times(holding, a, b)}" for holding in only_b]
    return sorted(lines)


_Renaming: TypeAlias = tuple[re.Pattern[str], Mapping[str, str]]


def _renaming(tokens: Mapping[str, str]) -> _Renaming:
    # The longest first, and never a part of a longer word: PO-1 does not stand in PO-10.
    words = "|".join(re.escape(word) for word in sorted(tokens, key=len, reverse=True))
    return re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])"), tokens


def _renamed(text: str, renaming: _Renaming) -> str:
    pattern, tokens = renaming
    return pattern.sub(lambda match: tokens[match.group()], text)


def _rename(value: JsonValue, renaming: _Renaming) -> JsonValue:
    if isinstance(value, str):
        return _renamed(value, renaming)
    if isinstance(value, list):
        return [_rename(each, renaming) for each in value]
    if isinstance(value, dict):
        return {_renamed(name, renaming): _rename(each, renaming) for name, each in value.items()}
    return value


def _belongs(service: Service, order: str) -> bool:
    """True for what the order changed last, and for what was brought about in its name, whoever changed it later."""
    scope = service.task.split("/", 1)[0]
    return service.order == order or scope == order or scope.startswith((f"{order}.", f"{order}@"))


def _surplus(holdings: Canonical, surplus: Counter[str]) -> list[Holding]:
    left = Counter(surplus)
    found: list[Holding] = []
    for holding in holdings:
        if left[holding.content] > 0:
            left[holding.content] -= 1
            found.append(holding)
    return found


def _times(holding: Holding, a: Canonical, b: Canonical) -> str:
    """How often a task is held on either side, where it is on both."""
    first, second = (sum((o.silo, o.task) == (holding.silo, holding.task) for o in side) for side in (a, b))
    return f" (held {first} and {second} times)" if first and second else ""


def _contrasts(a: Holding, b: Holding) -> list[str]:
    lines = [
        f"{a}: {name} is {first} in the first, {second} in the second"
        for name, first, second in (
            ("operation", a.operation, b.operation),
            ("state", a.state, b.state),
            ("outputs", ", ".join(a.outputs) or "none", ", ".join(b.outputs) or "none"),
        )
        if first != second
    ]
    for name in sorted(a.characteristics.keys() | b.characteristics.keys()):
        first, second = (_shown(side.characteristics, name) for side in (a, b))
        if first != second:
            lines.append(f"{a}: {name} is {first} in the first, {second} in the second")
    return lines


def _shown(characteristics: Characteristics, name: str) -> str:
    return json.dumps(characteristics[name], sort_keys=True) if name in characteristics else "absent"
