"""Lists of cancellations, wherever they were asked for, the same on either database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orders.change.request import ChangeKind, ChangeState, Verdict
from orders.read_model.states import LifecycleState
from register import Register
from register.cancellations import Cancellation, CancellationQuery, CancellationStatus
from register.searching import pages
from register.searching.query import Visibility
from tests.given.registers import NOON, a_record


def asked(request_id: str, minutes: int, **verdict: Any) -> Verdict:
    """A cancellation in the log of an order, asked for so many minutes after noon."""
    at = (NOON + timedelta(minutes=minutes)).isoformat()
    told: dict[str, Any] = {"kind": ChangeKind.CANCEL, "state": ChangeState.APPLIED, "revision": 1, **verdict}
    return Verdict(request_id=request_id, asked_at=at, **told)


def cancelled(order_id: str, *changes: Verdict, **view: Any) -> dict[str, Any]:
    return {"order_id": order_id, "state": LifecycleState.CANCELLED, "changes": changes, **view}


def posted(order_id: str, request_id: str, minutes: int) -> Cancellation:
    body: Any = {"productOrder": {"id": order_id}, "note": "as submitted"}
    return Cancellation(order_id, request_id, body, NOON + timedelta(minutes=minutes))


@pytest.fixture
def cancellations(register: Register) -> Register:
    """One asked for by TMF622, two by the care API, one of those in vain, and one by TMF622 of an unrecorded order."""
    register.cancellations.add(posted("O1", "tmf", 1))
    register.cancellations.add(posted("O0", "tmf", 4))
    paused = asked("hold", 0, kind=ChangeKind.HOLD)
    refused = asked("desk", 3, state=ChangeState.REJECTED)
    # Twice, as records come.
    for version in (1, 2):
        register.records.record(a_record(version, **cancelled("O1", paused, asked("tmf", 1))))
    moved = asked("desk", 2, reason="moved away")
    register.records.record(a_record(**cancelled("O2", moved, customer_id="C2", channel="web")))
    register.records.record(a_record(order_id="O3", changes=(refused,)))
    return register


def found(register: Register, **query: Any) -> tuple[list[str], int]:
    page, total = register.cancellations.page(CancellationQuery(**query))
    return [standing.cancellation.id for standing in page], total


def the_one(register: Register, cancellation_id: str) -> CancellationStatus:
    [standing], _ = register.cancellations.page(CancellationQuery(ids=(cancellation_id,)))
    return standing


def test_all_are_listed_once_wherever_they_were_asked_for_the_latest_first(cancellations: Register) -> None:
    everything = ["O0.tmf", "O3.desk", "O2.desk", "O1.tmf"]
    assert found(cancellations) == (everything, 4)
    assert [found(cancellations, offset=offset, limit=3) for offset in (0, 3)] == [(everything[:3], 4), (["O1.tmf"], 4)]


def test_what_was_submitted_stays_and_what_was_asked_for_elsewhere_is_told_like_it(cancellations: Register) -> None:
    assert the_one(cancellations, "O1.tmf").cancellation == posted("O1", "tmf", 1)
    elsewhere = the_one(cancellations, "O2.desk").cancellation
    assert elsewhere.body == {"productOrder": {"id": "O2"}, "cancellationReason": "moved away"}
    assert elsewhere.created_at == NOON + timedelta(minutes=2)
    assert the_one(cancellations, "O3.desk").cancellation.body == {"productOrder": {"id": "O3"}}


def test_they_are_found_by_what_became_of_them(cancellations: Register) -> None:
    by_state = {state: found(cancellations, states=(state,)) for state in ("done", "terminatedWithError")}
    assert by_state == {"done": (["O2.desk", "O1.tmf"], 2), "terminatedWithError": (["O3.desk"], 1)}
    assert found(cancellations, states=("acknowledged",)) == (["O0.tmf"], 1)
    assert found(cancellations, orders=("O2", "O3"), states=("done",)) == (["O2.desk"], 1)


def test_each_is_seen_by_who_sees_its_order(cancellations: Register) -> None:
    assert found(cancellations, visible_to=Visibility(customer="C2")) == (["O2.desk"], 1)
    assert found(cancellations, visible_to=Visibility(channel="shop")) == (["O3.desk", "O1.tmf"], 2)


def test_those_of_deleted_orders_are_not_told_any_more(cancellations: Register) -> None:
    cancellations.records.delete("O2", NOON)
    assert found(cancellations) == (["O0.tmf", "O3.desk", "O1.tmf"], 3)


def test_a_late_record_adds_nothing(cancellations: Register) -> None:
    cancellations.records.record(a_record(**cancelled("O1", asked("old", 0))))
    assert found(cancellations, orders=("O1",)) == (["O1.tmf"], 1)


def test_a_page_ends_where_it_would_be_too_long_but_has_one_cancellation(
    cancellations: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, total = found(cancellations)
    monkeypatch.setattr(pages, "PAGE_BYTES", 1)
    assert found(cancellations, offset=1) == (ids[1:2], total)
    assert found(cancellations, offset=total) == ([], total)
