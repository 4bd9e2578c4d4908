"""Slots for visits: offered before and during an order, chosen with it or by a change, and lost to somebody else."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.cases import Case, submitted
from tests.given.households import PLACE, internet_voice_tv
from tests.running.pipe import Pipe, until
from tests.steps import let_go

DAY = "2031-05-08"
MORNING = {"startDateTime": f"{DAY}T08:00:00+02:00", "endDateTime": f"{DAY}T12:00:00+02:00"}
AFTERNOON = {"startDateTime": f"{DAY}T13:00:00+02:00", "endDateTime": f"{DAY}T17:00:00+02:00"}
VISIT = "@site-1/installation/visit-site"


def town() -> str:
    """A town where no other test has visits."""
    return f"Town {uuid4().hex[:8]}"


def household(city: str, slot: dict[str, str] | None = None) -> dict[str, Any]:
    """Internet, voice and TV in a town, with a technician in a slot."""
    body = internet_voice_tv()
    for item in body["productOrderItem"]:
        item["product"]["place"] = [PLACE | {"city": city}]
    if slot is not None:
        body["productOrderItem"][0]["appointment"] = {"id": "a-1", "validFor": slot, "timeZone": "Europe/Berlin"}
    return body


async def search(pipe: Pipe, city: str, offering: str = "fibre-flex", status: int = 200, **more: Any) -> Any:
    body = {
        "productOffering": {"id": offering},
        "relatedPlace": {"id": "site-1", "city": city},
        "requestedTimeSlot": [{"validFor": {"startDateTime": f"{DAY}T00:00:00+02:00"}}],
    }
    address = f"{pipe.settings.api_address}/care/v1/appointments/search"
    response = await pipe.http.post(address, json={**body, **more})
    assert response.status_code == status, response.text
    return response.json()


async def first_free(pipe: Pipe, city: str) -> dict[str, Any]:
    [visit] = (await search(pipe, city))["visits"]
    return visit["availableTimeSlot"][0]


async def care(pipe: Pipe, path: str) -> Any:
    response = await pipe.http.get(f"{pipe.settings.api_address}/care/v1{path}")
    assert response.status_code == 200, response.text
    return response.json()


def chosen(slot: dict[str, str]) -> dict[str, str]:
    """A slot as the appointment of a change."""
    ends = {"start": slot["startDateTime"], "end": slot["endDateTime"]}
    return {"site": "site-1", "timeZone": "Europe/Berlin", **ends}


async def waiting(pipe: Pipe, body: dict[str, Any]) -> Case:
    """An order whose technician is awaited."""
    case = await submitted(pipe, body, "field-service")
    await case.rests(VISIT)
    return case


async def done(case: Case) -> None:
    """The technician comes, and the order ends."""
    await case.pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": 0})
    await case.complete("field-service")
    await let_go(case.pipe, case.order)


async def test_slots_are_told_by_the_clock_at_the_place_before_there_is_an_order(pipe: Pipe) -> None:
    [visit] = (await search(pipe, town()))["visits"]
    assert (visit["title"], visit["silo"], visit["task"]) == ("Technician's visit", "field-service", None)
    morning, afternoon, *_ = visit["availableTimeSlot"]
    assert morning.pop("id").endswith("20310508T0800")
    assert morning == {"validFor": MORNING, "timeZone": "Europe/Berlin", "remaining": 500}
    assert afternoon["validFor"] == AFTERNOON
    assert (await search(pipe, town(), "mobile-s"))["visits"] == []
    oneself = [{"name": "installation", "value": "self"}]
    assert (await search(pipe, town(), productCharacteristic=oneself))["visits"] == []
    told = await search(pipe, town(), "no-such-thing", status=400)
    assert told["details"][0]["path"] == "productOffering.id"
    told = await search(pipe, town(), status=400, relatedPlace={"city": "Musterstadt"})
    assert told["details"][0]["path"] == "relatedPlace.id"


async def test_a_slot_chosen_at_submission_is_taken_and_the_next_order_for_it_is_told_others(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/field-service/slots", {"number": 1})
    city = town()
    slot = (await first_free(pipe, city))["validFor"]
    assert slot == MORNING
    case = await waiting(pipe, household(city, slot))
    assert (await first_free(pipe, city))["validFor"] == AFTERNOON
    assert (await care(pipe, f"/orders/{case.order}"))["promisedAt"].startswith(DAY)

    response = await pipe.http.post(pipe.api("/productOrder"), json=household(city, slot))
    refused = await care(pipe, f"/orders/{response.json()['id']}")
    [reason] = refused["reasons"]
    assert (refused["state"], reason["code"]) == ("rejected", "slot_taken")
    assert f"the next are {DAY} 13:00 to 17:00 (Europe/Berlin)" in reason["message"]

    # Its own slot is free to the order that has it.
    [own] = (await care(pipe, f"/orders/{case.order}/appointments?from={DAY}T00:00:00Z"))["visits"]
    assert (own["appointment"]["start"], own["task"]) == (MORNING["startDateTime"], f"{case.order}{VISIT}")
    assert own["availableTimeSlot"][0]["validFor"] == MORNING
    await done(case)


async def test_a_change_to_a_slot_that_is_lost_meanwhile_is_refused_and_names_the_next(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/field-service/slots", {"number": 1})
    city = town()
    case, other = await waiting(pipe, household(city)), await waiting(pipe, household(city, MORNING))
    verdict = await case.change("reschedule", appointments=[chosen(MORNING)])
    assert (verdict["state"], [reason["code"] for reason in verdict["reasons"]]) == ("rejected", ["slot_taken"])
    assert f"{DAY} 13:00 to 17:00" in verdict["reasons"][0]["words"]
    previewed = await pipe.http.post(
        f"{pipe.settings.api_address}/care/v1/orders/{case.order}/changes?dryRun=true",
        json={"kind": "reschedule", "appointments": [chosen(MORNING)]},
    )
    assert [reason["code"] for reason in previewed.json()["reasons"]] == ["slot_taken"]
    assert (await case.change("reschedule", "again", appointments=[chosen(AFTERNOON)]))["state"] == "accepted"
    await done(case)
    await done(other)


async def test_an_order_is_taken_while_the_silo_does_not_say_what_is_free_and_its_visit_is_refused_later(
    pipe: Pipe,
) -> None:
    await pipe.sim("PUT", "/field-service/slots", {"number": 0})
    await pipe.sim("PUT", "/field-service/faults", {"outage": True})
    case = await submitted(pipe, household(town(), MORNING), "field-service")
    told = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{case.order}/appointments")
    assert (told.status_code, told.json()["code"]) == (503, "unavailable")
    await pipe.sim("DELETE", "/field-service/faults")

    async def fallen() -> bool:
        fallout = (await care(pipe, f"/orders/{case.order}"))["fallout"]
        return [each["code"] for each in fallout] == ["slot_taken"]

    await until(fallen, "the visit to be refused")
    await pipe.sim("PUT", "/field-service/slots", {"number": 1})
    await case.change("retry", task=f"{case.order}{VISIT}")
    await case.rests(VISIT)
    await done(case)
