"""What items ask of their products in TMF622's words: read, or a reason that names the path."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest

from api.errors import ChangeRefused, Malformed
from api.tmf.tmf622.patch import patched, to_change
from api.tmf.tmf622.request import to_request
from api.tmf.tmf622.wishes import is_site, show_wishes
from api.tmf.tmf637 import product_resource
from orders.change.request import ChangeRequest
from orders.model.order import Appointment, OrderRequest, RequestedItem, Site
from tests.given.households import PLACE, item, order
from tests.given.registers import a_product, an_item

SLOT = {"validFor": {"startDateTime": "2031-03-03T09:00:00+01:00", "endDateTime": "2031-03-03T12:00:00+01:00"}}
APPOINTMENT = {"id": "a-1", "timeZone": "Europe/Berlin", **SLOT}


def modify(**product: Any) -> dict[str, Any]:
    return {"id": "1", "action": "modify", "product": {"id": "web-1.net.1", **product}}


def request(*items: dict[str, Any], **attributes: Any) -> OrderRequest:
    return to_request(order(*items, **attributes))


def read(body: dict[str, Any]) -> RequestedItem:
    return request(body).items[0]


def beyond(asked: OrderRequest) -> list[str]:
    """The attributes of the first item that nobody can carry out."""
    found = asked.contradictions
    assert {(reason.code, reason.item) for reason in found} <= {("not_carried_out", asked.items[0].id)}
    return [reason.message.split()[2] for reason in found]


def test_what_is_asked_of_a_product_is_read() -> None:
    order_ = request(
        modify(
            status="suspended",
            billingAccount={"id": "account-2"},
            relatedParty=[{"id": "cust-2", "role": "Customer"}],
            productSpecification={"id": "tv"},
            productOffering={"id": "tv-sport"},
            productRelationship=[{"relationshipType": "bundledBy", "product": {"id": "web-1.1.1"}}],
        )
    )
    asked = order_.items[0]
    wishes = asked.wishes
    assert (wishes.status, wishes.billing_account, wishes.owners) == ("suspended", "account-2", ("cust-2",))
    assert (wishes.specification, asked.offering, asked.bundled_by) == ("tv", "tv-sport", "web-1.1.1")
    assert beyond(order_) == []


def test_a_product_that_is_sent_back_as_the_inventory_tells_it_asks_for_nothing_else() -> None:
    product = product_resource(a_product("web-1.net.1", relies_on=("web-1.x.1",), site=Site(id="home")), {}, "http://a")
    order_ = request({"id": "1", "action": "modify", "product": product})
    asked = order_.items[0]
    assert beyond(order_) == []
    assert (asked.wishes.status, asked.relies_on_products) == ("active", ("web-1.x.1",))


@pytest.mark.parametrize(
    ("product", "path"),
    [
        ({"place": [{"id": "b", "role": "billingAddress"}]}, "product.place[0].role"),
        ({"place": [PLACE, {"id": "b", "role": "Z-end"}]}, "product.place[1].role"),
        ({"relatedParty": [{"id": "cust-2", "role": "user"}]}, "product.relatedParty[0].role"),
        (
            {"productRelationship": [{"relationshipType": "replaces", "product": {"id": "p"}}]},
            "product.productRelationship[0].relationshipType",
        ),
        ({"terminationDate": "2031-03-03T09:00:00Z"}, "product.terminationDate"),
        ({"productSerialNumber": "S-1"}, "product.productSerialNumber"),
        ({"isCustomerVisible": True}, "product.isCustomerVisible"),
        ({"colour": "red"}, "product.colour"),
    ],
)
def test_what_nobody_can_carry_out_is_named_by_its_path(product: dict[str, Any], path: str) -> None:
    assert beyond(request(modify(**product))) == [path]


def test_of_a_new_product_what_is_not_read_is_kept() -> None:
    new = item("net", "fibre-100")
    new["product"] |= {"productSerialNumber": "S-1", "relatedParty": [{"id": "u", "role": "user"}]}
    new["product"]["place"].append({"id": "b", "role": "billingAddress"})
    assert beyond(request(new)) == []


def test_an_item_that_contradicts_its_product_is_refused() -> None:
    asked = modify(billingAccount={"id": "a"}, productOffering={"id": "fibre-100"})
    asked |= {"billingAccount": {"id": "b"}, "productOffering": {"id": "fibre-500"}}
    assert beyond(request(asked)) == ["billingAccount", "product.productOffering"]


@pytest.mark.parametrize(
    "role", ["installationAddress", "INSTALL_LOCATION", "Installation address", "service delivery", "site", "A-end", ""]
)
def test_a_place_is_where_the_product_is_installed(role: str) -> None:
    assert is_site(role)
    asked = read(modify(place=[{"id": "b", "role": "billing address"}, {"id": "site-2", "role": role}]))
    assert asked.site is not None
    assert asked.site.id == "site-2"


@pytest.mark.parametrize("role", ["billingAddress", "Delivery Address", "shipTo", "contact", "invoicing", "postal"])
def test_a_place_of_another_use_is_not(role: str) -> None:
    assert not is_site(role)


def test_a_place_that_is_said_to_be_for_installation_comes_first() -> None:
    asked = read(item("net", "fibre-100") | {"product": {"place": [{"id": "x", "role": "site"}, PLACE]}})
    assert asked.site is not None
    assert asked.site.id == PLACE["id"]


# When, and on whose bill


def test_the_appointment_of_an_item_is_read_where_it_says_when() -> None:
    slot = read(item("net", "fibre-100") | {"appointment": APPOINTMENT}).wishes.appointment
    assert slot is not None
    assert (slot.start, slot.time_zone) == (datetime.fromisoformat("2031-03-03T09:00:00+01:00"), "Europe/Berlin")
    for told in ({"id": "a-1"}, {"id": "a-1", **SLOT}):
        wishes = read(item("net", "fibre-100") | {"appointment": told}).wishes
        assert (wishes.appointment, wishes.appointment_ref) == (None, "a-1")


def test_an_appointment_ends_after_it_starts() -> None:
    period = {"startDateTime": "2031-03-03T09:00:00+01:00", "endDateTime": "2031-03-03T08:00:00+01:00"}
    with pytest.raises(Malformed) as caught:
        read(item("net", "fibre-100") | {"appointment": APPOINTMENT | {"validFor": period}})
    assert [detail.path for detail in caught.value.details] == ["productOrderItem[0].appointment"]


def test_a_date_that_all_items_ask_for_is_that_of_the_order() -> None:
    start = {"requestedStartDate": "2031-03-03T09:00:00Z"}
    net, tv = item("net", "fibre-100") | start, item("tv", "tv-basic")
    assert request(net, tv | start).requested_start == datetime.fromisoformat("2031-03-03T09:00:00+00:00")
    assert request(net, **start).contradictions == ()
    alone = request(net, tv)
    assert (alone.requested_start, beyond(alone)) == (None, ["requestedStartDate"])
    later = request(net, requestedStartDate="2031-03-04T09:00:00Z")
    assert beyond(later) == ["requestedStartDate"]
    completion = {"requestedCompletionDate": "2031-03-03T09:00:00Z"}
    assert request(item("net", "fibre-100") | completion).requested_completion is not None


def test_the_billing_account_of_an_order_is_that_of_its_new_products() -> None:
    own = item("tv", "tv-basic") | {"billingAccount": {"id": "account-2"}}
    read_ = request(item("net", "fibre-100"), own, modify(), billingAccount={"id": "account-1"})
    assert [each.wishes.billing_account for each in read_.items] == ["account-1", "account-2", None]


# By a patch


def patch(before: dict[str, Any], **product: Any) -> ChangeRequest | None:
    """What a patch of the product of an order's one item asks for."""
    return patched_item(before, {"product": product})


def patched_item(before: dict[str, Any], patch: dict[str, Any]) -> ChangeRequest | None:
    document = order(before, id="web-1")
    wanted: dict[str, Any] = {"productOrderItem": [{"id": before["id"], **patch}]}
    amendment = to_change(document, document, patched(document, "application/json", wanted), "p")
    return amendment.change if amendment else None


def test_a_patch_asks_for_what_differs() -> None:
    before = modify(status="active", billingAccount={"id": "a"})
    change = patch(before, status="suspended", billingAccount={"id": "a"})
    assert change is not None
    assert change.update[0].wishes.model_dump(exclude_defaults=True) == {"status": "suspended"}
    with pytest.raises(ChangeRefused, match=r"product\.relatedParty"):
        patch(before, relatedParty=[{"id": "x", "role": "user"}])


def test_a_date_of_an_item_that_is_not_the_orders_any_more_is_in_no_patchs_way() -> None:
    """The order was rescheduled since."""
    before = item("net", "fibre-100") | {"requestedStartDate": "2031-03-03T09:00:00Z"}
    document = order(before, id="web-1", requestedStartDate="2031-03-04T09:00:00Z")
    after = patched(document, "application/json", {"description": "second"})
    assert to_change(document, document, after, "p") is not None


@pytest.mark.parametrize("name", ["status", "billingAccount"])
def test_what_was_asked_cannot_be_taken_away_by_a_patch(name: str) -> None:
    before = modify(status="suspended", billingAccount={"id": "a"})
    with pytest.raises(Malformed) as caught:
        patch(before, **{name: None})
    assert [detail.path for detail in caught.value.details] == [f"productOrderItem.product.{name}"]


def test_relations_of_products_are_the_items_for_good() -> None:
    for kind in ("reliesOn", "bundledBy"):
        with pytest.raises(Malformed, match="for good") as caught:
            patch(modify(), productRelationship=[{"relationshipType": kind, "product": {"id": "p"}}])
        assert [detail.path for detail in caught.value.details] == ["productOrderItem.product.productRelationship"]


def test_a_patched_appointment_is_another_one() -> None:
    before = item("net", "fibre-100") | {"appointment": APPOINTMENT}
    period = {"startDateTime": "2031-03-04T09:00:00+01:00", "endDateTime": "2031-03-04T12:00:00+01:00"}
    change = patched_item(before, {"appointment": {"validFor": period}})
    assert change is not None
    assert change.update[0].wishes.appointment is not None
    assert change.update[0].wishes.appointment.start.day == 4


# What an order shows


def test_an_item_shows_what_was_asked_since() -> None:
    site = Site(id="site-1")
    asked = an_item(
        "1",
        action="modify",
        status="suspended",
        billing_account="account-2",
        site=site,
        amended=("status", "billing_account"),
    )
    body = modify() | {"appointment": deepcopy(APPOINTMENT)}
    made = Appointment(site="site-1", start=datetime.fromisoformat("2031-03-04T09:00:00+01:00"), time_zone="Etc/UTC")
    show_wishes(body, asked, [made])
    assert (body["product"]["status"], body["product"]["billingAccount"]) == ("suspended", {"id": "account-2"})
    period = {"startDateTime": "2031-03-04T09:00:00+01:00"}
    assert body["appointment"] == {"id": "a-1", "validFor": period, "timeZone": "Etc/UTC"}


def test_an_item_that_shows_what_it_asks_for_is_left_as_it_was_written() -> None:
    start, end = (datetime.fromisoformat(SLOT["validFor"][name]) for name in ("startDateTime", "endDateTime"))
    made = Appointment(site="site-1", start=start, end=end, time_zone="Europe/Berlin")
    in_other_words: dict[str, Any] = APPOINTMENT | {
        "validFor": {"startDateTime": "2031-03-03T09:00:00.000+01:00", "endDateTime": "2031-03-03T11:00:00Z"}
    }
    for body, view in (
        (modify(status="active", billingAccount={"id": "a"}), an_item("1", action="modify", billing_account="a")),
        (modify(), an_item("1", action="modify")),
        (item("net", "fibre-100"), an_item("net", billing_account="that of the order")),
        (item("net", "fibre-100") | {"appointment": APPOINTMENT}, an_item("net", site=Site(id="site-1"))),
        (item("net", "fibre-100") | {"appointment": in_other_words}, an_item("net", site=Site(id="site-1"))),
    ):
        before = deepcopy(body)
        show_wishes(body, view, [made])
        assert body == before


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"billingAccount": {"id": "a\x05"}}, "billingAccount.id"),
        ({"appointment": {"id": "a\x05"}}, "appointment.id"),
        ({"product": {"productSpecification": {"id": "a\x05"}}}, "product.productSpecification.id"),
    ],
)
def test_control_characters_in_what_is_asked_are_refused_by_path(said: dict[str, Any], where: str) -> None:
    with pytest.raises(Malformed) as refused:
        request(item("net", "fibre-100") | said)
    [detail] = refused.value.details
    assert (detail.path, detail.message) == (f"productOrderItem[0].{where}", "must not hold the character U+0005")
