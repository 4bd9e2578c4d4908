"""Cases of the trade on the real engine, each with the calls that it must lead to, written out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.cases import ELSEWHERE, LINE, VOICE, in_order, phone_number, submitted
from tests.households import internet_voice_tv, item, order
from tests.pipe import Pipe, until


async def test_a_faster_line_while_the_visit_is_awaited_takes_no_call_more(pipe: Pipe) -> None:
    case = await submitted(pipe, internet_voice_tv(phone_number(), equipment="own"), "field-service")
    await case.rests("@site-1/installation/visit-site")
    verdict = await case.amend({"id": "net", "characteristics": {"down_mbps": 800}})
    assert (verdict["state"], verdict["impact"]["tasks"]) == ("accepted", [])
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
        "notification.provision completion/notify-customer/0/0",
    )
    assert (await case.held())[f"{LINE}/activate-line"]["characteristics"]["down_mbps"] == 800


async def test_a_number_changed_to_b_and_back_to_a_leaves_a_alone_and_lets_b_go(pipe: Pipe) -> None:
    a, b = phone_number(), phone_number()
    case = await submitted(pipe, internet_voice_tv(a, equipment="own"), "field-service")
    await case.settles_but("@site-1/installation/visit-site")
    await case.amend({"id": "voice", "characteristics": {"number": b}})
    await case.makes(f"number-inventory.provision {VOICE}/reserve-number/1/0")
    await case.amend({"id": "voice", "characteristics": {"number": a}}, request_id="back")
    await case.rests("@site-1/installation/visit-site", revision=3)
    await case.complete("field-service")
    calls = await case.ends(
        "completed",
        f"access-network.provision {LINE}/activate-line/0/0",
        f"billing.provision {LINE}/start-billing/0/0",
        f"voice.provision {VOICE}/activate-line/0/0",
        f"number-inventory.compensate {VOICE}/reserve-number/1/1",
        f"billing.provision {VOICE}/start-billing/0/0",
        "tv.provision tv.1/tv/activate-tv/0/0",
        "billing.provision tv.1/tv/start-billing/0/0",
        "notification.provision completion/notify-customer/0/0",
    )
    in_order(
        calls,
        f"voice.provision {VOICE}/activate-line/0/0",
        f"number-inventory.compensate {VOICE}/reserve-number/1/1",
    )
    assert (await case.held())[f"{VOICE}/activate-line"]["characteristics"]["number"] == a


async def test_a_number_changed_to_b_and_back_to_a_on_hold_asks_nobody_for_b(pipe: Pipe) -> None:
    a = phone_number()
    case = await submitted(pipe, internet_voice_tv(a), "shipping")
    await case.settles_but("delivery/ship-parcel")
    await case.change("hold", "hold")
    await case.amend({"id": "voice", "characteristics": {"number": phone_number()}}, request_id="to-b")
    await case.amend({"id": "voice", "characteristics": {"number": a}}, request_id="to-a")
    await case.change("release", "release")
    await case.complete("shipping")
    await case.ends("completed")


async def test_a_number_changed_back_while_the_live_line_moves_to_b_brings_the_line_back_to_a(pipe: Pipe) -> None:
    a, b = phone_number(), phone_number()
    case = await submitted(pipe, internet_voice_tv(a), "shipping")
    await case.settles_but("delivery/ship-parcel")
    await pipe.sim("PUT", "/voice/faults", {"latency_ms": 500})
    await case.amend({"id": "voice", "characteristics": {"number": b}})
    await pipe.until_task(case.order, "voice-line/activate-line", "inProgress")
    await case.amend({"id": "voice", "characteristics": {"number": a}}, request_id="back")
    expected = [
        f"number-inventory.provision {VOICE}/reserve-number/1/0",
        f"voice.amend {VOICE}/activate-line/0/1",
        f"voice.amend {VOICE}/activate-line/0/2",
        f"number-inventory.compensate {VOICE}/reserve-number/1/1",
    ]
    assert await case.makes(*expected) == expected
    assert (await case.held())[f"{VOICE}/activate-line"]["characteristics"]["number"] == a
    await case.complete("shipping")
    await case.ends("completed")


async def test_two_lines_swap_their_numbers_and_only_one_of_them_is_interrupted(pipe: Pipe) -> None:
    a, b = phone_number(), phone_number()
    body = order(
        item("net", "fibre-100"),
        item("first", "voice-line", relies_on="net", number=a),
        item("second", "voice-line", relies_on="net", number=b),
    )
    case = await submitted(pipe, body, "shipping")
    await case.settles_but("delivery/ship-parcel")
    await case.amend(
        {"id": "first", "characteristics": {"number": b}}, {"id": "second", "characteristics": {"number": a}}
    )
    expected = [
        "voice.compensate first.1/voice-line/activate-line/0/1",
        "number-inventory.compensate first.1/voice-line/reserve-number/0/1",
        "number-inventory.provision second.1/voice-line/reserve-number/1/0",
        "voice.amend second.1/voice-line/activate-line/0/1",
        "number-inventory.compensate second.1/voice-line/reserve-number/0/1",
        "number-inventory.provision first.1/voice-line/reserve-number/1/0",
        "voice.provision first.1/voice-line/activate-line/1/0",
    ]
    assert await case.makes(*expected) == expected
    await case.rests("delivery/ship-parcel", revision=2)
    assert (await pipe.view(case.order)).fallout == ()
    held = await case.held()
    assert held["first.1/voice-line/activate-line"]["characteristics"]["number"] == b
    assert held["second.1/voice-line/activate-line"]["characteristics"]["number"] == a


async def test_an_esim_is_swapped_under_a_subscription_in_use(pipe: Pipe) -> None:
    body = order(item("sim", "mobile-m", sim_type="esim"), item("phone", "phone-aurora"))
    case = await submitted(pipe, body, "shipping")
    await case.settles_but("delivery/ship-parcel")
    before = (await case.held())["sim.1/mobile/register-sim"]["outputs"]["imsi"]
    verdict = await case.change("replace", task=f"{case.order}.sim.1/mobile/register-sim")
    assert verdict["state"] == "accepted"
    expected = [
        "mobile-core.provision sim.1/mobile/register-sim/1/0",
        "mobile-core.amend sim.1/mobile/activate-subscription/0/1",
        "mobile-core.compensate sim.1/mobile/register-sim/0/1",
    ]
    assert await case.makes(*expected) == expected
    held = await case.held()
    after = held["sim.1/mobile/register-sim"]["outputs"]["imsi"]
    assert held["sim.1/mobile/activate-subscription"]["characteristics"]["imsi"] == after != before
    await case.complete("shipping")
    # The phone is billed once its parcel has arrived, and only then is all of the order done.
    await case.ends(
        "completed",
        "billing.provision phone.1/retail-device/start-billing/0/0",
        "notification.provision completion/notify-customer/0/0",
    )


async def test_a_broken_sim_card_is_replaced_for_the_fee_of_the_letter_that_has_arrived(pipe: Pipe) -> None:
    body = order(item("sim", "mobile-m"), item("phone", "phone-aurora"))
    case = await submitted(pipe, body, "shipping")
    await case.rests("delivery/ship-parcel", "mobile/ship-sim")
    await case.complete("shipping", "mobile/ship-sim")
    await case.settles_but("delivery/ship-parcel")
    card = f"{case.order}.sim.1/mobile/allocate-sim"
    refused = await case.change("replace", "free", task=card)
    assert [reason["code"] for reason in refused["reasons"]] == ["fee_not_accepted"]
    assert "4.90 EUR" in refused["reasons"][0]["message"]
    await case.change("replace", "paid", task=card, acceptFee={"amount": "4.90", "currency": "EUR"})
    first = await case.makes(
        "warehouse.provision sim.1/mobile/allocate-sim/1/0",
        "shipping.amend mobile/ship-sim/0/1",
        "mobile-core.provision sim.1/mobile/register-sim/1/0",
    )
    assert first[0] == "warehouse.provision sim.1/mobile/allocate-sim/1/0"
    await case.rests("delivery/ship-parcel", "mobile/ship-sim")
    await case.complete("shipping", "mobile/ship-sim")
    last = await case.makes(
        "mobile-core.amend sim.1/mobile/activate-subscription/0/1",
        "mobile-core.compensate sim.1/mobile/register-sim/0/1",
        "warehouse.compensate sim.1/mobile/allocate-sim/0/1",
        "billing.provision fee-1/charges/bill-fee/0/0",
    )
    in_order(
        last,
        "mobile-core.amend sim.1/mobile/activate-subscription/0/1",
        "mobile-core.compensate sim.1/mobile/register-sim/0/1",
        "warehouse.compensate sim.1/mobile/allocate-sim/0/1",
    )
    await case.complete("shipping")
    await case.ends(
        "completed",
        "billing.provision phone.1/retail-device/start-billing/0/0",
        "notification.provision completion/notify-customer/0/0",
    )


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
        "notification.provision completion/notify-customer/0/0",
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


def three_sims() -> dict[str, Any]:
    """Three SIM cards in one letter."""
    return order({**item("sims", "mobile-s"), "quantity": 3})


async def test_three_sims_become_two_by_the_name_of_the_one_to_drop(pipe: Pipe) -> None:
    case = await submitted(pipe, three_sims(), "shipping")
    await case.settles_but("mobile/ship-sim")
    verdict = await case.amend({"id": "sims", "quantity": 2, "drop": [f"{case.order}.sims.2"]})
    assert verdict["state"] == "accepted"
    calls = await case.makes(
        "shipping.compensate mobile/ship-sim/0/1",
        "shipping.provision mobile/ship-sim/1/0",
        "number-inventory.compensate sims.2/mobile/reserve-number/0/1",
        "mobile-core.compensate sims.2/mobile/register-sim/0/1",
        "warehouse.compensate sims.2/mobile/allocate-sim/0/1",
        "crm.compensate sims.2/mobile/sign-contract/0/1",
    )
    for above in ("shipping.compensate mobile/ship-sim/0/1", "mobile-core.compensate sims.2/mobile/register-sim/0/1"):
        in_order(calls, above, "warehouse.compensate sims.2/mobile/allocate-sim/0/1")
    in_order(calls, "shipping.compensate mobile/ship-sim/0/1", "shipping.provision mobile/ship-sim/1/0")
    await case.complete("shipping")
    await case.ends(
        "completed",
        "mobile-core.provision sims.1/mobile/activate-subscription/0/0",
        "mobile-core.provision sims.3/mobile/activate-subscription/0/0",
        "billing.provision sims.1/mobile/start-billing/0/0",
        "billing.provision sims.3/mobile/start-billing/0/0",
        "notification.provision completion/notify-customer/0/0",
    )
    held = await case.held()
    cards = [held[f"sims.{number}/mobile/allocate-sim"]["outputs"]["serial"] for number in (1, 3)]
    assert held["mobile/ship-sim"]["characteristics"]["sim_cards"] == cards


async def test_three_sims_become_two_by_giving_up_the_one_least_advanced(pipe: Pipe) -> None:
    refusal = {"operation": "number", "match": "sims.1/", "code": "no_number_left"}
    await pipe.sim("PUT", "/number-inventory/faults", {"permanent": [refusal]})
    case = await submitted(pipe, three_sims(), "shipping")
    await case.settles_but("mobile/ship-sim")
    assert [fallout.code for fallout in (await pipe.view(case.order)).fallout] == ["no_number_left"]
    await case.amend({"id": "sims", "quantity": 2})
    await case.makes(
        "shipping.compensate mobile/ship-sim/0/1",
        "shipping.provision mobile/ship-sim/1/0",
        "mobile-core.compensate sims.1/mobile/register-sim/0/1",
        "warehouse.compensate sims.1/mobile/allocate-sim/0/1",
        "crm.compensate sims.1/mobile/sign-contract/0/1",
    )
    await case.complete("shipping")
    await case.ends(
        "completed",
        "mobile-core.provision sims.2/mobile/activate-subscription/0/0",
        "mobile-core.provision sims.3/mobile/activate-subscription/0/0",
        "billing.provision sims.2/mobile/start-billing/0/0",
        "billing.provision sims.3/mobile/start-billing/0/0",
        "notification.provision completion/notify-customer/0/0",
    )


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
    assert held["delivery/ship-parcel"]["characteristics"]["routers"] == [router]
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
        "notification.provision completion/notify-customer/0/0",
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
