"""What a change makes different for the customer: before and after, priced, and said so that it can be read aloud."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from orders.change.comparison import in_words
from orders.change.impact import Effect
from orders.change.reasons import told_once
from orders.change.request import ChangeKind, ChangeRequest, ChangeState, ItemUpdate
from orders.fulfilment.messages import PlanAnswer, Preview
from orders.model.catalog import Price
from orders.model.order import Appointment, OrderRequest, Reason, RequestedItem, Site
from orders.model.values import Money
from orders.planning.amend import amended
from orders.tracking.what_if.preview import preview
from tests.orders.support.driver import NOW, Driver, household, key, shipped_catalog


def previewed(driver: Driver, kind: str, **fields: Any) -> Preview:
    """What would become of a change, worked out as the API does."""
    change = ChangeRequest(request_id="p", kind=ChangeKind(kind), **fields)
    order, start = driver.order, driver.order.start
    answer = PlanAnswer()
    if change.kind.revises:
        revision, plan = amended(
            driver.catalog,
            start.order_id,
            order.revision,
            change,
            order.advancement(),
            start.baseline,
            start.baseline_plan,
        )
        answer = PlanAnswer(revision=revision, plan=plan)
    return preview(order, change, answer, NOW, driver.catalog)


def euros(amount: str) -> tuple[Money, ...]:
    return (Money(amount=Decimal(amount), currency="EUR"),)


def in_flight(request: OrderRequest | None = None, *waiting: str) -> Driver:
    driver = Driver(request or household(), waiting=waiting or ("field-service", "shipping"))
    driver.run()
    return driver


def test_another_offering_and_another_value_are_told_before_and_after_with_what_they_cost() -> None:
    driver = in_flight()
    update = (ItemUpdate(id="tv", offering="tv-sport"), ItemUpdate(id="net", characteristics={"down_mbps": 500}))
    told = previewed(driver, "amend", update=update)
    by_item = {each.item: each for each in told.comparison.items}
    assert by_item.keys() == {"net", "tv"}
    tv, net = by_item["tv"], by_item["net"]
    assert tv.before is not None
    assert tv.after is not None
    prices = {name: driver.catalog.offerings[name].prices[0].amount for name in ("tv-basic", "tv-sport")}
    assert (tv.before.offering, tv.before.prices.month) == ("tv-basic", euros(str(prices["tv-basic"])))
    assert (tv.after.offering, tv.after.prices.month) == ("tv-sport", euros(str(prices["tv-sport"])))
    assert net.before is not None
    assert net.after is not None
    assert (net.before.characteristics["down_mbps"], net.after.characteristics["down_mbps"]) == (200, 500)
    before, after = told.comparison.before.month[0].amount, told.comparison.after.month[0].amount
    assert after - before == prices["tv-sport"] - prices["tv-basic"]
    assert str(in_words(net)) == f"net: {net.after.title}: down_mbps 500 in place of 200"
    titles = [driver.catalog.offerings[name].title for name in ("tv-basic", "tv-sport")]
    assert str(in_words(tv)).startswith(f"tv: {titles[1]}: offering {titles[1]} in place of {titles[0]}")
    assert told.words[0] == "This can be done"
    assert str(in_words(tv)) in told.words


def test_another_place_and_appointment_are_told_and_whether_the_promise_moves() -> None:
    driver = in_flight()
    slot = Appointment(site="home", start=NOW + timedelta(days=30), time_zone="Europe/Berlin")
    told = previewed(driver, "reschedule", appointments=(slot,))
    items = {each.item: each for each in told.comparison.items}
    assert [each.after.appointment for each in items.values() if each.after] == [slot] * len(items) != []
    assert told.promised_before == driver.promised_at
    assert told.promised_at is not None
    assert told.promised_at > slot.start
    assert any(line.startswith("Promised for ") and " in place of " in line for line in told.words)
    moved = previewed(driver, "amend", update=(ItemUpdate(id="net", site=Site(id="elsewhere")),))
    assert any("place elsewhere in place of home" in line for line in moved.words)


def test_what_is_new_and_what_goes_has_one_side_alone() -> None:
    driver = in_flight()
    add = (RequestedItem(id="sim", offering="mobile-s", quantity=2),)
    told = previewed(driver, "amend", add=add, remove=("tv",))
    sides = {each.item: (each.before is None, each.after is None) for each in told.comparison.items}
    assert sides == {"tv": (False, True), "sim": (True, False)}
    sim = next(each.after for each in told.comparison.items if each.item == "sim")
    assert sim is not None
    [monthly] = [price for price in driver.catalog.offerings["mobile-s"].prices if price.period == "month"]
    assert sim.prices.month == euros(str(2 * monthly.amount))
    gone = previewed(driver, "cancel")
    assert all(each.after is None for each in gone.comparison.items)
    assert gone.comparison.after.month == ()


def test_a_component_costs_nothing_beside_its_bundle() -> None:
    request = OrderRequest(
        external_id="x",
        channel="web",
        customer_id="c",
        items=(RequestedItem(id="home", offering="triple-play-500", site=Site(id="s")),),
    )
    offerings = shipped_catalog().offerings
    priced = offerings["triple-play-500"].model_copy(update={"prices": (Price(amount=Decimal(40), currency="EUR"),)})
    catalog = shipped_catalog().model_copy(update={"offerings": {**offerings, "triple-play-500": priced}})
    driver = Driver(request, catalog=catalog, waiting=["shipping"])
    driver.run()
    component = next(item.id for item in driver.order.revision.items if item.offering.startswith("tv-"))
    told = previewed(driver, "cancel")
    assert told.comparison.before.month == euros("40")
    [tv] = [each.before for each in told.comparison.items if each.item == component]
    assert tv is not None
    assert tv.prices.words == ""


def test_a_fee_is_told_once_with_why() -> None:
    driver = in_flight(None, "field-service")
    told = previewed(driver, "cancel")
    assert told.fees == euros("9.90")
    assert "Fee: 9.90 EUR" in told.words
    [why] = [line for line in told.words if "which costs 9.90 EUR" in line]
    assert why.startswith("Parcel: this was under way already since 2026-03-02 09:00 UTC")


def test_a_refusal_is_told_in_a_customers_words_once_for_all_items() -> None:
    driver = Driver(household())
    driver.refuse["billing.provision"] = "closed"
    driver.run()
    update = (ItemUpdate(id="net", site=Site(id="elsewhere")),)
    told = previewed(driver, "amend", update=update)
    assert told.state is ChangeState.REJECTED
    assert told.words[0] == "This cannot be done"
    assert any(line.startswith("Technician's visit: it is too late for a change since") for line in told.words)
    assert len(told.words) == len(set(told.words))


def test_reasons_that_differ_in_their_items_alone_are_one() -> None:
    reasons = [Reason(code="not_let_go", message="no", item=item, task="t") for item in ("1", "2")]
    reasons.append(Reason(code="never_heard_of", message="as it is"))
    [one, other] = told_once(reasons)
    assert (one.item, one.items, one.task) == ("1", ("1", "2"), "t")
    assert one.words == "It was too late: what was under way could not be stopped"
    assert (other.words, other.items) == ("as it is", ())


def test_what_differs_and_was_not_called_for_yet_is_planned() -> None:
    driver = in_flight()
    told = previewed(driver, "amend", update=(ItemUpdate(id="net", characteristics={"down_mbps": 500}),))
    assert told.impact is not None
    effects = {each.task: each for each in told.impact.tasks}
    line = effects[key(driver, "fibre-internet/activate-line")]
    assert (line.effect, line.before, line.after) == (Effect.PLANNED, {"down_mbps": 200}, {"down_mbps": 500})
    assert effects[key(driver, "installation/visit-site")].effect is Effect.KEPT
