"""Orders on what a customer has, on the real engine: each with the calls that it must lead to, written out by hand.

A call is told as `silo.verb task/generation/n`: tasks by their keys, without the id of the order that they began with.
"""

from __future__ import annotations

from orders.model.values import ProductStatus
from tests.given.installed import change, household, move
from tests.running.pipe import Pipe


async def test_a_household_is_changed_order_by_order(pipe: Pipe) -> None:
    home = await household(pipe)
    net, tv = home.product("net"), home.product("tv")

    faster = await home.ordered(change(net, down_mbps=400))
    assert await home.ends(faster, "completed") == [
        "access-network.amend net.1/fibre-internet/activate-line/0/1",
        "billing.amend net.1/fibre-internet/start-billing/0/1",
    ]

    ceased = await home.ordered(change(tv, action="delete"))
    assert sorted(await home.ends(ceased, "completed")) == [
        "billing.compensate tv.1/tv/start-billing/0/1",
        "tv.compensate tv.1/tv/activate-tv/0/1",
    ]

    moved = await home.ordered(move(net, "1"))
    calls = await home.ends(moved, "completed")
    # Make before break: the old port goes once the line is on the new one, and that waits for the technician.
    assert calls[0] == "resource-inventory.provision net.1/fibre-internet/reserve-port/1/0"
    assert set(calls[1:3]) == {
        "resource-inventory.amend net.1/fibre-internet/assign-vlan/0/1",
        "field-service.provision @site-2/installation/visit-site/0/0",
    }
    assert calls[3] == "access-network.amend net.1/fibre-internet/activate-line/0/2"
    assert set(calls[4:]) == {
        "resource-inventory.compensate net.1/fibre-internet/reserve-port/0/1",
    }

    installed = home.installed()
    assert {item: (product.status, product.version) for item, product in installed.items()} == {
        "net": (ProductStatus.ACTIVE, 3),
        "voice": (ProductStatus.ACTIVE, 1),
        "tv": (ProductStatus.TERMINATED, 2),
    }
    assert installed["net"].characteristics["down_mbps"] == 400
    assert installed["net"].site is not None
    assert installed["net"].site.id == "site-2"
    lines = await home.held("access-network")
    assert lines["net.1/fibre-internet/activate-line"]["down_mbps"] == 400
    assert await home.held("tv") == {}


async def test_a_move_that_is_cancelled_while_the_visit_is_awaited_puts_back_what_was_there(pipe: Pipe) -> None:
    home = await household(pipe)
    before = {
        silo: await home.held(silo) for silo in ("resource-inventory", "access-network", "billing", "voice", "tv")
    }
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    moved = await home.ordered(move(home.product("net"), "1"))
    await pipe.until_task(moved, "installation/visit-site", "awaiting")
    assert (await pipe.change(moved, requestId="c", kind="cancel"))["state"] in ("accepted", "assessing")
    calls = await home.ends(moved, "cancelled")
    assert sorted(calls[:3]) == [
        "field-service.provision @site-2/installation/visit-site/0/0",
        "resource-inventory.amend net.1/fibre-internet/assign-vlan/0/1",
        "resource-inventory.provision net.1/fibre-internet/reserve-port/1/0",
    ]
    # First the technician is asked, then the port goes, once nothing stands on it.
    assert calls[3:] == [
        "field-service.compensate @site-2/installation/visit-site/0/1",
        "resource-inventory.amend net.1/fibre-internet/assign-vlan/0/2",
        "resource-inventory.compensate net.1/fibre-internet/reserve-port/1/1",
    ]
    assert before == {silo: await home.held(silo) for silo in before}
    net = home.installed()["net"]
    assert (net.status, net.version, net.site and net.site.id) == (ProductStatus.ACTIVE, 2, "site-1")


async def test_a_product_is_touched_by_one_order_at_a_time(pipe: Pipe) -> None:
    home = await household(pipe)
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    moved = await home.ordered(move(home.product("net"), "1"))
    refused = (await home.order(change(home.product("tv"), action="delete"))).json()
    assert (refused["state"], refused["productOrderErrorMessage"][0]["code"]) == ("rejected", "product_in_flight")
    assert f"is being changed by order {moved}" in refused["productOrderErrorMessage"][0]["reason"]
    await pipe.change(moved, requestId="c", kind="cancel")
    await home.ends(moved, "cancelled")
    await home.ends(await home.ordered(change(home.product("tv"), action="delete")), "completed")
