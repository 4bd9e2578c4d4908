"""One order for a company with hundreds of sites."""

from __future__ import annotations

from typing import Any

import pytest

from orders.model import wire_names
from orders.model.budget import ITEMS, TASKS
from orders.read_model.views import PlanPage
from tests.e2e.comparison import flaws, read_journal
from tests.e2e.running import PATIENCE_S, StackPipe
from tests.given.households import item, order
from tests.running.pipe import until
from tests.soak.counting import failed_tasks

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PER_SITE = 5
PER_ORDER = 4
"""The customer's account, the core's contract, routing domain and charge."""


def vpn(sites: int) -> dict[str, Any]:
    """A business VPN over that many sites."""
    core = item("core", "business-vpn-core")
    del core["product"]["place"]
    attached = [item(f"site-{n}", "business-vpn-site", relies_on="core", bandwidth_mbps=100 + n) for n in range(sites)]
    for n, each in enumerate(attached):
        each["product"]["place"] = [{"id": f"branch-{n}", "role": "installationAddress", "city": f"Town {n}"}]
    return order(core, *attached, channel="partner")


async def ask_until_taken(pipe: StackPipe, order_id: str, **change: Any) -> None:
    """Ask for a change as a client does: the same again, as long as the order is too busy to take it within the API's
    two seconds.
    """

    async def taken() -> bool:
        answer = await pipe.ask_for_change(order_id, **change)
        assert answer.status_code in (200, 202, 503), answer.text
        return answer.status_code != 503

    await until(taken, "the change to be taken", seconds=PATIENCE_S)


async def test_an_order_of_a_thousand_tasks_ends_with_every_site_attached(pipe: StackPipe) -> None:
    sites = 1000 // PER_SITE
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": 0})
    order_id = await pipe.submit_until_taken(vpn(sites))
    plan = await pipe.ask(order_id, wire_names.PLAN_QUERY, PlanPage, 0, 1)
    assert plan.total == PER_SITE * sites + PER_ORDER
    assert (await pipe.outcome(order_id)).state == "completed"
    assert len(await pipe.held(order_id)) == plan.total - sites  # Visits are nothing that is held.

    held = await pipe.services(order_id)
    by_task = {service["task"]: service for services in held.values() for service in services}
    core = by_task[f"{order_id}.core.1/business-vpn-core/create-vpn"]["outputs"]
    for n in range(sites):
        its = {
            task: by_task[f"{order_id}.site-{n}.1/business-vpn-site/{task}"]
            for task in ("reserve-port", "assign-vlan", "attach-site", "start-billing")
        }
        port = its["reserve-port"]["outputs"]["port_id"]
        assert its["reserve-port"]["characteristics"] == {"site": f"branch-{n}"}
        assert its["assign-vlan"]["characteristics"] == {"port": port}
        assert its["attach-site"]["characteristics"] == {
            "vpn": core["vpn_id"],
            "port": port,
            "vlan": its["assign-vlan"]["outputs"]["vlan_id"],
            "bandwidth_mbps": 100 + n,
        }
        assert its["start-billing"]["characteristics"]["bandwidth_mbps"] == 100 + n
    applied = [entry for entry in await read_journal(pipe) if entry.verb == "provision"]
    assert len(applied) == len({entry.key for entry in applied}) == plan.total


async def test_a_large_order_that_is_cancelled_half_way_leaves_nothing(pipe: StackPipe) -> None:
    sites = 60
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": None})
    order_id = await pipe.submit_until_taken(vpn(sites))
    await pipe.until_calls("field-service", "provision", sites // 2)
    await pipe.change(order_id, requestId="away", kind="cancel")
    assert (await pipe.outcome(order_id)).state == "cancelled"
    undone = {entry.id for entry in await read_journal(pipe) if entry.verb == "compensate"}
    assert len(undone) > 2 * sites
    assert await flaws(pipe, [order_id]) == []


async def test_an_order_as_large_as_may_be_is_changed_and_cancelled_in_the_middle(pipe: StackPipe) -> None:
    sites = ITEMS.most - 2
    assert TASKS.most - 2 * PER_SITE < PER_ORDER + PER_SITE * sites <= TASKS.most
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": 0})
    order_id = await pipe.submit_until_taken(vpn(sites))
    await pipe.until_calls("resource-inventory", "provision", 100)
    faster = [{"id": f"site-{sites - 1}", "characteristics": {"bandwidth_mbps": 700}}]
    await ask_until_taken(pipe, order_id, requestId="faster", kind="amend", update=faster)
    await ask_until_taken(pipe, order_id, requestId="away", kind="cancel")
    assert (await pipe.outcome(order_id)).state == "cancelled"
    assert await failed_tasks(pipe.client, order_id) == []
    assert await flaws(pipe, [order_id]) == []
