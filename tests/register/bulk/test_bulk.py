"""Bulk work in the register: the set that a job is frozen over, what its orders say, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orders.change.request import ChangeKind, ChangeState, Verdict
from orders.model.instants import instant
from orders.read_model.fallout import FalloutState
from orders.read_model.jobs.bulk import BulkAnswer, BulkJob, BulkState, BulkStatus, JobState
from orders.read_model.states import LifecycleState
from register import Register
from register.bulk import jobs
from register.bulk.query import Moved, NoneFits, OtherJob, Sought, TooMany
from register.fallout.query import FalloutQuery
from register.searching.query import Comparison, OrderField, OrderQuery, Predicate
from tests.given.registers import NOON, fallen, over, told

OF_TV = FalloutQuery(silo="tv")
LATER = NOON + timedelta(minutes=1)


def a_job(job_id: str = "j", **changes: Any) -> BulkJob:
    fields: dict[str, Any] = {
        "id": job_id,
        "action": {"kind": "retry", "silo": "tv"},
        "sought": {"fallout": {"silo": "tv"}},
        "requester": "Ada",
        "channel": "",
        "reason": "tv is back",
        "rate": 5,
    }
    return BulkJob.model_validate({**fields, **changes})


def begun(register: Register, job: BulkJob | None = None, sought: Sought = OF_TV, **more: Any) -> BulkStatus:
    return register.bulk.begin(job or a_job(), sought, NOON, **{"digest": "d", "previewed": None, **more})


def fall_out(register: Register, *orders: str, version: int = 1, **changes: Any) -> None:
    for order_id in orders:
        register.records.record(told(version, fallen(f"{order_id}-f1", **changes), order_id=order_id))


def states(register: Register, job_id: str = "j") -> dict[str, str]:
    return {each.order_id: each.state.value for each in register.bulk.orders(job_id, (), 0, 1000).orders}


def say(register: Register, order_id: str, state: BulkState, **more: Any) -> BulkStatus:
    return register.bulk.note("j", [BulkAnswer(order_id=order_id, state=state, **more)], NOON)


def a_verdict(order_id: str, state: ChangeState = ChangeState.ACCEPTED, kind: ChangeKind = ChangeKind.RETRY) -> Verdict:
    return Verdict(request_id=f"j.{order_id}", kind=kind, state=state, revision=1, decided_at=instant(NOON))


def test_all_that_fit_are_frozen_once_each_and_nothing_that_comes_later(register: Register) -> None:
    fall_out(register, "O1", "O2", "O3")
    register.records.record(told(2, fallen("O1-f1"), fallen("O1-f2"), order_id="O1"))
    fall_out(register, "O4", silo="voice")
    status = begun(register)
    assert (status.state, status.counts.total, status.counts.of(BulkState.WAITING)) == ("asking", 3, 3)
    fall_out(register, "O5")
    assert list(states(register)) == ["O1", "O2", "O3"]
    assert register.bulk.waiting("j", 2) == ["O1", "O2"]


def test_orders_are_frozen_as_their_list_finds_them(register: Register) -> None:
    for order_id, priority in (("O1", 0), ("O2", 4), ("O3", 4)):
        register.records.record(told(1, order_id=order_id, priority=priority))
    low = OrderQuery(where=(Predicate(OrderField.PRIORITY, Comparison.EQ, 4),))
    begun(register, a_job(action={"kind": "hold"}), low)
    assert list(states(register)) == ["O2", "O3"]


def test_the_same_request_finds_its_job_and_another_under_the_id_is_refused(register: Register) -> None:
    fall_out(register, "O1")
    begun(register)
    fall_out(register, "O2")
    assert begun(register).counts.total == 1
    with pytest.raises(OtherJob):
        begun(register, digest="another")


def test_a_job_begins_with_what_was_previewed_or_not_at_all(register: Register) -> None:
    fall_out(register, "O1", "O2")
    preview = register.bulk.preview(OF_TV)
    assert (preview.total, [each.order_id for each in preview.sample]) == (2, ["O1", "O2"])
    fall_out(register, "O3")
    with pytest.raises(Moved):
        begun(register, previewed=preview.digest)
    assert register.bulk.find("j") is None
    assert begun(register, previewed=register.bulk.preview(OF_TV).digest).counts.total == 3


def test_nothing_is_begun_over_nothing_or_over_too_much(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoneFits):
        begun(register)
    monkeypatch.setattr(jobs, "MOST_ORDERS", 2)
    fall_out(register, "O1", "O2", "O3")
    with pytest.raises(TooMany):
        begun(register)
    with pytest.raises(TooMany):
        register.bulk.preview(OF_TV)
    assert register.bulk.page(0, 10).total == 0


def test_what_an_order_says_is_kept_and_never_taken_back(register: Register) -> None:
    fall_out(register, "O1", "O2")
    begun(register)
    say(register, "O1", BulkState.UNDER_WAY, decided_at=NOON)
    say(register, "O1", BulkState.REJECTED, code="late")
    say(register, "O2", BulkState.REJECTED, code="nothing_to_settle", message="tv has no refused call")
    first, second = register.bulk.orders("j", (), 0, 10).orders
    assert (first.state, first.asked_at, first.decided_at, first.settled_at) == ("underWay", NOON, NOON, None)
    assert (second.state, second.code, second.settled_at) == ("rejected", "nothing_to_settle", NOON)
    only = register.bulk.orders("j", (BulkState.REJECTED,), 0, 10)
    assert (only.total, [each.order_id for each in only.orders]) == (1, ["O2"])


def test_it_is_followed_what_became_of_each(register: Register) -> None:
    fall_out(register, "O1", "O2", "O3")
    begun(register)
    for order_id in ("O1", "O2", "O3"):
        say(register, order_id, BulkState.UNDER_WAY, decided_at=NOON)
    progress = register.bulk.follow("j", LATER)
    assert (progress.status.state, progress.more, progress.over) == ("asked", False, False)
    assert set(states(register).values()) == {"underWay"}
    register.records.record(told(2, over(fallen("O1-f1")), order_id="O1"))
    fall_out(register, "O2", version=2, refused_at=instant(LATER), attempts=2)
    fall_out(register, "O3", version=2, state=FalloutState.UNDER_WAY)
    assert not register.bulk.follow("j", LATER).over
    assert states(register) == {"O1": "done", "O2": "refused", "O3": "underWay"}
    register.records.record(told(3, over(fallen("O2-f1")), order_id="O2"))
    register.records.record(told(3, over(fallen("O3-f1")), order_id="O3"))
    progress = register.bulk.follow("j", LATER)
    assert (progress.over, progress.status.settled_at) == (True, LATER)
    assert states(register) == {"O1": "done", "O2": "refused", "O3": "done"}


def test_what_is_not_decided_at_once_is_found_in_the_orders_log(register: Register) -> None:
    fall_out(register, "O1", "O2", "O3", "O4")
    begun(register)
    for order_id in ("O1", "O2", "O3", "O4"):
        say(register, order_id, BulkState.ASKED)
    register.records.record(told(2, fallen("O1-f1"), order_id="O1", changes=(a_verdict("O1"),)))
    refused = a_verdict("O2", ChangeState.REJECTED)
    register.records.record(told(2, fallen("O2-f1"), order_id="O2", changes=(refused,)))
    register.records.record(told(2, order_id="O3", state=LifecycleState.CANCELLED, completed_at=LATER))
    register.bulk.follow("j", LATER)
    assert states(register) == {"O1": "underWay", "O2": "rejected", "O3": "rejected", "O4": "asked"}
    assert [each.code for each in register.bulk.orders("j", (), 0, 10).orders] == ["", "rejected", "order_closed", ""]


def test_an_order_that_was_deleted_since_is_overtaken(register: Register) -> None:
    fall_out(register, "O1")
    begun(register)
    say(register, "O1", BulkState.UNDER_WAY, decided_at=NOON)
    register.records.delete("O1", LATER)
    assert register.bulk.follow("j", LATER).over
    assert states(register) == {"O1": "overtaken"}


def test_a_hold_is_done_once_its_order_tells_that_it_was_decided(register: Register) -> None:
    fall_out(register, "O1")
    begun(register, a_job(action={"kind": "hold"}))
    say(register, "O1", BulkState.UNDER_WAY, decided_at=NOON)
    register.bulk.follow("j", LATER)
    assert states(register) == {"O1": "underWay"}
    register.records.record(told(2, order_id="O1", changes=(a_verdict("O1", kind=ChangeKind.HOLD),)))
    assert register.bulk.follow("j", LATER).over
    assert states(register) == {"O1": "done"}


def test_it_stops_by_request_and_is_paused_and_resumed(register: Register) -> None:
    fall_out(register, "O1", "O2")
    begun(register)

    def steered(to: JobState) -> tuple[str, str, str]:
        status = register.bulk.steer("j", to, LATER, by="Bob", why="lunch")
        assert status is not None
        return status.state.value, status.stopped_by, status.why

    assert steered(JobState.PAUSED) == ("paused", "Bob", "lunch")
    assert not register.bulk.follow("j", LATER).more
    assert steered(JobState.ASKING) == ("asking", "", "")
    assert register.bulk.follow("j", LATER).more
    assert steered(JobState.STOPPED) == ("stopped", "Bob", "lunch")
    assert steered(JobState.ASKING) == ("stopped", "Bob", "lunch")
    assert register.bulk.follow("j", LATER).over
    assert set(states(register).values()) == {"waiting"}
    assert register.bulk.steer("none", JobState.STOPPED, LATER, by="", why="") is None


def test_it_stops_itself_where_too_many_fail_and_not_after_the_last(register: Register) -> None:
    fall_out(register, "O1", "O2", "O3")
    begun(register, a_job(stop_at={"number": 2}))
    say(register, "O1", BulkState.REJECTED)
    assert say(register, "O2", BulkState.UNDER_WAY, decided_at=NOON).state is JobState.ASKING
    fall_out(register, "O2", version=2, refused_at=instant(LATER))
    status = register.bulk.follow("j", LATER).status
    assert (status.state, status.stopped_by, status.why) == ("stopped", "", "2 orders have failed, and 2 stop it")
    begun(register, a_job("k", stop_at={"number": 1}))
    for order_id in ("O1", "O3"):
        register.bulk.note("k", [BulkAnswer(order_id=order_id, state=BulkState.UNDER_WAY, decided_at=NOON)], NOON)
    register.bulk.note("k", [BulkAnswer(order_id="O2", state=BulkState.REJECTED)], NOON)
    assert register.bulk.follow("k", LATER).status.state is JobState.ASKED


def test_jobs_are_listed_the_latest_first(register: Register) -> None:
    fall_out(register, "O1")
    begun(register)
    register.bulk.begin(a_job("k"), OF_TV, LATER, digest="d", previewed=None)
    page = register.bulk.page(0, 1)
    assert ([each.job.id for each in page.jobs], page.total) == (["k"], 2)
    assert [each.job for each in register.bulk.page(1, 5).jobs] == [a_job()]
