"""The demonstration's judgement: it finds nothing wrong where all is right, and whatever somebody spoils."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from catalog_loader.catalog_files import read_catalog
from ops.client.door import Door
from ops.demo.sim import Sim
from ops.demo.verdict import against_items, against_ledger, applied_twice, ordered_anew
from simulated_silos.compare import canonical, differences
from simulated_silos.silo.model import JournalEntry, Outcome
from tests.running.pipe import EXAMPLES, Pipe, body_of

# Other than these, an order waits for a start years away.
KINDS = sorted(path.stem for path in EXAMPLES.glob("*.json") if path.stem != "future-dated")


async def problems(pipe: Pipe, door: Door, sim: Sim, order_id: str) -> list[str]:
    catalog = read_catalog(pipe.settings.catalog_dir)
    order, held = await door.order(order_id), await sim.services(order_id)
    tasks = [task async for task in door.tasks(order_id)]
    found = against_items(order, held, catalog) + against_ledger(tasks, held)
    return found + applied_twice(await sim.journal(order_id))


async def tamper(pipe: Pipe, silo: str, service: dict[str, Any], **values: Any) -> None:
    """Change a service behind the order's back."""
    given = {**service["characteristics"], **values}
    body = {
        "serviceSpecification": {"id": service["operation"]},
        "serviceCharacteristic": [{"name": name, "value": value} for name, value in given.items()],
    }
    headers = {"Idempotency-Key": f"{service['id']}/99", "Order-Id": service["order"]}
    address = f"{pipe.settings.silos_address}/{silo}/service/{quote(service['id'], safe='')}"
    assert (await pipe.http.patch(address, json=body, headers=headers)).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_is_wrong_with_an_order_that_completed(pipe: Pipe, door: Door, sim: Sim, kind: str) -> None:
    order = await pipe.submit(body_of(kind))
    await pipe.outcome(order)
    assert await problems(pipe, door, sim, order) == []


async def test_an_amended_order_leaves_what_its_content_ordered_anew_leaves(pipe: Pipe, door: Door, sim: Sim) -> None:
    await sim.pace("field-service", None)
    order = await pipe.submit(body_of("triple-play"))
    await pipe.until_task(order, "installation/visit-site", "awaiting")
    update = [{"id": "1.internet", "offering": "fibre-500"}, {"id": "1.tv", "offering": "tv-cinema"}]
    await pipe.change(order, kind="amend", requestId="call-1", update=update)
    await sim.complete("field-service", order)
    await pipe.outcome(order)
    assert await problems(pipe, door, sim, order) == []
    held = canonical(await sim.services(order), order)
    body = ordered_anew(await door.product_order(order), "anew-1")
    await sim.reset()
    anew = await pipe.submit(body)
    await sim.complete("field-service", anew)
    await pipe.outcome(anew)
    assert differences(held, canonical(await sim.services(anew), anew)) == []


async def test_a_wrong_speed_a_lost_service_and_one_too_many_are_found(pipe: Pipe, door: Door, sim: Sim) -> None:
    order = await pipe.submit(body_of("triple-play"))
    await pipe.outcome(order)
    services = await pipe.services(order)
    (line,), (voice,) = services["access-network"], services["voice"]
    await tamper(pipe, "access-network", line, down_mbps=50)
    await sim.lose("voice", voice["id"])
    found = await problems(pipe, door, sim, order)
    assert f"access-network: {line['task']} has down_mbps 50, the order asks for 1000" in found
    assert f"voice does not hold {voice['id']}, which is in the ledger" in found


async def test_whatever_is_left_of_a_cancelled_order_is_found(pipe: Pipe, door: Door, sim: Sim) -> None:
    await sim.pace("field-service", None)
    order = await pipe.submit(body_of("business-vpn"))
    await pipe.until_task(order, "installation/visit-site", "awaiting")
    await pipe.change(order, kind="cancel", requestId="call-1")
    await pipe.outcome(order)
    assert await problems(pipe, door, sim, order) == []
    left = {"id": f"{order}.core.1/business-vpn-core/create-vpn/7", "serviceSpecification": {"id": "vpn"}}
    headers = {"Idempotency-Key": f"{left['id']}/0", "Order-Id": order}
    address = f"{pipe.settings.silos_address}/access-network/service"
    assert (await pipe.http.post(address, json=left, headers=headers)).status_code == 201
    found = await problems(pipe, door, sim, order)
    assert f"access-network still holds {order}.core.1/business-vpn-core/create-vpn" in found


def test_a_call_that_took_effect_twice_is_found() -> None:
    def entry(seq: int, outcome: Outcome) -> JournalEntry:
        key = "a.1.1/mobile/register-sim/0/0"
        return JournalEntry(
            seq=seq,
            time="",
            silo="mobile-core",
            verb="provision",
            key=key,
            id=key[:-2],
            order="a",
            inputs={},
            outcome=outcome,
        )

    once = [entry(1, Outcome.FAILED), entry(2, Outcome.APPLIED), entry(3, Outcome.REPLAYED)]
    assert applied_twice(once) == []
    assert applied_twice([*once, entry(4, Outcome.APPLIED)]) == [
        "mobile-core did provision a.1.1/mobile/register-sim/0/0 2 times"
    ]
