"""Where silos with a JSON interface of their own report, in their own words: the catalog says what those mean."""

from __future__ import annotations

from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Body, Query

from activities.protocols import json_answers
from api.errors import Malformed, UnknownSilo, problem
from api.http.dependencies import CatalogDep, GatheringDep, ReportingSilo, errors
from orders.fulfilment.messages import SiloEvent
from orders.model.silos.http_silo import HttpReport, HttpSilo
from orders.model.writing.json_values import Json
from orders.model.writing.text import Name, printable
from orders.reconcile.given import fitting
from orders.reconcile.ledger import parse_key, service_id
from orders.reconcile.outcome import OutcomeKind, kept_of

log = structlog.get_logger()
router = APIRouter(prefix="/callbacks", tags=["callbacks"])

_CODE: Final = "failed"
"""Of a call that is reported as refused, where the report has none."""
_LONGEST_ID: Final = 200


@router.post(
    "/{silo}/report", status_code=204, summary="Report in the silo's own words", responses=errors(400, 404, 503)
)
async def report(
    silo: ReportingSilo,
    body: Annotated[Json, Body()],
    catalog: CatalogDep,
    gathering: GatheringDep,
    order: Annotated[Name, Query(description="the order, where the body does not name it")] = "",
    key: Annotated[str, Query(max_length=1000, description="the call's idempotency key, likewise")] = "",
) -> None:
    """Tell an order what a silo of protocol `http` did for it, under the silo's own token.

    The catalog's `reports` of the silo says where a body names order and call, and what it means; the query of the
    address that the silo was told with the call names them too. As with other reports, 503 asks for it to be sent
    again, a repeated one does no harm, and what says nothing is taken and not passed on.
    """
    known = catalog.catalog.silos.get(silo)
    if known is None or known.http is None:
        raise UnknownSilo(f"{silo} is no silo of protocol http")
    reports = known.http.reports or HttpReport()
    order = order if reports.order is None else json_answers.text(reports.order, body, order)
    key = key if reports.key is None else json_answers.text(reports.key, body, key)
    event = to_silo_event(silo, known.http, key, body)
    if not order or printable(order, _LONGEST_ID) != order:
        raise Malformed([problem("order", "is required: the order on whose behalf the call was made")])
    if event is not None:
        await gathering.hand_on(order, event)
        log.info("silo reported", order=order, task=key, silo=silo, outcome=event.kind.value)


def to_silo_event(silo: str, http: HttpSilo, key: str, body: Json) -> SiloEvent | None:
    """What a report means to an order, or None if nothing.

    Raises:
        Malformed: if it does not say what call it is about.
    """
    try:
        fact, _ = parse_key(key)
    except ValueError as error:
        message = "is no idempotency key: `<task key>/<generation>/<number>`"
        raise Malformed([problem("key", message)]) from error
    answers = http.meaning_of_reports()
    kind = json_answers.told_kind(answers, None, body)
    if kind is None or kind is OutcomeKind.UNKNOWN:
        kind = OutcomeKind.ACKNOWLEDGED
    outcome = fitting(kept_of(json_answers.outcome_of(answers, kind, body, code=_CODE)))
    if not outcome.says_something:
        return None
    lost = kind is OutcomeKind.LOST
    return SiloEvent(
        silo=silo,
        kind=kind,
        key="" if lost else key,
        service=service_id(fact) if lost else "",
        outputs=outcome.outputs,
        code=outcome.code,
        reason=outcome.reason,
        milestones=outcome.milestones,
    )
