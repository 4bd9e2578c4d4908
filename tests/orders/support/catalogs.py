"""Small catalogs for tests: a sound one, and what is found wrong when some of it is changed."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from catalog_loader.catalog_files import CatalogError, read_catalog
from orders.model.catalog import Catalog

SOUND = """
silos:
  inventory: {protocol: tmf640, address: /inventory}
  network: {protocol: tmf640, address: /network}
  field: {protocol: tmf641, address: /field}

specifications:
  account:
    tasks:
      open: {title: Account, silo: inventory, operation: account, scope: order, outputs: [account_id]}
  installation:
    tasks:
      visit:
        title: Visit
        silo: field
        operation: visit
        scope: site
        depends_on: [{task: port, of: internet, as: port}]
        inputs: {site: "${site.id}", products: "${each.id}", ports: "${port.port_id}"}
  internet:
    role: internet
    site: required
    includes: [account, installation]
    characteristics:
      speed: {type: integer, minimum: 1, maximum: 1000, required: true}
      technology: {values: [gpon, xgs], default: gpon}
      router: {type: boolean, default: false}
    tasks:
      port:
        title: Port
        silo: inventory
        operation: port
        inputs: {technology: {value: "${char.technology}", on_change: replace}}
        outputs: [port_id]
        release_after: [line]
      router:
        title: Router
        silo: inventory
        operation: stock
        when: {router: true}
        outputs: [serial]
      line:
        title: Line
        silo: network
        operation: line
        depends_on: [port, {task: router, optional: true}, {task: account/open, kind: after}]
        inputs: {port: "${port.port_id}", speed: "${char.speed}", router: "${router.serial}"}
        outputs: [line_id]
  voice:
    role: voice
    site: required
    includes: [account, installation]
    characteristics:
      number: {pattern: "[0-9]+"}
    tasks:
      line:
        title: Telephony
        silo: network
        operation: line
        depends_on: [{task: line, of: internet, as: access}]
        inputs: {access: "${access.line_id}", number: "${char.number}"}

offerings:
  fibre: {specification: internet, characteristics: {speed: 500}}
  fibre-flex: {specification: internet}
  phone: {specification: voice, prices: [{amount: "5.00", currency: EUR}]}
  duo:
    bundle:
      internet: {offerings: [fibre, fibre-flex], default: fibre}
      voice: {offerings: [phone], default: phone}
"""


@cache
def parsed(text: str) -> dict[str, Any]:
    """The content of a YAML text. Not to be changed."""
    return yaml.safe_load(text)


def catalog_of(folder: Path, text: str, **changes: str | None) -> Catalog:
    """The catalog of a YAML text, with what stands at some paths changed.

    A path is written with `/` between its keys; its new content is YAML, or None to take it out.
    """
    content = deepcopy(parsed(text))
    for path, new in changes.items():
        *above, last = path.split("/")
        around = content
        for key in above:
            around = around.setdefault(key, {})
        if new is None:
            del around[last]
        else:
            around[last] = yaml.safe_load(new)
    folder.mkdir(exist_ok=True)
    (folder / "catalog.yaml").write_text(json.dumps(content))  # JSON is YAML, and quicker to write
    return read_catalog(folder)


def problems_of(folder: Path, text: str = SOUND, **changes: str | None) -> list[str]:
    """`path: reason` of everything wrong with such a catalog."""
    try:
        catalog_of(folder, text, **changes)
    except CatalogError as error:
        return [f"{problem.path}: {problem.reason}" for problem in error.problems]
    return []


def only(folder: Path, **changes: str | None) -> str:
    """The one problem that a change of the sound catalog makes."""
    found = problems_of(folder, SOUND, **changes)
    assert len(found) == 1, "\n".join(found) or "nothing was found"
    return found[0]
