"""Fallout in the care API: found, summed up, claimed by one person at a time, and over when it is."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from api.access.principal import Scope
from orders.model.silos.rules import Severity
from orders.read_model.fallout import FalloutRecord
from register import Register
from tests.api.conftest import Door, ShutDoor
from tests.given.households import internet_voice_tv
from tests.given.registers import fallen, over, told
from tests.running.pipe import Pipe, until

FALLOUT = "/care/v1/fallout"


def recorded(door: Door, version: int, *fallout: FalloutRecord, order_id: str, **changes: Any) -> None:
    """Have the register know what an order in flight told of its fallout."""
    with closing(Register(door.settings.register_address)) as register:
        register.records.record(told(version, *fallout, order_id=order_id, **changes))


def an_order(door: Door, **changes: Any) -> tuple[str, str]:
    """An order with a fallout, of a customer of its own: that one and the id of the fallout."""
    order_id = f"O-{uuid4().hex[:10]}"
    customer = f"C-{order_id}"
    recorded(door, 1, fallen(f"{order_id}-f1"), order_id=order_id, **{"customer_id": customer, **changes})
    return customer, f"{order_id}-f1"


async def act(
    door: Door, fallout: str, verb: str, headers: dict[str, str] | None = None, **body: Any
) -> httpx2.Response:
    return await door.http.post(f"{FALLOUT}/{fallout}/{verb}", json=body, headers=headers)


async def test_what_a_silo_refuses_is_found_claimed_retried_and_over(pipe: Pipe) -> None:
    refusal = {"operation": "subscription", "match": "activate-tv", "code": "no_coverage"}
    await pipe.sim("PUT", "/tv/faults", {"permanent": [refusal]})
    order_id = await pipe.submit(internet_voice_tv())
    address = f"{pipe.settings.api_address}{FALLOUT}"

    async def listed(**search: Any) -> list[dict[str, Any]]:
        answer = await pipe.http.get(address, params={"order": order_id, **search})
        assert answer.status_code == 200, answer.text
        return answer.json()["fallout"]

    async def there() -> bool:
        return bool(await listed(silo="tv"))

    await until(there, "the fallout to be told")
    [fallout] = await listed()
    [view] = (await pipe.view(order_id)).fallout
    assert (fallout["id"], fallout["task"], fallout["state"]) == (view.id, view.task, "waiting")
    assert (fallout["silo"], fallout["operation"], fallout["code"]) == ("tv", "subscription", "no_coverage")
    assert "could not be done: tv refused" in fallout["meaning"]
    assert fallout["orderHref"].endswith(f"/care/v1/orders/{order_id}")
    assert fallout["href"].endswith(f"{FALLOUT}/{fallout['id']}")
    claimed = await pipe.http.post(f"{address}/{fallout['id']}/claim", json={"requester": "Ada"})
    assert claimed.json()["claimedBy"] == "Ada"

    await pipe.change(order_id, kind="retry", task=fallout["task"], requester="Ada")

    async def refused_again() -> bool:
        return [each["attempts"] for each in await listed(state="waiting")] == [2]

    await until(refused_again, "it to be refused again")
    [again] = await listed()
    assert (again["id"], again["claimedBy"], again["since"]) == (fallout["id"], "Ada", fallout["since"])
    await pipe.sim("DELETE", "/tv/faults")
    await pipe.change(order_id, kind="retry", task=fallout["task"], requester="Ada")
    await pipe.outcome(order_id)
    assert await listed() == []
    [over] = await listed(state="over")
    assert (over["id"], over["ended"], over["hand"]["by"]) == (fallout["id"], "retried", "Ada")
    story = (await pipe.http.get(over["href"])).json()["story"]
    assert [(entry["kind"], entry["by"]) for entry in story] == [("claimed", "Ada")]


async def test_the_ways_to_set_it_right_are_told_previewed_and_asked_for(pipe: Pipe) -> None:
    refusal = {"operation": "subscription", "match": "activate-tv", "code": "no_coverage"}
    await pipe.sim("PUT", "/tv/faults", {"permanent": [refusal]})
    order_id = await pipe.submit(internet_voice_tv())
    address = f"{pipe.settings.api_address}{FALLOUT}"

    async def listed() -> bool:
        return bool((await pipe.http.get(address, params={"order": order_id})).json()["fallout"])

    await until(listed, "the fallout to be told")
    [fallout] = (await pipe.http.get(address, params={"order": order_id})).json()["fallout"]
    ways = {way["way"]: way for way in (await pipe.http.get(f"{address}/{fallout['id']}")).json()["ways"]}
    assert list(ways) == ["retry", "done", "waived", "corrected", "itemCancelled"]
    waived = ways["waived"]
    assert (waived["possible"], waived["takes"]) == (True, ["requester", "reason"])
    body = {**waived["request"], "requester": "Ada", "reason": "no TV in this valley"}
    preview = await pipe.http.post(waived["href"], params={"dryRun": True}, json=body)
    assert preview.json()["state"] == "accepted"
    assert fallout["task"] not in {
        task["task"] for task in preview.json()["impact"]["tasks"] if task["effect"] == "added"
    }
    assert (await pipe.http.post(waived["href"], json=body)).json()["state"] == "accepted"
    assert (await pipe.outcome(order_id)).state == "completed"
    story = (await pipe.http.get(f"{address}/{fallout['id']}")).json()
    assert (story["ended"], story["hand"]["by"], story["ways"]) == ("waived", "Ada", None)


async def test_it_is_listed_by_page_sorted_and_summed_up(door: Door) -> None:
    order_id = f"O-{uuid4().hex[:10]}"
    several = [fallen(f"{order_id}-f{n}", code=f"c{n % 2}", attempts=n) for n in (1, 2, 3)]
    recorded(door, 1, *several, order_id=order_id, in_jeopardy=True)

    async def listed(**search: Any) -> dict[str, Any]:
        answer = await door.http.get(FALLOUT, params={"order": order_id, **search})
        assert answer.status_code == 200, answer.text
        return answer.json()

    first = await listed(sort="-attempts", limit=2)
    assert [each["attempts"] for each in first["fallout"]] == [3, 2]
    assert (first["total"], first["nextOffset"]) == (3, 2)
    last = await listed(sort="-attempts", limit=2, offset=2)
    assert ([each["attempts"] for each in last["fallout"]], last["nextOffset"]) == ([1], None)
    assert (await listed(state=["over"]))["total"] == 0
    summary = (await door.http.get(f"{FALLOUT}/summary", params={"order": order_id})).json()
    assert (summary["total"], summary["totalGroups"]) == (3, 2)
    told = [(each["silo"], each["code"], each["count"], each["orders"], each["atRisk"]) for each in summary["groups"]]
    assert told == [("tv", "c1", 2, 1, 1), ("tv", "c0", 1, 1, 1)]
    assert summary["groups"][0]["oldest"] == several[0].since


async def test_it_is_looked_for_by_severity(door: Door) -> None:
    order_id = f"O-{uuid4().hex[:10]}"
    several = [fallen(f"{order_id}-f1", severity=Severity.MINOR), fallen(f"{order_id}-f2", severity=Severity.MAJOR)]
    recorded(door, 1, *several, fallen(f"{order_id}-f3"), order_id=order_id)

    async def asked(path: str, *severity: str) -> dict[str, Any]:
        answer = await door.http.get(path, params={"order": order_id, "severity": severity})
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert [each["id"] for each in (await asked(FALLOUT, "major"))["fallout"]] == [several[1].id]
    assert (await asked(FALLOUT, "major", "minor"))["total"] == 2
    [group] = (await asked(f"{FALLOUT}/summary", "minor"))["groups"]
    assert (group["count"], group["severity"]) == (1, "minor")
    [group] = (await asked(f"{FALLOUT}/summary"))["groups"]
    assert (group["count"], group["severity"]) == (3, "major")


@pytest.mark.parametrize(
    "query",
    [
        "state=lost",
        "silo=%00",
        "limit=0",
        "sort=-age",
        "severity=bad",
        "sinceBefore=2031-01-01",
        "claimed=maybe",
        "stat=over",
    ],
)
async def test_a_search_that_makes_no_sense_is_malformed(door: Door, query: str) -> None:
    response = await door.http.get(f"{FALLOUT}?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert response.json()["details"][0]["path"].startswith("query.")


async def test_of_two_who_claim_at_once_one_is_told_who_has_it(door: Door) -> None:
    _, fallout = an_order(door)
    answers = await asyncio.gather(*(act(door, fallout, "claim", requester=name) for name in ("Ada", "Bob")))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    [refused] = [answer.json() for answer in answers if answer.status_code == 409]
    [taken] = [answer.json() for answer in answers if answer.status_code == 200]
    assert refused["code"] == "fallout_claimed"
    assert refused["reason"].startswith(f"{taken['claimedBy']} has it since ")


async def test_it_is_claimed_without_a_word_said(door: Door) -> None:
    _, fallout = an_order(door)
    taken = await door.http.post(f"{FALLOUT}/{fallout}/claim")
    assert (taken.status_code, taken.json()["claimedBy"]) == (200, "local")


async def test_it_is_handed_over_released_and_spoken_of(door: Door) -> None:
    _, fallout = an_order(door)
    await act(door, fallout, "claim", requester="Ada")
    given = await act(door, fallout, "handover", requester="Ada", group="tv desk", note="off duty")
    assert (given.json()["claimedBy"], given.json()["group"]) == (None, "tv desk")
    await act(door, fallout, "claim", requester="Bob")
    assert (await act(door, fallout, "release", requester="Bob")).json()["claimedBy"] is None
    told = (await act(door, fallout, "notes", requester="Bob", note="Called them.\nThey look.")).json()
    story = [(entry["kind"], entry["by"], entry["givenTo"], entry["note"]) for entry in told["story"]]
    assert story == [
        ("claimed", "Ada", None, ""),
        ("handedOver", "Ada", "tv desk", "off duty"),
        ("claimed", "Bob", None, ""),
        ("released", "Bob", None, ""),
        ("noted", "Bob", None, "Called them.\nThey look."),
    ]


async def test_what_is_over_is_spoken_of_and_not_claimed(door: Door) -> None:
    order_id = f"O-{uuid4().hex[:10]}"
    recorded(door, 1, over(fallen(f"{order_id}-f1")), order_id=order_id)
    refused = await act(door, f"{order_id}-f1", "claim", requester="Ada")
    assert (refused.status_code, refused.json()["code"]) == (409, "fallout_over")
    assert (await act(door, f"{order_id}-f1", "notes", note="It was the weather")).status_code == 200


@pytest.mark.parametrize(
    ("verb", "body", "path"),
    [
        ("notes", {}, "note"),
        ("notes", {"note": ""}, "note"),
        ("notes", {"note": "x" * 1001}, "note"),
        ("notes", {"note": "bell \x07"}, "note"),
        ("notes", {"note": "hi", "to": "Ada"}, "to"),
        ("claim", {"requester": "x" * 201}, "requester"),
        ("claim", {"requester": "two\nlines"}, "requester"),
        ("handover", {}, "body"),
        ("handover", {"to": ""}, "to"),
        ("handover", {"group": "x\x00"}, "group"),
        ("release", {"note": 7}, "note"),
    ],
    ids=str,
)
async def test_a_malformed_body_is_refused_with_its_place(
    door: Door, verb: str, body: dict[str, Any], path: str
) -> None:
    refused = await act(door, "nothing", verb, **body)
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed")
    assert [detail["path"] for detail in refused.json()["details"]] == [path]


@pytest.mark.parametrize(
    ("verb", "body"), [("claim", {}), ("release", {}), ("handover", {"to": "Ada"}), ("notes", {"note": "x"})]
)
async def test_nothing_is_done_with_what_is_not_there(door: Door, verb: str, body: dict[str, Any]) -> None:
    answer = await act(door, "nothing", verb, **body)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_fallout")
    assert (await door.http.get(f"{FALLOUT}/nothing")).status_code == 404


async def test_who_sees_an_order_sees_its_fallout_but_not_who_has_it(shut_door: ShutDoor) -> None:
    customer, fallout = an_order(shut_door, channel="kiosk")
    agent = shut_door.as_(Scope.CARE, subject="Ada")
    await act(shut_door, fallout, "claim", agent)
    await act(shut_door, fallout, "notes", agent, note="Between us")
    [listed] = await listed_by(shut_door, shut_door.as_channel("kiosk"), customer)
    assert (listed["id"], listed["claimedBy"], listed["hand"]) == (fallout, None, None)
    own = await shut_door.http.get(f"{FALLOUT}/{fallout}", headers=shut_door.as_channel("kiosk"))
    assert (own.status_code, own.json()["story"]) == (200, [])
    [listed] = await listed_by(shut_door, agent, customer)
    assert listed["claimedBy"] == "Ada"
    foreign = shut_door.as_channel("web")
    assert await listed_by(shut_door, foreign, customer) == []
    assert (await shut_door.http.get(f"{FALLOUT}/{fallout}", headers=foreign)).status_code == 404
    summary = await shut_door.http.get(f"{FALLOUT}/summary", params={"customer": customer}, headers=foreign)
    assert summary.json()["total"] == 0


async def listed_by(door: ShutDoor, headers: dict[str, str], customer: str) -> list[dict[str, Any]]:
    answer = await door.http.get(FALLOUT, params={"customer": customer}, headers=headers)
    return answer.json()["fallout"]


async def test_care_agents_alone_act_and_operators_take_it_from_others(shut_door: ShutDoor) -> None:
    customer, fallout = an_order(shut_door, channel="kiosk")
    ada, bob = shut_door.as_(Scope.CARE, subject="Ada"), shut_door.as_(Scope.CARE, subject="Bob")
    operator = shut_door.as_(Scope.OPERATE, subject="Eve")
    assert (await act(shut_door, fallout, "claim", shut_door.as_channel("kiosk"))).status_code == 403
    hers = shut_door.as_(Scope.CARE, customer="cust-other")
    assert (await act(shut_door, fallout, "claim", hers)).status_code == 404
    assert (await act(shut_door, fallout, "claim", shut_door.as_(Scope.CARE, customer=customer))).status_code == 200
    assert (await act(shut_door, fallout, "release", operator)).status_code == 200
    taken = await act(shut_door, fallout, "claim", ada, requester="somebody else")
    assert taken.json()["claimedBy"] == "Ada"
    for verb, body in (("claim", {}), ("release", {}), ("handover", {"to": "Bob"})):
        assert (await act(shut_door, fallout, verb, bob, **body)).status_code == 409, verb
    assert (await act(shut_door, fallout, "handover", operator, to="Bob")).json()["claimedBy"] == "Bob"
    assert (await act(shut_door, fallout, "release", bob)).json()["claimedBy"] is None
