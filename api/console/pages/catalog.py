"""The catalog in force: what can be ordered, at what price, and the tasks that each offering calls for."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from api.access.principal import Scope
from api.care.catalog import catalog_routes
from api.console import graph
from api.console.page import PageDep
from api.http.dependencies import CatalogDep, Id, Looker, RegisterDep, VersionsDep, needs

router = APIRouter(prefix="/catalog", dependencies=[needs(Scope.LOOK)])


@router.get("")
async def catalog(
    page: PageDep, in_force: CatalogDep, kept: VersionsDep, register: RegisterDep, looker: Looker
) -> Response:
    """Every offering, which TMF620 tells too, and the versions that orders in flight were sold from."""
    told = await catalog_routes.versions(in_force, kept, register, looker)
    return page.show("catalog.html", catalog=in_force.catalog, since=in_force.since, versions=told.versions)


@router.get("/{name}")
async def offering(page: PageDep, name: Id, in_force: CatalogDep) -> Response:
    """One offering: what it costs and is made of, and its plan as a graph and as a table."""
    plan = await catalog_routes.plan(name, in_force)
    sold = in_force.catalog.offerings[name]
    return page.show(
        "offering.html",
        offering=sold,
        specification=in_force.catalog.specifications[sold.specification] if sold.specification else None,
        offerings=in_force.catalog.offerings,
        plan=plan,
        titles={task.task: task.title for task in plan.tasks},
        graph=graph.graph_of(plan.tasks),
        size=(graph.WIDTH, graph.HEIGHT),
    )
