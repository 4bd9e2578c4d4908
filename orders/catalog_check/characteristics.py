"""Whether what is said of a value makes sense: its type, its range, its default."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orders.model.characteristic import Characteristic
from orders.planning.items import value_problem


def characteristic_problems(declared: Characteristic) -> Iterator[tuple[str, str]]:
    """(field, reason) of everything wrong with it."""
    limits = [name for name in ("minimum", "maximum") if getattr(declared, name) is not None]
    if declared.type != "integer":
        for name in limits:
            yield f".{name}", f"makes no sense for the type {declared.type}"
    elif len(limits) == 2 and (declared.minimum or 0) > (declared.maximum or 0):
        yield ".minimum", f"{declared.minimum} is above the maximum {declared.maximum}"
    if declared.pattern is not None:
        if declared.type != "string":
            yield ".pattern", f"makes no sense for the type {declared.type}"
        try:
            re.compile(declared.pattern)
        except re.error as error:
            yield ".pattern", f"is no regular expression: {error}"
            return
    if declared.values is not None:
        if not declared.values:
            yield ".values", "no value is possible"
        unlisted = declared.model_copy(update={"values": None})
        for n, value in enumerate(declared.values):
            problem = "null is no value" if value is None else value_problem(unlisted, value)
            if problem:
                yield f".values.{n}", problem
            elif value in declared.values[:n]:
                yield f".values.{n}", f"{value!r} stands there twice"
    problem = value_problem(declared, declared.default)
    if problem:
        yield ".default", problem
