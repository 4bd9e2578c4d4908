"""What the API does for orders, put together."""

from __future__ import annotations

from dataclasses import dataclass

from activities.dates.learning import Learned
from activities.dates.visiting import Visiting
from activities.foreseeing import Foreseeing
from api.service.appointing import Appointing
from api.service.asking import Asking
from api.service.bulk import Bulk
from api.service.changing import Changing
from api.service.finding import Finding
from api.service.gateway import Gateway
from api.service.gathering import Gathering
from api.service.intake.submitting import Starter, Submitting
from api.service.patching import Patching
from api.service.previewing import Foresight
from api.service.silos import Silos
from api.service.work_done import WorkDone
from api.tmf.links import Links
from api.working import Workshop
from catalog_loader.catalog_files import CatalogStore
from orders.model.catalog import Catalog
from register import Register


@dataclass(frozen=True, slots=True)
class Services:
    """One of each."""

    gateway: Gateway
    gathering: Gathering
    submitting: Submitting
    asking: Asking
    changing: Changing
    patching: Patching
    finding: Finding
    silos: Silos
    work_done: WorkDone
    bulk: Bulk
    appointing: Appointing
    foreseeing: Foreseeing


def services(
    gateway: Gateway,
    catalog: Catalog,
    versions: CatalogStore,
    register: Register,
    links: Links,
    workshop: Workshop,
    foreseeing: Foreseeing | None = None,
    visiting: Visiting | None = None,
) -> Services:
    """Orders under one catalog, with one register behind them. Without `visiting` no silo is asked for slots."""
    asking, learned = Asking(gateway, register), Learned(register.durations)
    foresight = Foresight(versions, workshop, learned, visiting)
    changing = Changing(gateway, asking, foresight, register.records)
    gathering = Gathering(gateway)
    return Services(
        gateway=gateway,
        gathering=gathering,
        submitting=Submitting(
            gateway,
            Starter(gateway, catalog, versions, register, links, workshop, learned, visiting),
            register.submissions,
            asking,
            workshop,
        ),
        asking=asking,
        changing=changing,
        patching=Patching(asking, changing, register.documents, links.api),
        finding=Finding(register.search, workshop),
        silos=Silos(gateway, register.silos, catalog),
        work_done=WorkDone(gathering, register.work_items),
        bulk=Bulk(gateway, register.bulk),
        foreseeing=foreseeing or Foreseeing(register, versions, catalog),
        appointing=Appointing(changing, visiting, catalog),
    )
