"""The care API's saved views: filters of the list of orders, by a name that their person gave them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeAlias

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, ConfigDict, JsonValue, model_validator

from api.blocking import run_blocking
from api.care.customers.customer_bodies import OrderListSearch, OrderSearch, OrderSort
from api.errors import TooManyViews, UnknownView
from api.http.dependencies import Looker, RegisterDep, errors
from api.tmf.response_model import ResponseModel
from api.tmf.times import InstantOut
from register.saved_views import MOST, SavedView

router = APIRouter(prefix="/care/v1/views", tags=["care"])

LONGEST_NAME: Final = 60
_LONGEST: Final = 2000
ONE_LINE: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\s\x00-\x1f\x7f-\x9f\u2028\u2029]$"
"""A pattern: what names a view, with something to read at its end."""

ViewName: TypeAlias = Annotated[str, Path(min_length=1, max_length=LONGEST_NAME, pattern=ONE_LINE)]


class ViewFilters(OrderSearch):
    """What `GET /care/v1/orders` is asked for, but which part of it; `q` is not kept."""

    sort: OrderSort = "-orderedAt"


class ViewBody(BaseModel):
    """A view as it is to be kept."""

    model_config = ConfigDict(extra="forbid")

    filters: ViewFilters

    @model_validator(mode="after")
    def _is_about_no_person(self) -> ViewBody:
        # A customer who is forgotten is forgotten here too: words may be a name, or a telephone number.
        if self.filters.q is not None:
            raise ValueError("filters.q is not kept: what is looked for by words may be a person")
        return self

    @model_validator(mode="after")
    def _is_short(self) -> ViewBody:
        if len(json.dumps(kept(self.filters))) > _LONGEST:
            raise ValueError(f"the filters have more than {_LONGEST} characters")
        return self


class ViewResponse(ResponseModel):
    """A view: `filters` are parameters of `GET /care/v1/orders`, those that say nothing left out."""

    name: str
    filters: dict[str, JsonValue]
    saved_at: InstantOut


class ViewsResponse(ResponseModel):
    """All views of whoever asks, by name."""

    views: tuple[ViewResponse, ...]


@router.get("", summary="The views that one has saved", responses=errors(503))
async def views(register: RegisterDep, looker: Looker) -> ViewsResponse:
    """One's own only: they belong to the `sub` of the token, and nobody else sees them."""
    found = await run_blocking(register.saved_views.of, looker.name)
    return ViewsResponse(views=tuple(_told(view) for view in found))


@router.put("/{name:path}", summary="Save a view", responses=errors(400, 409, 503))
async def save(
    name: ViewName, register: RegisterDep, looker: Looker, body: Annotated[ViewBody, Body()]
) -> ViewResponse:
    """In place of the one of that name. 409 where one has twenty others."""
    view = SavedView(name, kept(body.filters), datetime.now(UTC))
    if not await run_blocking(register.saved_views.put, looker.name, view):
        raise TooManyViews(f"There are {MOST} saved views", "Delete one first")
    return _told(view)


@router.delete("/{name:path}", status_code=204, summary="Forget a view", responses=errors(404, 503))
async def forget(name: ViewName, register: RegisterDep, looker: Looker) -> None:
    """404 where one has none of that name."""
    if not await run_blocking(register.saved_views.delete, looker.name, name):
        raise UnknownView(f"There is no view {name}")


def kept(filters: OrderSearch | OrderListSearch) -> dict[str, Any]:
    """Filters as a view has them: by their names in addresses, those that say nothing left out."""
    return filters.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude_none=True, exclude={"offset", "limit"}
    )


def _told(view: SavedView) -> ViewResponse:
    return ViewResponse(name=view.name, filters=view.filters, saved_at=view.saved_at)
