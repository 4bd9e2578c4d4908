"""Amendments of the shipped catalog's orders: what the next revision holds, and why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from orders.change.request import ChangeKind, ChangeRequest, ItemUpdate
from orders.model.order import Item, OrderRequest, Reason, Rejection, RequestedItem, Revision, Site
from orders.model.plan import Plan
from orders.planning.advancement import Advancement
from orders.planning.amend import amended
from orders.planning.capture import capture
from tests.orders.support.driver import shipped_catalog

HOME, OFFICE = Site(id="home", address={"city": "Ulm"}), Site(id="office", address={"city": "Bonn"})


def item(item_id: str, offering: str, **more: Any) -> RequestedItem:
    return RequestedItem(id=item_id, offering=offering, **more)


def captured(*items: RequestedItem) -> Revision:
    """Revision 1 of an order `o`."""
    request = OrderRequest(external_id="x", channel="web", customer_id="c", items=items)
    return capture(shipped_catalog(), request, "o")


def phones(quantity: int = 3) -> Revision:
    """Mobile subscriptions, in one item."""
    return captured(item("m", "mobile-s", quantity=quantity))


def internet_and_tv() -> Revision:
    """Internet, with TV and voice that stand on it."""
    return captured(
        item("net", "fibre-500", site=HOME),
        item("tv", "tv-basic", site=HOME, relies_on=("net",)),
        item("voice", "voice-line", relies_on=("net",)),
    )


def change(**asked: Any) -> ChangeRequest:
    return ChangeRequest(request_id="r", kind=ChangeKind.AMEND, **asked)


def amend(revision: Revision, advancement: Mapping[str, Advancement] | None = None, **asked: Any) -> Revision:
    """The next revision."""
    return amended(shipped_catalog(), "o", revision, change(**asked), advancement)[0]


def plan_after(revision: Revision, **asked: Any) -> Plan:
    """The next revision's plan."""
    return amended(shipped_catalog(), "o", revision, change(**asked))[1]


def update(item_id: str, **asked: Any) -> dict[str, Any]:
    return {"update": (ItemUpdate(id=item_id, **asked),)}


def refusal(revision: Revision, advancement: Mapping[str, Advancement] | None = None, **asked: Any) -> list[Reason]:
    """Why there is no next revision."""
    with pytest.raises(Rejection) as caught:
        amend(revision, advancement, **asked)
    return list(caught.value.reasons)


def of(revision: Revision, item_id: str) -> Item:
    found = revision.item(item_id)
    assert found is not None, f"no item {item_id}"
    return found


def ids(revision: Revision) -> list[str]:
    return sorted(each.id for each in revision.items)


# Quantity


def test_a_smaller_quantity_gives_up_the_least_advanced_products() -> None:
    advancement = {
        "o.m.1": Advancement(tasks_in_place=1),
        "o.m.2": Advancement(tasks_in_place=3),
        "o.m.3": Advancement(tasks_in_place=2),
    }
    after = amend(phones(), advancement, **update("m", quantity=2))
    assert of(after, "m").products == ("o.m.2", "o.m.3")


def test_among_equally_advanced_products_the_newest_goes() -> None:
    assert of(amend(phones(), **update("m", quantity=2)), "m").products == ("o.m.1", "o.m.2")


def test_a_product_past_its_point_of_no_return_is_given_up_last() -> None:
    advancement = {
        "o.m.2": Advancement(tasks_in_place=5),
        "o.m.3": Advancement(past_no_return=True, tasks_in_place=1),
    }
    assert of(amend(phones(), advancement, **update("m", quantity=2)), "m").products == ("o.m.2", "o.m.3")
    assert of(amend(phones(), advancement, **update("m", quantity=1)), "m").products == ("o.m.3",)


def test_products_past_their_point_of_no_return_are_not_given_up_without_being_named() -> None:
    advancement = {f"o.m.{n}": Advancement(past_no_return=True) for n in (1, 2, 3)}
    (reason,) = refusal(phones(), advancement, **update("m", quantity=2))
    assert reason.code == "past_no_return"
    assert reason.item == "m"
    assert "o.m.3" in reason.message
    named = amend(phones(), advancement, **update("m", drop=("o.m.2",)))
    assert of(named, "m").products == ("o.m.1", "o.m.3")


def test_products_to_give_up_can_be_named() -> None:
    assert of(amend(phones(), **update("m", drop=("o.m.1",))), "m").products == ("o.m.2", "o.m.3")
    assert of(amend(phones(), **update("m", drop=("o.m.1",), quantity=2)), "m").products == ("o.m.2", "o.m.3")


def test_named_products_go_first_and_the_least_advanced_make_up_the_rest() -> None:
    assert of(amend(phones(), **update("m", drop=("o.m.1",), quantity=1)), "m").products == ("o.m.2",)


def test_a_product_that_the_item_does_not_have_can_not_be_given_up() -> None:
    (reason,) = refusal(phones(), **update("m", drop=("o.m.9",)))
    assert (reason.code, reason.item) == ("unknown_product", "m")
    assert "o.m.9" in reason.message


def test_giving_up_every_product_is_refused_in_favour_of_removing_the_item() -> None:
    (reason,) = refusal(phones(2), **update("m", drop=("o.m.1", "o.m.2")))
    assert (reason.code, reason.item) == ("no_products", "m")


def test_a_larger_quantity_adds_products_under_new_numbers() -> None:
    assert of(amend(phones(2), **update("m", quantity=3)), "m").products == ("o.m.1", "o.m.2", "o.m.3")


def test_product_numbers_are_never_used_twice() -> None:
    fewer = amend(phones(), **update("m", quantity=2))
    more = amend(fewer, **update("m", quantity=3))
    assert of(more, "m").products == ("o.m.1", "o.m.2", "o.m.4")
    exchanged = amend(more, **update("m", drop=("o.m.1",), quantity=3))
    assert of(exchanged, "m").products == ("o.m.2", "o.m.4", "o.m.5")


def test_an_item_removed_and_ordered_again_has_other_products() -> None:
    removed = amend(phones(), add=(item("n", "mobile-m"),), remove=("m",))
    again = amend(removed, add=(item("m", "mobile-s"),))
    assert of(again, "m").products == ("o.m.4",)


def test_products_that_stay_keep_their_tasks_word_for_word() -> None:
    before = plan_after(phones(), **update("m", quantity=3))
    after = plan_after(phones(), **update("m", quantity=2))
    for product in ("o.m.1/", "o.m.2/"):
        own = [{key: task for key, task in plan.tasks.items() if key.startswith(product)} for plan in (before, after)]
        assert own[0] == own[1] != {}
    assert not any(key.startswith("o.m.3/") for key in after.tasks)


# Another offering


def test_another_offering_of_the_same_specification_keeps_the_products() -> None:
    after = amend(internet_and_tv(), **update("net", offering="fibre-1000"))
    net = of(after, "net")
    assert net.products == ("o.net.1",)
    assert net.offering == "fibre-1000"
    assert (net.characteristics["down_mbps"], net.characteristics["up_mbps"]) == (1000, 500)


def test_what_the_customer_chose_is_kept_and_what_the_old_offering_fixed_is_not() -> None:
    chosen = amend(internet_and_tv(), **update("net", characteristics={"technology": "xgs-pon"}))
    after = amend(chosen, **update("net", offering="fibre-flex", characteristics={"down_mbps": 300}))
    assert of(after, "net").characteristics["technology"] == "xgs-pon"
    assert (of(after, "net").characteristics["down_mbps"], of(after, "net").characteristics["up_mbps"]) == (300, 50)


def test_an_offering_that_leaves_a_choice_open_needs_the_choice() -> None:
    reasons = refusal(internet_and_tv(), **update("net", offering="fibre-flex"))
    assert [(reason.code, reason.item) for reason in reasons] == [("missing_characteristic", "net")]


def test_an_offering_of_another_specification_is_another_product() -> None:
    before = captured(item("net", "fibre-500", site=HOME), item("x", "tv-sport", site=HOME, relies_on=("net",)))
    after = amend(before, **update("x", offering="voice-line"))
    x = of(after, "x")
    assert x.specification == "voice-line"
    assert x.products == ("o.x.2",)
    assert "pack" not in x.characteristics
    assert x.relies_on == ("net",)


def test_an_offering_of_another_specification_keeps_the_quantity() -> None:
    before = captured(item("m", "mobile-s", quantity=2))
    after = amend(before, **update("m", offering="fibre-100", site=HOME))
    assert of(after, "m").products == ("o.m.3", "o.m.4")


def test_characteristics_are_checked_as_in_a_new_order() -> None:
    revision = captured(item("net", "fibre-flex", site=HOME, characteristics={"down_mbps": 200}))
    cases = {"down_mbps": (5000, "bad_characteristic"), "colour": ("red", "unknown_characteristic")}
    for name, (value, code) in cases.items():
        reasons = refusal(revision, **update("net", characteristics={name: value}))
        assert [(reason.code, reason.item) for reason in reasons] == [(code, "net")]


def test_what_an_offering_fixes_can_not_be_changed_without_changing_the_offering() -> None:
    reasons = refusal(internet_and_tv(), **update("net", characteristics={"down_mbps": 200}))
    assert [reason.code for reason in reasons] == ["fixed_characteristic"]


# Bundles


def triple() -> Revision:
    return captured(item("b", "triple-play-1000", site=HOME))


def test_triple_play_becomes_quad_play_by_one_more_component() -> None:
    after = amend(triple(), **update("b", offering="quad-play-1000"))
    assert ids(after) == ["b", "b.internet", "b.mobile", "b.tv", "b.voice"]
    assert of(after, "b.mobile").offering == "mobile-m"
    for component in ("b.internet", "b.voice", "b.tv"):
        assert of(after, component) == of(triple(), component)


def test_the_component_of_a_new_role_can_be_named() -> None:
    large = item("sim", "mobile-l", parent="b")
    after = amend(triple(), add=(large,), **update("b", offering="quad-play-1000"))
    assert ids(after) == ["b", "b.internet", "b.tv", "b.voice", "sim"]
    assert of(after, "sim").offering == "mobile-l"


def test_quad_play_becomes_triple_play_only_without_its_mobile() -> None:
    quad = captured(item("b", "quad-play-1000", site=HOME))
    (reason,) = refusal(quad, **update("b", offering="triple-play-1000"))
    assert (reason.code, reason.item) == ("not_in_bundle", "b.mobile")
    after = amend(quad, remove=("b.mobile",), **update("b", offering="triple-play-1000"))
    assert ids(after) == ["b", "b.internet", "b.tv", "b.voice"]


def test_a_component_is_changed_within_its_bundle() -> None:
    after = amend(triple(), **update("b.tv", offering="tv-cinema"))
    assert of(after, "b.tv").products == ("o.b.tv.1",)
    reasons = refusal(triple(), **update("b.tv", offering="mobile-s"))
    assert ("not_in_bundle", "b.tv") in [(reason.code, reason.item) for reason in reasons]


def test_a_component_that_the_bundle_needs_can_not_be_removed() -> None:
    reasons = refusal(triple(), remove=("b.tv",))
    assert [(reason.code, reason.item) for reason in reasons] == [("bundle_incomplete", "b")]


def test_a_bundle_is_removed_with_its_components() -> None:
    both = captured(item("b", "triple-play-1000", site=HOME), item("m", "mobile-s"))
    assert ids(amend(both, remove=("b",))) == ["m"]


def test_a_bundle_comes_once() -> None:
    (reason,) = refusal(triple(), **update("b", quantity=2))
    assert (reason.code, reason.item) == ("bundle_quantity", "b")


# Moves


def test_a_product_that_moves_stays_the_same_product_at_another_site() -> None:
    after = amend(captured(item("net", "fibre-500", site=HOME)), **update("net", site=OFFICE))
    assert of(after, "net").site == OFFICE
    assert of(after, "net").products == ("o.net.1",)


def test_a_move_takes_the_visit_to_the_other_site() -> None:
    plan = plan_after(captured(item("net", "fibre-500", site=HOME)), **update("net", site=OFFICE))
    assert [key for key in plan.tasks if key.endswith("/visit-site")] == ["o@office/installation/visit-site"]
    assert plan.tasks["o.net.1/fibre-internet/reserve-port"].inputs["site"] == "office"


def test_a_bundle_takes_its_components_along() -> None:
    after = amend(triple(), **update("b", site=OFFICE))
    assert {each.id: each.site for each in after.items} == dict.fromkeys(ids(after), OFFICE)


def test_a_component_that_was_somewhere_else_stays_there() -> None:
    apart = amend(triple(), **update("b.tv", site=OFFICE))
    third = Site(id="third")
    after = amend(apart, **update("b", site=third))
    assert of(after, "b.internet").site == third
    assert of(after, "b.tv").site == OFFICE


def test_a_component_can_be_sent_elsewhere_in_the_same_change() -> None:
    third = Site(id="third")
    after = amend(triple(), update=(ItemUpdate(id="b.tv", site=third), ItemUpdate(id="b", site=OFFICE)))
    assert of(after, "b.internet").site == OFFICE
    assert of(after, "b.tv").site == third


def test_one_site_can_not_stand_for_two_addresses() -> None:
    elsewhere = Site(id="home", address={"city": "Kiel"})
    reasons = refusal(internet_and_tv(), **update("net", site=elsewhere))
    assert [reason.code for reason in reasons] == ["site_conflict"]


# Removal and reliance


def test_internet_under_a_tv_can_not_be_removed_and_the_tv_is_named() -> None:
    reasons = refusal(internet_and_tv(), remove=("net",))
    assert {(reason.code, reason.item) for reason in reasons} == {
        ("missing_reliance", "tv"),
        ("missing_reliance", "voice"),
    }
    assert any("tv-basic needs a product of role internet" in reason.message for reason in reasons)


def test_cascade_removes_what_stands_on_the_removed() -> None:
    keep = item("m", "mobile-s")
    revision = amend(internet_and_tv(), add=(keep,))
    assert ids(amend(revision, remove=("net",), cascade=True)) == ["m"]


def test_cascade_takes_nothing_that_can_stand_without_the_removed() -> None:
    two = amend(internet_and_tv(), add=(item("net2", "fibre-100", site=OFFICE),))
    both = captured(
        item("net", "fibre-500", site=HOME),
        item("net2", "fibre-100", site=OFFICE),
        item("voice", "voice-line", relies_on=("net", "net2")),
    )
    assert ids(amend(both, remove=("net",), cascade=True)) == ["net2", "voice"]
    assert ids(amend(two, remove=("net",), cascade=True)) == ["net2"]


def test_cascade_does_not_excuse_what_else_is_wrong() -> None:
    codes = {reason.code for reason in refusal(triple(), remove=("b.internet",), cascade=True)}
    assert codes == {"bundle_incomplete"}


def test_what_relied_on_a_removed_item_and_on_another_relies_on_the_other() -> None:
    both = captured(
        item("net", "fibre-500", site=HOME),
        item("net2", "fibre-100", site=OFFICE),
        item("voice", "voice-line", relies_on=("net", "net2")),
    )
    after = amend(both, remove=("net",))
    assert of(after, "voice").relies_on == ("net2",)


def test_an_item_that_relies_on_one_there_already_is_added() -> None:
    after = amend(captured(item("net", "fibre-500", site=HOME)), add=(item("v", "voice-line", relies_on=("net",)),))
    assert ids(after) == ["net", "v"]
    assert of(after, "v").products == ("o.v.1",)


def test_an_item_that_needs_another_is_not_added_without_it() -> None:
    reasons = refusal(captured(item("net", "fibre-500", site=HOME)), add=(item("v", "voice-line"),))
    assert [(reason.code, reason.item) for reason in reasons] == [("missing_reliance", "v")]


def test_an_added_bundle_comes_with_its_components() -> None:
    after = amend(phones(1), add=(item("b", "triple-play-1000", site=HOME),))
    assert ids(after) == ["b", "b.internet", "b.tv", "b.voice", "m"]


# The revision


def test_the_next_revision_has_the_next_number_and_leaves_the_last_one_alone() -> None:
    before = phones()
    copy = before.model_copy(deep=True)
    after = amend(before, **update("m", quantity=5))
    assert (before.number, after.number) == (1, 2)
    assert before == copy


def test_dates_and_priority_are_changed_and_else_kept() -> None:
    start, end = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)
    dated = amend(phones(), requested_start=start, requested_completion=end, priority=1)
    assert (dated.requested_start, dated.requested_completion, dated.priority) == (start, end, 1)
    later = amend(dated, **update("m", quantity=2))
    assert (later.requested_start, later.requested_completion, later.priority) == (start, end, 1)


def test_items_that_the_order_does_not_have_are_all_named() -> None:
    reasons = refusal(phones(), remove=("a",), update=(ItemUpdate(id="b", quantity=1),))
    assert [(reason.code, reason.item) for reason in reasons] == [("unknown_item", "a"), ("unknown_item", "b")]


def test_an_item_id_is_used_once() -> None:
    reasons = refusal(phones(), add=(item("m", "mobile-l"),))
    assert [reason.code for reason in reasons] == ["duplicate_item"]


def test_an_item_that_is_removed_needs_no_update() -> None:
    both = captured(item("m", "mobile-s"), item("n", "mobile-s"))
    assert ids(amend(both, remove=("n",), **update("n", quantity=5))) == ["m"]


# The order of items


def test_a_component_that_comes_later_stands_with_its_bundle_before_what_was_ordered_beside_that() -> None:
    bundle = item("1", "triple-play-500", site=HOME)
    later = amend(captured(bundle, item("more", "mobile-s")), **update("1", offering="quad-play-1000"))
    assert [each.id for each in later.items] == ["1", "1.internet", "1.tv", "1.voice", "1.mobile", "more"]


def test_components_stand_with_their_bundle_wherever_it_was_ordered() -> None:
    first = captured(item("1", "triple-play-500", site=HOME), item("more", "mobile-s"))
    assert [each.id for each in first.items] == ["1", "1.internet", "1.tv", "1.voice", "more"]
