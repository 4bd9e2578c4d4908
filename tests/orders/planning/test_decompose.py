"""Decomposition: which tasks a revision calls for, what they wait for and what they are told."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from orders.model.catalog import Catalog
from orders.model.order import OrderRequest, Rejection, RequestedItem, Site
from orders.model.plan import OutputRef, Plan
from orders.planning.capture import capture
from orders.planning.decompose import decompose
from tests.orders.support.catalogs import SOUND, catalog_of

HOME = Site(id="home", address={"city": "Musterstadt"})

SHOP = """
silos:
  store: {protocol: tmf640, address: /store}
  carrier: {protocol: tmf641, address: /carrier}
specifications:
  base:
    role: base
    characteristics: {colour: {default: red}}
    tasks:
      stock: {title: Stock, silo: store, operation: stock, inputs: {sku: "base-${char.colour}"}, outputs: [serial]}
      box:
        title: Box
        silo: store
        operation: box
        scope: item
        depends_on: [stock]
        inputs: {item: "${item.id}", colour: "${char.colour}", serials: "${stock.serial}"}
      parcel:
        title: Parcel
        silo: carrier
        operation: parcel
        scope: order
        depends_on: [{task: stock, of: base}, {task: stock, of: gadget, as: extra, optional: true}]
        inputs:
          customer: "${order.customer}"
          channel: "${order.channel}"
          by: "${order.requested_completion}"
          base: "${stock.serial}"
          extra: "${extra.serial}"
          colours: "${each.char.colour}"
          items: "${each.item.id}"
          products: "${each.id}"
          text: "order ${order.id} by ${order.requested_start}."
  gadget:
    role: gadget
    tasks:
      stock: {title: Stock, silo: store, operation: stock, outputs: [serial]}
      mount:
        title: Mount
        silo: store
        operation: mount
        depends_on: [stock, {task: stock, of: base, as: base}]
        inputs: {base: "${base.serial}", gadget: "${stock.serial}"}
offerings:
  base: {specification: base}
  gadget: {specification: gadget}
  set:
    bundle:
      base: {offerings: [base], default: base}
      gadget: {offerings: [gadget], default: gadget}
  kit:
    bundle:
      gadget: {offerings: [gadget], default: gadget}
"""


@pytest.fixture(name="catalog")
def a_catalog(tmp_path: Path) -> Catalog:
    return catalog_of(tmp_path, SOUND)


@pytest.fixture(name="shop")
def a_shop(tmp_path: Path) -> Catalog:
    return catalog_of(tmp_path, SHOP)


def plan_of(
    catalog: Catalog, *items: RequestedItem, start: datetime | None = None, completion: datetime | None = None
) -> Plan:
    """The plan of an order `o` of customer `c`, sold on the web."""
    request = OrderRequest(
        external_id="x",
        channel="web",
        customer_id="c",
        items=items,
        requested_start=start,
        requested_completion=completion,
    )
    return decompose(catalog, "o", capture(catalog, request, "o"))


def item(name: str, offering: str, **more: object) -> RequestedItem:
    return RequestedItem.model_validate({"id": name, "offering": offering, **more})


def refusal(catalog: Catalog, *items: RequestedItem) -> list[tuple[str, str | None, str]]:
    with pytest.raises(Rejection) as caught:
        plan_of(catalog, *items)
    return [(reason.code, reason.item, reason.message) for reason in caught.value.reasons]


# Keys, edges and inputs


def test_a_key_is_scope_specification_and_task(catalog: Catalog) -> None:
    plan = plan_of(catalog, item("1", "fibre", site=HOME))
    assert sorted(plan.tasks) == [
        "o.1.1/internet/line",
        "o.1.1/internet/port",
        "o/account/open",
        "o@home/installation/visit",
    ]


def test_edges_are_told_apart_by_kind(catalog: Catalog) -> None:
    line = plan_of(catalog, item("1", "fibre", site=HOME)).tasks["o.1.1/internet/line"]
    assert line.builds_on == ("o.1.1/internet/port",)
    assert line.after == ("o/account/open",)


def test_inputs_are_filled_from_the_order_and_refer_to_outputs(catalog: Catalog) -> None:
    line = plan_of(catalog, item("1", "fibre", site=HOME)).tasks["o.1.1/internet/line"]
    assert line.inputs == {"speed": 500, "router": None}
    assert line.refs == {"port": OutputRef(("o.1.1/internet/port",), "port_id")}


def test_a_condition_brings_a_task_and_its_edges(catalog: Catalog) -> None:
    plan = plan_of(catalog, item("1", "fibre", site=HOME, characteristics={"router": True}))
    line = plan.tasks["o.1.1/internet/line"]
    assert line.builds_on == ("o.1.1/internet/port", "o.1.1/internet/router")
    assert line.refs["router"] == OutputRef(("o.1.1/internet/router",), "serial")


def test_release_after_becomes_keys(catalog: Catalog) -> None:
    port = plan_of(catalog, item("1", "fibre", site=HOME)).tasks["o.1.1/internet/port"]
    assert port.release_after == ("o.1.1/internet/line",)


def test_every_task_stands_after_those_that_it_waits_for(catalog: Catalog) -> None:
    plan = plan_of(catalog, item("1", "duo", site=HOME))
    keys = list(plan.tasks)
    assert all(keys.index(other) < keys.index(key) for key, task in plan.tasks.items() for other in task.depends_on)


def test_a_plan_brings_its_operations_and_silos(catalog: Catalog) -> None:
    plan = plan_of(catalog, item("1", "fibre", site=HOME))
    assert set(plan.operations) == {task.operation for task in plan.tasks.values()}
    assert plan.operation(plan.tasks["o.1.1/internet/line"]).silo == "network"
    assert set(plan.silos) == {"field", "inventory", "network"}


def test_the_same_revision_gives_the_same_plan(catalog: Catalog) -> None:
    one, two = (plan_of(catalog, item("1", "duo", site=HOME)) for _ in range(2))
    assert one == two
    assert list(one.tasks) == list(two.tasks)


def test_an_untouched_product_keeps_its_own_tasks_word_for_word(catalog: Catalog) -> None:
    alone = plan_of(catalog, item("1", "fibre", site=HOME))
    with_voice = plan_of(catalog, item("1", "fibre", site=HOME), item("2", "phone", site=HOME, relies_on=("1",)))
    for key in ("o.1.1/internet/port", "o.1.1/internet/line", "o/account/open"):
        before, after = alone.tasks[key], with_voice.tasks[key]
        assert (before.inputs, before.refs, before.builds_on) == (after.inputs, after.refs, after.builds_on)


# Shared tasks


def test_products_at_one_site_share_a_visit(catalog: Catalog) -> None:
    plan = plan_of(catalog, item("1", "duo", site=HOME), item("2", "fibre", site=HOME))
    visits = [key for key in plan.tasks if key.endswith("/visit")]
    assert visits == ["o@home/installation/visit"]
    visit = plan.tasks[visits[0]]
    assert set(visit.items) == {"1.internet", "1.voice", "2"}
    assert set(visit.products) == {"o.1.internet.1", "o.1.voice.1", "o.2.1"}
    assert visit.inputs["products"] == list(visit.products)


def test_a_shared_task_builds_on_the_tasks_of_all_who_share_it(catalog: Catalog) -> None:
    visit = plan_of(catalog, item("1", "fibre", site=HOME), item("2", "fibre", site=HOME)).tasks[
        "o@home/installation/visit"
    ]
    assert visit.builds_on == ("o.1.1/internet/port", "o.2.1/internet/port")
    assert visit.refs["ports"] == OutputRef(visit.builds_on, "port_id", many=True)


def test_a_shared_task_is_told_a_list_even_by_one_product(catalog: Catalog) -> None:
    visit = plan_of(catalog, item("1", "fibre", site=HOME)).tasks["o@home/installation/visit"]
    assert visit.inputs == {"site": "home", "products": ["o.1.1"]}
    assert visit.refs["ports"].many


def test_products_at_different_sites_are_visited_apart(catalog: Catalog) -> None:
    plan = plan_of(catalog, item("1", "fibre", site=HOME), item("2", "fibre", site=Site(id="office")))
    visits = {key: task.products for key, task in plan.tasks.items() if key.endswith("/visit")}
    assert visits == {"o@home/installation/visit": ("o.1.1",), "o@office/installation/visit": ("o.2.1",)}


def test_an_order_task_serves_every_product(shop: Catalog) -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    plan = plan_of(
        shop,
        item("1", "base", quantity=2),
        item("2", "base", characteristics={"colour": "blue"}),
        start=start,
        completion=end,
    )
    assert plan.tasks["o/base/parcel"].inputs == {
        "customer": "c",
        "channel": "web",
        "by": "2026-02-01T00:00:00+00:00",
        "extra": None,
        "colours": ["red", "red", "blue"],
        "items": ["1", "1", "2"],
        "products": ["o.1.1", "o.1.2", "o.2.1"],
        "text": "order o by 2026-01-01T00:00:00+00:00.",
    }
    assert plan.tasks["o/base/parcel"].refs["base"].tasks == (
        "o.1.1/base/stock",
        "o.1.2/base/stock",
        "o.2.1/base/stock",
    )


def test_an_order_task_takes_what_stands_beside_those_who_share_it(shop: Catalog) -> None:
    plan = plan_of(shop, item("1", "set"))
    assert plan.tasks["o/base/parcel"].refs["extra"] == OutputRef(("o.1.gadget.1/gadget/stock",), "serial", many=True)


def test_an_item_task_serves_the_products_of_its_item(shop: Catalog) -> None:
    plan = plan_of(shop, item("1", "base", quantity=2), item("2", "base"))
    assert plan.tasks["o.1/base/box"].refs["serials"].tasks == ("o.1.1/base/stock", "o.1.2/base/stock")
    assert plan.tasks["o.2/base/box"].products == ("o.2.1",)
    assert plan.tasks["o.2/base/box"].inputs == {"item": "2", "colour": "red"}


# Products beside each other


def test_quantity_makes_a_product_with_its_own_tasks_each(shop: Catalog) -> None:
    plan = plan_of(shop, item("1", "base", quantity=3))
    assert sorted(key for key in plan.tasks if key.endswith("/stock")) == [f"o.1.{n}/base/stock" for n in (1, 2, 3)]


def test_products_of_equal_quantity_are_paired(shop: Catalog) -> None:
    plan = plan_of(shop, item("1", "base", quantity=2), item("2", "gadget", quantity=2, relies_on=("1",)))
    assert plan.tasks["o.2.1/gadget/mount"].refs["base"].tasks == ("o.1.1/base/stock",)
    assert plan.tasks["o.2.2/gadget/mount"].refs["base"].tasks == ("o.1.2/base/stock",)


def test_several_products_share_the_one_that_they_rely_on(shop: Catalog) -> None:
    plan = plan_of(shop, item("1", "base"), item("2", "gadget", quantity=2, relies_on=("1",)))
    for n in (1, 2):
        assert plan.tasks[f"o.2.{n}/gadget/mount"].refs["base"] == OutputRef(("o.1.1/base/stock",), "serial")


def test_one_product_relies_on_all_of_an_item(shop: Catalog) -> None:
    plan = plan_of(shop, item("1", "base", quantity=2), item("2", "gadget", relies_on=("1",)))
    assert plan.tasks["o.2.1/gadget/mount"].refs["base"].tasks == ("o.1.1/base/stock", "o.1.2/base/stock")


def test_components_of_a_bundle_stand_beside_each_other(shop: Catalog) -> None:
    plan = plan_of(shop, item("1", "set"), item("2", "set"))
    assert plan.tasks["o.1.gadget.1/gadget/mount"].refs["base"].tasks == ("o.1.base.1/base/stock",)
    assert plan.tasks["o.2.gadget.1/gadget/mount"].refs["base"].tasks == ("o.2.base.1/base/stock",)


def test_relying_on_a_bundle_reaches_its_components(shop: Catalog) -> None:
    plan = plan_of(shop, item("1", "set"), item("2", "gadget", relies_on=("1",)))
    assert plan.tasks["o.2.1/gadget/mount"].refs["base"].tasks == ("o.1.base.1/base/stock",)


def test_what_a_bundle_relies_on_stands_beside_its_components(shop: Catalog) -> None:
    plan = plan_of(shop, item("1", "base"), item("2", "kit", relies_on=("1",)))
    assert plan.tasks["o.2.gadget.1/gadget/mount"].refs["base"].tasks == ("o.1.1/base/stock",)


# Refusals


def test_a_product_without_the_one_that_it_builds_on_is_refused_by_name(catalog: Catalog) -> None:
    [(code, where, message)] = refusal(catalog, item("1", "fibre", site=HOME), item("tel", "phone", site=HOME))
    assert (code, where) == ("missing_reliance", "tel")
    assert message == (
        "item tel: phone needs a product of role internet beside it (in its bundle, or an item that it relies on)"
    )


def test_relying_on_a_product_of_another_role_is_not_enough(shop: Catalog) -> None:
    found = refusal(shop, item("1", "gadget", relies_on=("2",)), item("2", "gadget", relies_on=("1",)))
    assert [(code, where) for code, where, _ in found] == [("missing_reliance", "1"), ("missing_reliance", "2")]


def test_a_missing_product_is_named_once_whatever_the_quantity(shop: Catalog) -> None:
    assert len(refusal(shop, item("1", "gadget", quantity=5))) == 1


def test_products_that_build_on_each_other_in_a_circle_are_refused(shop: Catalog) -> None:
    """The check of the catalog lets no such catalog pass: decomposition does not rely on it."""
    gadget = shop.specifications["gadget"]
    stock = gadget.tasks["stock"].model_copy(update={"depends_on": gadget.tasks["mount"].depends_on[:1]})
    twisted = gadget.model_copy(update={"tasks": {**gadget.tasks, "stock": stock}})
    unsound = shop.model_copy(update={"specifications": {**shop.specifications, "gadget": twisted}})
    found = refusal(unsound, item("1", "set"))
    assert found[0][0] == "circular_reliance"
    assert "o.1.gadget.1/gadget/stock -> o.1.gadget.1/gadget/stock" in found[0][2]
