"""Slots of the simulated field service: offered by the clock of a place, taken by visits, refused when full."""

from __future__ import annotations

from typing import Any

from httpx2 import AsyncClient

from tests.simulated_silos.support import Caller, refused

FIRST, SECOND = (f"O1@s{n}/installation/visit-site/0" for n in (1, 2))
MORNING = {"appointment_start": "2031-05-08T08:00:00+02:00", "city": "Ulm"}


async def free(client: AsyncClient, city: str = "Ulm", task: str = "", status: int = 200) -> list[tuple[str, int]]:
    """The first slots of a day in May, each with how many are left."""
    period = {"startDateTime": "2031-05-08T00:00:00+02:00", "endDateTime": "2031-05-09T10:00:00+02:00"}
    question: dict[str, Any] = {"requestedTimeSlot": [{"validFor": period}], "relatedPlace": {"id": "x", "city": city}}
    if task:
        question["relatedEntity"] = [{"id": task}]
    response = await client.post("/field-service/searchTimeSlot", json=question)
    assert response.status_code == status, response.text
    return [
        (slot["validFor"]["startDateTime"][5:16], slot["remaining"]) for slot in response.json()["availableTimeSlot"]
    ]


async def test_a_visit_takes_its_slot_and_gives_it_back(client: AsyncClient) -> None:
    field = Caller(client, "field-service", "visit")
    await client.put("/_sim/field-service/slots", json={"number": 2})
    all_free = [("05-08T08:00", 2), ("05-08T13:00", 2), ("05-09T08:00", 2)]
    assert await free(client) == all_free
    await field.provision(FIRST, 0, **MORNING)
    assert await free(client) == [("05-08T08:00", 1), *all_free[1:]]
    assert await free(client, "Berlin") == all_free
    assert await free(client, task=FIRST.rpartition("/")[0]) == all_free
    await field.amend(FIRST, 1, **MORNING | {"appointment_start": "2031-05-08T14:00:00Z"})
    assert await free(client) == [all_free[0], ("05-08T13:00", 1), all_free[2]]
    await field.compensate(FIRST, 2)
    assert await free(client) == all_free


async def test_a_full_slot_is_refused_and_the_next_ones_are_named(client: AsyncClient) -> None:
    field = Caller(client, "field-service", "visit")
    await client.put("/_sim/field-service/slots", json={"number": 1})
    assert (await field.provision(FIRST, 0, **MORNING)).status_code == 201
    response = await field.provision(SECOND, 0, **MORNING)
    assert refused(response, 409, "slot_taken")
    assert "the next are 2031-05-08 13:00 to 17:00; 2031-05-09 08:00 to 12:00" in response.json()["message"]
    # An amendment of what has the slot already keeps it; an hour outside of all windows has none.
    assert (await field.amend(FIRST, 1, **MORNING, more="work")).status_code == 200
    at_night = MORNING | {"appointment_start": "2031-05-08T22:00:00+02:00"}
    assert (await field.provision(SECOND, 1, **at_night)).status_code == 201
    await client.delete("/_sim/field-service/slots")
    assert (await free(client))[0] == ("05-08T08:00", 499)


async def test_a_question_that_makes_no_sense_is_refused(client: AsyncClient) -> None:
    assert refused(await client.post("/field-service/searchTimeSlot", json={}), 400, "malformed")
    assert refused(await client.post("/crm/searchTimeSlot", json={}), 404, "no_slots")
    await client.put("/_sim/field-service/faults", json={"outage": True})
    assert refused(await client.post("/field-service/searchTimeSlot", json={}), 503, "outage")
