"""What is asked of bulk work in the register, and what is told, typed and free of SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from orders.model.values import Frozen
from orders.read_model.jobs.bulk import BulkOrder, BulkStatus
from orders.read_model.states import LifecycleState
from register.fallout.query import FalloutQuery
from register.searching.query import OrderQuery

Sought: TypeAlias = FalloutQuery | OrderQuery
"""Which orders a job is over: all that fit, or all with fallout that fits. Pages and sorts are no matter."""


class TooMany(Exception):
    """More orders fit than one job may be over."""


class NoneFits(Exception):
    """No order fits."""


class OtherJob(Exception):
    """The id is that of a job that was asked for otherwise."""


class Moved(Exception):
    """Other orders fit than those that were previewed."""


class SampledOrder(Frozen):
    """One of the orders that a job would be over."""

    order_id: str
    external_id: str
    customer_id: str
    channel: str
    state: LifecycleState


@dataclass(frozen=True, slots=True)
class BulkPreview:
    """What a job would be over: how many orders, the first few of them, and a digest of all."""

    total: int
    digest: str
    sample: tuple[SampledOrder, ...]


@dataclass(frozen=True, slots=True)
class JobPage:
    """The jobs asked for, the latest first, and how many there are."""

    jobs: tuple[BulkStatus, ...]
    total: int


@dataclass(frozen=True, slots=True)
class BulkOrderPage:
    """The orders of a job that were asked for, and how many fit."""

    orders: tuple[BulkOrder, ...]
    total: int
