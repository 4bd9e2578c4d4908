"""What changes have made different about the items of an order, so that it is not as it was sent any more.

It is told by names: `offering`, `quantity`, `site`, `status`, `billing_account`, and `characteristics.<name>` for each
of those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from orders.model.order import Item, Revision

CHARACTERISTIC: Final = "characteristics."


def amended_with(
    revision: Revision, before: Revision, known: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """What is amended about each item that a revision makes different, with what was `known` to be."""
    olds = before.by_id()
    found: dict[str, tuple[str, ...]] = {}
    for item in revision.items:
        old = olds.get(item.id)
        if old is not None and old != item and (names := tuple(_differing(old, item))):
            found[item.id] = tuple(dict.fromkeys((*known.get(item.id, ()), *names)))
    return found


def _differing(old: Item, new: Item) -> Iterator[str]:
    names = ("offering", "quantity", "site", "status", "billing_account")
    yield from (name for name in names if getattr(old, name) != getattr(new, name))
    for name in {**old.characteristics, **new.characteristics}:
        if old.characteristics.get(name) != new.characteristics.get(name):
            yield f"{CHARACTERISTIC}{name}"
