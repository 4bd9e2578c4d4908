"""Silo calls as Temporal activities: `<silo>.<verb>`, four for each silo of the catalog."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias, assert_never

import httpx2
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.calling.batch import Batches
from activities.calling.grant import Grant
from activities.calling.health import Health
from activities.calling.telling import Telling
from activities.protocols.http_client import SiloHttp
from activities.protocols.json_http import JsonHttp
from activities.protocols.manual import Manual
from activities.protocols.protocol import SiloProtocol
from activities.protocols.tmf640 import Tmf640
from activities.protocols.tmf641 import Tmf641
from orders.fulfilment.messages import SiloAnswers, SiloCalls
from orders.model.budget import cut
from orders.model.catalog import Protocol, Silo
from orders.model.values import Verb
from orders.model.wire_names import CALLS_REFUSED, silo_activity
from orders.reconcile.outcome import Outcome
from register import Register
from settings import Settings

SiloActivity: TypeAlias = Callable[[SiloCalls], Coroutine[Any, Any, SiloAnswers]]


def adapter_of(protocol: Protocol, http: SiloHttp, register: Register) -> SiloProtocol:
    """What speaks a protocol, over HTTP or by the register. The type checker insists on a class for each."""
    match protocol:
        case Protocol.TMF640:
            return Tmf640(http)
        case Protocol.TMF641:
            return Tmf641(http)
        case Protocol.HTTP:
            return JsonHttp(http)
        case Protocol.MANUAL:
            return Manual(http.silo, register.work_items)
        case _:
            assert_never(protocol)


def silo_activities(
    silo: Silo,
    client: httpx2.AsyncClient,
    settings: Settings,
    grant: Grant,
    register: Register,
    health: Health | None = None,
) -> list[SiloActivity]:
    """The activities of a silo, one for each verb, to be run on its own task queue.

    They answer with an outcome for each call, as `CallsRefused` where some were not carried out, and raise
    `SiloUnavailable` for Temporal to retry.
    """
    protocol = adapter_of(silo.protocol, SiloHttp(silo, client, settings), register)
    batches = Batches(protocol, silo, grant, Telling(silo), health or Health(silo, grant))
    return [_activity(batches, silo, verb) for verb in Verb]


class CallsRefused(ApplicationError):
    """Answers of a silo that has not done all that it was asked for.

    They are raised and not returned for the Web UI alone, which shows what has failed at first sight. It is no defect
    of ours, so neither logs nor error metrics count it.
    """

    def __init__(self, answers: SiloAnswers, told: str) -> None:
        super().__init__(
            told, answers, type=CALLS_REFUSED, non_retryable=True, category=ApplicationErrorCategory.BENIGN
        )
        self.answers = answers


def _told(silo: Silo, asked: SiloCalls, answers: SiloAnswers) -> str:
    """What was not carried out, and why. Empty where everything was, or is to come."""
    wrong = [
        f"{call.key} {answer.kind}: {' '.join(filter(None, (answer.code, answer.reason)))}"
        for call, answer in zip(asked.calls, answers.answers, strict=True)
        if isinstance(answer, Outcome) and answer.kind.went_wrong
    ]
    if not wrong:
        return ""
    of = f"{len(wrong)} of {len(asked.calls)} calls: " if len(asked.calls) > 1 else ""
    return cut(f"{silo.name}: {of}{'; '.join(wrong)}")


def _activity(batches: Batches, silo: Silo, verb: Verb) -> SiloActivity:
    @activity.defn(name=silo_activity(silo.name, verb))
    async def run(asked: SiloCalls) -> SiloAnswers:
        answers = await batches.make(verb, asked, activity.info().attempt)
        if told := _told(silo, asked, answers):
            raise CallsRefused(answers, told)
        return answers

    return run
