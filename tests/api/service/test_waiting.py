"""Orders on products that another order is changing, which asked to wait for that."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import httpx2
from sqlalchemy import select

from orders.read_model.states import ORDER_MOVES, LifecycleState
from register import Register
from register.tables.events import EVENTS
from tests.api.tmf.tmf_specs import TMF622, spec_problems
from tests.given.installed import Household, change, household, move
from tests.running.pipe import Pipe, until
from tests.steps import cancel, seen_again


async def moving(pipe: Pipe) -> tuple[Household, str]:
    """A household whose internet moves, once the technician comes."""
    home = await household(pipe)
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    moved = await home.ordered(move(home.product("net"), "1"))
    await pipe.until_task(moved, "installation/visit-site", "awaiting")
    return home, moved


async def technician_comes(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": 0})
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})


async def waiting(home: Household, *items: dict[str, Any]) -> dict[str, Any]:
    """An order that was taken in and waits."""
    body = {**home.body(*items), "waitForProducts": True}
    response = await home.pipe.http.post(home.pipe.api("/productOrder"), json=body)
    assert (response.status_code, response.json()["state"]) == (201, "pending"), response.text
    assert spec_problems(TMF622, "ProductOrder", response.json()) == []
    again = await home.pipe.http.post(home.pipe.api("/productOrder"), json=body)
    assert (again.status_code, again.json()) == (200, response.json())
    return response.json()


async def found(pipe: Pipe, order_id: str) -> dict[str, Any]:
    return (await pipe.http.get(pipe.api(f"/productOrder/{order_id}"))).json()


async def begun(pipe: Pipe, order_id: str) -> None:
    async def there() -> bool:
        return (await found(pipe, order_id))["state"] not in ("pending", "acknowledged")

    await until(there, f"{order_id} to begin")


async def way(pipe: Pipe, order_id: str) -> list[str]:
    """The states that an order passed through, all of its moves being legal and numbered without a gap."""
    history = (await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{order_id}/history")).json()
    moves = history["transitions"]
    assert [step["number"] for step in moves] == list(range(1, history["total"] + 1))
    states: list[str] = []
    for step in (each for each in moves if not each.get("item")):
        before = LifecycleState(step["before"]) if step["before"] else None
        assert (step["before"] or "") == (states[-1] if states else "")
        assert step["after"] in ORDER_MOVES[before]
        states.append(step["after"])
    return states


def events(pipe: Pipe, order_id: str) -> list[str]:
    """The kinds of the events of an order, with the state where they tell one. They are numbered without a gap."""
    wanted = select(EVENTS.c.number, EVENTS.c.kind, EVENTS.c.data).where(EVENTS.c.order_id == order_id)
    with closing(Register(pipe.settings.register_address)) as register, register.database.reading() as connection:
        rows = connection.execute(wanted.order_by(EVENTS.c.number)).all()
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    return [" ".join([row.kind, row.data["state"]]) if "state" in row.data else row.kind for row in rows]


def refused(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def test_it_begins_when_the_one_before_it_has_ended_on_what_that_has_left(pipe: Pipe) -> None:
    home, moved = await moving(pipe)
    second = await waiting(home, change(home.product("net"), down_mbps=400))
    third = await waiting(home, change(home.product("tv"), action="delete"))
    assert f"is being changed by order {moved}" in second["note"][0]["text"]
    listed = (await pipe.http.get(pipe.api(f"/productOrder?state=pending&relatedParty.id={home.customer}"))).json()
    assert {order["id"] for order in listed} == {second["id"], third["id"]}
    assert await way(pipe, second["id"]) == ["acknowledged", "pending"]
    assert events(pipe, second["id"]) == ["created", "stateChanged pending"]

    await technician_comes(pipe)
    await home.ends(moved, "completed")
    await begun(pipe, second["id"])
    # The line had its amendment 1 by the move.
    assert await home.ends(second["id"], "completed") == [
        "access-network.amend net.1/fibre-internet/activate-line/0/2",
        "billing.amend net.1/fibre-internet/start-billing/0/1",
    ]
    await begun(pipe, third["id"])
    await home.ends(third["id"], "completed")
    assert "note" not in await found(pipe, second["id"])
    assert await way(pipe, second["id"]) == ["acknowledged", "pending", "inProgress", "completed"]
    assert events(pipe, second["id"])[:3] == ["created", "stateChanged pending", "stateChanged inProgress"]
    ends = [(await found(pipe, order_id))["completionDate"] for order_id in (moved, second["id"], third["id"])]
    assert ends == sorted(ends)


async def test_it_can_only_be_cancelled_while_it_waits_and_is_at_once(pipe: Pipe) -> None:
    home, moved = await moving(pipe)
    order_id = (await waiting(home, change(home.product("net"), down_mbps=400)))["id"]
    behind = (await waiting(home, change(home.product("tv"), action="delete")))["id"]
    care = f"{pipe.settings.api_address}/care/v1/orders/{order_id}"
    held = await pipe.change(order_id, kind="hold")
    assert (held["state"], [reason["code"] for reason in held["reasons"]]) == ("rejected", ["order_waits"])
    previewed = (await pipe.http.post(f"{care}/changes?dryRun=true", json={"kind": "cancel"})).json()
    assert previewed["state"] == "accepted"
    options = (await pipe.http.get(f"{care}/options")).json()
    assert [option["kind"] for option in options["order"] if option["possible"]] == ["cancel"]
    assert (await pipe.http.get(f"{care}/tasks")).json()["tasks"] == []
    patched = await pipe.http.patch(pipe.api(f"/productOrder/{order_id}"), json={"priority": "1"})
    assert refused(patched) == (409, "change_refused")
    assert "order_waits" in patched.text
    assert refused(await pipe.http.delete(pipe.api(f"/productOrder/{order_id}"))) == (409, "order_not_over")
    stale = {"kind": "cancel", "expectedRevision": 2}
    verdict = await pipe.change(order_id, **stale)
    assert (verdict["state"], [reason["code"] for reason in verdict["reasons"]]) == ("rejected", ["stale_revision"])

    cancellation = (await cancel(pipe, order_id, cancellationReason="too slow")).json()
    await home.ends(order_id, "cancelled")
    assert (await seen_again(pipe, cancellation))["state"] == "done"
    ended = await found(pipe, order_id)
    assert (ended["state"], ended["cancellationReason"]) == ("cancelled", "too slow")
    assert await way(pipe, order_id) == [
        "acknowledged",
        "pending",
        "assessingCancellation",
        "pendingCancellation",
        "cancelled",
    ]
    assert events(pipe, order_id)[2:] == [
        "cancellationRequested",  # The one that named another revision.
        "cancellationStateChanged terminatedWithError",
        "cancellationRequested",
        "stateChanged assessingCancellation",
        "cancellationStateChanged inProgress",
        "stateChanged pendingCancellation",
        "stateChanged cancelled",
        "cancellationStateChanged done",
    ]
    verdict = await pipe.change(behind, requestId="never mind", kind="cancel")
    assert verdict["state"] == "applied"
    await home.ends(behind, "cancelled")
    assert (await pipe.change(behind, requestId="never mind", kind="cancel"))["state"] == "applied"
    late = await pipe.http.post(f"{care}/changes", json={"kind": "cancel"})
    assert refused(late) == (409, "order_closed")

    await technician_comes(pipe)
    await home.ends(moved, "completed")
    assert (await home.ends(await home.ordered(change(home.product("tv"), action="delete")), "completed")) != []


async def test_it_is_rejected_when_its_turn_comes_if_it_can_not_be_had_any_more(pipe: Pipe) -> None:
    home = await household(pipe)
    await pipe.sim("PUT", "/tv/faults", {"permanent": [{"operation": "subscription", "match": "", "code": "not_now"}]})
    ceased = await home.ordered(change(home.product("tv"), action="delete"))
    order_id = (await waiting(home, change(home.product("tv"), action="delete")))["id"]
    await pipe.until_task(ceased, "tv/activate-tv", "fallout")
    await pipe.sim("DELETE", "/tv/faults")
    [fallout] = (await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{ceased}")).json()["fallout"]
    await pipe.change(ceased, kind="retry", task=fallout["task"])
    await home.ends(ceased, "completed")
    await begun(pipe, order_id)
    rejected = await found(pipe, order_id)
    assert rejected["state"] == "rejected"
    assert [error["code"] for error in rejected["productOrderErrorMessage"]] == ["product_not_active"]
    assert await way(pipe, order_id) == ["acknowledged", "pending", "acknowledged", "rejected"]
    assert events(pipe, order_id)[2:] == ["stateChanged acknowledged", "stateChanged rejected"]
    assert (await pipe.http.delete(pipe.api(f"/productOrder/{order_id}"))).status_code == 204
