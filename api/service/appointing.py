"""Dates for visits: what an order can be offered, and what it could be before there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from activities.dates.visiting import Visiting
from activities.protocols.protocol import SiloUnavailable
from api.blocking import register_errors
from api.errors import Unavailable
from api.service.changing import Changing
from orders.model.catalog import Catalog
from orders.model.order import Site
from orders.planning.scheduling.visits import FreeSlot, Visit, visits_for


@dataclass(frozen=True, slots=True)
class OfferedVisit:
    """A visit with the slots that are free for it, None where nobody offers any: then any hour may be asked for."""

    visit: Visit
    slots: tuple[FreeSlot, ...] | None


class Appointing:
    """Slots for visits. Every method may raise `Unavailable`: silo or workflow do not answer now."""

    def __init__(self, changing: Changing, visiting: Visiting | None, catalog: Catalog) -> None:
        self._changing = changing
        self._visiting = visiting
        self._catalog = catalog

    async def of_order(self, order_id: str, begin: datetime | None, end: datetime | None) -> list[OfferedVisit]:
        """The visits of an order that are still to come, with what is free for each.

        Raises:
            UnknownOrder, OrderClosed, CatalogNotKept: like a preview.
        """
        return await self._offered(await self._changing.visits(order_id), begin, end)

    async def search(
        self,
        offering: str,
        characteristics: Mapping[str, JsonValue],
        site: Site,
        begin: datetime | None,
        end: datetime | None,
    ) -> list[OfferedVisit]:
        """The visits that an offering calls for at a site, with what is free for each.

        Raises:
            Rejection: if that is not sold.
        """
        return await self._offered(visits_for(self._catalog, offering, characteristics, site), begin, end)

    async def _offered(
        self, visits: Iterable[Visit], begin: datetime | None, end: datetime | None
    ) -> list[OfferedVisit]:
        return list(await asyncio.gather(*(self._free(visit, begin, end) for visit in visits)))

    async def _free(self, visit: Visit, begin: datetime | None, end: datetime | None) -> OfferedVisit:
        if self._visiting is None or self._visiting.offered(visit) is None:
            return OfferedVisit(visit, None)
        try:
            async with register_errors():
                return OfferedVisit(visit, tuple(await self._visiting.free(visit, begin, end)))
        except SiloUnavailable as error:
            raise Unavailable(f"{visit.silo} does not say when somebody could come", str(error)) from error
