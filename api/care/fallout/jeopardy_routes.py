"""The care API's view of promises in danger: which, how badly, because of what, and what would help."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from api.blocking import run_blocking
from api.care.customers.customer_bodies import Word
from api.care.orders.care_bodies import JeopardyResponse
from api.http.dependencies import LinksDep, Reader, RegisterDep, errors
from api.http.visibility import visibility_of
from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from orders.model.instants import Instant
from orders.read_model.jeopardy import JeopardyCause, JeopardyLevel
from register.jeopardy import JeopardyQuery

router = APIRouter(prefix="/care/v1/jeopardy", tags=["care"])


class JeopardySearch(BaseModel):
    """What is looked for; all of it has to hold. Without a `level`, all of them."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    level: list[JeopardyLevel] = []
    cause: JeopardyCause | None = None
    silo: Word | None = None
    channel: Word | None = None
    customer: Word | None = None
    promised_before: Instant | None = None
    offset: Annotated[int, Field(ge=0, le=100_000)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class EndangeredResponse(ResponseModel):
    """An order, and the danger that its promise is in; `href` has it in full."""

    id: str
    href: str
    external_id: str
    customer_id: str
    channel: str
    promised_at: InstantOut | None
    expected_at: InstantOut | None
    safe_at: InstantOut | None
    jeopardy: JeopardyResponse


class JeopardyCountResponse(ResponseModel):
    """How many there are of one level and cause, at one silo."""

    level: JeopardyLevel
    cause: JeopardyCause
    silo: str | None
    orders: int


class JeopardyListResponse(ResponseModel):
    """A page, worst and soonest first, with the numbers of all that fit. `nextOffset` is null on the last one."""

    orders: tuple[EndangeredResponse, ...]
    counts: tuple[JeopardyCountResponse, ...]
    total: int
    next_offset: int | None


@router.get("", summary="Orders whose promise is in danger", responses=errors(400, 503))
async def jeopardy(
    search: Annotated[JeopardySearch, Query()], links: LinksDep, register: RegisterDep, reader: Reader
) -> JeopardyListResponse:
    """Of the orders in flight that one sees, as they were a few seconds ago at most."""
    query = JeopardyQuery(
        level=tuple(level.value for level in search.level),
        cause=search.cause,
        silo=search.silo,
        channel=search.channel,
        customer=search.customer,
        promised_before=search.promised_before,
        visible_to=visibility_of(reader),
        offset=search.offset,
        limit=search.limit,
    )
    page = await run_blocking(register.jeopardies.page, query)
    following = search.offset + len(page.orders)
    return JeopardyListResponse(
        orders=tuple(
            EndangeredResponse(
                id=each.id,
                href=links.care(each.id),
                external_id=each.external_id,
                customer_id=each.customer_id,
                channel=each.channel,
                promised_at=each.promised_at,
                expected_at=each.expected_at,
                safe_at=each.safe_at,
                jeopardy=JeopardyResponse.model_validate(each.jeopardy),
            )
            for each in page.orders
        ),
        counts=tuple(JeopardyCountResponse.model_validate(each) for each in page.counts),
        total=page.total,
        next_offset=following if page.orders and following < page.total else None,
    )
