"""The shipped catalog: what each order calls for, and what a change touches."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from api.tmf.tmf622.request import to_request
from catalog_loader.catalog_files import read_catalog
from orders.change.request import ChangeKind, ChangeRequest, ItemUpdate
from orders.model.catalog import Catalog, OnChange, Protocol, Scope, Undo
from orders.model.order import OrderRequest, RequestedItem, Revision, Site
from orders.model.plan import Plan
from orders.model.values import Action, Inputs
from orders.planning.amend import amended
from orders.planning.capture import capture
from orders.planning.decompose import decompose
from orders.reconcile.ledger import Ledger, Step
from orders.reconcile.outcome import Outcome, OutcomeKind
from orders.reconcile.reconciler import Reconciler

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples/orders").glob("*.json"))
AT = "2026-01-01T00:00:00.000Z"

OUTPUTS = {
    "crm": {"account": "account_id", "contract": "contract_id"},
    "resource-inventory": {"port": "port_id", "vlan": "vlan_id"},
    "number-inventory": {"number": "number"},
    "warehouse": {"stock": "serial"},
    "access-network": {"line": "line_id", "vpn": "vpn_id", "vpn-site": "vpn_id"},
    "voice": {"line": "voice_id"},
    "tv": {"subscription": "tv_id"},
    "mobile-core": {"sim": "imsi", "subscription": "msisdn_id"},
    "billing": {"charge": "charge_id"},
    "notification": {"message": "message_id"},
    "shipping": {"parcel": "tracking_id"},
    "field-service": {"visit": "report_id", "trench": "report_id"},
    "trade-in": {"device": "quote_id"},
    "old-pbx": {"telephone-system": "system_id"},
}
"""What the silos offer, and the one output of each operation."""

PROTOCOLS = {
    "shipping": Protocol.TMF641,
    "field-service": Protocol.TMF641,
    "trade-in": Protocol.TMF641,
    "old-pbx": Protocol.HTTP,
}
"""Those that are not spoken to by TMF640."""

TASKS = {
    "business-vpn": 30,
    "fibre-only": 8,
    "future-dated": 10,
    "mobile": 7,
    "mobile-family": 21,
    "phone-with-mobile": 12,
    "quad-play": 20,
    "retail-device": 7,
    "retail-trade-in": 7,
    "triple-play": 16,
    "voice-on-fibre": 13,
}
"""How many tasks each example order has."""


@pytest.fixture(name="catalog", scope="module")
def the_catalog() -> Catalog:
    return read_catalog(ROOT / "catalog")


def example(name: str) -> OrderRequest:
    """The request that an example's TMF622 body makes."""
    return to_request(json.loads((ROOT / f"examples/orders/{name}.json").read_text()))


def item(name: str, offering: str, **more: object) -> RequestedItem:
    return RequestedItem.model_validate({"id": name, "offering": offering, **more})


@dataclass
class Order:
    """An order of the shipped catalog over silos that do at once what they are asked, or wait until told."""

    catalog: Catalog
    request: OrderRequest
    waiting: frozenset[str] = frozenset()
    begun: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.revision: Revision = capture(self.catalog, self.request, "o")
        self.plan: Plan = decompose(self.catalog, "o", self.revision)
        self.reconciler = Reconciler(self.plan, Ledger())
        self.run()

    def run(self) -> None:
        """Do every step there is, until there is none."""
        while steps := self.reconciler.next_steps():
            for step in steps:
                self.begun.append(f"{step.verb} {step.operation}")
                self.reconciler.record(step, self.outcome(step), AT)

    def outcome(self, step: Step) -> Outcome:
        operation = self.reconciler.ledger.operations[step.operation]
        if operation.silo in self.waiting and step.verb != "compensate":
            return Outcome(OutcomeKind.ACKNOWLEDGED)
        specification, _, task = step.operation.partition("/")
        outputs: Inputs = {
            name: f"{step.task}/{step.generation}:{name}"
            for name in self.catalog.specifications[specification].tasks[task].outputs
        }
        if step.inputs.get("number") is not None and "number" in outputs:
            outputs["number"] = step.inputs["number"]
        return Outcome(OutcomeKind.DONE, outputs)

    def change(self, **change: Any) -> list[str]:
        """What an amendment makes the silos do, in order."""
        request = ChangeRequest(request_id="r", kind=ChangeKind.AMEND, **change)
        self.revision, self.plan = amended(self.catalog, "o", self.revision, request)
        return self.retarget(self.plan)

    def retarget(self, plan: Plan) -> list[str]:
        self.begun.clear()
        self.reconciler.retarget(plan)
        self.run()
        return self.begun


def household(catalog: Catalog, **more: Any) -> Order:
    """A triple play of which everything is in place: internet at 500 Mbit/s, TV Basic, a number drawn."""
    site = Site(id="home", address={"city": "Musterstadt"})
    net = item("1.internet", "fibre-500", parent="1")
    request = OrderRequest(
        external_id="x", channel="web", customer_id="c", items=(item("1", "triple-play-1000", site=site), net)
    )
    return Order(catalog, request, **more)


# What there is


def test_the_silos_are_those_of_the_operators_of_the_systems(catalog: Catalog) -> None:
    for name in OUTPUTS:
        silo = catalog.silos[name]
        assert silo.address == f"/{name}"
        assert silo.retry == ("inspect" if name == "tv" else "key")
        assert silo.protocol is PROTOCOLS.get(name, Protocol.TMF640)


def test_every_task_asks_for_an_operation_that_its_silo_offers(catalog: Catalog) -> None:
    asked: dict[str, set[str]] = {}
    for specification in catalog.specifications.values():
        for template in specification.tasks.values():
            if template.silo in OUTPUTS:
                assert template.outputs == (OUTPUTS[template.silo][template.operation],), template.name
            asked.setdefault(template.silo, set()).add(template.operation)
    assert all(asked[silo] == set(operations) for silo, operations in OUTPUTS.items())


def test_every_offering_is_ordered_in_some_way(catalog: Catalog) -> None:
    site = Site(id="home")
    beside = [item("net", "fibre-100", site=site), item("core", "business-vpn-core")]
    for name, offering in catalog.offerings.items():
        declared = catalog.specifications[offering.specification].characteristics if offering.specification else {}
        chosen = {
            each: known.values[0] if known.values else (known.minimum or 1) if known.type == "integer" else "any"
            for each, known in declared.items()
            if known.required and each not in offering.characteristics
        }
        ordered = item("x", name, site=site, relies_on=("net", "core"), characteristics=chosen)
        request = OrderRequest(external_id="x", channel="web", customer_id="c", items=(*beside, ordered))
        decompose(catalog, "o", capture(catalog, request, "o"))
    assert len(catalog.offerings) >= 12


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_order_is_planned_and_settles(catalog: Catalog, file: Path) -> None:
    order = Order(catalog, example(file.stem))
    assert len(order.plan.tasks) == TASKS[file.stem]
    assert order.reconciler.settled
    assert len(order.begun) == len(order.plan.tasks)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_a_cancelled_example_leaves_nothing_behind(catalog: Catalog, file: Path) -> None:
    order = Order(catalog, example(file.stem))
    order.retarget(Plan())
    assert order.reconciler.settled
    assert order.reconciler.ledger.all_facts() == []


def test_the_message_comes_after_everything_else(catalog: Catalog) -> None:
    for file in EXAMPLES:
        order = Order(catalog, example(file.stem))
        charges = {key for key in order.plan.tasks if key.endswith("/start-billing")}
        notify = order.plan.tasks["o/completion/notify-customer"]
        assert set(notify.after) == charges


def test_nothing_is_billed_before_it_works(catalog: Catalog) -> None:
    order = Order(catalog, example("quad-play"))
    for billing, activation in [
        ("fibre-internet/start-billing", "fibre-internet/activate-line"),
        ("voice-line/start-billing", "voice-line/activate-line"),
        ("tv/start-billing", "tv/activate-tv"),
        ("mobile/start-billing", "mobile/activate-subscription"),
    ]:
        assert order.begun.index(f"provision {activation}") < order.begun.index(f"provision {billing}")


def test_fifty_sites_are_more_than_250_tasks(catalog: Catalog) -> None:
    sites = [item(f"s{n}", "business-vpn-site", site=Site(id=f"site-{n}"), relies_on=("core",)) for n in range(50)]
    request = OrderRequest(
        external_id="x", channel="web", customer_id="c", items=(item("core", "business-vpn-core"), *sites)
    )
    assert len(decompose(catalog, "o", capture(catalog, request, "o")).tasks) == 255


def test_what_a_later_order_does_not_change_stays_word_for_word(catalog: Catalog) -> None:
    """Shared tasks belong to their order; an installed product's own tasks ask for the same in every later order."""
    new = Order(catalog, example("triple-play"))
    later = new.revision.model_copy(
        update={"items": tuple(one.model_copy(update={"action": Action.MODIFY}) for one in new.revision.items)}
    )
    plan = decompose(catalog, "o2", later, baseline=new.revision, installed=new.plan)
    own = {key for key, task in new.plan.tasks.items() if _scope(catalog, task.operation) is Scope.PRODUCT}
    assert set(plan.tasks) == own | {"o2/completion/notify-customer"}
    for key in own:
        assert (plan.tasks[key].inputs, plan.tasks[key].refs) == (new.plan.tasks[key].inputs, new.plan.tasks[key].refs)


def _scope(catalog: Catalog, operation: str) -> Scope:
    specification, _, task = operation.partition("/")
    return catalog.specifications[specification].tasks[task].scope


# What a change touches


def test_another_speed_touches_the_access_line_and_its_charge_only(catalog: Catalog) -> None:
    order = household(catalog)
    touched = order.change(update=(ItemUpdate(id="1.internet", offering="fibre-1000"),))
    assert touched == ["amend fibre-internet/activate-line", "amend fibre-internet/start-billing"]
    assert order.reconciler.settled


def test_another_speed_of_the_flexible_offering_touches_the_same(catalog: Catalog) -> None:
    order = household(catalog)
    order.change(update=(ItemUpdate(id="1.internet", offering="fibre-flex", characteristics={"down_mbps": 200}),))
    touched = order.change(update=(ItemUpdate(id="1.internet", characteristics={"down_mbps": 800}),))
    assert touched == ["amend fibre-internet/activate-line", "amend fibre-internet/start-billing"]


def test_another_tv_pack_touches_the_subscription_and_its_charge_only(catalog: Catalog) -> None:
    touched = household(catalog).change(update=(ItemUpdate(id="1.tv", offering="tv-cinema"),))
    assert touched == ["amend tv/activate-tv", "amend tv/start-billing"]


def test_another_number_is_made_before_the_old_one_is_given_back(catalog: Catalog) -> None:
    touched = household(catalog).change(update=(ItemUpdate(id="1.voice", characteristics={"number": "+493023125007"}),))
    assert touched == [
        "provision voice-line/reserve-number",
        "amend voice-line/activate-line",
        "compensate voice-line/reserve-number",
    ]


def test_these_three_are_what_the_catalog_says_of_its_inputs(catalog: Catalog) -> None:
    """What is an amendment, what a replacement, and that nothing else reads the values that change."""
    readers: dict[str, list[tuple[str, OnChange]]] = {}
    for specification in ("fibre-internet", "voice-line", "tv"):
        for own, template in catalog.templates(specification):
            for given in template.inputs.values():
                if given.value in ("${char.down_mbps}", "${char.pack}", "${char.number}"):
                    reader = f"{own.name}/{template.name}", given.on_change
                    readers.setdefault(str(given.value), []).append(reader)
    assert readers == {
        "${char.down_mbps}": [
            ("fibre-internet/activate-line", OnChange.AMEND),
            ("fibre-internet/start-billing", OnChange.AMEND),
        ],
        "${char.number}": [("voice-line/reserve-number", OnChange.REPLACE)],
        "${char.pack}": [("tv/activate-tv", OnChange.AMEND), ("tv/start-billing", OnChange.AMEND)],
    }


def test_another_date_amends_the_visit_that_is_still_to_come(catalog: Catalog) -> None:
    order = household(catalog, waiting=frozenset({"field-service"}))
    touched = order.change(requested_completion="2031-01-01T08:00:00Z")
    assert touched == ["amend installation/visit-site"]


def test_adding_tv_without_a_technician_leaves_visit_and_parcel_alone(catalog: Catalog) -> None:
    site = Site(id="home")
    request = OrderRequest(external_id="x", channel="web", customer_id="c", items=(item("1", "fibre-500", site=site),))
    order = Order(catalog, request, waiting=frozenset({"field-service", "shipping"}))
    assert order.change(add=(item("2", "tv-sport", site=site, relies_on=("1",)),)) == []
    order.waiting = frozenset()
    told = [fact for fact in order.reconciler.ledger.all_facts() if fact.waiting]
    assert {fact.operation for fact in told} == {"installation/visit-site", "delivery/ship-parcel"}


def test_a_second_product_for_the_technician_amends_the_one_visit(catalog: Catalog) -> None:
    site = Site(id="home")
    request = OrderRequest(external_id="x", channel="web", customer_id="c", items=(item("1", "fibre-500", site=site),))
    order = Order(catalog, request, waiting=frozenset({"field-service"}))
    tv = item("2", "tv-sport", site=site, relies_on=("1",), characteristics={"installation": "technician"})
    assert order.change(add=(tv,)) == ["amend installation/visit-site"]


def test_another_technology_moves_the_line_to_a_new_port(catalog: Catalog) -> None:
    touched = household(catalog).change(
        update=(ItemUpdate(id="1.internet", characteristics={"technology": "xgs-pon"}),)
    )
    ports = [step for step in touched if "reserve-port" in step or "activate-line" in step]
    assert ports == [
        "provision fibre-internet/reserve-port",
        "amend fibre-internet/activate-line",
        "compensate fibre-internet/reserve-port",
    ]
    assert not any(step.split()[1].startswith(("voice-line", "tv/", "installation")) for step in touched)


def test_an_esim_takes_the_place_of_a_card(catalog: Catalog) -> None:
    request = OrderRequest(external_id="x", channel="web", customer_id="c", items=(item("1", "mobile-s"),))
    order = Order(catalog, request)
    touched = order.change(update=(ItemUpdate(id="1", characteristics={"sim_type": "esim"}),))
    assert order.reconciler.settled
    assert touched.index("amend mobile/activate-subscription") < touched.index("compensate mobile/register-sim")
    assert {"compensate mobile/ship-sim", "compensate mobile/allocate-sim"} < set(touched)
    assert not any("start-billing" in step or "sign-contract" in step for step in touched)


def test_another_address_plan_takes_the_whole_vpn_down_and_up(catalog: Catalog) -> None:
    order = Order(catalog, example("business-vpn"))
    touched = order.change(update=(ItemUpdate(id="core", characteristics={"address_plan": "ipv4"}),))
    attach, create = "business-vpn-site/attach-site", "business-vpn-core/create-vpn"
    assert touched == [
        *[f"compensate {attach}"] * 5,
        f"compensate {create}",
        f"provision {create}",
        *[f"provision {attach}"] * 5,
    ]


def test_another_colour_changes_the_parcel_before_it_is_sent(catalog: Catalog) -> None:
    order = Order(catalog, example("retail-trade-in"), waiting=frozenset({"shipping", "trade-in"}))
    touched = order.change(update=(ItemUpdate(id="1", characteristics={"colour": "black"}),))
    assert "provision retail-device/allocate-device" in touched
    assert not any("take-old-device" in step for step in touched)


# What can be undone


def test_points_of_no_return_are_where_they_hurt(catalog: Catalog) -> None:
    points = {
        f"{specification.name}/{template.name}": template.point_of_no_return
        for specification in catalog.specifications.values()
        for template in specification.tasks.values()
        if template.point_of_no_return is not None
    }
    assert {name: point.kind for name, point in points.items()} == {
        "delivery/ship-parcel": "soft",
        "installation/visit-site": "hard",
        "mobile/ship-sim": "soft",
    }
    assert {point.fee.currency for point in points.values() if point.fee} == {"EUR"}


def test_visits_and_messages_can_not_be_unmade(catalog: Catalog) -> None:
    undo = {
        f"{specification.name}/{template.name}": template.undo
        for specification in catalog.specifications.values()
        for template in specification.tasks.values()
        if template.undo is not Undo.ALWAYS
    }
    assert undo == {
        "installation/visit-site": Undo.UNTIL_DONE,
        "building-connection/dig-trench": Undo.UNTIL_DONE,
        "completion/notify-customer": Undo.NEVER,
    }
