"""`orderpipe register forget`: what a customer's orders are found by is erased, but for their ids."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from rich.console import Console

from register import Register
from settings import Settings


def run_forget(settings: Settings, customer_id: str, console: Console) -> None:
    """Erase a customer from the index of words, and tell how many orders that were.

    Raises:
        RegisterError: if the register is of another version of orderpipe.
        sqlalchemy.exc.DBAPIError: if the register cannot be reached.
    """
    with closing(Register(settings.register_address)) as register:
        orders = register.terms.erase_customer(customer_id, datetime.now(UTC))
    console.print(f"Orders that are found by their ids alone now: {orders}.", highlight=False)
