"""What is different about an order, in TMF622's words: the paths to it, and how it is now.

The core tells it in words of its own. A patch brings the names along that it has outside: of what no silo uses too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Final

from pydantic.alias_generators import to_camel

from api.tmf.json_body import Json
from api.tmf.response_model import ResponseModel
from api.tmf.tmf622.merge import ITEMS, walk
from orders.read_model.views import OrderView

_OF_ORDER: Final = {
    "requested_start": "requestedStartDate",
    "requested_completion": "requestedCompletionDate",
    "promised_at": "expectedCompletionDate",
    "appointments": "appointment",
}
_OF_ITEM: Final = {
    "offering": "productOffering",
    "specification": "productOffering",
    "characteristics": "product.productCharacteristic",
    "products": "quantity",
    "site": "product.place",
    "status": "product.status",
    "billing_account": "product.billingAccount",
    "relies_on": "productOrderItemRelationship",
    "parent": "productOrderItemRelationship",
}
"""The core's names of what can be different, and the standard's. All others are the same in camel case."""


class _Appointment(ResponseModel):
    """As the care API tells it: v4 has no place for more than a reference to one."""

    site: str
    start: datetime
    end: datetime | None
    time_zone: str


_COMES_OR_GOES: Final = ("added", "removed")
_ORDER: Final = ""
"""In place of an item's id: the order itself."""


class ChangedAttributes:
    """The attributes that a change has made different.

    `order` and `items` (by id) are the core's names, `outside` those that a patch brought, by item id too.
    """

    def __init__(
        self, order: Collection[str], items: Mapping[str, Collection[str]], outside: Mapping[str, Collection[str]]
    ) -> None:
        of_order = [_OF_ORDER.get(name, to_camel(name)) for name in order]
        self.names = list(dict.fromkeys([*of_order, *outside.get(_ORDER, ())]))
        """Of the order itself."""
        self.items = list(dict.fromkeys([*items, *(item for item in outside if item != _ORDER)]))
        """The items that something is different about, or that came or went."""
        self._of_items = [list(_of_item(items.get(item, ()), outside.get(item, ()))) for item in self.items]

    @property
    def paths(self) -> list[str]:
        """The paths to all of it; where items came or went, that to the items."""
        return list(dict.fromkeys([*self.names, *(path for paths in self._of_items for path in paths)]))

    def values(self, resource: Json, order: OrderView) -> Json:
        """What there is now at the order's own names. What was taken away is not there any more."""
        told: Json = {name: resource[name] for name in self.names if name in resource and name != ITEMS}
        if "appointment" in self.names:
            told["appointment"] = [
                _Appointment.model_validate(one).model_dump(mode="json", by_alias=True, exclude_none=True)
                for one in order.appointments
            ]
        return told

    def items_now(self, resource: Json) -> dict[str, Json]:
        """The items as they are now, by id, each without those nested in it."""
        return {
            str(item["id"]): {name: value for name, value in item.items() if name != ITEMS}
            for item in walk(resource.get(ITEMS))
            if item.get("id") in self.items
        }


def _of_item(names: Collection[str], outside: Collection[str]) -> Iterator[str]:
    if any(name in _COMES_OR_GOES for name in names):
        yield ITEMS
        return
    for name in dict.fromkeys([*(_OF_ITEM.get(name, to_camel(name)) for name in names), *outside]):
        yield f"{ITEMS}.{name}"
