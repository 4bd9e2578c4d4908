"""The API process: its settings, its doors, and the routes behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from temporalio.client import Client

from api.access.access_log import AccessLog
from api.access.guard import DOCS_ASSETS, Doorkeeper, Guard, doorkeeper
from api.access.limits import RateLimit
from api.access.sessions import CONSOLE, Sessions
from api.care.catalog import catalog_routes
from api.care.customers import customer_routes, message_routes, search_routes, view_routes
from api.care.fallout import bulk_routes, fallout_routes, jeopardy_routes, problem_routes, work_routes
from api.care.orders import appointment_routes, order_routes
from api.care.silos import demand_routes, silo_routes
from api.console.app import console_app
from api.console.login.login import Login
from api.error_answers import install
from api.http.dependencies import GUARDED, GatewayDep, errors
from api.http.methods import Methods
from api.messages.ways import ways_of
from api.routes import (
    callbacks,
    cancel_product_orders,
    hub,
    own_reports,
    product_catalog,
    product_inventory,
    product_orders,
)
from api.routes.codec import LARGEST_BYTES, codec_app, for_pages
from api.running import Running
from catalog_loader.catalog_files import read_catalog
from catalog_loader.messages.book import read_messages
from settings import VERSION, Settings
from workflows.sdk.codec import CompressingCodec

log = structlog.get_logger()

_ROUTES = (
    product_orders,
    cancel_product_orders,
    product_catalog,
    product_inventory,
    hub,
    message_routes,
    customer_routes,
    search_routes,
    view_routes,
    order_routes,
    appointment_routes,
    fallout_routes,
    jeopardy_routes,
    bulk_routes,
    work_routes,
    problem_routes,
    demand_routes,
    silo_routes,
    catalog_routes,
    callbacks,
    own_reports,
)
"""In the order in which a request is held against them, and in which the documentation tells them."""


def create_app(settings: Settings | None = None, client: Client | None = None) -> FastAPI:
    """The API as an ASGI app. Without a client it connects by itself, once it is first needed.

    Raises:
        AccessError: if the settings of access control do not make sense.
        CatalogError: if the catalog does not.
        SettingsError: if a setting is wrong.
    """
    settings = settings or Settings()
    who = doorkeeper(settings)
    if not settings.shut_data_dir():
        log.warning("the data folder can be read by others, and is somebody else's", folder=str(settings.data_dir))
    catalog = read_catalog(settings.catalog_dir)
    book = read_messages(settings.catalog_dir, catalog)
    ways = ways_of(settings, book.rules) if book is not None else {}
    sessions, console_login = Sessions(settings.api_address), settings.read_console_login()
    login = Login(console_login, settings.api_address) if console_login is not None else None
    console = console_app(sessions, login, who)
    running = Running(settings, catalog, book, ways, sessions, client, is_open=who is None)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running.behind(app, console):
            yield

    # FastAPI's own page would load its script from a public CDN, which an operator's network may not reach.
    app = FastAPIOffline(
        title="orderpipe",
        description="Product orders (TMF622 v4), care for orders in flight, and callbacks from silos.",
        version=VERSION,
        lifespan=lifespan,
        redoc_url=None,
        static_url=DOCS_ASSETS,
    )
    install(app)
    _guard(app, settings, who, sessions)
    _tell_health(app)
    for part in _ROUTES:
        app.include_router(part.router, responses=GUARDED)
    codec = CompressingCodec(LARGEST_BYTES, strict=True)
    app.mount("/codec", codec_app(codec, settings.web_ui_address, is_open=settings.codec_open))
    app.mount(CONSOLE, console)
    return app


def _guard(app: FastAPI, settings: Settings, who: Doorkeeper | None, sessions: Sessions) -> None:
    """What every request comes through: the last one added is the first."""
    app.add_middleware(Methods)
    app.add_middleware(
        Guard,
        doorkeeper=who,
        rate=RateLimit(settings.rate_per_second),
        most_bytes=settings.max_body_bytes,
        codec_open=settings.codec_open,
        for_pages=lambda answer: for_pages(answer, settings.web_ui_address),
        names=settings.api_hosts,
        sessions=sessions,
    )
    app.add_middleware(AccessLog)


def _tell_health(app: FastAPI) -> None:
    """Before all other routes, so that whoever asks is answered at once, however busy the process is."""

    @app.get("/healthz", tags=["health"], summary="The process is up")
    async def healthz() -> dict[str, str]:
        return {"status": "up"}

    @app.get("/readyz", tags=["health"], summary="Temporal can be talked to", responses=errors(503))
    async def readyz(gateway: GatewayDep) -> dict[str, str]:
        await gateway.check()
        return {"status": "ready"}
