"""Lists of orders: by what a caller knows, and by what they are like. Everything stands in the address."""

from __future__ import annotations

import csv
import re
from collections.abc import AsyncIterator
from io import StringIO
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import ValidationError

from api.access.principal import Principal
from api.care.customers import customer_routes, search_routes, view_routes
from api.care.customers.customer_bodies import ListedOrder, ListedOrders, OrderListSearch, Search
from api.care.customers.view_routes import LONGEST_NAME, ViewBody
from api.console.fields import body_of, text_of
from api.console.page import CONSOLE, FormDep, Page, PageDep, in_path
from api.errors import ApiError, Malformed, TooManyViews, problem, problems
from api.http.dependencies import LinksDep, Looker, RegisterDep
from api.tmf.links import Links
from orders.read_model.answer import WaitsFor
from orders.read_model.states import LifecycleState
from register import Register

router = APIRouter()

PAGE: Final = 50
_MOST_IN_FILE: Final = 20_000
_AT_ONCE: Final = 1000
_SEVERAL: Final = ("state", "waitsFor")
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for a formula, at the beginning of a cell."""


@router.get("/orders")
async def orders(page: PageDep, register: RegisterDep, links: LinksDep, looker: Looker) -> Response:
    """Orders by what they are like."""
    return await _listed(page, register, links, looker)


@router.post("/orders")
async def views(page: PageDep, form: FormDep, register: RegisterDep, links: LinksDep, looker: Looker) -> Response:
    """Save what the address filters by, under a name of one's own, or forget a view."""
    fields = text_of(form)
    name = fields.get("name", "")
    try:
        if not re.fullmatch(view_routes.ONE_LINE, name) or len(name) > LONGEST_NAME:
            raise Malformed([problem("name", f"must have 1 to {LONGEST_NAME} characters, in one line")])
        if fields.get("do") == "forget":
            await view_routes.forget(name, register, looker)
            return page.go(f"{CONSOLE}/orders")
        asked, wrong = _asked(page)
        if asked is None:
            raise Malformed(wrong)
        await view_routes.save(name, register, looker, body_of(ViewBody, {"filters": view_routes.kept(asked)}))
    except (Malformed, TooManyViews) as error:
        return await _listed(page, register, links, looker, error)
    return page.go(page.here)


async def _listed(
    page: Page, register: Register, links: Links, looker: Principal, not_saved: ApiError | None = None
) -> Response:
    asked, wrong = _asked(page)
    listed = ListedOrders(orders=(), total=0, next_offset=None)
    if asked is not None:
        listed = await customer_routes.orders(asked, links, register, looker)
    saved = (await view_routes.views(register, looker)).views
    return page.show(
        "orders.html",
        200 if not_saved is None else int(not_saved.status),
        views=[(view, urlencode(_in_address(view.filters), doseq=True)) for view in saved],
        filters=view_routes.kept(asked) if asked is not None else None,
        not_saved=not_saved,
        asked=asked or OrderListSearch(),
        wrong=wrong,
        listed=listed,
        states=LifecycleState,
        waits=WaitsFor,
        silos=sorted(page.request.app.state.provided.catalog.catalog.silos),
    )


@router.get("/orders.csv")
async def as_file(page: PageDep, register: RegisterDep, links: LinksDep, looker: Looker) -> Response:
    """The same for a spreadsheet, not only a page of it."""
    asked, wrong = _asked(page)
    if asked is None:
        raise Malformed(wrong)
    lines = _lines(asked, links, register, looker)
    headers = {"Content-Disposition": 'attachment; filename="orders.csv"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/search")
async def search(
    page: PageDep,
    register: RegisterDep,
    links: LinksDep,
    looker: Looker,
    q: Annotated[str, Query(max_length=200)] = "",
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> Response:
    """Orders and customers by what a caller knows. The only one that fits is opened at once."""
    try:
        asked = Search(q=q.strip(), offset=offset, limit=PAGE)
    except ValidationError as error:
        return page.show("search.html", q=q, wrong=problems(error), found=None)
    found = await search_routes.search(asked, links, register, looker)
    if found.total == 1 and not offset:
        return page.go(f"{CONSOLE}/orders/{in_path(found.orders[0].id)}")
    return page.show("search.html", q=q, wrong=(), found=found)


def _in_address(filters: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in filters.items()}


def _asked(page: Page) -> tuple[OrderListSearch | None, tuple[Any, ...]]:
    """What the address asks for; or what is wrong with it. What was left empty is not asked for."""
    given: dict[str, Any] = {"limit": PAGE}
    for name, value in page.request.query_params.multi_items():
        if not value.strip():
            continue
        if name in _SEVERAL:
            given.setdefault(name, []).append(value)
        elif name in ("orderedFrom", "orderedBefore") and len(value) == 10:
            given[name] = f"{value}T00:00:00{_offset(page, value)}"
        else:
            given[name] = value.strip()
    try:
        return OrderListSearch.model_validate(given), ()
    except ValidationError as error:
        return None, tuple(problems(error))


def _offset(page: Page, day: str) -> str:
    """How far the viewer's clock is from UTC at the beginning of a day."""
    from datetime import datetime

    try:
        at = datetime.fromisoformat(day).replace(tzinfo=page.viewer.zone)
    except ValueError:
        return "Z"
    return at.isoformat()[19:] or "Z"


async def _lines(asked: OrderListSearch, links: Links, register: Register, looker: Principal) -> AsyncIterator[str]:
    columns = ("id", "externalId", "customerId", "channel", "state", "orderedAt", "promisedAt", "expectedAt")
    columns += ("safeAt", "slackS", "percentComplete")
    more = ("completedAt", "inJeopardy", "waitsFor", "offerings", "fallout", "summary")
    yield _line((*columns, *more))
    offset: int | None = 0
    while offset is not None and offset < _MOST_IN_FILE:
        part = asked.model_copy(update={"offset": offset, "limit": _AT_ONCE})
        listed = await customer_routes.orders(part, links, register, looker)
        yield "".join(_line(_cells(order, columns)) for order in listed.orders)
        offset = listed.next_offset


def _cells(order: ListedOrder, columns: tuple[str, ...]) -> tuple[str, ...]:
    told = order.model_dump(mode="json", by_alias=True)
    wait = order.answer.waits_for
    return (
        *("" if told[name] is None else str(told[name]) for name in columns),
        str(told["completedAt"] or ""),
        "yes" if order.in_jeopardy else "no",
        str(wait.kind) if wait is not None else "",
        " ".join(order.offerings),
        " ".join(order.fallout),
        order.answer.summary,
    )


def _line(cells: tuple[str, ...]) -> str:
    text = StringIO()
    csv.writer(text).writerow([f"'{cell}" if cell.startswith(_DANGEROUS) else cell for cell in cells])
    return text.getvalue()
