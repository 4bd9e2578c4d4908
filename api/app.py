"""The API process: routes, errors, the connection to Temporal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime

import structlog
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from temporalio.client import Client

from api.access.access_log import AccessLog
from api.access.guard import DOCS_ASSETS, Guard, doorkeeper
from api.access.limits import RateLimit
from api.background import run_in_background
from api.blocking import run_blocking
from api.care import (
    bulk_routes,
    customer_routes,
    fallout_routes,
    jeopardy_routes,
    order_routes,
    problem_routes,
    search_routes,
    silo_routes,
    work_routes,
)
from api.error_answers import install
from api.errors import Unavailable
from api.events.dispatch import AT_ONCE, Dispatcher, Forgetter
from api.events.event_sender import event_sender
from api.events.subscribers import Subscribers
from api.http.dependencies import GUARDED, GatewayDep, Provided, errors
from api.http.methods import Methods
from api.measuring import measures_of
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
from catalog_loader.catalog_files import CatalogStore, read_catalog
from orders.model.catalog import Catalog
from register import Register
from register.documents import UNUSED_FOR
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

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
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
        built = services(Gateway(connected), catalog, versions, register, links, workshop)
        subscribers = Subscribers(register.subscriptions, links, allow_internal=settings.callbacks_allow_internal)
        app.state.provided = Provided(built, workshop, register, in_force, versions, links, subscribers)
        log.info("api ready", catalog=catalog.digest, offerings=len(catalog.offerings))
        measures, measured = measures_of(connected), settings.api_metrics_address is not None
        sending = event_sender(allow_internal=settings.callbacks_allow_internal, connections=AT_ONCE)
        try:
            async with (
                sending as sender,
                run_in_background(Dispatcher(register.deliveries, sender, links, measures.sent).run()),
                run_in_background(measures.look(register.search.figures)) if measured else nullcontext(),
                run_in_background(Forgetter(register.deliveries, settings.keep_deliveries).run()),
                run_in_background(Forgetter(register.documents, UNUSED_FOR).run()),
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
        customer_routes,
        search_routes,
        order_routes,
        fallout_routes,
        jeopardy_routes,
        bulk_routes,
        work_routes,
        problem_routes,
        silo_routes,
        callbacks,
        own_reports,
    ):
        app.include_router(part.router, responses=GUARDED)
    app.mount(
        "/codec",
        codec_app(CompressingCodec(LARGEST_BYTES, strict=True), settings.web_ui_address, is_open=settings.codec_open),
    )

    return app


def _in_force_since(versions: CatalogStore, catalog: Catalog) -> datetime:
    return versions.kept_since(versions.keep(catalog))
