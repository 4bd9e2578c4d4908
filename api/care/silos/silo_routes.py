"""The care API's view of silos: whether each is called and why not, what waits for it, and what is done by hand."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Body

from api.access.principal import Scope
from api.care.silos.silo_bodies import (
    BreakerResponse,
    ByResponse,
    CallsResponse,
    QueueResponse,
    RateResponse,
    SiloHealthResponse,
    SiloPatch,
    SilosResponse,
    ThrottleResponse,
    WindowResponse,
)
from api.errors import Malformed, problem
from api.http.dependencies import Id, LinksDep, Operator, SilosDep, errors, needs
from api.service.silos import SiloSeen
from api.tmf.links import Links
from orders.health.condition import Stage
from orders.health.steering import Window
from orders.model.writing.wording import wording_of

log = structlog.get_logger()
router = APIRouter(prefix="/care/v1/silos", tags=["care"], dependencies=[needs(Scope.LOOK)])


@router.get("", summary="Every silo, and how it is", responses=errors(503))
async def silos(desk: SilosDep, links: LinksDep) -> SilosResponse:
    """Whether it is called, since when and why not; what waits for it, and how its calls went lately."""
    return SilosResponse(silos=tuple(_told(seen, links) for seen in await desk.all()))


@router.get("/{name}", summary="A silo, and how it is", responses=errors(404, 503))
async def silo(name: Id, desk: SilosDep, links: LinksDep) -> SiloHealthResponse:
    """The same of one."""
    return _told(await desk.one(name), links)


@router.patch("/{name}", summary="Do something with a silo by hand", responses=errors(400, 404, 409, 503))
async def steer(
    name: Id, body: Annotated[SiloPatch, Body()], desk: SilosDep, links: LinksDep, operator: Operator
) -> SiloHealthResponse:
    """Pause it, let it go again, throttle it, plan, open or close a maintenance window. For operators.

    Its calls wait meanwhile, without spending their retry budgets; those under way come to their end. It is answered
    once that is in force for all workers.
    """
    ends = body.open_window.end if body.open_window is not None else None
    if ends is not None and ends <= datetime.now(UTC):
        raise Malformed([problem("openWindow.end", "must be still to come")])
    command = body.command(operator.requester(body.requester), uuid.uuid4().hex[:8])
    log.info("silo steered", silo=name, steer=command.steer.value)
    return _told(await desk.steer(name, command), links)


def _told(seen: SiloSeen, links: Links) -> SiloHealthResponse:
    """A silo as it is told."""
    silo, condition, counted, now = seen.silo, seen.condition, seen.totals, seen.at
    rate, stage = condition.rate(now), condition.stage
    return SiloHealthResponse(
        name=silo.name,
        title=silo.title,
        href=links.silo(silo.name),
        state=condition.state(now),
        since=condition.since if condition.version else None,
        reason=condition.reason(now),
        reason_wording=wording_of(condition.wording(now)),
        rate=RateResponse(
            granted=silo.rate_per_second,
            now=silo.rate_per_second if rate is None else rate,
            measured=counted.attempts_per_second,
        ),
        breaker=BreakerResponse(
            enabled=silo.breaker.enabled,
            stage=stage,
            looked_in_vain=condition.probes,
            next_look=condition.due if stage is Stage.OPEN else None,
        ),
        calls=CallsResponse(
            answered=counted.answered,
            failed=counted.failed,
            error_share=counted.error_share,
            p50_ms=_ms(counted.p50_s),
            p95_ms=_ms(counted.p95_s),
        ),
        queue=QueueResponse(length=seen.queue.length, age_seconds=round(seen.queue.age.total_seconds(), 1)),
        orders_waiting=seen.orders_waiting,
        workers=counted.workers,
        aside=counted.aside,
        paused=None if condition.paused is None else ByResponse.model_validate(condition.paused),
        throttle=None if condition.throttle is None else ThrottleResponse.model_validate(condition.throttle),
        windows=tuple(_window(window, on=window.is_on(now)) for window in condition.windows),
    )


def _window(window: Window, *, on: bool) -> WindowResponse:
    return WindowResponse.model_validate({**dict(window), "on": on})


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
