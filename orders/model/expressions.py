"""References in catalog values: `${char.down_mbps}`, `${site.id}`, `${reserve-port.port_id}`.

Namespaces `product`, `char`, `item`, `site`, `appointment`, `order` and `each` are known when an order is decomposed.
Any other namespace is the alias of a dependency, and names one of its outputs: known only once that task is done.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

CONTEXT_NAMESPACES = frozenset({"product", "char", "item", "site", "appointment", "order", "each"})
_REFERENCE = re.compile(r"\$\{([a-z][a-z0-9-]*)\.([A-Za-z][A-Za-z0-9_.]*)\}")


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${namespace.name}`."""

    namespace: str
    name: str

    @property
    def is_output(self) -> bool:
        """True where the value comes from a silo, not from the order."""
        return self.namespace not in CONTEXT_NAMESPACES


def whole_reference(value: JsonValue) -> Reference | None:
    """The reference that makes up the whole value; its type is kept when it is resolved. None for anything else."""
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return Reference(match[1], match[2]) if match else None


def references(value: JsonValue) -> Iterator[Reference]:
    """Every reference in a value, nested ones too."""
    if isinstance(value, str):
        for match in _REFERENCE.finditer(value):
            yield Reference(match[1], match[2])
    elif isinstance(value, list):
        for part in value:
            yield from references(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from references(part)


def stray_markers(value: JsonValue) -> bool:
    """True where a `${` is left that is no well-formed reference: a typing error in the catalog."""
    if isinstance(value, str):
        return "${" in _REFERENCE.sub("", value)
    if isinstance(value, list):
        return any(stray_markers(part) for part in value)
    if isinstance(value, dict):
        return any(stray_markers(part) for part in value.values())
    return False


def fill(value: JsonValue, context: dict[str, dict[str, JsonValue]]) -> JsonValue:
    """The value with its context references filled in; a name that the context lacks becomes null (or empty text)."""
    if isinstance(value, str):
        whole = whole_reference(value)
        if whole:
            return context.get(whole.namespace, {}).get(whole.name)
        return _REFERENCE.sub(lambda match: as_text(context.get(match[1], {}).get(match[2])), value)
    if isinstance(value, list):
        return [fill(part, context) for part in value]
    if isinstance(value, dict):
        return {name: fill(part, context) for name, part in value.items()}
    return value


def as_text(value: JsonValue) -> str:
    """A value inside a text: as it is, nothing for null, and all else as JSON has it."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
