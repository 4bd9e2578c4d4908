"""The log of changes: who asked for what, when and why, and what was decided."""

from __future__ import annotations

import pytest

from orders.change.request import ChangeKind, ChangeRequest, ChangeState, ItemUpdate, Verdict
from orders.fulfilment.deciding import first_verdict
from orders.model.order import Site
from orders.read_model.states import LifecycleState
from tests.orders.support.driver import Driver, household, key

ASKED, DECIDED = "2026-03-02T09:00:01.000Z", "2026-03-02T09:00:02.000Z"


def arrived(driver: Driver, request_id: str, kind: str, **fields: object) -> None:
    """A change comes in, and is not looked at yet."""
    change = ChangeRequest.model_validate({"request_id": request_id, "kind": kind, **fields})
    driver.order.receive(change, ASKED)


def decided(driver: Driver) -> list[str]:
    """Everything that can be decided is, but for what has to be planned. Tells the ids in order."""
    ids: list[str] = []
    while (change := driver.order.next_change()) is not None:
        assert first_verdict(driver.order, change, DECIDED) is not None
        ids.append(change.request_id)
    return ids


def test_an_entry_keeps_who_asked_where_why_for_which_revision_and_when() -> None:
    driver = Driver(household())
    arrived(
        driver,
        "c",
        "cancel",
        requester="agent-7",
        channel="shop",
        reason="moved away",
        expected_revision=7,
        asked_at="whatever the requester says",
    )
    assert decided(driver) == ["c"]
    (entry,) = driver.order.log
    assert entry == Verdict(
        request_id="c",
        kind=ChangeKind.CANCEL,
        state=ChangeState.REJECTED,
        revision=1,
        reasons=entry.reasons,
        requester="agent-7",
        channel="shop",
        reason="moved away",
        expected_revision=7,
        asked_at=ASKED,
        decided_at=DECIDED,
        fingerprint=entry.fingerprint,
    )
    assert [(reason.code, reason.message) for reason in entry.reasons] == [
        ("stale_revision", "revision 7 was expected, the current one is 1")
    ]


def test_what_has_arrived_stands_in_the_log_before_it_is_decided() -> None:
    driver = Driver(household())
    arrived(driver, "h", "hold")
    (entry,) = driver.order.log
    assert (entry.request_id, entry.state, entry.asked_at, entry.decided_at) == ("h", "assessing", ASKED, "")
    arrived(driver, "h", "hold")
    assert len(driver.order.log) == 1


def test_what_is_held_back_by_an_assessment_stands_behind_what_was_decided_meanwhile() -> None:
    driver = Driver(household(), waiting=["field-service", "shipping"])
    driver.run()
    moves = tuple(ItemUpdate(id=name, site=Site(id="elsewhere")) for name in ("net", "tv"))
    driver.change("amend", "move", update=moves)
    arrived(driver, "pack", "amend", update=[{"id": "tv", "offering": "tv-sport"}])
    arrived(driver, "soon", "changePriority", priority=0)
    arrived(driver, "wait", "hold")
    assert decided(driver) == ["wait"]
    states = {entry.request_id: entry.state.value for entry in driver.order.log}
    assert list(states.items()) == [
        ("wait", "accepted"),
        ("move", "assessing"),
        ("pack", "assessing"),
        ("soon", "assessing"),
    ]


def test_a_refusal_is_told_for_each_item_that_the_task_serves() -> None:
    driver = Driver(household())
    driver.refuse["billing.provision"] = "closed"
    driver.run()
    reasons = driver.change("cancel").reasons
    assert {(reason.code, reason.item, reason.task) for reason in reasons} == {
        ("past_no_return", "net", key(driver, "installation/visit-site")),
        ("fee_not_accepted", "net", key(driver, "delivery/ship-parcel")),
    }


@pytest.mark.parametrize("resolution", ["retry", "kept", "sunk"])
def test_an_order_is_not_cancelled_before_a_named_person_has_settled_what_a_silo_does_not_let_go(
    resolution: str,
) -> None:
    driver = Driver(household(installation="self"), waiting=["shipping"])
    driver.refuse["voice.compensate"] = "porting_under_way"
    driver.run()
    driver.change("cancel")
    calls = driver.run()
    line = key_of(driver, "voice-line/activate-line")
    assert "tv.compensate tv/activate-tv/0/1" in calls
    assert "number-inventory.compensate voice-line/reserve-number/0/1" not in calls
    assert driver.order.reconciler.fallout == {line}
    assert driver.order.state is LifecycleState.HELD
    driver.refuse.clear()
    fields = {} if resolution == "retry" else {"resolution": resolution, "requester": "agent-7"}
    kind = "retry" if resolution == "retry" else "resolve"
    assert driver.change(kind, "r", task=line, **fields).state is ChangeState.ACCEPTED
    again = driver.run()
    assert ("voice.compensate voice-line/activate-line/0/2" in again) == (resolution == "retry")
    assert "number-inventory.compensate voice-line/reserve-number/0/1" in again
    assert driver.order.state is LifecycleState.CANCELLED


def key_of(driver: Driver, task: str) -> str:
    """The full key of a task of which something is still held."""
    return next(name for name in driver.order.reconciler.ledger.facts if name.endswith(task))


@pytest.mark.parametrize("decided_before", [True, False])
@pytest.mark.parametrize(
    ("kind", "fields"), [("cancel", {}), ("hold", {"requester": "agent-7"}), ("hold", {"channel": "shop"})]
)
def test_a_request_id_is_that_of_one_request_and_another_under_it_is_refused(
    kind: str, fields: dict[str, str], decided_before: bool
) -> None:
    driver = Driver(household())
    arrived(driver, "id", "hold", reason="first")
    if decided_before:
        assert decided(driver) == ["id"]
    other = ChangeRequest.model_validate({"request_id": "id", "kind": kind, "reason": "first", **fields})
    assert driver.order.receive(other, ASKED) == "reused-1"
    refused = driver.order.verdicts["reused-1"]
    assert (refused.state, [reason.code for reason in refused.reasons]) == (ChangeState.REJECTED, ["request_id_reused"])
    again = ChangeRequest(request_id="id", kind=ChangeKind.HOLD, reason="first")
    assert driver.order.receive(again, ASKED) == "id"
    assert set(decided(driver)) == {"id"}
    assert driver.order.verdicts["id"].kind is ChangeKind.HOLD
    assert not driver.order.cancelled


def test_a_request_that_came_in_another_form_is_known_by_that() -> None:
    asked = {"kind": ChangeKind.CHANGE_PRIORITY, "asked_as": "digest"}
    one, two = (ChangeRequest.model_validate({"request_id": "id", "priority": n, **asked}) for n in (1, 2))
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint != one.model_copy(update={"asked_as": ""}).fingerprint
