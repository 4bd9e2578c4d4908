"""The care API's view of the catalog: how an offering is fulfilled. What can be ordered is told by TMF620."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from fastapi import APIRouter
from pydantic import JsonValue

from api.access.principal import Scope
from api.errors import NotInCatalog
from api.http.dependencies import CatalogDep, Id, errors, needs
from api.tmf.response_model import ResponseModel
from orders.model.catalog import Awaited
from orders.model.catalog import Scope as Serves
from orders.planning.outline import outline

router = APIRouter(prefix="/care/v1", tags=["care"], dependencies=[needs(Scope.LOOK)])


class PlannedTaskResponse(ResponseModel):
    """A task by its `specification/name`. `serves` is what one task serves, `when` the values that call for it.

    `after` are tasks of the same plan that it waits for, `outside` those of products beside it, as `role/name`.
    `usually` is how long it takes until that was seen often enough; `noReturn` whether changes are refused (hard) or
    cost a fee (soft) once it is under way.
    """

    task: str
    title: str
    silo: str
    operation: str
    serves: Serves
    awaits: Awaited
    usually: timedelta
    no_return: Literal["hard", "soft"] | None
    when: dict[str, JsonValue]
    after: tuple[str, ...]
    outside: tuple[str, ...]


class OfferingPlanResponse(ResponseModel):
    """What an offering calls for by the catalog in force, of that digest."""

    offering: str
    title: str
    catalog: str
    tasks: tuple[PlannedTaskResponse, ...]


@router.get("/offerings/{name}/plan", summary="What an offering calls for", responses=errors(404))
async def plan(name: Id, catalog: CatalogDep) -> OfferingPlanResponse:
    """Its tasks in outline: of a bundle those of its defaults. What an order leaves out or shares only that decides."""
    offering = catalog.catalog.offerings.get(name)
    if offering is None:
        raise NotInCatalog(f"The catalog has no product offering {name}")
    return OfferingPlanResponse(
        offering=offering.name,
        title=offering.title or offering.name,
        catalog=catalog.catalog.digest,
        tasks=tuple(PlannedTaskResponse.model_validate(task) for task in outline(catalog.catalog, offering)),
    )
