"""What is asked of products beside what they are made of: carried out, refused by name, or the case already."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from orders.fulfilment.starting import prepare
from orders.model.order import OrderRequest, Reason, Rejection, RequestedItem, Site, TimeSlot, Wishes
from orders.model.values import Action, Inputs, ProductStatus
from orders.model.writing.json_values import JsonObject
from orders.planning.installed import InstalledProduct
from tests.orders.support.driver import NOW, Driver, household, shipped_catalog

ORDER = household().order_id
NET, VOICE, TV = (f"{ORDER}.{item}.1" for item in ("net", "voice", "tv"))
SUSPENDED = {"status": "suspended"}


def left_by(request: OrderRequest, installed: Collection[InstalledProduct] = ()) -> tuple[InstalledProduct, ...]:
    """What is installed once an order is done."""
    driver = Driver(request, installed=installed)
    driver.run()
    return tuple({product.id: product for product in (*installed, *driver.leaves())}.values())


@cache
def home() -> tuple[InstalledProduct, ...]:
    """Internet, voice and TV as an order left them."""
    return left_by(household())


@cache
def triple_play() -> tuple[InstalledProduct, ...]:
    """A bundle with two voice lines."""
    voice = RequestedItem(id="voice", offering="voice-line", parent="1", quantity=2)
    return left_by(later(RequestedItem(id="1", offering="triple-play-500", site=Site(id="home")), voice))


@cache
def mobile() -> tuple[InstalledProduct, ...]:
    return left_by(later(RequestedItem(id="1", offering="mobile-s")))


def later(*items: RequestedItem, external_id: str = "y") -> OrderRequest:
    return OrderRequest(external_id=external_id, channel="shop", customer_id="cust-1", items=items)


def modify(product: str, item: str = "1", wishes: dict[str, Any] | None = None, **asked: Any) -> RequestedItem:
    return RequestedItem(
        id=item, action=Action.MODIFY, product=product, wishes=Wishes.model_validate(wishes or {}), **asked
    )


def a_product(installed: Collection[InstalledProduct], specification: str | None, number: int = 0) -> InstalledProduct:
    return sorted((each for each in installed if each.specification == specification), key=lambda each: each.id)[number]


def reasons(items: Collection[RequestedItem], installed: Collection[InstalledProduct]) -> list[Reason]:
    """Why an order is rejected."""
    with pytest.raises(Rejection) as caught:
        Driver(later(*items, external_id="z"), installed=installed)
    return list(caught.value.reasons)


def told(product: InstalledProduct, task: str) -> Inputs:
    """What a silo was told last for a task of a product."""
    facts = product.holding.ledger.facts[f"{product.id}/{product.specification}/{task}"]
    return facts[max(facts)].inputs


# Suspended, and resumed


def test_a_suspension_amends_the_line_and_its_billing() -> None:
    driver = Driver(later(modify(NET, wishes=SUSPENDED)), installed=home())
    assert driver.run() == [
        "access-network.amend fibre-internet/activate-line/0/1",
        "billing.amend fibre-internet/start-billing/0/1",
    ]
    [net] = driver.leaves()
    assert (net.id, net.status, net.version) == (NET, ProductStatus.SUSPENDED, 2)
    assert told(net, "activate-line")["status"] == told(net, "start-billing")["status"] == "suspended"


def test_a_suspended_product_is_resumed_changed_or_ceased() -> None:
    asleep = left_by(later(modify(NET, wishes=SUSPENDED)), home())
    for asked, status, line in (
        (modify(NET, wishes={"status": "active"}), ProductStatus.ACTIVE, "active"),
        (modify(NET, characteristics={"down_mbps": 400}), ProductStatus.SUSPENDED, "suspended"),
    ):
        net = a_product(left_by(later(asked, external_id="z"), asleep), "fibre-internet")
        assert (net.status, told(net, "activate-line")["status"]) == (status, line)
    cease = [RequestedItem(id=each, action=Action.DELETE, product=each) for each in (NET, VOICE, TV)]
    ended = left_by(later(*cease, external_id="z"), asleep)
    assert {each.status for each in ended} == {ProductStatus.TERMINATED}


def test_a_suspension_that_is_cancelled_on_its_way_is_taken_back() -> None:
    driver = Driver(later(modify(NET, wishes=SUSPENDED)), installed=home())
    driver.run_some(1)
    driver.change("cancel")
    assert driver.run() == ["access-network.amend fibre-internet/activate-line/0/2"]
    [net] = driver.leaves()
    assert (net.status, told(net, "activate-line")["status"]) == (ProductStatus.ACTIVE, "active")


def test_nothing_new_stands_on_what_is_suspended() -> None:
    asleep = left_by(later(modify(NET, wishes=SUSPENDED)), home())
    voice = RequestedItem(id="1", offering="voice-line", relies_on_products=(NET,))
    assert [reason.code for reason in reasons([voice], asleep)] == ["product_suspended"]
    awake = modify(NET, "2", wishes={"status": "active"})
    assert len(left_by(later(voice, awake, external_id="z"), asleep)) == len(asleep) + 1


def test_a_bundle_is_suspended_with_its_components_and_resumed_in_part() -> None:
    bundle, tv = a_product(triple_play(), None), a_product(triple_play(), "tv")
    asleep = left_by(later(modify(bundle.id, wishes=SUSPENDED), external_id="z"), triple_play())
    assert {each.status for each in asleep} == {ProductStatus.SUSPENDED}
    assert told(a_product(asleep, "tv"), "activate-tv")["status"] == "suspended"
    but_tv = (modify(bundle.id, "1", wishes=SUSPENDED), modify(tv.id, "2", wishes={"status": "active"}))
    awake = left_by(later(*but_tv, external_id="a"), asleep)
    assert {each.specification for each in awake if each.status is ProductStatus.ACTIVE} == {"tv"}


def test_an_order_in_flight_takes_a_suspension_and_gives_it_up() -> None:
    driver = Driver(
        later(modify(NET, "1", characteristics={"technology": "xgs-pon"})), installed=home(), waiting={"field-service"}
    )
    driver.run()
    assert driver.change("amend", "a", update=({"id": "1", "wishes": SUSPENDED},)).state == "accepted"
    assert driver.order.revision.items[0].status is ProductStatus.SUSPENDED
    assert driver.change("amend", "b", update=({"id": "1", "wishes": {"status": "active"}},)).state == "accepted"
    driver.complete("field-service")
    driver.run()
    assert a_product(driver.leaves(), "fibre-internet").status is ProductStatus.ACTIVE


# Billing accounts


def test_a_change_of_billing_account_is_an_amendment_of_billing() -> None:
    driver = Driver(later(modify(NET, wishes={"billing_account": "account-2"})), installed=home())
    assert driver.run() == [
        "billing.amend fibre-internet/start-billing/0/1",
    ]
    [net] = driver.leaves()
    assert (net.billing_account, told(net, "start-billing")["billing_account"]) == ("account-2", "account-2")
    faster = modify(NET, characteristics={"down_mbps": 400})
    [later_on] = [each for each in left_by(later(faster, external_id="z"), [*home()[1:], net]) if each.id == NET]
    assert told(later_on, "start-billing")["billing_account"] == later_on.billing_account == "account-2"


def test_a_new_bundle_is_billed_with_its_components_on_one_account() -> None:
    wishes = Wishes(billing_account="account-1")
    bundle = RequestedItem(id="1", offering="triple-play-500", site=Site(id="home"), wishes=wishes)
    assert {each.billing_account for each in left_by(later(bundle))} == {"account-1"}


# What cannot be carried out


@pytest.mark.parametrize(
    ("wishes", "name"),
    [
        ({"status": "terminated"}, "status"),
        ({"status": "frozen"}, "status"),
        ({"owners": ["cust-2"]}, "relatedParty"),
        ({"specification": "tv"}, "productSpecification"),
    ],
)
def test_what_is_asked_of_an_installed_product_and_cannot_be_is_refused_by_name(
    wishes: dict[str, Any], name: str
) -> None:
    asked = modify(NET, wishes=wishes, characteristics={"down_mbps": 400})
    [reason] = reasons([asked], home())
    assert (reason.code, reason.item) == ("not_carried_out", "1")
    assert reason.message.startswith(f"item 1: product.{name} cannot be")


@pytest.mark.parametrize("wishes", [SUSPENDED, {"billing_account": "account-2"}])
def test_what_no_task_of_the_product_is_told_of_is_refused(wishes: dict[str, Any]) -> None:
    phone = left_by(later(RequestedItem(id="1", offering="phone-aurora")))
    [reason] = reasons([modify(phone[0].id, wishes=wishes)], phone)
    assert reason.code == "not_carried_out"


def test_a_new_product_is_neither_suspended_nor_that_of_somebody_else() -> None:
    asleep, theirs = Wishes(status="suspended"), Wishes(owners=("cust-2",))
    items = [RequestedItem(id=str(n), offering="mobile-s", wishes=each) for n, each in enumerate((asleep, theirs))]
    assert [reason.item for reason in reasons(items, ())] == ["0", "1"]


@pytest.mark.parametrize("action", [Action.DELETE, Action.NO_CHANGE])
def test_what_is_ceased_or_stays_is_asked_for_nothing_else(action: Action) -> None:
    for wishes in (SUSPENDED, {"billing_account": "account-2"}, {"specification": "voice-line"}):
        item = RequestedItem(id="1", action=action, product=TV, wishes=Wishes.model_validate(wishes))
        assert [reason.code for reason in reasons([item], home())] == ["not_carried_out"]


def test_everything_that_cannot_be_carried_out_is_told_at_once_also_in_flight() -> None:
    asked: dict[str, Any] = {"status": "frozen", "owners": ("cust-2",)}
    assert len(reasons([modify(NET, wishes=asked)], home())) == 2
    driver = Driver(later(modify(NET, characteristics={"down_mbps": 400})), installed=home())
    with pytest.raises(Rejection) as caught:
        driver.change("amend", update=({"id": "1", "wishes": asked},))
    assert len(caught.value.reasons) == 2


# What is the case already


def test_an_order_that_changes_nothing_says_so() -> None:
    net = a_product(home(), "fibre-internet")
    already = modify(
        NET,
        offering=net.offering,
        site=Site(id="home"),
        characteristics=net.characteristics,
        wishes={"status": "active", "owners": ("cust-1",), "specification": "fibre-internet"},
    )
    for items in ([already], [modify(NET)], [already, modify(TV, "2")]):
        assert [reason.code for reason in reasons(items, home())] == ["nothing_to_change"]


def test_what_is_the_case_already_is_no_wish_beside_what_is_not() -> None:
    wishes = {"status": "active", "owners": ("cust-1",)}
    driver = Driver(later(modify(NET, characteristics={"down_mbps": 400}, wishes=wishes)), installed=home())
    assert len(driver.run()) == 2


def test_an_order_that_leaves_all_as_it_is_in_so_many_words_is_done_at_once() -> None:
    driver = Driver(later(RequestedItem(id="1", action=Action.NO_CHANGE, product=TV)), installed=home())
    assert (driver.run(), driver.leaves()) == ([], ())


def test_an_amendment_that_leaves_nothing_to_change_is_refused() -> None:
    driver = Driver(later(modify(NET, characteristics={"down_mbps": 400})), installed=home())
    with pytest.raises(Rejection, match="nothing would change"):
        driver.change("amend", update=({"id": "1", "characteristics": {"down_mbps": 200}},))


def test_what_a_product_was_given_is_no_wish_when_it_is_sent_back() -> None:
    told = {each.id: each.given for each in home()}
    assert (set(told[NET]), set(told[VOICE]), told[TV]) == ({"serial"}, {"number"}, {})
    for product in (NET, VOICE):
        same = modify(product, characteristics=dict(told[product]))
        assert [reason.code for reason in reasons([same], home())] == ["nothing_to_change"]
    stays = RequestedItem(id="1", action=Action.NO_CHANGE, product=NET, characteristics=dict(told[NET]))
    assert Driver(later(stays), installed=home()).run() == []
    other = modify(NET, characteristics={"serial": "another"})
    assert [reason.code for reason in reasons([other], home())] == ["unknown_characteristic"]
    ported = Driver(later(modify(VOICE, characteristics={"number": "+49301234567"})), installed=home())
    assert any(call.startswith("number-inventory.provision") for call in ported.run())


def test_a_place_that_is_sent_back_need_not_repeat_the_address() -> None:
    address: JsonObject = {"city": "Musterstadt", "streetName": "Lindenweg"}
    known = tuple(each.model_copy(update={"site": Site(id="home", address=address)}) for each in home())
    for site in (Site(id="home"), Site(id="home", address={"city": "Musterstadt"})):
        assert [reason.code for reason in reasons([modify(NET, site=site)], known)] == ["nothing_to_change"]
    other = Site(id="home", address={"city": "Neustadt"})
    assert Driver(later(modify(NET, site=other)), installed=known).order.revision.items[0].site == other
    stays = RequestedItem(id="1", action=Action.NO_CHANGE, product=NET, site=other)
    assert [reason.code for reason in reasons([stays], known)] == ["no_change"]


# When


def slot(hour: int) -> dict[str, Any]:
    start = datetime.fromisoformat(f"2026-03-09T{hour:02d}:00:00+01:00")
    return {"appointment": TimeSlot(start=start, time_zone="Europe/Berlin")}


def net_and_tv(net: dict[str, Any], tv: dict[str, Any]) -> OrderRequest:
    return later(
        RequestedItem(id="net", offering="fibre-100", site=Site(id="home"), wishes=Wishes.model_validate(net)),
        RequestedItem(
            id="tv",
            offering="tv-basic",
            site=Site(id="home"),
            relies_on=("net",),
            wishes=Wishes.model_validate(tv),
        ),
    )


def test_the_appointment_of_an_item_is_that_at_its_site() -> None:
    start = prepare(shipped_catalog(), net_and_tv(slot(9), {}), NOW)
    [visit] = [task for task in start.plan.tasks.values() if task.operation == "installation/visit-site"]
    assert (visit.inputs["appointment_start"], visit.inputs["time_zone"]) == (
        "2026-03-09T09:00:00+01:00",
        "Europe/Berlin",
    )


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (net_and_tv(slot(9), slot(10)), "appointments_differ"),
        (later(RequestedItem(id="1", offering="mobile-s", wishes=Wishes.model_validate(slot(9)))), "no_visit"),
        (
            later(
                RequestedItem(
                    id="1",
                    offering="fibre-100",
                    site=Site(id="home"),
                    characteristics={"installation": "self"},
                    wishes=Wishes.model_validate(slot(9)),
                )
            ),
            "no_visit",
        ),
    ],
)
def test_an_appointment_that_nobody_keeps_is_refused(request_: OrderRequest, code: str) -> None:
    with pytest.raises(Rejection) as caught:
        prepare(shipped_catalog(), request_, NOW)
    assert [reason.code for reason in caught.value.reasons] == [code]


def test_an_appointment_of_an_item_is_not_in_the_past() -> None:
    with pytest.raises(Rejection, match="the appointment of item net lies in the past"):
        prepare(shipped_catalog(), net_and_tv(slot(9), {}), datetime.fromisoformat("2026-03-10T09:00:00+01:00"))


def test_an_appointment_of_which_only_the_id_is_told_is_kept_with_a_new_product_only() -> None:
    reference = {"appointment_ref": "a-1"}
    driver = Driver(net_and_tv(reference, {}), waiting={"field-service"})
    with pytest.raises(Rejection, match="item net: appointment a-1 cannot be looked up"):
        driver.change("amend", update=({"id": "net", "wishes": reference},))
    assert [reason.code for reason in reasons([modify(NET, wishes=reference)], home())] == ["not_carried_out"]


def test_an_item_in_flight_is_given_another_appointment() -> None:
    driver = Driver(net_and_tv({}, {}), waiting={"field-service"})
    driver.run()
    driver.change("amend", update=({"id": "tv", "wishes": slot(11)},))
    assert [made.site for made in driver.order.revision.appointments] == ["home"]


# A bundle is modified as it was sold


def test_each_product_of_a_bundle_is_modified_as_it_was_sold() -> None:
    voice = [a_product(triple_play(), "voice-line", number) for number in (0, 1)]
    tv, net = a_product(triple_play(), "tv"), a_product(triple_play(), "fibre-internet")
    for asked in (
        modify(net.id, offering="fibre-100", characteristics={}),
        modify(tv.id, offering="tv-sport"),
        *(modify(each.id, characteristics={"number": "+4930222222"}) for each in voice),
        modify(a_product(triple_play(), None).id, offering="triple-play-1000"),
        RequestedItem(id="1", action=Action.DELETE, product=voice[1].id),
    ):
        driver = Driver(later(asked, external_id="z"), installed=triple_play())
        driver.run()
        assert asked.product in {each.id for each in driver.leaves()}


def test_a_bundle_gets_no_more_of_a_component_than_it_was_sold_with() -> None:
    bundle, voice = a_product(triple_play(), None), a_product(triple_play(), "voice-line")
    third = RequestedItem(id="2", offering="voice-line", bundled_by=bundle.id)
    assert [reason.code for reason in reasons([third], triple_play())] == ["bundle_incomplete"]
    one_goes = RequestedItem(id="3", action=Action.DELETE, product=voice.id)
    assert [reason.code for reason in reasons([third, one_goes], triple_play())] == ["bundle_incomplete"]


def test_a_component_is_added_to_an_installed_bundle_and_moved_to_another() -> None:
    """By the product's relationship, as by nesting."""
    first = triple_play()
    bundle, voice = a_product(first, None), [a_product(first, "voice-line", number) for number in (0, 1)]
    gone = [RequestedItem(id=str(n), action=Action.DELETE, product=each.id) for n, each in enumerate(voice, 2)]
    new = RequestedItem(id="1", offering="voice-line", bundled_by=bundle.id)
    installed = left_by(later(new, *gone, external_id="z"), first)
    [added] = [each for each in installed if each.id.endswith(".1.1") and each.specification == "voice-line"]
    assert (added.bundle, added.status) == (bundle.id, ProductStatus.ACTIVE)
    missing = RequestedItem(id="1", offering="voice-line", bundled_by="web-1.1.1")
    assert [reason.code for reason in reasons([missing], first)] == ["unknown_product"]


def test_products_that_were_sold_in_pairs_stay_in_pairs() -> None:
    """Two accesses and two voice lines in a bundle: each line goes on with the access that it stands on."""
    pair = [
        RequestedItem(id="net", offering="fibre-500", parent="1", quantity=2),
        RequestedItem(id="voice", offering="voice-line", parent="1", quantity=2),
    ]
    tv = RequestedItem(id="tv", offering="tv-basic", parent="1")
    bundle = RequestedItem(id="1", offering="triple-play-500", site=Site(id="home"))
    installed = left_by(later(bundle, *pair, tv))
    second = a_product(installed, "voice-line", 1)
    driver = Driver(
        later(modify(second.id, characteristics={"number": "+4930222222"}), external_id="z"), installed=installed
    )
    access = a_product(installed, "fibre-internet", 1)
    line = driver.order.plan.tasks[f"{second.id}/voice-line/activate-line"]
    assert line.refs["access_line"].tasks == (f"{access.id}/fibre-internet/activate-line",)
