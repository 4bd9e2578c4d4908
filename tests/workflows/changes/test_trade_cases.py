"""Cases of the trade on the real engine, each with the calls that it must lead to, written out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.cases import ELSEWHERE, LINE, VOICE, in_order, submitted
from tests.given.households import internet_voice_tv, item, order, phone_number
from tests.running.pipe import Pipe, until


async def test_a_faster_line_while_the_visit_is_awaited_takes_no_call_more(pipe: Pipe) -> None:
    case = await submitted(pipe, internet_voice_tv(phone_number(), equipment="own"), "field-service")
    await case.rests("@site-1/installation/visit-site")
    verdict = await case.amend({"id": "net", "characteristics": {"down_mbps": 800}})
    effects = {"access-network": {"planned": 1}, "billing": {"planned": 1}}
    assert (verdict["state"], verdict["impact"]["effects"]) == ("accepted", effects)
    await case.rests("@site-1/installation/visit-site", revision=2)
    await case.makes(
        "crm.provision customer/open-account/0/0",
        f"crm.provision {LINE}/sign-contract/0/0",
        f"resource-inventory.provision {LINE}/reserve-port/0/0",
        f"resource-inventory.provision {LINE}/assign-vlan/0/0",
        f"number-inventory.provision {VOICE}/reserve-number/0/0",
        "field-service.provision @site-1/installation/visit-site/0/0",
    )
    await case.complete("field-service")
    await case.ends(
        "completed",
        f"access-network.provision {LINE}/activate-line/0/0",
        f"billing.provision {LINE}/start-billing/0/0",
        f"voice.provision {VOICE}/activate-line/0/0",
        f"billing.provision {VOICE}/start-billing/0/0",
        "tv.provision tv.1/tv/activate-tv/0/0",
        "billing.provision tv.1/tv/start-billing/0/0",
    )
    assert (await case.held())[f"{LINE}/activate-line"]["characteristics"]["down_mbps"] == 800


async def test_a_move_before_the_visit_asks_the_technician_and_then_builds_at_the_new_site(pipe: Pipe) -> None:
    case = await submitted(pipe, internet_voice_tv(phone_number(), equipment="own"), "field-service")
    await case.settles_but("@site-1/installation/visit-site")
    verdict = await case.amend(*({"id": name, "place": ELSEWHERE} for name in ("net", "voice", "tv")))
    assert verdict["state"] == "assessing"
    await case.rests("@site-2/installation/visit-site", revision=2)
    calls = await case.makes(
        "field-service.compensate @site-1/installation/visit-site/0/1",
        f"resource-inventory.provision {LINE}/reserve-port/1/0",
        f"resource-inventory.amend {LINE}/assign-vlan/0/1",
        "field-service.provision @site-2/installation/visit-site/0/0",
    )
    assert calls[:2] == [
        "field-service.compensate @site-1/installation/visit-site/0/1",
        f"resource-inventory.provision {LINE}/reserve-port/1/0",
    ]
    await case.complete("field-service")
    calls = await case.ends(
        "completed",
        f"access-network.provision {LINE}/activate-line/0/0",
        f"resource-inventory.compensate {LINE}/reserve-port/0/1",
        f"billing.provision {LINE}/start-billing/0/0",
        f"voice.provision {VOICE}/activate-line/0/0",
        f"billing.provision {VOICE}/start-billing/0/0",
        "tv.provision tv.1/tv/activate-tv/0/0",
        "billing.provision tv.1/tv/start-billing/0/0",
    )
    in_order(
        calls,
        f"access-network.provision {LINE}/activate-line/0/0",
        f"resource-inventory.compensate {LINE}/reserve-port/0/1",
    )
    held = await case.held()
    assert held[f"{LINE}/reserve-port"]["characteristics"]["site"] == "site-2"
    assert (
        held[f"{LINE}/activate-line"]["characteristics"]["port"] == held[f"{LINE}/reserve-port"]["outputs"]["port_id"]
    )


async def test_a_move_after_the_visit_is_refused_naming_visit_and_item(pipe: Pipe) -> None:
    case = await submitted(pipe, internet_voice_tv(phone_number()), "shipping")
    await case.settles_but("delivery/ship-parcel")
    verdict = await case.amend(*({"id": name, "place": ELSEWHERE} for name in ("net", "voice", "tv")))
    assert verdict["state"] == "rejected"
    assert [(reason["code"], reason["item"]) for reason in verdict["reasons"]] == [("past_no_return", "net")]
    assert f"{case.order}@site-1/installation/visit-site" in verdict["reasons"][0]["message"]
    await case.complete("shipping")
    await case.ends("completed")


async def test_internet_removed_under_voice_and_tv_is_refused_or_takes_both_along(pipe: Pipe) -> None:
    body = internet_voice_tv(phone_number(), installation="self")
    body["productOrderItem"].append(item("sim", "mobile-s", sim_type="esim"))
    case = await submitted(pipe, body, "shipping")
    await case.settles_but("delivery/ship-parcel")
    refused = await case.change("amend", "alone", remove=["net"])
    assert refused["state"] == "rejected"
    assert {(reason["code"], reason["item"]) for reason in refused["reasons"]} == {
        ("missing_reliance", "voice"),
        ("missing_reliance", "tv"),
    }
    verdict = await case.change("amend", "cascade", remove=["net"], cascade=True)
    assert verdict["state"] == "accepted"
    calls = await case.ends(
        "completed",
        f"billing.compensate {VOICE}/start-billing/0/1",
        "billing.compensate tv.1/tv/start-billing/0/1",
        f"billing.compensate {LINE}/start-billing/0/1",
        f"voice.compensate {VOICE}/activate-line/0/1",
        f"number-inventory.compensate {VOICE}/reserve-number/0/1",
        "tv.compensate tv.1/tv/activate-tv/0/1",
        f"access-network.compensate {LINE}/activate-line/0/1",
        f"resource-inventory.compensate {LINE}/assign-vlan/0/1",
        f"resource-inventory.compensate {LINE}/reserve-port/0/1",
        "shipping.compensate delivery/ship-parcel/0/1",
        f"warehouse.compensate {LINE}/allocate-router/0/1",
        f"crm.compensate {LINE}/sign-contract/0/1",
    )
    for above in (f"voice.compensate {VOICE}/activate-line/0/1", "tv.compensate tv.1/tv/activate-tv/0/1"):
        in_order(
            calls,
            above,
            f"access-network.compensate {LINE}/activate-line/0/1",
            f"resource-inventory.compensate {LINE}/assign-vlan/0/1",
            f"resource-inventory.compensate {LINE}/reserve-port/0/1",
        )
    in_order(
        calls,
        f"voice.compensate {VOICE}/activate-line/0/1",
        f"number-inventory.compensate {VOICE}/reserve-number/0/1",
    )
    in_order(
        calls,
        "shipping.compensate delivery/ship-parcel/0/1",
        f"warehouse.compensate {LINE}/allocate-router/0/1",
    )
    assert await pipe.held(case.order) == [
        "customer/open-account",
        "mobile/activate-subscription",
        "mobile/register-sim",
        "mobile/reserve-number",
        "mobile/sign-contract",
        "mobile/start-billing",
    ]
    states = {item.id: item.state for item in (await pipe.view(case.order)).items}
    assert states == {"net": "cancelled", "voice": "cancelled", "tv": "cancelled", "sim": "completed"}


async def test_triple_play_becomes_quad_play_by_what_the_mobile_part_takes(pipe: Pipe) -> None:
    case = await submitted(pipe, order(item("bundle", "triple-play-1000")), "shipping")
    await case.settles_but("delivery/ship-parcel")
    verdict = await case.amend({"id": "bundle", "offering": "quad-play-1000"})
    assert verdict["state"] == "accepted"
    mobile = "bundle.mobile.1/mobile"
    await case.makes(
        f"crm.provision {mobile}/sign-contract/0/0",
        f"number-inventory.provision {mobile}/reserve-number/0/0",
        f"warehouse.provision {mobile}/allocate-sim/0/0",
        f"mobile-core.provision {mobile}/register-sim/0/0",
        "shipping.provision mobile/ship-sim/0/0",
    )
    await case.rests("delivery/ship-parcel", "mobile/ship-sim", revision=2)
    await case.complete("shipping")
    await case.ends(
        "completed",
        f"mobile-core.provision {mobile}/activate-subscription/0/0",
        f"billing.provision {mobile}/start-billing/0/0",
    )


async def test_a_parcel_that_does_not_come_back_holds_the_cancellation_until_a_person_writes_it_off(
    pipe: Pipe,
) -> None:
    no_coverage = {"operation": "subscription", "match": "activate-tv", "code": "no_coverage"}
    await pipe.sim("PUT", "/tv/faults", {"permanent": [no_coverage]})
    case = await submitted(pipe, internet_voice_tv(phone_number(), installation="self"))

    async def held() -> bool:
        return (await pipe.view(case.order)).state == "held"

    await until(held, "the order to be held for want of TV")
    await case.settles_but()
    delivered = {"operation": "parcel", "match": "ship-parcel/0/1", "code": "delivered"}
    await pipe.sim("PUT", "/shipping/faults", {"permanent": [delivered]})
    verdict = await case.change("cancel", "away", acceptFee={"amount": "9.90", "currency": "EUR"})
    assert verdict["state"] == "accepted"
    await case.makes(
        f"billing.compensate {VOICE}/start-billing/0/1",
        f"billing.compensate {LINE}/start-billing/0/1",
        f"voice.compensate {VOICE}/activate-line/0/1",
        f"number-inventory.compensate {VOICE}/reserve-number/0/1",
        f"access-network.compensate {LINE}/activate-line/0/1",
        f"resource-inventory.compensate {LINE}/assign-vlan/0/1",
        f"resource-inventory.compensate {LINE}/reserve-port/0/1",
        f"crm.compensate {LINE}/sign-contract/0/1",
        "crm.compensate customer/open-account/0/1",
    )
    await until(held, "the order to be held for the parcel")
    view = await pipe.view(case.order)
    assert [(fallout.silo, fallout.verb, fallout.code) for fallout in view.fallout] == [
        ("shipping", "compensate", "delivered")
    ]
    verdict = await case.change("resolve", "off", task=view.fallout[0].task, resolution="sunk", requester="agent-7")
    assert (verdict["state"], verdict["requester"]) == ("accepted", "agent-7")
    # The fee is for taking the parcel back, which never came about: it is not billed.
    await case.ends("cancelled", f"warehouse.compensate {LINE}/allocate-router/0/1")
    assert list(await case.held()) == ["delivery/ship-parcel"]


async def test_a_router_whose_reservation_expires_is_reserved_anew_and_goes_into_a_new_parcel(pipe: Pipe) -> None:
    case = await submitted(pipe, order(item("net", "fibre-100", installation="self")), "shipping")
    await case.settles_but("delivery/ship-parcel")
    await pipe.sim("POST", "/warehouse/lose", {"id": f"{case.order}.{LINE}/allocate-router/0"})
    expected = [
        f"warehouse.provision {LINE}/allocate-router/1/0",
        "shipping.compensate delivery/ship-parcel/0/1",
        "shipping.provision delivery/ship-parcel/1/0",
    ]
    assert await case.makes(*expected) == expected
    held = await case.held()
    router = held[f"{LINE}/allocate-router"]["outputs"]["serial"]
    assert held["delivery/ship-parcel"]["characteristics"]["goods"] == [router]
    await case.rests("delivery/ship-parcel")
    await case.complete("shipping")
    await case.ends("completed")


async def test_a_future_dated_order_amended_before_its_start_starts_on_its_new_day_as_amended(pipe: Pipe) -> None:
    next_month = datetime.now(UTC) + timedelta(days=30)
    body = order(
        item("net", "fibre-100", installation="self", equipment="own"), requestedStartDate=next_month.isoformat()
    )
    case = await submitted(pipe, body)
    verdict = await case.amend({"id": "net", "offering": "fibre-500"})
    assert verdict["state"] == "accepted"
    assert (await pipe.view(case.order)).state == "acknowledged"
    assert await case.calls() == []
    start = datetime.now(UTC) + timedelta(seconds=1)
    await case.change("amend", "sooner", requestedStartDate=start.isoformat())
    await case.ends(
        "completed",
        "crm.provision customer/open-account/0/0",
        f"crm.provision {LINE}/sign-contract/0/0",
        f"resource-inventory.provision {LINE}/reserve-port/0/0",
        f"resource-inventory.provision {LINE}/assign-vlan/0/0",
        f"access-network.provision {LINE}/activate-line/0/0",
        f"billing.provision {LINE}/start-billing/0/0",
    )
    entries = await pipe.sim("GET", f"/journal?order={case.order}")
    assert min(datetime.fromisoformat(entry["time"]) for entry in entries) >= start
    assert (await case.held())[f"{LINE}/activate-line"]["characteristics"]["down_mbps"] == 500


async def test_an_outage_in_the_middle_of_compensation_holds_up_only_what_lies_below_it(pipe: Pipe) -> None:
    case = await submitted(pipe, internet_voice_tv(phone_number(), installation="self"), "shipping")
    await case.settles_but("delivery/ship-parcel")
    await pipe.sim("PUT", "/access-network/faults", {"outage": True})
    verdict = await case.change("cancel")
    assert verdict["state"] == "accepted"
    await case.makes(
        f"billing.compensate {VOICE}/start-billing/0/1",
        "billing.compensate tv.1/tv/start-billing/0/1",
        f"billing.compensate {LINE}/start-billing/0/1",
        f"voice.compensate {VOICE}/activate-line/0/1",
        f"number-inventory.compensate {VOICE}/reserve-number/0/1",
        "tv.compensate tv.1/tv/activate-tv/0/1",
        "shipping.compensate delivery/ship-parcel/0/1",
        f"warehouse.compensate {LINE}/allocate-router/0/1",
        f"crm.compensate {LINE}/sign-contract/0/1",
        "crm.compensate customer/open-account/0/1",
    )

    async def tried() -> bool:
        entries = await pipe.sim("GET", f"/access-network/journal?order={case.order}")
        return any((entry["verb"], entry["outcome"]) == ("compensate", "failed") for entry in entries)

    await until(tried, "the line to be let go in vain")
    assert (await pipe.view(case.order)).state == "pendingCancellation"
    await pipe.sim("DELETE", "/access-network/faults")
    expected = [
        f"access-network.compensate {LINE}/activate-line/0/1",
        f"resource-inventory.compensate {LINE}/assign-vlan/0/1",
        f"resource-inventory.compensate {LINE}/reserve-port/0/1",
    ]
    assert await case.ends("cancelled", *expected) == expected
    assert await pipe.held(case.order) == []
