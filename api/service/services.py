"""What the API does for orders, put together."""

from __future__ import annotations

from dataclasses import dataclass

from api.service.asking import Asking
from api.service.changing import Changing
from api.service.gateway import Gateway
from api.service.installed_base import InstalledBase
from api.service.previewing import Foresight
from api.service.starting import Starter
from api.service.submitting import Submitting
from api.service.waiting import WaitingOrders
from api.tmf.links import Links
from catalog_loader.catalog_files import CatalogStore
from orders.model.catalog import Catalog
from register import Register


@dataclass(frozen=True, slots=True)
class Services:
    """One of each. `waiting` are the orders that are still to be started, once they have their turn."""

    gateway: Gateway
    submitting: Submitting
    asking: Asking
    changing: Changing
    waiting: WaitingOrders


def services(gateway: Gateway, catalog: Catalog, versions: CatalogStore, register: Register, links: Links) -> Services:
    """Orders under one catalog, with one register behind them."""
    installed_base = InstalledBase(gateway, register)
    starter = Starter(gateway, catalog, versions, installed_base, links)
    waiting = WaitingOrders(starter, installed_base, register)
    asking = Asking(gateway, register, waiting)
    return Services(
        gateway=gateway,
        submitting=Submitting(starter, installed_base, register.submissions, asking),
        asking=asking,
        changing=Changing(gateway, asking, Foresight(versions), waiting, register.records),
        waiting=waiting,
    )
