"""The pages: a module each, with its routes. A new one is named here, and in the navigation of `frame.html`."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from api.console.login import routes as login
from api.console.pages import (
    bulk,
    catalog,
    change,
    customer,
    demand,
    desk,
    events,
    fallout,
    jeopardy,
    live,
    order,
    order_more,
    orders,
    silos,
    work_items,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    login.router,
    desk.router,
    orders.router,
    change.router,
    order.router,
    fallout.router,
    silos.router,
    customer.router,
    order_more.router,
    demand.router,
    events.router,
    catalog.router,
    live.router,
    jeopardy.router,
    work_items.router,
    bulk.router,
)
