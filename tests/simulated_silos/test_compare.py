from __future__ import annotations

from typing import Any

from httpx2 import AsyncClient

from simulated_silos.compare import Canonical, canonical, differences, read_services
from simulated_silos.silo.model import Service, ServiceState
from tests.simulated_silos.support import Caller, values

Held = dict[str, list[Service]]


def service(
    service_id: str, operation: str = "line", outputs: dict[str, str] | None = None, order: str = "", **inputs: Any
) -> Service:
    task, generation = service_id.rsplit("/", 1)
    return Service(
        id=service_id,
        order=order or service_id.split("/")[0].split(".")[0].split("@")[0],
        task=task,
        generation=int(generation),
        operation=operation,
        characteristics=inputs,
        outputs=outputs or {},
        state=ServiceState.ACTIVE,
    )


def one(*services: Service, order: str = "A", silo: str = "voice") -> Canonical:
    return canonical({silo: services}, order)


def test_order_ids_and_generations_make_no_difference() -> None:
    a = one(service("A.1.1/voice/line/3", note="for A and order-A, not AA"))
    b = one(service("B.1.1/voice/line/0", note="for B and order-B, not AA"), order="B")
    assert differences(a, b) == []
    assert a == b


def test_an_order_id_within_a_longer_one_is_left_alone() -> None:
    a = one(service("A-1.1/voice/line/0", ref="A-10"), order="A-1")
    b = one(service("B-1.1/voice/line/0", ref="B-10"), order="B-1")
    assert differences(a, b) == ['voice: {order}.1/voice/line: ref is "A-10" in the first, "B-10" in the second']


def held(order: str, generation: int, port: str, vpns: list[str]) -> Held:
    sites = [service(f"{order}.1.{n}/vpn/site/{generation}", "vpn-site", {"vpn_id": vpn}) for n, vpn in enumerate(vpns)]
    return {
        "resource-inventory": [service(f"{order}.1.1/access/port/{generation}", "port", {"port_id": port})],
        "access-network": [
            service(f"{order}.1.1/access/line/0", "line", {}, port=port, url=f"tl1://{port}/x"),
            service(f"{order}/vpn/core/0", "vpn", {}, sites=[{"id": vpn, "hub": False} for vpn in vpns]),
            *sites,
        ],
    }


def test_values_given_out_make_no_difference_wherever_they_stand() -> None:
    a = canonical(held("A", 4, "PORT-9", ["VPN-1", "VPN-2"]), "A")
    b = canonical(held("B", 0, "PORT-1", ["VPN-8", "VPN-7"]), "B")
    assert a == b
    assert "<{order}.1.1/access/port.port_id>" in [line.characteristics.get("port") for line in a]


def test_standing_on_another_service_than_before_is_a_difference() -> None:
    mixed = held("A", 0, "PORT-1", ["VPN-1", "VPN-2"])
    swapped = held("A", 0, "PORT-1", ["VPN-1", "VPN-2"])
    swapped["access-network"][1] = service(
        "A/vpn/core/0", "vpn", {}, sites=[{"id": vpn, "hub": False} for vpn in ("VPN-2", "VPN-1")]
    )
    [line] = differences(canonical(mixed, "A"), canonical(swapped, "A"))
    assert line.startswith("access-network: {order}/vpn/core: sites is ")


def test_a_value_of_an_older_generation_is_a_difference() -> None:
    stale = held("A", 1, "PORT-2", [])
    stale["access-network"][0] = service("A.1.1/access/line/0", "line", {}, port="PORT-1", url="tl1://PORT-1/x")
    assert len(differences(canonical(held("A", 0, "PORT-1", []), "A"), canonical(stale, "A"))) == 2


def test_a_value_given_out_because_it_was_asked_for_has_to_be_the_same() -> None:
    a = one(service("A.1.1/voice/number/0", "number", {"number": "+491"}, number="+491"))
    b = one(service("A.1.1/voice/number/1", "number", {"number": "+492"}, number="+492"))
    assert differences(a, b) == ['voice: {order}.1.1/voice/number: number is "+491" in the first, "+492" in the second']


def test_what_one_side_lacks_is_named() -> None:
    a = one(service("A.1.1/voice/line/0"), service("A.1.2/voice/line/0"))
    b = one(service("A.1.1/voice/line/0"))
    assert differences(a, b) == ["voice: {order}.1.2/voice/line: only in the first"]
    assert differences(b, a) == ["voice: {order}.1.2/voice/line: only in the second"]


def test_what_is_held_twice_is_named() -> None:
    a = one(service("A.1.1/voice/line/0"), service("A.1.1/voice/line/1"))
    b = one(service("A.1.1/voice/line/0"))
    assert differences(a, b) == ["voice: {order}.1.1/voice/line: only in the first (held 2 and 1 times)"]


def test_every_kind_of_difference_has_a_line() -> None:
    a = one(service("A.1.1/voice/line/0", "line", {"voice_id": "V1"}, speed=1, kept="k"))
    pending = service("A.1.1/voice/line/0", "trunk", {}, speed=2, kept="k", extra=None)
    b = one(pending.model_copy(update={"state": ServiceState.PENDING}))
    place = "voice: {order}.1.1/voice/line:"
    assert differences(a, b) == [
        f"{place} extra is absent in the first, null in the second",
        f"{place} operation is line in the first, trunk in the second",
        f"{place} outputs is voice_id in the first, none in the second",
        f"{place} speed is 1 in the first, 2 in the second",
        f"{place} state is active in the first, pending in the second",
    ]


def test_the_order_in_which_things_are_listed_makes_no_difference() -> None:
    first, second = service("A.1.1/voice/line/0"), service("A.2.1/voice/line/0")
    assert one(first, second) == one(second, first)


def test_other_orders_are_left_out() -> None:
    its = service("A.1.1/voice/line/0")
    assert one(its, service("B.1.1/voice/line/0"), service("AA.1.1/voice/line/0")) == one(its)


def test_all_scopes_of_an_order_belong_to_it() -> None:
    scopes = ["A.1.1", "A.1", "A@berlin-1", "A"]
    assert len(one(*[service(f"{scope}/voice/line/0", order="later") for scope in scopes])) == 4


def test_what_an_order_changed_of_an_earlier_one_belongs_to_it() -> None:
    amended = service("BASE1.1.1/voice/line/0", order="A", owner="BASE1")
    assert len(canonical({"voice": [amended]}, "A")) == 1
    twin = service("BASE2.1.1/voice/line/0", order="B", owner="BASE2")
    assert canonical({"voice": [amended]}, "A", baseline=["BASE1"]) == canonical(
        {"voice": [twin]}, "B", baseline=["BASE2"]
    )


def test_what_the_baseline_holds_counts_also_where_the_order_left_it_alone() -> None:
    untouched = service("BASE.1.1/voice/line/0")
    [holding] = canonical({"voice": [untouched]}, "A", baseline=["BASE"])
    assert holding.task == "{baseline 1}.1.1/voice/line"


def test_spent_operations_are_left_out_but_what_they_gave_is_still_renamed() -> None:
    def after_visits(order: str, report: str, visits: int) -> Canonical:
        visit = [service(f"{order}@x/visit/visit/{n}", "visit", {"report_id": report}) for n in range(visits)]
        line = service(f"{order}.1.1/access/line/0", report=report)
        return canonical({"field-service": visit, "voice": [line]}, order, spent=["field-service.visit"])

    assert after_visits("A", "REP-1", 1) == after_visits("B", "REP-2", 3)
    assert len(after_visits("A", "REP-1", 1)) == 1


async def test_what_real_silos_hold_for_an_amended_and_for_a_fresh_order_compares_equal(client: AsyncClient) -> None:
    async def order(order_id: str, *, detour: bool) -> Canonical:
        ports = Caller(client, "resource-inventory", "port", order_id)
        lines = Caller(client, "access-network", "line", order_id)
        task, generation = f"{order_id}.1.1/access/port", 0
        port = values((await ports.provision(f"{task}/0", site="x")).json())["port_id"]
        await lines.provision(f"{order_id}.1.1/access/line/0", port_id=port, mbps=100 if detour else 500)
        if detour:
            generation = 1
            port = values((await ports.provision(f"{task}/{generation}", site="x")).json())["port_id"]
            await lines.amend(f"{order_id}.1.1/access/line/0", port_id=port, mbps=500)
            await ports.compensate(f"{task}/0")
        found = await client.get("/_sim/services", params={"order": order_id})
        return canonical(read_services(found.content), order_id)

    amended, fresh = await order("PO-1", detour=True), await order("PO-2", detour=False)
    assert differences(amended, fresh) == []
    assert len(fresh) == 2
