"""What silos offer for visits, and what can be promised where nobody has chosen a slot."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from uuid import uuid4

from activities.dates.visiting import Visiting
from activities.foreseeing import Foreseeing
from catalog_loader.catalog_files import CatalogStore
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.snapshot import OrderStart
from orders.fulfilment.starting import prepare
from orders.model.order import Appointment, OrderRequest, Rejection, RequestedItem, Site, TimeSlot, Wishes
from orders.model.silos.capacity import Slots, Window
from orders.planning.scheduling.visits import FreeSlot, Visit, visits_of
from orders.read_model.records import OrderRecord
from orders.tracking.reporting import order_view
from tests.activities.bench import Bench


def visiting(bench: Bench) -> Visiting:
    return Visiting(bench.catalog, bench.client, bench.settings)


def fibre(bench: Bench, city: str, slot: TimeSlot | None = None) -> OrderStart:
    """An order of an access line in a town, with a technician, as it was captured."""
    site = Site(id="home", address={"city": city})
    wanted = RequestedItem(id="net", offering="fibre-1000", site=site, wishes=Wishes(appointment=slot))
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


async def test_where_the_silo_offers_no_slots_they_come_from_capacity_and_what_orders_ask_for(
    bench: Bench, tmp_path: Path
) -> None:
    windows = (Window(start=time(8), end=time(12)), Window(start=time(13), end=time(17)))
    slots = Slots(zone="Europe/Berlin", windows=windows, lead_days=2, ahead_days=20)
    visits = bench.catalog.capacities["visits"].model_copy(update={"slots": slots, "number": 2})
    catalog = bench.catalog.model_copy(update={"capacities": {"visits": visits}})
    versions = CatalogStore(tmp_path)
    foreseen = Foreseeing(bench.register, versions, catalog)
    asking = Visiting(catalog, bench.client, bench.settings, foreseen)
    start, now = fibre(bench, uuid4().hex), datetime.now(UTC)
    visit = visit_of(bench, start)
    free = await asking.free(visit)
    assert [each.left for each in free[:2]] == [1, 1]
    assert now + timedelta(days=2) <= free[0].start < now + timedelta(days=7)
    # Another order takes the first one: the register knows of it.
    versions.keep(bench.catalog)
    chosen = TimeSlot(start=free[0].start, time_zone="Europe/Berlin")
    other = fibre(bench, visit.place(visits), chosen)
    view = order_view(Fulfilment(other), now)
    bench.register.records.write_again(OrderRecord(version=1, view=view, revisions=(other.revision,)))
    assert (await asking.free(visit))[0] == free[1]
    assert (await asking.free(visit_of(bench, other)))[0] == free[0]
    taken = Appointment(site="home", start=free[0].start, time_zone="Europe/Berlin")
    [reason] = await asking.taken([replace(visit, appointment=taken)])
    assert (reason.code, free[1].words in reason.message) == ("slot_taken", True)
    assert Visiting(catalog, bench.client, bench.settings).offered(visit) is None


async def test_of_two_orders_that_take_the_last_slot_at_once_one_has_it_and_the_other_hears_of_the_next_ones(
    bench: Bench, tmp_path: Path
) -> None:
    slots = Slots(zone="Europe/Berlin", windows=(Window(start=time(8), end=time(12)),), ahead_days=20)
    visits = bench.catalog.capacities["visits"].model_copy(update={"slots": slots, "number": 1})
    catalog = bench.catalog.model_copy(update={"capacities": {"visits": visits}})
    versions, city = CatalogStore(tmp_path), uuid4().hex
    # Each in a process of its own.
    askings = [
        Visiting(catalog, bench.client, bench.settings, Foreseeing(bench.register, versions, catalog)) for _ in range(2)
    ]
    last, following, *_ = await askings[0].free(visit_of(bench, fibre(bench, city)))
    assert last.left == 1
    chosen = TimeSlot(start=last.start, end=last.end, time_zone=last.time_zone)
    orders = [fibre(bench, city, chosen) for _ in askings]

    async def settled(asking: Visiting, start: OrderStart) -> OrderStart | Rejection:
        try:
            return await asking.settled(catalog, start)
        except Rejection as rejection:
            return rejection

    answers = await asyncio.gather(*map(settled, askings, orders))
    [refused] = [answer for answer in answers if isinstance(answer, Rejection)]
    [reason] = refused.reasons
    assert (reason.code, following.words in reason.message) == ("slot_taken", True)
    had = next(order for order, answer in zip(orders, answers, strict=True) if isinstance(answer, OrderStart))
    # The one that has it may be submitted again, and a preview for another holds nothing.
    assert await settled(askings[0], had) == await settled(askings[1], had)
    third = visit_of(bench, fibre(bench, city, TimeSlot(start=following.start, time_zone=following.time_zone)))
    assert await askings[0].taken([third]) == []
    assert await askings[1].taken([replace(third, task="another")], hold=True) == []
    assert [reason.code for reason in await askings[0].taken([third], hold=True)] == ["slot_taken"]


async def test_what_no_capacity_offers_slots_for_is_not_asked_for(bench: Bench) -> None:
    without = bench.catalog.model_copy(update={"capacities": {}})
    start = fibre(bench, uuid4().hex)
    asking = Visiting(without, bench.client, bench.settings)
    assert asking.offered(visit_of(bench, start)) is None
    assert await asking.free(visit_of(bench, start)) == []
    assert await asking.settled(without, start) == start
