"""Changes while an order runs, on the real engine: what they leave alone, and in which order the rest is done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orders.model import wire_names
from tests.cases import ELSEWHERE, LINE, Case, submitted
from tests.given.households import internet_voice_tv, item, order, phone_number
from tests.running.pipe import Pipe, until
from workflows.display import PROMISED_AT

LETTER = "mobile/ship-sim"
"""A SIM card on its way keeps an order open in which all else is done."""


async def care(case: Case, path: str) -> dict[str, Any]:
    """What the care API tells of the order."""
    address = f"{case.pipe.settings.api_address}/care/v1/orders/{case.order}{path}"
    response = await case.pipe.http.get(address)
    assert response.status_code == 200, response.text
    return response.json()


async def preview(case: Case, **change: Any) -> dict[str, Any]:
    """What a change would do."""
    address = f"{case.pipe.settings.api_address}/care/v1/orders/{case.order}/changes?dryRun=true"
    response = await case.pipe.http.post(address, json=change)
    assert response.status_code == 200, response.text
    return response.json()


async def test_another_appointment_is_told_to_the_technician_by_the_clock_at_the_site(pipe: Pipe) -> None:
    case = await submitted(pipe, internet_voice_tv(phone_number(), equipment="own"), "field-service")
    await case.settles_but("@site-1/installation/visit-site")
    made = {
        "site": "site-1",
        "start": "2031-03-03T08:00:00+01:00",
        "end": "2031-03-03T12:00:00+01:00",
        "timeZone": "Europe/Berlin",
    }
    verdict = await case.change("reschedule", appointments=[made], requester="agent-7", expectedRevision=1)
    assert (verdict["state"], verdict["revision"]) == ("accepted", 2)
    await case.makes("field-service.amend @site-1/installation/visit-site/0/1")
    asked = (await case.held())["@site-1/installation/visit-site"]["characteristics"]
    assert (asked["appointment_start"], asked["appointment_end"], asked["time_zone"]) == (
        "2031-03-03T08:00:00+01:00",
        "2031-03-03T12:00:00+01:00",
        "Europe/Berlin",
    )
    told = await care(case, "")
    assert told["appointments"] == [made]
    # It was the customer's own choice: the promise moves along, and the order is not late for it.
    assert (told["promisedAt"][:10], told["inJeopardy"]) == ("2031-03-03", False)
    described = await pipe.handle(case.order).describe()
    promised = described.typed_search_attributes.get(PROMISED_AT)
    assert promised == datetime.fromisoformat(told["promisedAt"])
    entry = await care(case, "/changes/change-1")
    assert (entry["kind"], entry["requester"], entry["expectedRevision"]) == ("reschedule", "agent-7", 1)
    assert entry["askedAt"] <= entry["decidedAt"]
    await case.rests("@site-1/installation/visit-site", revision=2)
    await case.complete("field-service")
    assert (await pipe.outcome(case.order)).state == "completed"


async def test_a_promise_is_moved_by_a_person_who_says_why_and_no_silo_is_called(pipe: Pipe) -> None:
    case = await submitted(pipe, internet_voice_tv(phone_number(), equipment="own"), "field-service")
    await case.settles_but("@site-1/installation/visit-site")
    before = (await care(case, ""))["promisedAt"]
    asked = {"kind": "changePromise", "promisedAt": "2031-03-14T17:00:00+01:00"}
    unexplained = await pipe.ask_for_change(case.order, **asked, requester="agent-7")
    assert (unexplained.status_code, unexplained.json()["details"][0]["path"]) == (400, "reason")
    told = await preview(case, **asked, requester="agent-7", reason="a strike")
    assert (told["state"], told["promisedBefore"], told["promisedAt"]) == (
        "accepted",
        before,
        "2031-03-14T16:00:00.000Z",
    )
    change = {"kind": "changePromise", "requester": "agent-7", "reason": "a strike"}
    signalled = {**change, "request_id": "by-signal", "promised_at": "2031-03-14T17:00:00+01:00"}
    await pipe.handle(case.order).signal(wire_names.CHANGE_SIGNAL, signalled)

    async def promised_at(at: str) -> bool:
        described = await pipe.handle(case.order).describe()
        found = described.typed_search_attributes.get(PROMISED_AT)
        return (await care(case, ""))["promisedAt"] == at and found == datetime.fromisoformat(at)

    await until(lambda: promised_at("2031-03-14T16:00:00.000Z"), "the promise to be moved")
    await case.change(**change, request_id="sooner", promisedAt="2031-03-10T16:00:00Z")
    await until(lambda: promised_at("2031-03-10T16:00:00.000Z"), "the promise to be moved back")
    await case.change(**change, request_id="past", promisedAt="2020-03-10T16:00:00Z")

    async def log() -> list[dict[str, Any]]:
        return (await care(case, "/changes"))["changes"]

    async def is_refused() -> bool:
        return (await log())[-1]["state"] == "rejected"

    await until(is_refused, "what is past to be refused")
    assert [(each["requester"], each["reason"], each["state"], each["revision"]) for each in await log()] == [
        ("agent-7", "a strike", state, 1) for state in ("accepted", "accepted", "rejected")
    ]
    assert [each["promisedAt"] for each in await log()] == [
        "2031-03-14T16:00:00.000Z",
        "2031-03-10T16:00:00.000Z",
        "2020-03-10T16:00:00.000Z",
    ]
    assert [reason["code"] for reason in (await log())[-1]["reasons"]] == ["past_date"]
    assert await case.calls() == []
    await case.complete("field-service")
    assert (await pipe.outcome(case.order)).state == "completed"
    ended = await pipe.ask_for_change(case.order, **change, promisedAt="2031-03-14T16:00:00Z")
    assert (ended.status_code, ended.json()["code"]) == (409, "order_completed")


async def test_what_a_change_leaves_alone_goes_on_while_it_is_assessed_and_previewed(pipe: Pipe) -> None:
    body = order(item("net", "fibre-100", equipment="own"), item("sim", "mobile-m"))
    case = await submitted(pipe, body, "field-service", "shipping")
    await case.settles_but("@site-1/installation/visit-site", LETTER)
    await pipe.sim("PUT", "/field-service/faults", {"outage": True})
    verdict = await case.amend({"id": "net", "place": ELSEWHERE})
    assert verdict["state"] == "assessing"
    assert (await care(case, "/changes/change-1"))["state"] == "assessing"
    # Decided in order of arrival: this one would have its turn after the move.
    told = await preview(case, kind="amend", update=[{"id": "sim", "offering": "mobile-s"}])
    assert told["state"] == "assessing"
    await case.complete("shipping")
    expected = [
        "mobile-core.provision sim.1/mobile/activate-subscription/0/0",
        "billing.provision sim.1/mobile/start-billing/0/0",
    ]
    assert await case.makes(*expected) == expected
    assert (await pipe.view(case.order)).state == "pending"
    await pipe.sim("DELETE", "/field-service/faults")
    calls = await case.makes(
        "field-service.compensate @site-1/installation/visit-site/0/1",
        f"resource-inventory.provision {LINE}/reserve-port/1/0",
        f"resource-inventory.amend {LINE}/assign-vlan/0/1",
        "field-service.provision @site-2/installation/visit-site/0/0",
    )
    assert calls[0] == "field-service.compensate @site-1/installation/visit-site/0/1"
    await case.rests("@site-2/installation/visit-site", revision=2)
    assert (await care(case, "/changes/change-1"))["state"] == "accepted"
    await case.complete("field-service")
    assert (await pipe.outcome(case.order)).state == "completed"


async def test_past_the_parcel_and_the_visit_the_tv_pack_changes_without_a_fee(pipe: Pipe) -> None:
    body = internet_voice_tv(phone_number())
    body["productOrderItem"].append(item("sim", "mobile-m"))
    case = await submitted(pipe, body, "shipping")
    await case.rests("delivery/ship-parcel", LETTER)
    await case.complete("shipping", "delivery/ship-parcel")
    await case.settles_but(LETTER)

    options = {told["item"]: told["options"] for told in (await care(case, "/options"))["items"]}
    place = next(option for option in options["net"] if option["subject"] == "place")
    assert (place["possible"], place["reasons"][0]["code"]) == (False, "past_no_return")
    assert place["reasons"][0]["task"] == f"{case.order}@site-1/installation/visit-site"
    router = next(option for option in options["net"] if option["name"] == "technology")
    assert (router["possible"], router["fees"]) == (True, [{"amount": "9.90", "currency": "EUR"}])
    pack = next(option for option in options["tv"] if option["value"] == "tv-sport")
    assert (pack["possible"], pack["fees"], pack["until"]) == (True, [], None)

    told = await preview(case, kind="amend", update=[{"id": "tv", "offering": "tv-sport"}])
    assert (told["state"], told["fees"]) == ("accepted", [])
    assert [(one["item"], one["possible"], one["fees"]) for one in told["items"]] == [("tv", True, [])]
    verdict = await case.amend({"id": "tv", "offering": "tv-sport"}, digest=told["digest"])
    assert verdict["state"] == "accepted"
    expected = ["tv.amend tv.1/tv/activate-tv/0/1", "billing.amend tv.1/tv/start-billing/0/1"]
    assert await case.makes(*expected) == expected
    await case.complete("shipping")
    await case.ends(
        "completed",
        "mobile-core.provision sim.1/mobile/activate-subscription/0/0",
        "billing.provision sim.1/mobile/start-billing/0/0",
    )


async def test_a_live_line_moves_once_its_new_port_and_vlan_are_known_and_lets_the_old_port_go_last(
    pipe: Pipe,
) -> None:
    body = order(item("net", "fibre-100", installation="self", equipment="own"), item("sim", "mobile-m"))
    case = await submitted(pipe, body, "shipping")
    await case.settles_but(LETTER)
    told = await preview(case, kind="amend", update=[{"id": "net", "place": ELSEWHERE}])
    line = next(task for task in told["impact"]["tasks"] if task["task"].endswith("/activate-line"))
    assert (line["effect"], line["after"]) == ("amended", {"port": "(known after apply)"})
    await case.amend({"id": "net", "place": ELSEWHERE})
    expected = [
        f"resource-inventory.provision {LINE}/reserve-port/1/0",
        f"resource-inventory.amend {LINE}/assign-vlan/0/1",
        f"access-network.amend {LINE}/activate-line/0/1",
        f"resource-inventory.compensate {LINE}/reserve-port/0/1",
    ]
    assert await case.makes(*expected) == expected
    held = await case.held()
    port = held[f"{LINE}/reserve-port"]["outputs"]["port_id"]
    assert held[f"{LINE}/assign-vlan"]["characteristics"]["port"] == port
    assert held[f"{LINE}/activate-line"]["characteristics"]["port"] == port
    await case.complete("shipping")
    assert (await pipe.outcome(case.order)).state == "completed"


async def test_a_routing_domain_that_can_not_exist_twice_is_broken_before_it_is_made_anew(pipe: Pipe) -> None:
    core = item("core", "business-vpn-core")
    body = order(core, item("hq", "business-vpn-site", relies_on="core"), item("sim", "mobile-m"))
    case = await submitted(pipe, body, "shipping")
    await case.settles_but(LETTER)
    verdict = await case.amend({"id": "core", "characteristics": {"address_plan": "ipv6"}})
    assert verdict["state"] == "accepted"
    expected = [
        "access-network.compensate hq.1/business-vpn-site/attach-site/0/1",
        "access-network.compensate core.1/business-vpn-core/create-vpn/0/1",
        "access-network.provision core.1/business-vpn-core/create-vpn/1/0",
        "access-network.provision hq.1/business-vpn-site/attach-site/1/0",
    ]
    assert await case.makes(*expected) == expected
    await case.complete("shipping")
    assert (await pipe.outcome(case.order)).state == "completed"


async def test_items_are_cancelled_while_the_rest_goes_on(pipe: Pipe) -> None:
    body = internet_voice_tv(phone_number(), installation="self", equipment="own")
    body["productOrderItem"].append(item("sim", "mobile-m"))
    case = await submitted(pipe, body, "shipping")
    await case.settles_but(LETTER)
    verdict = await case.change("cancelItems", items=["tv"], reason="too dear")
    assert (verdict["kind"], verdict["state"]) == ("cancelItems", "accepted")
    await case.makes("billing.compensate tv.1/tv/start-billing/0/1", "tv.compensate tv.1/tv/activate-tv/0/1")

    async def cancelled() -> bool:
        return {told.id: told.state for told in (await pipe.view(case.order)).items}["tv"] == "cancelled"

    await until(cancelled, "the TV to be cancelled")
    await case.complete("shipping")
    assert (await pipe.outcome(case.order)).state == "completed"


async def test_calls_are_made_with_the_priority_that_the_order_has_by_then(pipe: Pipe) -> None:
    case = await submitted(pipe, internet_voice_tv(phone_number(), equipment="own"), "field-service")
    await case.settles_but("@site-1/installation/visit-site")
    assert (await case.change("changePriority", priority=0))["state"] == "accepted"
    await case.complete("field-service")
    assert (await pipe.outcome(case.order)).state == "completed"
    history = await pipe.handle(case.order).fetch_history()
    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    by_type = {call.activity_type.name: call.priority.priority_key for call in scheduled}
    assert (by_type["field-service.provision"], by_type["access-network.provision"]) == (5, 1)
