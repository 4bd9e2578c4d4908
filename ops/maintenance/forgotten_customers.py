"""`orderpipe register forget`: what a customer's orders are found by is erased, but for their ids."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from rich.console import Console

from ops.maintenance.outside import said_in_words
from register import Register
from settings import Settings


def run_forget(settings: Settings, customer_id: str, console: Console) -> None:
    """Erase a customer from the index of words, and tell how many orders that were.

    Raises:
        CommandError: if the register cannot be asked, or is of another version of orderpipe.
    """
    with said_in_words(), closing(Register(settings.register_address)) as register:
        orders = register.terms.erase_customer(customer_id, datetime.now(UTC))
    console.print(f"Orders that are found by their ids alone now: {orders}.", highlight=False)
