"""SIM cards and eSIMs swapped, replaced and given up while the order is in flight."""

from __future__ import annotations

from typing import Any

from tests.cases import in_order, submitted
from tests.given.households import item, order
from tests.running.pipe import Pipe


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
    )


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
        "number-inventory.compensate sims.2/mobile/reserve-number/0/1",
        "mobile-core.provision sims.1/mobile/activate-subscription/0/0",
        "mobile-core.provision sims.3/mobile/activate-subscription/0/0",
        "billing.provision sims.1/mobile/start-billing/0/0",
        "billing.provision sims.3/mobile/start-billing/0/0",
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
    )
