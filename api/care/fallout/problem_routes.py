"""The care API's view of what is the matter with orders that no silo and no customer is to blame for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.access.principal import Scope
from api.http.dependencies import GatewayDep, LinksDep, errors, needs
from api.tmf.response_model import ResponseModel

router = APIRouter(prefix="/care/v1", tags=["care"], dependencies=[needs(Scope.OPERATE)])


class TroubledOrder(ResponseModel):
    """An order in flight and what is the matter with it; `href` has it in full.

    `workflow_task_fails`: nothing is done for it. `record_refused`: the register does not take what it tells.
    `internal_error`: something that it was told, or has to tell, is more than it can deal with.
    """

    id: str
    href: str
    code: str
    web_ui: str


class TroubledOrders(ResponseModel):
    """Orders that an operator has to look after."""

    orders: tuple[TroubledOrder, ...]


@router.get("/problems", summary="Orders that an operator has to look after", responses=errors(503))
async def problems(
    gateway: GatewayDep, links: LinksDep, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> TroubledOrders:
    """Orders whose workflow task fails, or that a defect or a refused record stands in the way of.

    Temporal lists the first a minute or so after they began to fail.
    """
    return TroubledOrders(
        orders=tuple(
            TroubledOrder(
                id=trouble.order_id,
                href=links.care(trouble.order_id),
                code=trouble.code,
                web_ui=links.web_ui_of(trouble.order_id),
            )
            for trouble in await gateway.in_trouble(limit)
        )
    )
