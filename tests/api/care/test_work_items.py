"""Work items in the care API: who sees which, who has which, and none is told as done that its order does not know."""

from __future__ import annotations

from contextlib import closing
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from api.access.principal import Scope
from orders.fulfilment.messages import SiloEvent
from orders.model import wire_names
from orders.model.values import Verb
from orders.reconcile.outcome import OutcomeKind
from register import Register
from register.work_items.item import Asked, item_id
from tests.api.conftest import Door, ShutDoor
from tests.given.households import internet_voice_tv
from tests.given.registers import NOON

WORK = "/care/v1/work-items"
FORM = {"number": {"required": True}}


def asked_for(door: Door, order_id: str = "", number: int = 0, **changes: Any) -> str:
    """Have somebody asked for a permit. Gives the id of the work item."""
    order_id = order_id or f"O-{uuid4().hex[:10]}"
    given = {"order_id": order_id, "service": f"{order_id}.1/x/permit/0", "number": number, "silo": "office"}
    asked = Asked.model_validate({**given, "operation": "permit", "title": "Permit", "form": FORM, **changes})
    with closing(Register(door.settings.register_address)) as register:
        register.work_items.ask(Verb.PROVISION if number == 0 else Verb.AMEND, asked, NOON)
    return item_id(asked.service)


async def act(door: Door, work: str, headers: dict[str, str] | None = None, **body: Any) -> httpx2.Response:
    return await door.http.patch(f"{WORK}/{work}", json=body, headers=headers)


async def reported(door: Door, order_id: str) -> list[SiloEvent]:
    told = await door.signals(order_id, wire_names.SILO_EVENTS_SIGNAL, list[SiloEvent])
    return [event for events in told for event in events]


async def test_what_is_done_reaches_the_order_as_what_any_silo_reports(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    work = asked_for(door, order_id)
    answer = await act(door, work, requester="Ada", state="done", outputs={"number": "P-1"}, note="Easy")
    told = answer.json()
    assert (answer.status_code, told["state"], told["outputs"]) == (200, "done", {"number": "P-1"})
    assert [(entry["by"], entry["kind"], entry["note"]) for entry in told["story"]] == [
        ("order", "opened", ""),
        ("Ada", "claimed", ""),
        ("Ada", "done", "Easy"),
    ]
    done = SiloEvent("office", OutcomeKind.DONE, f"{order_id}.1/x/permit/0/0", outputs={"number": "P-1"})
    assert await reported(door, order_id) == [done]


async def test_what_is_refused_is_refused_with_all_that_it_took_over(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    work = asked_for(door, order_id)
    asked_for(door, order_id, 1)
    answer = await act(door, work, state="refused", reason="A monument", code="monument")
    assert answer.json()["state"] == "refused"
    assert [(event.kind, event.key[-1], event.code, event.reason) for event in await reported(door, order_id)] == [
        (OutcomeKind.REFUSED, "0", "monument", "A monument"),
        (OutcomeKind.REFUSED, "1", "monument", "A monument"),
    ]


async def test_what_cannot_be_handed_on_is_not_told_as_done(door: Door) -> None:
    work = asked_for(door)  # Of an order that is not there.
    answer = await act(door, work, state="done", outputs={"number": "P-1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "order_closed")
    kept = (await door.http.get(f"{WORK}/{work}")).json()
    assert (kept["state"], kept["code"], kept["outputs"]) == ("refused", "order_closed", {})


async def test_one_person_has_it_at_a_time_hands_it_over_and_lets_it_go(door: Door) -> None:
    work = asked_for(door, group="permits")
    assert (await act(door, work, requester="Ada", claimed=True, note="Mine")).json()["claimedBy"] == "Ada"
    refused = await act(door, work, requester="Zoe", claimed=True)
    assert (refused.status_code, refused.json()["code"]) == (409, "work_item_claimed")
    assert "Ada" in refused.json()["reason"]
    handed = (await act(door, work, requester="Ada", to="Zoe", note="Yours")).json()
    assert (handed["claimedBy"], handed["group"], handed["begunAt"] is None) == ("Zoe", "permits", False)
    assert (await act(door, work, requester="Zoe", claimed=False)).json()["claimedBy"] is None
    assert (await act(door, work, requester="Zoe", group="others")).json()["group"] == "others"
    story = (await act(door, work, requester="Kim", note="Seen")).json()["story"]
    assert [(entry["by"], entry["kind"], entry["givenTo"], entry["note"]) for entry in story] == [
        ("order", "opened", None, ""),
        ("Ada", "claimed", None, ""),
        ("Ada", "noted", None, "Mine"),
        ("Ada", "handedOver", "Zoe", "Yours"),
        ("Zoe", "released", None, ""),
        ("Zoe", "handedOver", "others", ""),
        ("Kim", "noted", None, "Seen"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"claimed": True, "to": "Zoe"},
        {"claimed": True, "state": "done"},
        {"state": "open"},
        {"state": "fallenAway"},
        {"state": "refused"},
        {"state": "done", "reason": "x"},
        {"state": "done", "code": "x"},
        {"outputs": {"number": "P-1"}, "note": "x"},
        {"claimed": True, "more": 1},
        {"group": ""},
    ],
)
async def test_an_act_that_is_none_or_several_is_malformed(door: Door, body: dict[str, Any]) -> None:
    assert (await act(door, asked_for(door), **body)).status_code == 400


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ({}, {"outputs.number": "is required"}),
        ({"number": None}, {"outputs.number": "is required"}),
        ({"number": 1}, {"outputs.number": "1 is not of type string"}),
        ({"number": "P-1", "more": 1}, {"outputs.more": "is none of the form, which has: number"}),
        ({"number": "P" * 5000}, {"outputs": "have 5013 bytes: at most 4000 are taken"}),
    ],
)
async def test_outputs_fit_the_form_or_are_told_why_not(
    door: Door, outputs: dict[str, Any], said: dict[str, str]
) -> None:
    order_id = await door.submit(internet_voice_tv())
    work = asked_for(door, order_id)
    answer = await act(door, work, state="done", outputs=outputs)
    assert answer.status_code == 400
    assert {detail["path"]: detail["message"] for detail in answer.json()["details"]} == said
    assert (await door.http.get(f"{WORK}/{work}")).json()["claimedBy"] is None
    assert await reported(door, order_id) == []


async def test_lists_are_filtered_and_come_in_pages(door: Door) -> None:
    order_id = f"O-{uuid4().hex[:10]}"
    works = [asked_for(door, order_id, service=f"{order_id}.{n}/x/permit/0", group=f"g{n}") for n in range(3)]

    async def found(**search: Any) -> list[str]:
        answer = await door.http.get(WORK, params={"order": order_id, **search})
        assert answer.status_code == 200, answer.text
        return [work["id"] for work in answer.json()["workItems"]]

    assert set(await found()) == set(works)
    assert await found(group="g1") == [works[1]]
    await act(door, works[2], requester="Ada", claimed=True)
    assert await found(claimed=True) == await found(claimedBy="Ada") == [works[2]]
    assert (
        await found(silo="nobody") == await found(state="done") == await found(dueBefore="2020-01-01T00:00:00Z") == []
    )
    page = (await door.http.get(WORK, params={"order": order_id, "limit": 2})).json()
    assert (len(page["workItems"]), page["total"], page["nextOffset"]) == (2, 3, 2)
    assert (await door.http.get(WORK, params={"state": "lost"})).status_code == 400
    assert (await door.http.get(f"{WORK}/none")).json()["code"] == "unknown_work_item"


async def test_a_person_sees_the_work_of_their_groups_and_of_none_and_no_other(shut_door: ShutDoor) -> None:
    order_id = f"O-{uuid4().hex[:10]}"
    mine, theirs, nobodys = (
        asked_for(shut_door, order_id, service=f"{order_id}.{n}/x/permit/0", group=group)
        for n, group in enumerate(("mine", "theirs", None))
    )
    person = shut_door.as_(Scope.WORK, subject="Ada", groups=["mine", "more"])

    async def seen(headers: dict[str, str]) -> set[str]:
        answer = await shut_door.http.get(WORK, params={"order": order_id}, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["total"] == len(answer.json()["workItems"])
        return {work["id"] for work in answer.json()["workItems"]}

    assert await seen(person) == {mine, nobodys}
    assert await seen(shut_door.as_(Scope.CARE)) == {nobodys}
    assert await seen(shut_door.as_(Scope.OPERATE)) == {mine, theirs, nobodys}
    for body in ({"claimed": True}, {"note": "x"}, {"state": "refused", "reason": "x"}):
        assert (await act(shut_door, theirs, person, **body)).json()["code"] == "unknown_work_item"
    assert (await shut_door.http.get(f"{WORK}/{theirs}", headers=person)).status_code == 404
    assert (await act(shut_door, mine, person, claimed=True, requester="Zoe")).json()["claimedBy"] == "Ada"
    given_away = await act(shut_door, mine, person, group="theirs")
    assert (given_away.status_code, given_away.json()["group"]) == (200, "theirs")
    assert await seen(person) == {nobodys}


async def test_whoever_may_not_do_work_sees_none(shut_door: ShutDoor) -> None:
    work = asked_for(shut_door)
    for headers in (
        shut_door.as_channel("web"),
        shut_door.as_(Scope.OPERATE, customer="cust-1"),
        shut_door.as_silo(),
    ):
        assert (await shut_door.http.get(WORK, headers=headers)).status_code == 403
        assert (await act(shut_door, work, headers, claimed=True)).status_code == 403
