"""Capture: bundles are filled, characteristics checked, products numbered."""

from pathlib import Path

import pytest

from orders.model.catalog import Catalog
from orders.model.order import OrderRequest, Rejection, RequestedItem, Revision, Site
from orders.model.values import Action
from orders.planning.capture import baseline_of, capture
from tests.orders.support.catalogs import SOUND, catalog_of

HOME = Site(id="home", address={"city": "Musterstadt"})


@pytest.fixture(name="catalog")
def a_catalog(tmp_path: Path) -> Catalog:
    return catalog_of(tmp_path, SOUND)


def item(name: str, offering: str, **more: object) -> RequestedItem:
    return RequestedItem.model_validate({"id": name, "offering": offering, **more})


def request(*items: RequestedItem) -> OrderRequest:
    return OrderRequest(external_id="x", channel="web", customer_id="c", items=items, priority=2)


def captured(catalog: Catalog, *items: RequestedItem) -> Revision:
    return capture(catalog, request(*items), "o")


def refusals(catalog: Catalog, *items: RequestedItem) -> list[tuple[str, str | None]]:
    with pytest.raises(Rejection) as caught:
        captured(catalog, *items)
    return [(reason.code, reason.item) for reason in caught.value.reasons]


def test_a_request_becomes_revision_1(catalog: Catalog) -> None:
    revision = captured(catalog, item("1", "fibre", site=HOME))
    assert (revision.number, revision.customer_id, revision.channel, revision.priority) == (1, "c", "web", 2)
    [ordered] = revision.items
    assert (ordered.action, ordered.specification, ordered.site) == (Action.ADD, "internet", HOME)


def test_the_baseline_of_new_products_is_empty(catalog: Catalog) -> None:
    revision = baseline_of(catalog, request(item("1", "fibre"))).revision
    assert (revision.number, revision.items) == (0, ())


def test_an_order_id_is_the_same_for_the_same_external_id_of_a_channel() -> None:
    one = request(item("1", "fibre"))
    assert one.order_id == request(item("2", "phone")).order_id
    assert one.order_id != one.model_copy(update={"channel": "shop"}).order_id
    assert one.order_id.startswith("web-")


# Products


def test_every_unit_is_a_product_with_an_id_of_its_own(catalog: Catalog) -> None:
    revision = captured(catalog, item("1", "fibre", quantity=3, site=HOME))
    assert revision.items[0].products == ("o.1.1", "o.1.2", "o.1.3")
    assert revision.items[0].quantity == 3
    assert revision.next_product["1"] == 4


# Bundles


def test_a_bundle_is_filled_with_its_defaults(catalog: Catalog) -> None:
    revision = captured(catalog, item("1", "duo", site=HOME))
    assert [(part.id, part.offering, part.parent) for part in revision.items] == [
        ("1", "duo", None),
        ("1.internet", "fibre", "1"),
        ("1.voice", "phone", "1"),
    ]


def test_components_are_installed_at_the_site_of_their_bundle(catalog: Catalog) -> None:
    office = Site(id="office")
    revision = captured(catalog, item("1.voice", "phone", parent="1", site=office), item("1", "duo", site=HOME))
    sites = {part.id: part.site for part in revision.items}
    assert sites == {"1": HOME, "1.internet": HOME, "1.voice": office}


def test_a_component_that_is_named_takes_the_place_of_the_default(catalog: Catalog) -> None:
    flexible = item("1.net", "fibre-flex", parent="1", characteristics={"speed": 50})
    revision = captured(catalog, item("1", "duo", site=HOME), flexible)
    assert {part.id: part.offering for part in revision.items} == {
        "1": "duo",
        "1.net": "fibre-flex",
        "1.voice": "phone",
    }


def test_a_bundle_needs_every_component_that_is_not_optional(tmp_path: Path) -> None:
    path = "offerings/duo/bundle/voice"
    without_default = catalog_of(tmp_path, SOUND, **{path: "{offerings: [phone]}"})
    assert refusals(without_default, item("1", "duo", site=HOME)) == [("bundle_incomplete", "1")]
    optional = catalog_of(tmp_path, SOUND, **{path: "{offerings: [phone], optional: true}"})
    assert [part.id for part in captured(optional, item("1", "duo", site=HOME)).items] == ["1", "1.internet"]


def test_a_role_of_a_bundle_is_filled_once(catalog: Catalog) -> None:
    twice = [item(name, "phone", parent="1") for name in ("a", "b")]
    assert refusals(catalog, item("1", "duo", site=HOME), *twice) == [("bundle_incomplete", "1")]


def test_what_is_no_component_of_a_bundle_is_refused(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, SOUND, **{"offerings/duo/bundle/internet": "{offerings: [fibre], default: fibre}"})
    flexible = item("x", "fibre-flex", parent="1", characteristics={"speed": 50})
    assert refusals(catalog, item("1", "duo", site=HOME), flexible) == [("not_in_bundle", "x")]


def test_a_bundle_is_ordered_one_by_one(catalog: Catalog) -> None:
    assert refusals(catalog, item("1", "duo", quantity=2, site=HOME)) == [("bundle_quantity", "1")]


def test_bundles_that_hold_each_other_are_refused(catalog: Catalog) -> None:
    found = refusals(catalog, item("1", "duo", parent="2", site=HOME), item("2", "duo", parent="1", site=HOME))
    assert found == [("bundle_cycle", "1")]


# Characteristics


def test_defaults_and_fixed_values_are_filled_in(catalog: Catalog) -> None:
    revision = captured(catalog, item("1", "fibre", site=HOME))
    assert revision.items[0].characteristics == {"speed": 500, "technology": "gpon", "router": False}


@pytest.mark.parametrize(
    ("offering", "given", "code"),
    [
        ("fibre", {"colour": "red"}, "unknown_characteristic"),
        ("fibre", {"technology": "dsl"}, "bad_characteristic"),
        ("fibre", {"router": "yes"}, "bad_characteristic"),
        ("fibre-flex", {"speed": "fast"}, "bad_characteristic"),
        ("fibre-flex", {"speed": True}, "bad_characteristic"),
        ("fibre-flex", {"speed": 0}, "bad_characteristic"),
        ("fibre-flex", {"speed": 1001}, "bad_characteristic"),
        ("fibre-flex", {}, "missing_characteristic"),
        ("fibre-flex", {"speed": None}, "missing_characteristic"),
        ("fibre", {"speed": 100}, "fixed_characteristic"),
    ],
)
def test_characteristics_are_checked(catalog: Catalog, offering: str, given: dict[str, object], code: str) -> None:
    assert refusals(catalog, item("1", offering, site=HOME, characteristics=given)) == [(code, "1")]


def test_a_pattern_holds_for_the_whole_value(catalog: Catalog) -> None:
    phone = item("2", "phone", site=HOME, relies_on=("1",), characteristics={"number": "123x"})
    assert refusals(catalog, item("1", "fibre", site=HOME), phone) == [("bad_characteristic", "2")]


# Items


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([item("1", "fiber", site=HOME)], [("unknown_offering", "1")]),
        ([item("1", "fibre")], [("site_missing", "1")]),
        ([item("1", "fibre", site=HOME)] * 2, [("duplicate_item", "1")]),
        ([item("1", "fibre", site=HOME, relies_on=("2",))], [("unknown_item", "1")]),
        ([item("1", "fibre", site=HOME, relies_on=("1",))], [("relies_on_itself", "1")]),
        ([item("1", "fibre", site=HOME, parent="9")], [("unknown_item", "1")]),
        ([item("1", "fibre", site=HOME), item("2", "fibre", site=Site(id="home"))], [("site_conflict", None)]),
    ],
)
def test_an_item_that_can_not_be_fulfilled_is_refused(
    catalog: Catalog, items: list[RequestedItem], expected: list[tuple[str, str | None]]
) -> None:
    found = refusals(catalog, *items)
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_all_reasons_are_given_at_once(catalog: Catalog) -> None:
    found = refusals(
        catalog,
        item("1", "fibre", characteristics={"colour": "red"}),
        item("2", "fiber", site=HOME),
        item("3", "phone", site=HOME, relies_on=("9",), characteristics={"number": "x"}),
    )
    assert sorted({where for _, where in found if where}) == ["1", "2", "3"]
    assert len(found) == 5
