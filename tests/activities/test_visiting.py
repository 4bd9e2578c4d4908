"""What silos offer for visits, and what can be promised where nobody has chosen a slot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from activities.visiting import Visiting
from orders.fulfilment.snapshot import OrderStart
from orders.fulfilment.starting import prepare
from orders.model.order import OrderRequest, RequestedItem, Site
from orders.planning.visits import FreeSlot, Visit, visits_of
from tests.activities.bench import Bench


def visiting(bench: Bench) -> Visiting:
    return Visiting(bench.catalog, bench.client, bench.settings)


def fibre(bench: Bench, city: str) -> OrderStart:
    """An order of an access line in a town, with a technician, as it was captured."""
    site = Site(id="home", address={"city": city})
    wanted = RequestedItem(id="net", offering="fibre-1000", site=site)
    request = OrderRequest(external_id=uuid4().hex[:12], channel="web", customer_id="c", items=(wanted,))
    return prepare(bench.catalog, request, datetime.now(UTC))


def visit_of(bench: Bench, start: OrderStart) -> Visit:
    [visit] = visits_of(bench.catalog, start.revision, start.plan)
    return visit


async def take(bench: Bench, city: str, slot: FreeSlot) -> None:
    """Somebody else takes a slot."""
    service = f"{uuid4().hex[:8]}@home/installation/visit-site/0"
    inputs = {"appointment_start": slot.start.isoformat(), "city": city}
    body = {
        "id": service,
        "state": "active",
        "serviceSpecification": {"id": "visit"},
        "serviceCharacteristic": [{"name": name, "value": value} for name, value in inputs.items()],
    }
    headers = {"Idempotency-Key": f"{service}/0", "Order-Id": "other"}
    address = f"{bench.settings.silos_address}/field-service/service"
    answer = await bench.client.post(address, json=body, headers=headers)
    assert answer.status_code == 201, answer.text


async def test_slots_are_free_from_now_on_as_far_ahead_as_they_are_offered(bench: Bench) -> None:
    visit = visit_of(bench, fibre(bench, uuid4().hex))
    now = datetime.now(UTC)
    found = await visiting(bench).free(visit)
    assert [slot.start for slot in found] == sorted(slot.start for slot in found)
    assert now < found[0].start < now + timedelta(days=4)
    assert now + timedelta(days=25) < found[-1].start < now + timedelta(days=31)
    assert {slot.time_zone for slot in found} == {"Europe/Berlin"}
    assert {slot.start.hour for slot in found} == {8, 13}
    assert await visiting(bench).free(visit, now - timedelta(days=9), now - timedelta(days=8)) == []


async def test_a_visit_is_promised_for_the_first_day_that_has_one_left(bench: Bench) -> None:
    await bench.sim("PUT", "/field-service/slots", {"number": 1})
    city = uuid4().hex
    start = fibre(bench, city)
    at_once = await visiting(bench).settled(bench.catalog, start)
    assert at_once.promised_at == start.promised_at
    free = await visiting(bench).free(visit_of(bench, start))
    for slot in free[:20]:
        await take(bench, city, slot)
    later = await visiting(bench).settled(bench.catalog, start)
    assert start.promised_at is not None
    assert later.promised_at is not None
    assert start.promised_at < free[20].over < later.promised_at < free[20].over + timedelta(days=2)
    assert later.plan == start.plan


async def test_an_order_is_promised_as_usual_while_the_silo_does_not_say_what_is_free(bench: Bench) -> None:
    await bench.sim("PUT", "/field-service/faults", {"outage": True})
    start, asking = fibre(bench, uuid4().hex), visiting(bench)
    assert await asking.settled(bench.catalog, start) == start
    await bench.sim("DELETE", "/field-service/faults")
    # It is left alone for a while: no order is to wait for that again and again.
    await bench.sim("PUT", "/field-service/slots", {"number": 0})
    assert await asking.settled(bench.catalog, start) == start


async def test_what_no_capacity_offers_slots_for_is_not_asked_for(bench: Bench) -> None:
    without = bench.catalog.model_copy(update={"capacities": {}})
    start = fibre(bench, uuid4().hex)
    asking = Visiting(without, bench.client, bench.settings)
    assert asking.offered(visit_of(bench, start)) is None
    assert await asking.free(visit_of(bench, start)) == []
    assert await asking.settled(without, start) == start
