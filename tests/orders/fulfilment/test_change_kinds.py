"""The kinds of changes: what each must and may carry, and what those lead to that are more than an amendment."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from orders.change.request import NEEDS, ChangeKind, ChangeRequest, ChangeState, ItemUpdate, misfits
from orders.model.order import Appointment, Rejection, RequestedItem, Site
from orders.read_model.states import LifecycleState
from tests.orders.support.driver import Driver, household, key

VISIT = "installation/visit-site"
AT_HOME = Appointment(
    site="home", start=datetime(2026, 3, 9, 8, tzinfo=timezone(timedelta(hours=1))), time_zone="Europe/Berlin"
)

SAID: dict[str, Any] = {
    "add": [{"id": "n", "offering": "tv-basic"}],
    "update": [{"id": "net", "quantity": 2}],
    "remove": ["net"],
    "items": ["net"],
    "requested_start": "2026-04-01T00:00:00Z",
    "requested_completion": "2026-04-01T00:00:00Z",
    "appointments": [{"site": "home", "start": "2026-03-09T08:00:00+01:00", "time_zone": "Europe/Berlin"}],
    "priority": 0,
    "document": "d" * 64,
    "attributes": {"": ("description",)},
    "cascade": True,
    "accept_fee": {"amount": "9.90", "currency": "EUR"},
    "digest": "d",
    "task": "t",
    "silo": "tv",
    "resolution": "kept",
    "promised_at": "2026-04-01T00:00:00Z",
    "requester": "agent-7",
    "reason": "a strike",
    "inputs": {"sku": "router-2"},
    "outputs": {"port_id": "P"},
}


def ask(kind: ChangeKind, *fields: str) -> ChangeRequest:
    return ChangeRequest.model_validate({"request_id": "r", "kind": kind, **{name: SAID[name] for name in fields}})


@pytest.mark.parametrize("kind", ChangeKind)
def test_each_kind_takes_what_it_needs_and_may_carry(kind: ChangeKind) -> None:
    needs = NEEDS[kind]
    ask(kind, *needs.all_of, *needs.one_of, *needs.may, *needs.either[:1])
    for one in needs.one_of or needs.either or ((),):
        ask(kind, *needs.all_of, *([one] if one else []))


@pytest.mark.parametrize("kind", ChangeKind)
def test_each_kind_names_the_field_that_does_not_fit_it(kind: ChangeKind) -> None:
    needs = NEEDS[kind]
    for field in set(SAID) - {*needs.all_of, *needs.one_of, *needs.may, *needs.either, "requester", "reason"}:
        with pytest.raises(ValidationError, match=f"kind {kind} carries no {field}"):
            ask(kind, *needs.all_of, *needs.one_of, *needs.either[:1], field)


@pytest.mark.parametrize("kind", ChangeKind)
def test_each_kind_names_the_field_that_it_lacks(kind: ChangeKind) -> None:
    for field in NEEDS[kind].all_of:
        with pytest.raises(ValidationError, match=f"kind {kind} needs {field}"):
            ask(kind, *(name for name in NEEDS[kind].all_of if name != field))


@pytest.mark.parametrize("fields", [(), ("task", "silo")], ids=["neither", "both"])
def test_a_retry_names_a_task_or_a_silo_and_just_one_of_them(fields: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match="needs task or silo, and just one of them"):
        ask(ChangeKind.RETRY, *fields)


def test_every_misfit_is_told_not_only_the_first() -> None:
    found = misfits(ChangeKind.HOLD, {"task": "t", "priority": 0, "cascade": False, "remove": ()})
    assert [field for field, _ in found] == ["task", "priority"]


def test_a_new_appointment_amends_the_awaited_visit_and_nothing_else() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    assert driver.change("reschedule", appointments=(AT_HOME,)).state is ChangeState.ACCEPTED
    assert driver.run() == [f"field-service.amend {VISIT}/0/1"]
    (visit,) = driver.order.reconciler.ledger.facts[key(driver, VISIT)].values()
    assert visit.desired_inputs["appointment_start"] == "2026-03-09T08:00:00+01:00"
    assert visit.desired_inputs["time_zone"] == "Europe/Berlin"


def test_another_requested_date_amends_the_awaited_visit_too() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    driver.change("reschedule", requested_completion=datetime.fromisoformat("2026-04-01T00:00:00Z"))
    assert driver.run() == [f"field-service.amend {VISIT}/0/1"]


def test_no_appointment_is_made_for_a_technician_who_has_been() -> None:
    driver = Driver(household(), waiting=["shipping"])
    driver.run()
    verdict = driver.change("reschedule", appointments=(AT_HOME,))
    assert [(reason.code, reason.item, reason.task) for reason in verdict.reasons] == [
        ("past_no_return", "net", key(driver, VISIT))
    ]


@pytest.mark.parametrize(("site", "internet"), [("office", {}), ("home", {"installation": "self"})])
def test_an_appointment_is_for_a_site_where_somebody_comes(site: str, internet: dict[str, str]) -> None:
    driver = Driver(household(**internet))
    with pytest.raises(Rejection, match=f"nothing of the order is done by appointment at a site {site}") as caught:
        driver.change("reschedule", appointments=(AT_HOME.model_copy(update={"site": site}),))
    assert [reason.code for reason in caught.value.reasons] == ["no_visit"]


def test_a_site_has_one_appointment_the_last_one_made_and_loses_it_when_all_move_away() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    later = AT_HOME.model_copy(update={"start": AT_HOME.start + timedelta(days=1)})
    for number, made in enumerate((AT_HOME, later)):
        driver.change("reschedule", f"r{number}", appointments=(made,))
    assert driver.order.revision.appointments == (later,)
    moves = tuple(ItemUpdate(id=name, site=Site(id="elsewhere")) for name in ("net", "tv"))
    driver.change("amend", "move", update=moves)
    driver.run()
    assert driver.order.revision.appointments == ()


def test_items_are_cancelled_with_what_depends_on_them_and_the_rest_stays() -> None:
    request = household(equipment="own")
    request = request.model_copy(
        update={"items": (*request.items, RequestedItem(id="sim", offering="mobile-s"))},
    )
    driver = Driver(request, waiting=["field-service", "shipping"])
    driver.run()
    with pytest.raises(Rejection) as caught:
        driver.change("cancelItems", "alone", items=("net",))
    assert {(reason.code, reason.item) for reason in caught.value.reasons} == {
        ("missing_reliance", "voice"),
        ("missing_reliance", "tv"),
    }
    verdict = driver.change("cancelItems", items=("net",), cascade=True)
    assert (verdict.kind, verdict.state) == (ChangeKind.CANCEL_ITEMS, ChangeState.ASSESSING)
    driver.run()
    assert [item.id for item in driver.order.revision.items] == ["sim"]
    assert driver.order.state is LifecycleState.IN_PROGRESS


def test_an_order_of_which_nothing_would_be_left_is_cancelled_not_emptied() -> None:
    driver = Driver(household())
    for number, kind in enumerate(("cancelItems", "amend")):
        field = "items" if kind == "cancelItems" else "remove"
        with pytest.raises(Rejection, match="cancel it instead"):
            driver.change(kind, f"r{number}", **{field: ("net", "voice", "tv")})


def test_another_priority_is_another_revision_and_no_call() -> None:
    driver = Driver(household(), waiting=["shipping"])
    driver.run()
    assert driver.change("changePriority", priority=0).state is ChangeState.ACCEPTED
    assert (driver.order.revision.number, driver.order.revision.priority) == (2, 0)
    assert driver.run() == []


def test_a_change_of_price_alone_reaches_billing_and_nobody_else() -> None:
    driver = Driver(household(down_mbps=100), waiting=["shipping"])
    driver.run()
    # The same rates, sold under another name.
    driver.change("amend", update=(ItemUpdate(id="net", offering="fibre-100"),))
    assert driver.run() == ["billing.amend fibre-internet/start-billing/0/1"]


def test_a_change_of_contact_alone_reaches_nobody() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    home = Site(id="home", address={"contactPhone": "+4930999999"})
    verdict = driver.change("amend", update=tuple(ItemUpdate(id=name, site=home) for name in ("net", "tv")))
    assert verdict.state is ChangeState.ACCEPTED
    assert verdict.impact is not None
    assert verdict.impact.effects == {}
    assert driver.run() == []
