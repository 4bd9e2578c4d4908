"""Orders in the situations that a caller asks about: how each comes to be so."""

from __future__ import annotations

from tests.api.service.test_waiting import moving, waiting
from tests.given.households import internet_voice_tv, item, order
from tests.given.installed import change
from tests.running.pipe import Pipe

FEE = {"amount": "9.90", "currency": "EUR"}


async def visit_awaited(pipe: Pipe) -> str:
    """An order whose parcel has come, and whose technician comes when he is told to."""
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    await pipe.until_task(order_id, "delivery/ship-parcel", "done")
    return order_id


async def silo_down(pipe: Pipe) -> str:
    """An order of which nothing is left but what the TV platform is to do, and that is down until faults are mended."""
    await pipe.sim("PUT", "/tv/faults", {"outage": True})
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order_id, "voice-line/start-billing", "done")
    await pipe.until_task(order_id, "delivery/ship-parcel", "done")
    return order_id


async def call_refused(pipe: Pipe) -> str:
    """An order of which the TV platform has refused a call."""
    refusal = {"operation": "subscription", "match": "activate-tv", "code": "no_coverage"}
    await pipe.sim("PUT", "/tv/faults", {"permanent": [refusal]})
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order_id, "tv/activate-tv", "fallout")
    return order_id


async def compensating(pipe: Pipe) -> str:
    """A cancelled order whose telephone number cannot be given back: its silo is down until faults are mended."""
    order_id = await visit_awaited(pipe)
    await pipe.sim("PUT", "/number-inventory/faults", {"outage": True})
    await pipe.change(order_id, requestId="away", kind="cancel", acceptFee=FEE)
    await pipe.until_task(order_id, "voice-line/reserve-number", "compensating")
    return order_id


async def held_by_hand(pipe: Pipe) -> str:
    """An order that waits for its technician, and is on hold."""
    order_id = await visit_awaited(pipe)
    await pipe.change(order_id, requestId="wait", kind="hold", requester="Ada", reason="the customer moves")
    return order_id


async def waiting_for_products(pipe: Pipe) -> str:
    """An order on products that an earlier order is moving."""
    home, _ = await moving(pipe)
    return str((await waiting(home, change(home.product("net"), down_mbps=300)))["id"])


async def future_dated(pipe: Pipe) -> str:
    """An order that begins in 2031."""
    return await pipe.submit(order(item("net", "fibre-100"), requestedStartDate="2031-01-01T00:00:00Z"))


async def cancelled_with_a_fee(pipe: Pipe) -> str:
    """An order that is cancelled, and its fee accepted."""
    order_id = await visit_awaited(pipe)
    verdict = await pipe.change(order_id, requestId="away", kind="cancel", acceptFee=FEE)
    assert verdict["state"] != "rejected", verdict
    await pipe.outcome(order_id)
    return order_id


async def completed(pipe: Pipe) -> str:
    """An order that is done."""
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.outcome(order_id)
    return order_id
