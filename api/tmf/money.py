"""Money on the wire: `unit` is an ISO 4217 currency."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import JsonValue

from api.tmf.json_body import Json
from orders.model.values import Money


def money_out(money: Money) -> Json:
    """An amount as TM Forum's `Money`."""
    return {"unit": money.currency, "value": float(money.amount)}


def fees_out(fees: Iterable[Money]) -> list[JsonValue]:
    """What a change costs: one sum for each currency, in the form that `acceptFee` takes."""
    return [money_out(fee) for fee in fees]
