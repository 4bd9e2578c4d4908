"""What a customer on the phone asks, each answered by one request."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

from tests.cases import Case, submitted
from tests.given.households import internet_voice_tv, item, order
from tests.running.pipe import Pipe, until
from tests.steps import let_go

ELSE = {
    "site": "site-1",
    "start": "2031-05-08T09:00:00+02:00",
    "end": "2031-05-08T12:00:00+02:00",
    "timeZone": "Europe/Berlin",
}


@dataclass
class Caller:
    """Erika, whose technician and parcel are awaited."""

    case: Case
    customer: str
    name: str

    async def get(self, path: str, **params: Any) -> dict[str, Any]:
        pipe = self.case.pipe
        response = await pipe.http.get(f"{pipe.settings.api_address}/care/v1{path}", params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def order(self) -> dict[str, Any]:
        return await self.get(f"/orders/{self.case.order}")

    async def what_if(self, kind: str, **change: Any) -> dict[str, Any]:
        pipe = self.case.pipe
        address = f"{pipe.settings.api_address}/care/v1/orders/{self.case.order}/changes?dryRun=true"
        response = await pipe.http.post(address, json={"kind": kind, **change})
        assert response.status_code == 200, response.text
        return response.json()


async def calls(pipe: Pipe, *until_told: str) -> Caller:
    name = f"Erika {uuid4().hex[:8]}"
    customer = f"cust-{uuid4().hex[:8]}"
    party = {"id": customer, "name": name, "role": "customer", "@referredType": "Customer"}
    body = internet_voice_tv(None) | {"externalId": f"WEB-{customer}", "relatedParty": [party]}
    return Caller(await submitted(pipe, body, *until_told), customer, name)


async def waiting_for_technician_and_parcel(pipe: Pipe) -> Caller:
    caller = await calls(pipe, "field-service", "shipping")
    await caller.case.rests("@site-1/installation/visit-site", "delivery/ship-parcel")
    await pipe.until_recorded(caller.case.order)
    return caller


async def ended(caller: Caller) -> None:
    await caller.case.pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": 0})
    await caller.case.complete("field-service")
    await let_go(caller.case.pipe, caller.case.order)


def a_month(prices: dict[str, Any]) -> Decimal:
    return sum((Decimal(price["amount"]) for price in prices["month"]), Decimal())


async def test_where_is_it_what_comes_next_and_will_it_be_on_time(pipe: Pipe) -> None:
    caller = await waiting_for_technician_and_parcel(pipe)
    for known in (caller.name, f"WEB-{caller.customer}"):
        found = await caller.get("/search", q=known)
        [one] = found["orders"]
        assert one["id"] == caller.case.order
        assert one["answer"]["summary"].startswith("Waits for: Technician's visit at site-1, expected by ")
    told = await caller.order()
    technician, parcel = told["answer"]["now"]
    assert (technician["waitsFor"], parcel["waitsFor"]) == ("visit", "parcel")
    assert technician["task"] == told["answer"]["decides"]
    [following] = told["answer"]["next"]
    assert (following["title"], following["after"]) == ("Activation of the line", ["Technician's visit"])
    assert following["expected"] > technician["expected"]
    assert told["expectedAt"] < told["promisedAt"]
    assert (told["inJeopardy"], told["answer"]["lateBecause"]) == (False, None)
    await ended(caller)


async def test_why_is_it_not_done_yet(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/tv/faults", {"outage": True})
    caller = await calls(pipe)

    async def tries() -> bool:
        return any(line["attempts"] and line["silo"] == "tv" for line in (await caller.order())["answer"]["now"])

    await until(tries, "television to be tried in vain")
    line = next(line for line in (await caller.order())["answer"]["now"] if line["silo"] == "tv")
    assert (line["title"], line["waitsFor"]) == ("Activation of television", "silo")
    assert "503" in line["lastError"]
    assert line["since"] is not None
    await pipe.sim("DELETE", "/tv/faults")
    await pipe.outcome(caller.case.order)


async def test_what_if_i_want_more_another_day_or_less(pipe: Pipe) -> None:
    caller = await waiting_for_technician_and_parcel(pipe)
    faster = [{"id": "net", "offering": "fibre-1000"}, {"id": "tv", "offering": "tv-sport"}]
    more = await caller.what_if("amend", update=faster)
    assert more["state"] == "accepted"
    assert a_month(more["comparison"]["after"]) > a_month(more["comparison"]["before"])
    assert {each["item"] for each in more["comparison"]["items"]} == {"net", "tv"}
    assert more["expectedAt"] == more["expectedBefore"]

    other_day = await caller.what_if("reschedule", appointments=[ELSE])
    assert other_day["state"] == "accepted"
    assert other_day["expectedAt"].startswith("2031-05-08")

    less = await caller.what_if("amend", remove=["tv"])
    assert (less["state"], less["fees"]) == ("accepted", [])
    assert a_month(less["comparison"]["after"]) < a_month(less["comparison"]["before"])

    nothing = await caller.what_if("cancel")
    # The technician has the last word: the field service is asked first.
    assert (nothing["state"], a_month(nothing["comparison"]["after"])) == ("assessing", 0)
    assert nothing["impact"]["asks"] == [f"{caller.case.order}@site-1/installation/visit-site"]
    assert (await caller.order())["changes"] == []
    await ended(caller)


async def test_when_else_can_you_come(pipe: Pipe) -> None:
    caller = await waiting_for_technician_and_parcel(pipe)
    told = await caller.get(f"/orders/{caller.case.order}/appointments", **{"from": "2031-05-08T00:00:00+02:00"})
    [visit] = told["visits"]
    assert (visit["title"], visit["site"], visit["appointment"]) == ("Technician's visit", "site-1", None)
    morning, afternoon, *_ = visit["availableTimeSlot"]
    assert morning["validFor"] == {
        "startDateTime": "2031-05-08T08:00:00+02:00",
        "endDateTime": "2031-05-08T12:00:00+02:00",
    }
    assert afternoon["validFor"]["startDateTime"] == "2031-05-08T13:00:00+02:00"
    chosen = {"site": visit["site"], "timeZone": afternoon["timeZone"]} | {
        "start": afternoon["validFor"]["startDateTime"],
        "end": afternoon["validFor"]["endDateTime"],
    }
    assert (await caller.what_if("reschedule", appointments=[chosen]))["state"] == "accepted"
    await ended(caller)


async def test_what_is_my_number_where_is_my_parcel_what_was_i_sent_and_what_do_i_have(pipe: Pipe) -> None:
    caller = await waiting_for_technician_and_parcel(pipe)
    by_shop = order(
        item("sim", "mobile-s", sim_type="esim"),
        channel="shop",
        relatedParty=[{"id": caller.customer, "role": "customer"}],
    )
    await pipe.outcome(await pipe.submit(by_shop))
    told = await caller.get(f"/customers/{caller.customer}")
    given = {each["name"]: each["value"] for each in told["given"] if each["orderId"] == caller.case.order}
    assert given["number"].startswith("+49")
    assert given["serial"].startswith("SN-")
    assert {(one["channel"], one["state"]) for one in told["orders"]} == {("web", "inProgress"), ("shop", "completed")}
    assert [product["offering"] for product in told["products"]] == ["mobile-s"]
    await ended(caller)
    told = await caller.get(f"/customers/{caller.customer}")
    assert "tracking_id" in {each["name"] for each in told["given"]}

    async def heard() -> bool:
        told = await caller.get(f"/customers/{caller.customer}")
        return caller.case.order in {message["orderId"] for message in told["notifications"]}

    await until(heard, "the customer to be told")
