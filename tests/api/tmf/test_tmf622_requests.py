"""TMF622 bodies become requests, and what is wrong with a body is named by its path."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.errors import Malformed
from api.tmf.json_body import body_digest
from api.tmf.tmf622.request import to_request
from orders.model.values import Action
from settings import ROOT

EXAMPLES = sorted((ROOT / "examples" / "orders").glob("*.json"))

Edit = Callable[[dict[str, Any]], None]


def home() -> dict[str, Any]:
    """A bundle with one component named, and a voice line beside it."""
    place = {"id": "site-1", "role": "installationAddress", "city": "Bonn", "streetName": "Weg", "floor": 3}
    return {
        "externalId": "WEB-1",
        "priority": "1",
        "requestedStartDate": "2031-03-03T08:00:00+01:00",
        "channel": [{"id": "web"}],
        "relatedParty": [{"id": "seller-1", "role": "seller"}, {"id": "cust-1", "role": "Customer"}],
        "productOrderItem": [
            {
                "id": "1",
                "action": "add",
                "productOffering": {"id": "triple-play-1000"},
                "product": {"place": [{"role": "billingAddress"}, place]},
                "productOrderItem": [{"id": "1.tv", "action": "add", "productOffering": {"id": "tv-sport"}}],
            },
            {
                "id": "2",
                "action": "add",
                "quantity": 2,
                "productOffering": {"id": "mobile-s"},
                "product": {"productCharacteristic": [{"name": "sim_type", "value": "esim"}]},
                "productOrderItemRelationship": [{"id": "1", "relationshipType": "relies on"}],
            },
        ],
    }


def edited(edit: Edit) -> dict[str, Any]:
    body = deepcopy(home())
    edit(body)
    return body


def items(body: dict[str, Any]) -> dict[str, Any]:
    return {item.id: item for item in to_request(body).items}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_order_can_be_read(example: Path) -> None:
    body = json.loads(example.read_text())
    request = to_request(body)
    assert request.external_id == body["externalId"]
    assert request.channel == body["channel"][0]["id"]
    assert [item.id for item in request.items if item.parent is None] == [
        item["id"] for item in body["productOrderItem"]
    ]


def test_nested_items_are_components_of_the_item_around_them() -> None:
    assert items(home())["1.tv"].parent == "1"
    assert items(home())["1"].parent is None


def test_the_customer_is_the_party_with_that_role() -> None:
    assert to_request(home()).customer_id == "cust-1"


def test_the_first_party_is_the_customer_where_no_role_says_so() -> None:
    assert to_request(edited(lambda body: body["relatedParty"].pop())).customer_id == "seller-1"


def test_an_order_without_channel_came_by_the_api() -> None:
    assert to_request(edited(lambda body: body.pop("channel"))).channel == "api"


def test_a_date_is_kept_in_utc() -> None:
    assert to_request(home()).requested_start == datetime(2031, 3, 3, 7, tzinfo=UTC)


def test_the_site_is_the_installation_place_with_its_texts() -> None:
    site = items(home())["1"].site
    assert site.id == "site-1"
    assert site.address == {"city": "Bonn", "streetName": "Weg"}


def test_equal_places_are_equal_sites_whatever_the_order_of_their_attributes() -> None:
    def turn_around(body: dict[str, Any]) -> None:
        product = body["productOrderItem"][0]["product"]
        product["place"] = [dict(reversed(place.items())) for place in product["place"]]

    sites = [items(body)["1"].site for body in (home(), edited(turn_around))]
    assert sites[0].model_dump_json() == sites[1].model_dump_json()


@pytest.mark.parametrize("word", ["reliesOn", "relies on", "RELIES_ON", "relies-on"])
def test_reliance_is_understood_however_it_is_spelt(word: str) -> None:
    def spell(body: dict[str, Any]) -> None:
        body["productOrderItem"][1]["productOrderItemRelationship"][0]["relationshipType"] = word

    assert items(edited(spell))["2"].relies_on == ("1",)


def test_bundles_makes_the_other_item_a_component() -> None:
    def flatten(body: dict[str, Any]) -> None:
        bundle, voice = body["productOrderItem"]
        body["productOrderItem"] = [bundle, voice, *bundle.pop("productOrderItem")]
        bundle["productOrderItemRelationship"] = [{"id": "1.tv", "relationshipType": "bundles"}]

    assert items(edited(flatten))["1.tv"].parent == "1"


def test_bundled_by_makes_the_item_itself_a_component() -> None:
    def relate(body: dict[str, Any]) -> None:
        body["productOrderItem"][1]["productOrderItemRelationship"] = [{"id": "1", "relationshipType": "bundledBy"}]

    assert items(edited(relate))["2"].parent == "1"


def test_relationships_of_other_types_mean_nothing() -> None:
    def relate(body: dict[str, Any]) -> None:
        body["productOrderItem"][1]["productOrderItemRelationship"] = [{"id": "9", "relationshipType": "hasAddon"}]

    assert items(edited(relate))["2"].relies_on == ()


def test_a_null_is_as_good_as_nothing() -> None:
    def blank(body: dict[str, Any]) -> None:
        body |= {"channel": None, "description": None, "requestedStartDate": None, "note": None}
        body["productOrderItem"][1] |= {"product": None, "productOrderItem": None}

    request = to_request(edited(blank))
    assert (request.channel, request.description, request.requested_start) == ("api", "", None)


def test_an_order_without_external_id_is_another_order_each_time() -> None:
    body = edited(lambda body: body.pop("externalId"))
    assert to_request(body).order_id != to_request(body).order_id
    assert to_request(body, "key-1").order_id == to_request(body, "key-1").order_id


def test_the_installed_product_is_that_of_the_item() -> None:
    def cease(body: dict[str, Any]) -> None:
        body["productOrderItem"][1] |= {"action": "delete", "product": {"id": "web-1.2.1"}}

    item = items(edited(cease))["2"]
    assert (item.action, item.product) == (Action.DELETE, "web-1.2.1")


def in_item(n: int, **attributes: Any) -> Edit:
    return lambda body: body["productOrderItem"][n].update(attributes)


MALFORMED: dict[str, tuple[Edit, str]] = {
    "no items": (lambda body: body.update(productOrderItem=[]), "productOrderItem"),
    "items missing": (lambda body: body.pop("productOrderItem"), "productOrderItem"),
    "customer id empty": (lambda body: body["relatedParty"][1].update(id=""), "relatedParty[1].id"),
    "customer id too long": (lambda body: body["relatedParty"][1].update(id="x" * 201), "relatedParty[1].id"),
    "channel id": (lambda body: body["channel"][0].update(id="a\tb"), "channel[0].id"),
    "priority": (lambda body: body.update(priority="5"), "priority"),
    "a date without zone": (lambda body: body.update(requestedStartDate="2031-03-03T08:00:00"), "requestedStartDate"),
    "a date too far": (
        lambda body: body.update(requestedCompletionDate="9999-12-31T23:59:59Z"),
        "requestedCompletionDate",
    ),
    "a date before all": (
        lambda body: body.update(requestedStartDate="0001-01-01T00:00:00+14:00"),
        "requestedStartDate",
    ),
    "item id": (in_item(0, id="1\n"), "productOrderItem[0].id"),
    "item id twice": (in_item(1, id="1"), "productOrderItem[1].id"),
    "item id of a component twice": (in_item(1, id="1.tv"), "productOrderItem[1].id"),
    "item id missing": (lambda body: body["productOrderItem"][0].pop("id"), "productOrderItem[0].id"),
    "action": (in_item(0, action="suspend"), "productOrderItem[0].action"),
    "quantity": (in_item(1, quantity=0), "productOrderItem[1].quantity"),
    "quantity in words": (in_item(1, quantity="2"), "productOrderItem[1].quantity"),
    "an offering without id": (in_item(0, productOffering={}), "productOrderItem[0].productOffering.id"),
    "nested item that is none": (in_item(0, productOrderItem=["x"]), "productOrderItem[0].productOrderItem[0]"),
    "site id": (
        in_item(0, product={"place": [{"role": "installationAddress", "id": ""}]}),
        "productOrderItem[0].product.place[0].id",
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_body_is_refused_by_the_path_of_what_is_wrong(case: str) -> None:
    edit, path = MALFORMED[case]
    with pytest.raises(Malformed) as refusal:
        to_request(edited(edit))
    assert [detail.path for detail in refusal.value.details] == [path]


def test_everything_wrong_is_named_at_once_and_once() -> None:
    def spoil(body: dict[str, Any]) -> None:
        body["relatedParty"] = [{"id": ""}, {"id": 1}]
        body["productOrderItem"][0]["action"] = "suspend"

    with pytest.raises(Malformed) as refusal:
        to_request(edited(spoil))
    assert [(detail.path, detail.message) for detail in refusal.value.details] == [
        ("relatedParty[0].id", "must not be empty"),
        ("relatedParty[1].id", "must be a string"),
        ("productOrderItem[0].action", 'must be "add", "modify", "delete" or "noChange"'),
    ]


def bundled_twice(body: dict[str, Any]) -> None:
    body["productOrderItem"][1]["productOrderItemRelationship"] = [{"id": "1.tv", "relationshipType": "bundles"}]


CONTRADICTIONS: dict[str, tuple[Edit, tuple[str, str]]] = {
    "site without id": (
        in_item(0, product={"place": [{"role": "x"}, {"role": "Installation address"}]}),
        ("site_without_id", "1"),
    ),
    "characteristic twice": (
        in_item(1, product={"productCharacteristic": [{"name": "a", "value": 1}, {"name": "a", "value": 2}]}),
        ("characteristic_twice", "2"),
    ),
    "bundles nobody": (
        in_item(0, productOrderItemRelationship=[{"id": "9", "relationshipType": "bundles"}]),
        ("unknown_item", "1"),
    ),
    "relies on no item": (
        in_item(0, productOrderItemRelationship=[{"relationshipType": "reliesOn"}]),
        ("unknown_item", "1"),
    ),
    "relies on no product": (
        in_item(0, product={"productRelationship": [{"relationshipType": "reliesOn", "product": {}}]}),
        ("no_product", "1"),
    ),
    "bundles what is bundled": (bundled_twice, ("two_bundles", "2")),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_what_contradicts_itself_has_the_right_form_and_is_noted_with_its_item(case: str) -> None:
    edit, expected = CONTRADICTIONS[case]
    assert [(reason.code, reason.item) for reason in to_request(edited(edit)).contradictions] == [expected]


@pytest.mark.parametrize(
    "named", ["urn:ngsi-ld:organization:4711", "jane@example.com", "C/2024/77", "Jane Doe", "客户"]
)
def test_ids_of_others_are_free_text(named: str) -> None:
    def name(body: dict[str, Any]) -> None:
        body["relatedParty"][1]["id"] = body["channel"][0]["id"] = body["productOrderItem"][0]["id"] = named
        body["productOrderItem"][0]["product"]["place"][1]["id"] = named
        body["productOrderItem"][1]["productOrderItemRelationship"][0]["id"] = named

    request = to_request(edited(name))
    assert (request.customer_id, request.channel) == (named, named)
    item = request.items[0]
    assert (item.id, item.site and item.site.id, request.items[-1].relies_on) == (named, named, (named,))


def test_an_order_that_names_no_party_is_that_of_whom_the_token_names() -> None:
    nobody = edited(lambda body: body.pop("relatedParty"))
    assert to_request(nobody).customer_id == ""
    assert to_request(nobody, customer="cust-7").customer_id == "cust-7"


def test_the_digest_of_a_body_is_that_of_its_content() -> None:
    assert body_digest(home()) == body_digest(dict(reversed(home().items())))
    assert body_digest(home()) != body_digest(edited(in_item(1, quantity=3)))


@pytest.mark.parametrize("value", [float("nan"), "\ud800"])
def test_what_json_does_not_know_is_malformed(value: Any) -> None:
    with pytest.raises(Malformed):
        body_digest({"note": value})
