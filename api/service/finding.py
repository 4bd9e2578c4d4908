"""Finding orders by how they are shown: by what the register has in columns, and by attributes of their resources."""

from __future__ import annotations

from typing import Final

from api.blocking import run_blocking
from api.tmf.tmf622.resource import told_beside
from api.working import Workshop
from register.searching.query import OrderPage, OrderQuery
from register.searching.search import Search, Told

_AT_ONCE: Final = 200
"""Orders whose attributes are brought up to date in one transaction."""


class Finding:
    """Lists of orders. Every method may raise `Unavailable`, after which the same call may be made again."""

    def __init__(self, search: Search, workshop: Workshop) -> None:
        self._search = search
        self._workshop = workshop

    async def orders(self, query: OrderQuery) -> OrderPage:
        """A page of the orders that fit.

        Where it is asked for attributes, what is told of orders beside their documents is worked out first, of those
        that may fit and have changed since somebody last asked. That is done for one list at a time.

        Raises:
            Busy, TooMuchWork: if documents cannot be looked into now, or not in time.
        """
        if not query.looks_into_documents:
            return await run_blocking(self._search.orders, query)
        async with self._workshop.one_by_one():
            while await run_blocking(self._bring_up_to_date, query):
                pass
            return await run_blocking(self._search.orders, query)

    def _bring_up_to_date(self, query: OrderQuery) -> int:
        outdated = self._search.outdated(query, _AT_ONCE)
        self._search.tell(
            [Told(each.view.id, each.telling, told_beside(each.view.body, each.view)) for each in outdated]
        )
        return len(outdated)
