"""Silo calls as Temporal activities: `<silo>.<verb>`, four for each silo of the catalog."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias, assert_never

import httpx2
from temporalio import activity

from activities.batch import Batches
from activities.grant import Grant
from activities.http_client import SiloHttp
from activities.protocol import SiloProtocol
from activities.telling import Telling
from activities.tmf640 import Tmf640
from activities.tmf641 import Tmf641
from orders.fulfilment.messages import SiloAnswers, SiloCalls
from orders.model.catalog import Protocol, Silo
from orders.model.values import Verb
from orders.model.wire_names import silo_activity
from settings import Settings

SiloActivity: TypeAlias = Callable[[SiloCalls], Coroutine[Any, Any, SiloAnswers]]


def adapter_of(protocol: Protocol, http: SiloHttp) -> SiloProtocol:
    """What speaks a protocol. The type checker insists on a class for each."""
    match protocol:
        case Protocol.TMF640:
            return Tmf640(http)
        case Protocol.TMF641:
            return Tmf641(http)
        case _:
            assert_never(protocol)


def silo_activities(silo: Silo, client: httpx2.AsyncClient, settings: Settings, grant: Grant) -> list[SiloActivity]:
    """The activities of a silo, one for each verb, to be run on its own task queue.

    They answer with an outcome for each call, refusals included, and raise `SiloUnavailable` for Temporal to retry.
    """
    protocol = adapter_of(silo.protocol, SiloHttp(silo, client, settings))
    batches = Batches(protocol, silo, grant, Telling(silo))
    return [_activity(batches, silo, verb) for verb in Verb]


def _activity(batches: Batches, silo: Silo, verb: Verb) -> SiloActivity:
    @activity.defn(name=silo_activity(silo.name, verb))
    async def run(asked: SiloCalls) -> SiloAnswers:
        return await batches.make(verb, asked, activity.info().attempt)

    return run
