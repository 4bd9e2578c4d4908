"""How a customer wants to be told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orders.model.messaging import Language, Medium, Topic
from orders.model.values import Frozen
from orders.model.writing.text import Line

Email = Annotated[Line, Field(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$", max_length=254)]
Phone = Annotated[Line, Field(pattern=r"^\+?[0-9][0-9 ()/-]{3,30}$")]


class Preferences(Frozen):
    """What is not said is left to the order, and then to its channel. `not_about` are topics that are not wanted."""

    medium: Medium | None = None
    language: Language | None = None
    email: Email | None = None
    phone: Phone | None = None
    not_about: tuple[Topic, ...] = ()
