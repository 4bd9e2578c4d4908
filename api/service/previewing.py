"""What could become of an order in flight, worked out on a copy of it: previews of changes, and options."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import structlog

from activities.planning import answer_question
from api.errors import CatalogNotKept
from api.working import Workshop
from catalog_loader.catalog_files import CatalogStore, UnknownCatalogVersion
from orders.change.request import ChangeRequest
from orders.fulfilment.messages import PlanAnswer, Preview
from orders.fulfilment.options import OrderOptions, options_of
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.preview import preview
from orders.fulfilment.snapshot import Fork

log = structlog.get_logger()

_TRIALS = 5
"""What a look at the options costs more than a preview: it tries many changes."""


class Foresight:
    """Works beside the event loop, in a workshop, by the catalog version that an order was sold from.

    Every method raises `CatalogNotKept` if that is gone.
    """

    def __init__(self, versions: CatalogStore, workshop: Workshop) -> None:
        self._versions = versions
        self._workshop = workshop

    async def preview(self, fork: Fork, change: ChangeRequest) -> Preview:
        """What a change that arrived now would do, and what would be said to it."""
        with _kept(fork):
            return await self._workshop.run(_products(fork), _preview, self._versions, fork, change)

    async def options(self, fork: Fork, offset: int, limit: int) -> OrderOptions:
        """What may still be changed about the order and a page of its items."""
        with _kept(fork):
            return await self._workshop.run(_TRIALS * _products(fork), _options, self._versions, fork, offset, limit)


def _products(fork: Fork) -> int:
    carried = fork.start.carried
    revision = carried.revisions[-1] if carried is not None else fork.start.revision
    return sum(item.quantity for item in revision.items)


def _preview(versions: CatalogStore, fork: Fork, change: ChangeRequest) -> Preview:
    order = Fulfilment.of(fork)
    answer, now = PlanAnswer(), datetime.now(UTC)
    if change.kind.revises:
        answer = answer_question(versions, order.question(change), now)
    return preview(order, change, answer, now)


def _options(versions: CatalogStore, fork: Fork, offset: int, limit: int) -> OrderOptions:
    catalog = versions.load(fork.start.catalog)
    return options_of(Fulfilment.of(fork), catalog, datetime.now(UTC), offset, limit)


@contextmanager
def _kept(fork: Fork) -> Iterator[None]:
    try:
        yield
    except UnknownCatalogVersion as error:
        order_id = fork.start.order_id
        log.error("catalog version not kept", order=order_id, error=str(error))
        raise CatalogNotKept(
            f"The catalog version that order {order_id} was sold from is not kept any more",
            "What it could become can be told once the version is back where the settings have them kept",
        ) from error
