"""The comparison that the other end-to-end tests rest on sees what is wrong."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from catalog_loader.catalog_files import read_catalog
from settings import ROOT
from simulated_silos.silo.model import JournalEntry, Outcome
from tests.e2e.comparison import flaws
from tests.e2e.running import StackPipe
from tests.e2e.undoing import undone_too_early
from tests.given.households import item, order

pytestmark = pytest.mark.e2e


async def test_the_comparison_tells_what_is_missing_different_too_much_done_twice_and_refused(pipe: StackPipe) -> None:
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": 0})
    order_id = await pipe.submit(order(item("net", "fibre-100"), item("tv", "tv-basic", relies_on="net")))
    await pipe.outcome(order_id)
    net, tv = f"{order_id}.net.1/fibre-internet", f"{order_id}.tv.1/tv"
    await pipe.sim("POST", "/resource-inventory/lose", {"id": f"{net}/assign-vlan/0"})
    subscription = (await pipe.services(order_id))["tv"][0]["characteristics"]
    for _ in range(2):
        await call(pipe, "PATCH", "tv", f"{tv}/activate-tv/0", "subscription", **{**subscription, "pack": "sport"})
    await call(pipe, "POST", "warehouse", f"{net}/spare-router/0", "stock", sku="router-gpon")
    await call(pipe, "POST", "warehouse", f"{net}/allocate-router/0", "stock", sku="router-gpon")

    assert sorted(await flaws(pipe, [order_id])) == sorted(
        [
            f"tv.amend under key {tv}/activate-tv/0/9 was applied 2 times",
            f"warehouse refused to provision {net}/allocate-router/0/9: already_provisioned",
            f"{order_id}: access-network: {{order}}.net.1/fibre-internet/activate-line: "
            'vlan is "VLAN-0000002" in the first, "<{order}.net.1/fibre-internet/assign-vlan.vlan_id>" in the second',
            f"{order_id}: resource-inventory: {{order}}.net.1/fibre-internet/assign-vlan: only in the second",
            f'{order_id}: tv: {{order}}.tv.1/tv/activate-tv: pack is "sport" in the first, "basic" in the second',
            f"{order_id}: warehouse: {{order}}.net.1/fibre-internet/spare-router: only in the first",
        ]
    )


async def call(pipe: StackPipe, method: str, silo: str, service: str, operation: str, **inputs: Any) -> None:
    """Do something to a silo in an order's name that the order knows nothing of."""
    path = "" if method == "POST" else f"/{quote(service, safe='')}"
    await pipe.http.request(
        method,
        f"{pipe.settings.silos_address}/{silo}/service{path}",
        headers={"Idempotency-Key": f"{service}/9", "Order-Id": service.split(".")[0]},
        json={
            "id": service,
            "serviceSpecification": {"id": operation},
            "serviceCharacteristic": [{"name": name, "value": value} for name, value in inputs.items()],
        },
    )


def test_the_comparison_tells_what_was_undone_before_what_was_built_on_it() -> None:
    journal = [
        entry(1, "access-network", "o-1.net.1/fibre-internet/activate-line/0"),
        entry(2, "resource-inventory", "o-1.net.1/fibre-internet/reserve-port/0"),
        entry(3, "voice", "o-1.voice.1/voice-line/activate-line/0"),
        entry(4, "resource-inventory", "o-1.net.1/fibre-internet/assign-vlan/0"),
    ]
    assert undone_too_early(read_catalog(ROOT / "catalog"), journal) == [
        "o-1.net.1/fibre-internet/reserve-port was undone before o-1.net.1/fibre-internet/assign-vlan",
        "o-1.net.1/fibre-internet/activate-line was undone before o-1.voice.1/voice-line/activate-line",
    ]


def entry(seq: int, silo: str, service: str) -> JournalEntry:
    """A compensation that was done."""
    return JournalEntry(
        seq=seq,
        time="2026-01-01T00:00:00Z",
        silo=silo,
        verb="compensate",
        key=f"{service}/1",
        id=service,
        order="o-1",
        inputs={},
        outcome=Outcome.APPLIED,
    )
