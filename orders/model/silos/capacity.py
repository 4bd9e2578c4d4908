"""What silos can do: how much of an operation a day, or what is in stock, by place and kind; and slots of visits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, JsonValue, model_validator

from orders.model.values import Frozen, Name, Whole
from orders.model.writing.text import Line

Number = Annotated[Whole, Field(ge=0, le=10**9)]
Source = Annotated[str, Field(pattern=r"^(site|input)\.[A-Za-z][A-Za-z0-9_]*$", max_length=80)]
"""Where the place or the kind of a thing is told: a field of the site's address, or an input of the calls."""

MOST_DAYS: Final = 60
"""How far ahead slots are offered at most."""


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


WORKING_DAYS: Final = tuple(Weekday)[:5]


class Window(Frozen):
    """Between what hours of a day somebody comes, by the clock at the site."""

    start: time
    end: time

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.end <= self.start or self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("ends after it starts, on the same day, by the clock at the site")
        return self


class Slots(Frozen):
    """When visits can be: asked of the silo where it `offers` them (TMF646), else by its capacity and these windows.

    A day's capacity is shared evenly among its windows. Clocks are those of the `zone`, or of the place in `zones`.
    """

    offers: bool = False
    windows: tuple[Window, ...] = ()
    days: tuple[Weekday, ...] = WORKING_DAYS
    zone: Line
    zones: dict[Line, Line] = Field(default_factory=dict)
    lead_days: Annotated[Whole, Field(ge=0, le=MOST_DAYS)] = 1
    ahead_days: Annotated[Whole, Field(ge=1, le=MOST_DAYS)] = 30

    def zone_of(self, place: str) -> str:
        """The time zone at a place."""
        return self.zones.get(place, self.zone)


class Per(StrEnum):
    """Whether a number is had anew each day, or once."""

    DAY = "day"
    STOCK = "stock"


class Delivery(Frozen):
    """What comes into stock on a day."""

    day: date
    number: Number
    place: Annotated[str, Field(max_length=200)] = ""
    kind: Annotated[str, Field(max_length=200)] = ""


class Capacity(Frozen):
    """What a silo can do of an operation.

    `place` and `kind` say what it is told apart by. `number` is had at each place, of each kind, unless `numbers` names
    another for a place, a kind, or `place/kind`. Without any number it is only counted what is asked for. `deliveries`
    come into stock later.
    """

    name: Name
    title: Annotated[str, Field(max_length=80)] = ""
    silo: Name
    operation: Name
    place: Source | None = None
    kind: Source | None = None
    per: Per = Per.DAY
    number: Number | None = None
    numbers: dict[Line, Number] = Field(default_factory=dict)
    deliveries: tuple[Delivery, ...] = ()
    slots: Slots | None = None

    def there_on(self, place: str, kind: str, day: date) -> int | None:
        """How much there is on a day, of stock with what was delivered by then. None where nobody knows."""
        number = self.number_of(place, kind)
        if number is None or self.per is Per.DAY:
            return number
        return number + sum(
            each.number for each in self.deliveries if each.day <= day and (each.place, each.kind) == (place, kind)
        )

    def number_of(self, place: str, kind: str = "") -> int | None:
        """How much there is of a kind at a place, or None where nobody knows."""
        for name in (f"{place}/{kind}", kind, place):
            if name in self.numbers:
                return self.numbers[name]
        return self.number


class StatedCapacity(Frozen):
    """What a silo has as somebody told it since the catalog was written: it counts in place of the catalog's numbers.

    `deliveries` are those still to come when it was told.
    """

    number: Number | None = None
    numbers: dict[Line, Number] = Field(default_factory=dict)
    deliveries: tuple[Delivery, ...] = ()
    at: datetime
    by: str

    def of(self, capacity: Capacity) -> Capacity:
        """The capacity with these numbers."""
        told = {"number": self.number, "numbers": self.numbers, "deliveries": self.deliveries}
        return capacity.model_copy(update=told)


def told(source: str | None, address: Mapping[str, JsonValue], inputs: Mapping[str, JsonValue]) -> str:
    """What a place or a kind is called, empty where it is not known."""
    if source is None:
        return ""
    where, _, name = source.partition(".")
    value = (address if where == "site" else inputs).get(name)
    return str(value).strip() if isinstance(value, str | int) else ""
