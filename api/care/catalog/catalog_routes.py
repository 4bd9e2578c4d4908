"""The care API's view of the catalog: how an offering is fulfilled. What can be ordered is told by TMF620."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from fastapi import APIRouter
from pydantic import JsonValue

from api.access.principal import Scope
from api.blocking import run_blocking
from api.errors import NotInCatalog
from api.http.dependencies import CatalogDep, Id, Looker, RegisterDep, VersionsDep, errors, needs
from api.http.visibility import visibility_of
from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from catalog_loader.catalog_files import CatalogStore, UnknownCatalogVersion
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


class CatalogVersionResponse(ResponseModel):
    """A catalog version by its digest. `orders` in flight were sold from it, the first of them at `oldestOrder`.

    `keptSince` is when it was first in force here; null where its file is not to be had: its orders cannot be changed.
    """

    catalog: str
    in_force: bool
    kept_since: InstantOut | None
    orders: int
    oldest_order: InstantOut | None


class CatalogVersionsResponse(ResponseModel):
    """Every version that orders in flight were sold from, and the one in force first."""

    versions: tuple[CatalogVersionResponse, ...]


@router.get("/catalog/versions", summary="Catalog versions in use", responses=errors(503))
async def versions(
    catalog: CatalogDep, kept: VersionsDep, register: RegisterDep, looker: Looker
) -> CatalogVersionsResponse:
    """An order is carried out by the version that it was sold from, whatever is in force since. Of orders one sees."""
    sight, own = visibility_of(looker), catalog.catalog.digest

    def answer() -> CatalogVersionsResponse:
        used = {each.digest: each for each in register.search.catalogs_in_use(sight)}
        found: list[CatalogVersionResponse] = []
        for digest in dict.fromkeys((own, *used)):
            one = used.get(digest)
            found.append(
                CatalogVersionResponse(
                    catalog=digest,
                    in_force=digest == own,
                    kept_since=_kept_since(kept, digest),
                    orders=one.orders if one else 0,
                    oldest_order=one.oldest if one else None,
                )
            )
        return CatalogVersionsResponse(versions=tuple(found))

    return await run_blocking(answer)


def _kept_since(kept: CatalogStore, digest: str) -> datetime | None:
    try:
        return kept.kept_since(digest)
    except UnknownCatalogVersion:
        return None


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
