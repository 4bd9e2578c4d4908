"""The API process while it is up: what its routes are provided with, and the work that goes on beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime

import httpx2
import structlog
from fastapi import FastAPI
from temporalio.client import Client

from activities.dates.visiting import Visiting
from activities.foreseeing import Foreseeing
from activities.protocols.http_client import silo_client
from api.access.sessions import Sessions
from api.background import run_in_background
from api.blocking import run_blocking
from api.console.changes import Changes
from api.errors import Unavailable
from api.events.dispatch import AT_ONCE, Dispatcher, Forgetter
from api.events.event_sender import event_sender
from api.events.subscribers import Subscribers
from api.http.dependencies import Provided
from api.measuring import measures_of
from api.messages.courier import Courier
from api.messages.ways import Way
from api.service.gateway import Gateway
from api.service.services import services
from api.tmf.links import Links
from api.tmf.tmf620 import CatalogInForce
from api.working import Workshop
from catalog_loader.catalog_files import CatalogStore, UnknownCatalogVersion
from catalog_loader.messages.book import MessageBook
from orders.model.catalog import Catalog
from orders.model.messaging import Medium
from orders.read_model.views import OrderView
from register import Register
from register.recording.documents import UNUSED_FOR
from settings import Settings
from workflows.sdk.connection import connect

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Running:
    """What runs behind an app and its console. Without a client it connects by itself, once that is first needed."""

    settings: Settings
    catalog: Catalog
    book: MessageBook | None
    """What customers are told, and in which words. None where they are told nothing."""
    ways: Mapping[Medium, Way]
    sessions: Sessions
    client: Client | None
    is_open: bool
    """True where no token is asked for."""

    @asynccontextmanager
    async def behind(self, app: FastAPI, console: FastAPI) -> AsyncIterator[None]:
        """Provide both with everything, and close it all at the end."""
        async with silo_client(self.catalog.silos.values()) as http:
            connected = await self._connected()
            register = Register(self.settings.register_address)
            workshop = Workshop(self.settings.planning_processes)
            try:
                provided = await self._provided(connected, register, workshop, http)
                changes = Changes(register.changed_orders)
                self.sessions.kept = register.console_sessions
                console.state.changes = changes
                app.state.provided = console.state.provided = provided
                log.info("api ready", catalog=self.catalog.digest, offerings=len(self.catalog.offerings))
                try:
                    async with self._beside(connected, provided), run_in_background(changes.run()):
                        yield
                finally:
                    await provided.services.gathering.stop()
            finally:
                workshop.close()
                register.close()

    async def _connected(self) -> Client:
        if self.client is not None:
            return self.client
        address = f"127.0.0.1:{self.settings.temporal_port}"
        return await connect(address, metrics_address=self.settings.api_metrics_address, lazy=True)

    async def _provided(
        self, connected: Client, register: Register, workshop: Workshop, http: httpx2.AsyncClient
    ) -> Provided:
        settings, catalog = self.settings, self.catalog
        try:
            await run_blocking(register.prepare)
        except Unavailable as error:
            log.warning("the register is not ready", error=error.message)
        links = Links(settings.api_address, settings.web_ui_address, connected.namespace, api_is_open=self.is_open)
        versions = CatalogStore(settings.catalog_versions)
        in_force = CatalogInForce(catalog, await run_blocking(_in_force_since, versions, catalog))
        foreseeing = Foreseeing(register, versions, catalog)
        visiting = Visiting(catalog, http, settings, foreseeing)
        built = services(Gateway(connected), catalog, versions, register, links, workshop, foreseeing, visiting)
        subscribers = Subscribers(register.subscriptions, links, allow_internal=settings.callbacks_allow_internal)
        return Provided(built, workshop, register, in_force, versions, links, subscribers)

    @asynccontextmanager
    async def _beside(self, connected: Client, provided: Provided) -> AsyncIterator[None]:
        """Customers and subscribers are told, figures kept, and what nobody needs any more is forgotten."""
        settings, register = self.settings, provided.register
        measures, measured = measures_of(connected), settings.api_metrics_address is not None
        sending = event_sender(allow_internal=settings.callbacks_allow_internal, connections=AT_ONCE)

        def titles(order: OrderView) -> dict[str, str]:
            return _titles(provided.versions, order.catalog, self.catalog)

        async with (
            sending as sender,
            nullcontext()
            if self.book is None
            else run_in_background(Courier(register, self.book, self.ways, titles).run()),
            run_in_background(Dispatcher(register.deliveries, sender, provided.links, measures.sent).run()),
            run_in_background(measures.look(register.search.figures)) if measured else nullcontext(),
            run_in_background(Forgetter(register.deliveries, settings.keep_deliveries).run()),
            run_in_background(Forgetter(register.documents, UNUSED_FOR).run()),
        ):
            yield


def _titles(versions: CatalogStore, digest: str, otherwise: Catalog) -> dict[str, str]:
    """The titles of offerings in the version of a catalog that an order was sold from."""
    try:
        sold = versions.load(digest)
    except UnknownCatalogVersion:
        sold = otherwise
    return {name: offering.title for name, offering in sold.offerings.items() if offering.title}


def _in_force_since(versions: CatalogStore, catalog: Catalog) -> datetime:
    return versions.kept_since(versions.keep(catalog))
