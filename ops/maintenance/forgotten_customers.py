"""`orderpipe register forget`: what a customer's orders are found by is erased, but for their ids."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from rich.console import Console

from ops.maintenance.outside import said_in_words
from register import Register
from register.fallout.query import FalloutQuery
from settings import Settings


def run_forget(settings: Settings, customer_id: str, console: Console) -> None:
    """Erase a customer from the index of words, and tell how many orders that were, and what is still open.

    Open work items keep what people need for doing them: they are counted, so that the command is given again later.

    Raises:
        CommandError: if the register cannot be asked, or is of another version of orderpipe.
    """
    with said_in_words(), closing(Register(settings.register_address)) as register:
        orders = register.terms.erase_customer(customer_id, datetime.now(UTC))
        work = register.work_items.open_of(customer_id)
        fallout = register.fallout.summary(FalloutQuery(customer=customer_id)).total
    console.print(f"Orders that are found by their ids alone now: {orders}.", highlight=False)
    if fallout:
        console.print(f"Calls that still wait, without what was said about them: {fallout}.", highlight=False)
    if work:
        told = f"Work items that are open, and keep what they say: {work}. Forget again when they are over."
        console.print(told, highlight=False, soft_wrap=True)
