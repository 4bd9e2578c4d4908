"""What could become of an order in flight, worked out on a copy of it: previews of changes, and options."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import structlog
from pydantic import ValidationError

from activities.dates.learning import Learned
from activities.dates.visiting import Visiting
from activities.planning import answer_question, newly_chosen
from api.errors import CatalogNotKept, Unavailable
from api.working import SMALL, Workshop
from catalog_loader.catalog_files import CatalogStore, UnknownCatalogVersion
from orders.change.request import ChangeRequest
from orders.fulfilment.messages import PlanAnswer, Preview
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.snapshot import Fork
from orders.model.catalog import Catalog
from orders.model.order import Reason
from orders.planning.scheduling.visits import Visit, visits_of
from orders.promising.figures import Figures
from orders.tracking.what_if.options import OptionsPage, OrderOptions, options_of
from orders.tracking.what_if.preview import preview
from orders.tracking.what_if.setting_right import OfferedWay, ways_of
from workflows.sdk.connection import read_payload

log = structlog.get_logger()

_SMALL_FORK: Final = 32 * 2**10
"""Bytes of a fork, compressed, of an order that is worked out in a few dozen milliseconds."""
_TRIALS: Final = 5
"""What a look at the options costs more than a preview: it tries many changes."""
_OPTIONS_WITHIN_S: Final = 4.0
"""No further change is tried after that: an answer comes with what was, and says where the next one goes on."""


class NotInFlight(Exception):
    """There is nothing to work with: the order waits for products, was rejected once it had its turn, or has ended."""


class Foresight:
    """Works beside the event loop, in a workshop, by the catalog version that an order was sold from.

    A `fork` is the copy as it came from the order's workflow. Every method raises

        NotInFlight: if it is that of no order in flight.
        CatalogNotKept: if the catalog version is gone.
        Unavailable: if the fork cannot be read.
    """

    def __init__(
        self, versions: CatalogStore, workshop: Workshop, learned: Learned, visiting: Visiting | None = None
    ) -> None:
        self._versions = versions
        self._learned = learned
        self._visiting = visiting
        self._workshop = workshop

    async def preview(self, order_id: str, change: ChangeRequest, fork: bytes) -> Preview:
        """What a change that arrived now would do, and what would be said to it."""
        with _kept(order_id):
            taken = await self._taken(fork, change) if change.chooses_slots else ()
            figures = await asyncio.to_thread(self._learned.figures)
            return await self._workshop.run(_size(fork), _preview, self._versions, fork, change, figures, taken)

    async def visits(self, order_id: str, fork: bytes) -> list[Visit]:
        """The visits that are still to come."""
        with _kept(order_id):
            return await self._workshop.run(_size(fork), _visits, self._versions, fork)

    async def _taken(self, fork: bytes, change: ChangeRequest) -> tuple[Reason, ...]:
        if self._visiting is None:
            return ()
        chosen = await self._workshop.run(_size(fork), _chosen, self._versions, fork, change)
        return tuple(await self._visiting.taken(chosen))

    async def options(self, order_id: str, page: OptionsPage, fork: bytes) -> OrderOptions:
        """What may still be changed about the order and some of its items."""
        with _kept(order_id):
            return await self._workshop.run(_TRIALS * _size(fork), _options, self._versions, fork, page)

    async def ways(self, order_id: str, task: str, fork: bytes) -> tuple[OfferedWay, ...]:
        """How what waits for a person of one task can be set right."""
        with _kept(order_id):
            return await self._workshop.run(_TRIALS * _size(fork), _ways, self._versions, fork, task)


def _size(fork: bytes) -> int:
    return SMALL * len(fork) // _SMALL_FORK


def _opened(content: bytes) -> Fork:
    try:
        fork = read_payload(content, Fork)
    except ValidationError as error:
        raise Unavailable("The order's answer cannot be read", "Its worker may be of another version") from error
    carried = fork.start.carried
    # One at its end takes changes until the register knows of it.
    if carried is None or carried.end_recorded:
        raise NotInFlight
    return fork


def _visits(versions: CatalogStore, content: bytes) -> list[Visit]:
    order = Fulfilment.of(_opened(content))
    visits = visits_of(versions.load(order.start.catalog), order.revision, order.plan)
    return [] if order.cancelled else [visit for visit in visits if not order.is_in_place(visit.task)]


def _chosen(versions: CatalogStore, content: bytes, change: ChangeRequest) -> list[Visit]:
    question = Fulfilment.of(_opened(content)).question(change)
    return newly_chosen(versions, question, answer_question(versions, question, datetime.now(UTC)))


def _preview(
    versions: CatalogStore, content: bytes, change: ChangeRequest, figures: Figures, taken: tuple[Reason, ...]
) -> Preview:
    order = Fulfilment.of(_opened(content))
    answer, now = PlanAnswer(reasons=taken), datetime.now(UTC)
    if change.kind.revises and not taken:
        answer = answer_question(versions, order.question(change), now, figures)
    return preview(order, change, answer, now, _catalog(versions, order.start.catalog))


def _catalog(versions: CatalogStore, digest: str) -> Catalog | None:
    """The version, for titles and prices. A change that plans nothing is previewed without it too."""
    try:
        return versions.load(digest)
    except UnknownCatalogVersion:
        return None


def _options(versions: CatalogStore, content: bytes, page: OptionsPage) -> OrderOptions:
    fork = _opened(content)
    catalog = versions.load(fork.start.catalog)
    until = time.monotonic() + _OPTIONS_WITHIN_S
    return options_of(Fulfilment.of(fork), catalog, datetime.now(UTC), page, lambda: time.monotonic() > until)


def _ways(versions: CatalogStore, content: bytes, task: str) -> tuple[OfferedWay, ...]:
    fork = _opened(content)
    return ways_of(Fulfilment.of(fork), versions.load(fork.start.catalog), task, datetime.now(UTC))


@contextmanager
def _kept(order_id: str) -> Iterator[None]:
    try:
        yield
    except UnknownCatalogVersion as error:
        log.error("catalog version not kept", order=order_id, error=str(error))
        raise CatalogNotKept(
            f"The catalog version that order {order_id} was sold from is not kept any more",
            "What it could become can be told once the version is back where the settings have them kept",
        ) from error
