"""What routes ask of the app they stand in."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Path, Query, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer, SecurityScopes
from pydantic import BaseModel, ValidationError

from activities.foreseeing import Foreseeing
from api.access.principal import ANYBODY, Principal, Scope
from api.errors import ErrorBody, Forbidden, Malformed, Unauthorized, problem, problems
from api.events.subscribers import Subscribers
from api.service.appointing import Appointing
from api.service.asking import Asking
from api.service.bulk import Bulk
from api.service.changing import Changing
from api.service.finding import Finding
from api.service.gateway import Gateway
from api.service.gathering import Gathering
from api.service.intake.submitting import Submitting
from api.service.patching import Patching
from api.service.services import Services
from api.service.silos import Silos
from api.service.work_done import WorkDone
from api.tmf.links import Links
from api.tmf.tmf620 import CatalogInForce
from api.working import SMALL_BYTES, Workshop, in_products
from catalog_loader.catalog_files import CatalogStore
from orders.model.writing.text import NO_NUL
from register import Register


@dataclass(frozen=True, slots=True)
class Provided:
    """What an app provides its routes with, in `app.state.provided`."""

    services: Services
    workshop: Workshop
    register: Register
    catalog: CatalogInForce
    versions: CatalogStore
    links: Links
    subscribers: Subscribers


def provided(request: Request) -> Provided:
    """What the app of a request provides."""
    return request.app.state.provided


_Provided: TypeAlias = Annotated[Provided, Depends(provided)]


def _gateway(provided: _Provided) -> Gateway:
    return provided.services.gateway


def _gathering(provided: _Provided) -> Gathering:
    return provided.services.gathering


def _submitting(provided: _Provided) -> Submitting:
    return provided.services.submitting


def _asking(provided: _Provided) -> Asking:
    return provided.services.asking


def _changing(provided: _Provided) -> Changing:
    return provided.services.changing


def _bulk(provided: _Provided) -> Bulk:
    return provided.services.bulk


def _appointing(provided: _Provided) -> Appointing:
    return provided.services.appointing


def _foreseeing(provided: _Provided) -> Foreseeing:
    return provided.services.foreseeing


def _patching(provided: _Provided) -> Patching:
    return provided.services.patching


def _finding(provided: _Provided) -> Finding:
    return provided.services.finding


def _silos(provided: _Provided) -> Silos:
    return provided.services.silos


def _register(provided: _Provided) -> Register:
    return provided.register


def _catalog(provided: _Provided) -> CatalogInForce:
    return provided.catalog


def _versions(provided: _Provided) -> CatalogStore:
    return provided.versions


def _work_done(provided: _Provided) -> WorkDone:
    return provided.services.work_done


def _links(provided: _Provided) -> Links:
    return provided.links


def _workshop(provided: _Provided) -> Workshop:
    return provided.workshop


def _subscribers(provided: _Provided) -> Subscribers:
    return provided.subscribers


GatewayDep: TypeAlias = Annotated[Gateway, Depends(_gateway)]
GatheringDep: TypeAlias = Annotated[Gathering, Depends(_gathering)]
SubmittingDep: TypeAlias = Annotated[Submitting, Depends(_submitting)]
AskingDep: TypeAlias = Annotated[Asking, Depends(_asking)]
ChangingDep: TypeAlias = Annotated[Changing, Depends(_changing)]
AppointingDep: TypeAlias = Annotated[Appointing, Depends(_appointing)]
ForeseeingDep: TypeAlias = Annotated[Foreseeing, Depends(_foreseeing)]
BulkDep: TypeAlias = Annotated[Bulk, Depends(_bulk)]
PatchingDep: TypeAlias = Annotated[Patching, Depends(_patching)]
WorkDoneDep: TypeAlias = Annotated[WorkDone, Depends(_work_done)]
FindingDep: TypeAlias = Annotated[Finding, Depends(_finding)]
SilosDep: TypeAlias = Annotated[Silos, Depends(_silos)]
RegisterDep: TypeAlias = Annotated[Register, Depends(_register)]
CatalogDep: TypeAlias = Annotated[CatalogInForce, Depends(_catalog)]
VersionsDep: TypeAlias = Annotated[CatalogStore, Depends(_versions)]
WorkshopDep: TypeAlias = Annotated[Workshop, Depends(_workshop)]
LinksDep: TypeAlias = Annotated[Links, Depends(_links)]
SubscribersDep: TypeAlias = Annotated[Subscribers, Depends(_subscribers)]

_bearer = HTTPBearer(
    scheme_name="bearer",
    bearerFormat="JWT",
    description="A JWT of the configured issuer; silos send their own secret",
    auto_error=False,
)
"""For the documentation: the header itself was read by `api.access.guard`."""


def _caller(request: Request, _: Annotated[object, Security(_bearer)]) -> Principal:
    principal: Principal | None = request.state.principal
    if principal is None:
        raise Unauthorized
    return principal


def _admitted(principal: Annotated[Principal, Depends(_caller)], needed: SecurityScopes) -> Principal:
    for scope in needed.scopes:
        principal.require(Scope(scope))
    return principal


def _reporting(principal: Annotated[Principal, Depends(_caller)], silo: Annotated[str, Path(max_length=200)]) -> str:
    if principal is not ANYBODY and principal.silo != silo:
        raise Forbidden(f"Only {silo} reports for {silo}", f"The token is that of {principal.name}")
    return silo


Caller: TypeAlias = Annotated[Principal, Depends(_caller)]
"""Whoever is asking. It says nothing about what they may: a route has one of the following too."""

# Every route has one of these, or its router has `dependencies=[needs(...)]`.

Submitter: TypeAlias = Annotated[Principal, Security(_admitted, scopes=[Scope.SUBMIT])]
"""Whoever may submit orders."""

Reader: TypeAlias = Annotated[Principal, Security(_admitted, scopes=[Scope.READ])]
"""Whoever may read orders: those that `api.http.visibility` lets them see."""

Looker: TypeAlias = Annotated[Principal, Security(_admitted, scopes=[Scope.LOOK])]
"""Whoever looks at all orders."""

Doer: TypeAlias = Annotated[Principal, Security(_admitted, scopes=[Scope.WORK])]
"""Whoever does work items: those of their groups, and of none."""

Agent: TypeAlias = Annotated[Principal, Security(_admitted, scopes=[Scope.CARE])]
"""Whoever takes care of all orders."""

Operator: TypeAlias = Annotated[Principal, Security(_admitted, scopes=[Scope.OPERATE])]
"""Whoever may do everything."""

ReportingSilo: TypeAlias = Annotated[str, Security(_reporting)]
"""The silo of the path `/.../{silo}`, which is the one that reports."""


def needs(scope: Scope) -> Any:
    """A dependency for a whole router, where no route wants to know who is asking."""
    return Security(_admitted, scopes=[scope])


Id: TypeAlias = Annotated[str, Path(max_length=200, pattern=NO_NUL)]
"""An id in a path. Databases know no NUL."""

OrderId: TypeAlias = Id

Offset: TypeAlias = Annotated[int, Query(ge=0, le=2**31 - 1, description="how many to skip")]
"""Databases know no larger numbers."""

Responses: TypeAlias = dict[int | str, dict[str, Any]]
"""FastAPI's own form of documented answers."""

_ERRORS = {
    400: "The body or a parameter is malformed; `details` says where",
    401: "There is no token, or it is not taken",
    403: "The token does not allow that",
    404: "There is no such thing",
    409: "In conflict with what there is, or with what became of the order",
    412: "The order is not at the revision that If-Match names any more",
    413: "The body is too large",
    429: "Too many requests; the header Retry-After says when to go on",
    503: "Temporal, or a worker, does not answer now; the same request may be sent again",
}


def errors(*statuses: int) -> Responses:
    """The documentation of error answers."""
    return {status: {"model": ErrorBody, "description": _ERRORS[status]} for status in statuses}


GUARDED = errors(401, 403, 413, 429)
"""What every route but the probes can answer, for `include_router`."""


class LargeBodies(APIRoute):
    """A route that takes large bodies, of a model.

    FastAPI reads and checks bodies on the event loop. It is given what was read and checked before: a model, which it
    takes as it is.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, which finds large bodies read."""
        handle = super().get_route_handler()
        kind: Any = self.body_field.field_info.annotation if self.body_field is not None else None
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return handle

        async def beside(request: Request) -> Response:
            raw = await request.body()
            if len(raw) > SMALL_BYTES and "json" in request.headers.get("content-type", ""):
                workshop = provided(request).workshop
                request._json = await workshop.run(in_products(len(raw)), _read, kind, raw)  # pyright: ignore
            return await handle(request)

        return beside


def _read(kind: type[BaseModel], raw: bytes) -> BaseModel:
    try:
        return kind.model_validate(json.loads(raw))
    except ValidationError as error:
        raise Malformed(problems(error)) from error
    except (ValueError, RecursionError) as error:
        raise Malformed([problem("body", str(error))]) from error
