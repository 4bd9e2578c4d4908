"""Demand and capacities, as the care API tells them."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Annotated

from pydantic import ConfigDict, Field

from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from api.tmf.tmf622.shapes import TmfBody
from orders.demand.figures import Demand
from orders.model.silos.capacity import Delivery, Number, Per
from orders.model.writing.text import Line, Name


class DemandLineResponse(ResponseModel):
    """What is asked of a silo on one day: by the `likely` days, by the `safe` ones, and what was `asked` on that day.

    `capacity` is what there is, and `left` what is left of it by the likely days: of visits on that day, of stock at
    its end. Null where nobody knows what there is.
    """

    silo: str
    operation: str
    title: str
    place: str
    kind: str
    day: date
    likely: int
    safe: int
    asked: int
    capacity: int | None
    left: int | None


class ShortageResponse(ResponseModel):
    """The first day on which more is asked for than there is."""

    silo: str
    operation: str
    title: str
    place: str
    kind: str
    runs_out: date
    short_of: int


class DemandResponse(ResponseModel):
    """Demand by silo, operation, place, kind and day, and what runs out, the soonest first.

    `behind` is how many orders have moved and are still to be looked at: ask again, and they are.
    """

    lines: tuple[DemandLineResponse, ...]
    shortages: tuple[ShortageResponse, ...]
    behind: int


COLUMNS = tuple(DemandLineResponse.model_fields)


def as_csv(demand: Demand) -> str:
    """The lines as CSV (RFC 4180), with a header. What is not known is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for line in demand.lines:
        told = {name: getattr(line, name) for name in COLUMNS}
        writer.writerow({name: _harmless(value) for name, value in told.items()})
    return text.getvalue()


def _harmless(value: object) -> object:
    """Text that a spreadsheet would take for a formula, marked as text: places come from outside."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value


class CapacityBody(TmfBody):
    """What a silo has now, in place of what the catalog or somebody said before.

    `number` is had at each place, of each kind, unless `numbers` names another for a place, a kind, or `place/kind`.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    number: Number | None = None
    numbers: Annotated[dict[Line, Number], Field(max_length=10_000)] = {}
    deliveries: Annotated[tuple[Delivery, ...], Field(max_length=10_000)] = ()
    requester: Name = ""


class DeliveryResponse(ResponseModel):
    """What comes into stock on a day."""

    day: date
    number: int
    place: str
    kind: str


class StatedResponse(ResponseModel):
    """When a capacity was told, and by whom."""

    at: InstantOut
    by: str


class CapacityResponse(ResponseModel):
    """What a silo can do of an operation. `stated` says when and by whom it was told since the catalog was written."""

    name: str
    title: str
    silo: str
    operation: str
    place: str | None
    kind: str | None
    per: Per
    number: int | None
    numbers: dict[str, int]
    deliveries: tuple[DeliveryResponse, ...]
    stated: StatedResponse | None = None


class CapacitiesResponse(ResponseModel):
    """Every capacity of the catalog."""

    capacities: tuple[CapacityResponse, ...]
