"""The API process: routes, errors, the connection to Temporal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime

import httpx2
import structlog
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from temporalio.client import Client

from activities.dates.visiting import Visiting
from activities.foreseeing import Foreseeing
from activities.protocols.http_client import silo_client
from api.access.access_log import AccessLog
from api.access.guard import DOCS_ASSETS, Guard, doorkeeper
from api.access.limits import RateLimit
from api.access.sessions import CONSOLE, Sessions
from api.background import run_in_background
from api.blocking import run_blocking
from api.care.catalog import catalog_routes
from api.care.customers import customer_routes, message_routes, search_routes
from api.care.fallout import bulk_routes, fallout_routes, jeopardy_routes, problem_routes, work_routes
from api.care.orders import appointment_routes, order_routes
from api.care.silos import demand_routes, silo_routes
from api.console.app import console_app
from api.console.changes import Changes
from api.console.login.login import Login
from api.error_answers import install
from api.errors import Unavailable
from api.events.dispatch import AT_ONCE, Dispatcher, Forgetter
from api.events.event_sender import event_sender
from api.events.subscribers import Subscribers
from api.http.dependencies import GUARDED, GatewayDep, Provided, errors
from api.http.methods import Methods
from api.measuring import measures_of
from api.messages.courier import Courier
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
from api.service.gateway import Gateway
from api.service.services import services
from api.tmf.links import Links
from api.tmf.tmf620 import CatalogInForce
from api.working import Workshop
from catalog_loader.catalog_files import CatalogStore, UnknownCatalogVersion, read_catalog
from catalog_loader.messages.book import read_messages
from orders.model.catalog import Catalog
from orders.read_model.views import OrderView
from register import Register
from register.recording.documents import UNUSED_FOR
from settings import VERSION, Settings
from workflows.sdk.codec import CompressingCodec
from workflows.sdk.connection import connect

log = structlog.get_logger()


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

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with silo_client(catalog.silos.values()) as http, running(app, http):
            yield

    @asynccontextmanager
    async def running(app: FastAPI, http: httpx2.AsyncClient) -> AsyncIterator[None]:
        connected = client or await connect(
            f"127.0.0.1:{settings.temporal_port}", metrics_address=settings.api_metrics_address, lazy=True
        )
        register = Register(settings.register_address)
        try:
            await run_blocking(register.prepare)
        except Unavailable as error:
            log.warning("the register is not ready", error=error.message)
        workshop = Workshop(settings.planning_processes)
        links = Links(settings.api_address, settings.web_ui_address, connected.namespace, api_is_open=who is None)
        versions = CatalogStore(settings.catalog_versions)
        in_force = CatalogInForce(catalog, await run_blocking(_in_force_since, versions, catalog))
        foreseeing = Foreseeing(register, versions, catalog)
        visiting = Visiting(catalog, http, settings, foreseeing)
        built = services(Gateway(connected), catalog, versions, register, links, workshop, foreseeing, visiting)
        subscribers = Subscribers(register.subscriptions, links, allow_internal=settings.callbacks_allow_internal)
        sessions.kept = register.console_sessions
        console.state.changes = changes = Changes(register.changed_orders)
        app.state.provided = console.state.provided = Provided(
            built, workshop, register, in_force, versions, links, subscribers
        )
        log.info("api ready", catalog=catalog.digest, offerings=len(catalog.offerings))

        def titles(order: OrderView) -> dict[str, str]:
            return _titles(versions, order.catalog, catalog)

        measures, measured = measures_of(connected), settings.api_metrics_address is not None
        sending = event_sender(allow_internal=settings.callbacks_allow_internal, connections=AT_ONCE)
        try:
            async with (
                sending as sender,
                run_in_background(Courier(register, book, ways, titles).run()) if book is not None else nullcontext(),
                run_in_background(Dispatcher(register.deliveries, sender, links, measures.sent).run()),
                run_in_background(measures.look(register.search.figures)) if measured else nullcontext(),
                run_in_background(Forgetter(register.deliveries, settings.keep_deliveries).run()),
                run_in_background(Forgetter(register.documents, UNUSED_FOR).run()),
                run_in_background(changes.run()),
            ):
                yield
        finally:
            await built.gathering.stop()
            workshop.close()
            register.close()

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

    # Before all others, so that whoever asks is answered at once, however busy the process is.
    @app.get("/healthz", tags=["health"], summary="The process is up")
    async def healthz() -> dict[str, str]:
        return {"status": "up"}

    @app.get("/readyz", tags=["health"], summary="Temporal can be talked to", responses=errors(503))
    async def readyz(gateway: GatewayDep) -> dict[str, str]:
        await gateway.check()
        return {"status": "ready"}

    for part in (
        product_orders,
        cancel_product_orders,
        product_catalog,
        product_inventory,
        hub,
        message_routes,
        customer_routes,
        search_routes,
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
    ):
        app.include_router(part.router, responses=GUARDED)
    app.mount(
        "/codec",
        codec_app(CompressingCodec(LARGEST_BYTES, strict=True), settings.web_ui_address, is_open=settings.codec_open),
    )

    app.mount(CONSOLE, console)

    return app


def _titles(versions: CatalogStore, digest: str, otherwise: Catalog) -> dict[str, str]:
    """The titles of offerings in the version of a catalog that an order was sold from."""
    try:
        sold = versions.load(digest)
    except UnknownCatalogVersion:
        sold = otherwise
    return {name: offering.title for name, offering in sold.offerings.items() if offering.title}


def _in_force_since(versions: CatalogStore, catalog: Catalog) -> datetime:
    return versions.kept_since(versions.keep(catalog))
