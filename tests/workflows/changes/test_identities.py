"""Numbers, SIM cards and contracts on the real engine: an order that is cancelled leaves the same ones as it found."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from simulated_silos.faults import Faults, PermanentFault
from tests.cases import submitted
from tests.given.households import item, order, phone_number
from tests.given.installed import Household, change
from tests.running.pipe import Pipe, until

PHONE = item("phone", "phone-aurora")
KNOWN_BY = {"number", "serial", "imsi", "contract_id", "port_id"}


async def mobile(pipe: Pipe, **characteristics: Any) -> Household:
    """A customer who has a mobile subscription."""
    customer = f"cust-{uuid4().hex[:8]}"
    body = order(item("sim", "mobile-s", **characteristics))
    body["relatedParty"] = [{"id": customer, "role": "customer", "@referredType": "Customer"}]
    first = await pipe.submit(body)
    assert (await pipe.outcome(first)).state == "completed"
    return Household(pipe, customer, first)


async def identities(home: Household) -> dict[str, dict[str, str]]:
    """What identifies what the customer has, by task. Silos and installed base agree."""
    found = await at_silos(home)
    facts = [fact for product in home.installed().values() for fact in product.holding.ledger.all_facts()]
    told = {fact.task: fact.outputs for fact in facts if fact.task in found}
    assert {task: {name: outputs[name] for name in found[task]} for task, outputs in told.items()} == found
    return found


async def at_silos(home: Household) -> dict[str, dict[str, str]]:
    """What identifies what the silos hold for the customer's products, by task."""
    found: dict[str, dict[str, str]] = {}
    for silo in ("crm", "number-inventory", "warehouse", "mobile-core"):
        for service in await home.pipe.sim("GET", f"/{silo}/services"):
            known = {name: value for name, value in service["outputs"].items() if name in KNOWN_BY}
            if service["task"].startswith(f"{home.first}.") and known:
                found[service["task"]] = known
    return found


async def cancelled(home: Household, later: str) -> list[str]:
    """Cancel an order. The calls made for it."""
    told = await home.pipe.change(later, requestId="cancel", kind="cancel")
    assert told["state"] in ("accepted", "assessing"), told
    return await home.ends(later, "cancelled")


async def test_an_esim_that_is_cancelled_while_the_parcel_is_awaited_leaves_the_card_that_the_customer_has(
    pipe: Pipe,
) -> None:
    home = await mobile(pipe)
    before = await identities(home)
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    later = await home.ordered(change(home.product("sim"), sim_type="esim"), PHONE)
    await pipe.until_task(later, "delivery/ship-parcel", "awaiting")
    await pipe.until_task(later, "mobile/activate-subscription", "done")
    calls = await cancelled(home, later)
    assert await identities(home) == before
    assert not [call for call in calls if "sim.1/mobile/allocate-sim" in call], "nobody touches the card"
    assert not [call for call in calls if "ship-sim" in call], "and there is none to be sent"


async def test_a_wished_number_that_is_cancelled_leaves_the_one_that_was_drawn(pipe: Pipe) -> None:
    home = await mobile(pipe)
    before = await identities(home)
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    later = await home.ordered(change(home.product("sim"), number=phone_number()), PHONE)
    await pipe.until_task(later, "delivery/ship-parcel", "awaiting")
    await cancelled(home, later)
    assert await identities(home) == before


async def test_a_number_change_whose_last_call_is_refused_leaves_the_number_when_it_is_cancelled(pipe: Pipe) -> None:
    home = await mobile(pipe)
    before = await identities(home)
    await refusing(pipe, "mobile-core", "subscription")
    later = await home.ordered(change(home.product("sim"), number=phone_number()))
    await until_held(pipe, later)
    await pipe.sim("DELETE", "/mobile-core/faults")
    await cancelled(home, later)
    assert await identities(home) == before


async def test_a_cease_that_is_refused_half_way_leaves_what_there_was_when_it_is_cancelled(pipe: Pipe) -> None:
    home = await mobile(pipe)
    before = await identities(home)
    await refusing(pipe, "billing", "charge")
    later = await home.ordered(change(home.product("sim"), action="delete"))
    await until_held(pipe, later)
    await pipe.sim("DELETE", "/billing/faults")
    await cancelled(home, later)
    assert await identities(home) == before


async def test_a_number_drawn_then_wished_and_then_not_is_the_one_that_was_drawn(pipe: Pipe) -> None:
    case = await submitted(pipe, order(item("sim", "mobile-s"), PHONE), "shipping")
    await case.rests("delivery/ship-parcel", "mobile/ship-sim")
    drawn = (await case.held())["sim.1/mobile/reserve-number"]["outputs"]["number"]
    wished = {"id": "sim", "characteristics": {"number": phone_number()}}
    await case.amend(wished, request_id="wish")
    await case.rests("delivery/ship-parcel", "mobile/ship-sim", revision=2)
    await case.amend({"id": "sim", "characteristics": {"number": None}}, request_id="back")
    await case.rests("delivery/ship-parcel", "mobile/ship-sim", revision=3)
    await case.complete("shipping")
    assert (await pipe.outcome(case.order)).state == "completed"
    assert (await case.held())["sim.1/mobile/reserve-number"]["outputs"]["number"] == drawn
    assert (await case.held())["sim.1/mobile/activate-subscription"]["characteristics"]["number"] == drawn


async def test_what_was_given_back_already_is_asked_for_by_its_value(pipe: Pipe) -> None:
    home = await mobile(pipe, sim_type="esim")
    before = await identities(home)
    await refusing(pipe, "crm", "contract")
    later = await home.ordered(change(home.product("sim"), action="delete"))
    await until_held(pipe, later)
    assert [task.split("/")[-1] for task in await at_silos(home)] == ["sign-contract"], "all else was given back"
    await pipe.sim("DELETE", "/crm/faults")
    await cancelled(home, later)
    assert await identities(home) == before


async def test_a_contract_that_was_given_back_and_cannot_be_had_again_refuses_the_cancellation(pipe: Pipe) -> None:
    home = await mobile(pipe, sim_type="esim")
    contract = (await identities(home))[f"{home.product('sim')}/mobile/sign-contract"]["contract_id"]
    await refusing(pipe, "number-inventory", "number")
    later = await home.ordered(change(home.product("sim"), action="delete"))
    await until_held(pipe, later)
    address = f"{pipe.settings.api_address}/care/v1/orders/{later}/changes?dryRun=true"
    foretold = (await pipe.http.post(address, json={"requestId": "look", "kind": "cancel"})).json()
    told = await pipe.change(later, requestId="cancel", kind="cancel")
    for answer in (foretold, told):
        assert answer["state"] == "rejected"
        assert [reason["code"] for reason in answer["reasons"]] == ["past_no_return"]
        assert f"contract_id {contract} was given back" in answer["reasons"][0]["message"]
    await pipe.sim("DELETE", "/number-inventory/faults")
    number = f"{home.product('sim')}/mobile/reserve-number"
    await pipe.change(later, requestId="retry", kind="retry", task=number)
    await home.ends(later, "completed")
    assert await at_silos(home) == {}


async def refusing(pipe: Pipe, silo: str, operation: str) -> None:
    """Have a silo refuse an operation for good."""
    faults = Faults(permanent=[PermanentFault(operation=f"{silo}.{operation}", code="no")])
    await pipe.sim("PUT", f"/{silo}/faults", faults.model_dump(mode="json"))


async def until_held(pipe: Pipe, order_id: str) -> None:
    """Wait until nothing moves any more and a person is needed."""

    async def held() -> bool:
        return (await pipe.view(order_id)).state == "held"

    await until(held, f"{order_id} to need a person")
