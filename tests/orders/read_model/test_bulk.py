"""Bulk work: what became of what an order has accepted, and when a job has had enough of failures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orders.change.bulk import BulkAction
from orders.change.request import ChangeState, Verdict
from orders.model.order import Reason
from orders.read_model.fallout import FalloutEnd, FalloutState
from orders.read_model.jobs.bulk import BulkState, Counts, Seen, SeenFallout, StopAt, answer_of, outcome_of
from orders.read_model.states import LifecycleState

NOON = datetime(2031, 3, 3, 12, tzinfo=UTC)
BEFORE, LATER = NOON - timedelta(hours=1), NOON + timedelta(seconds=1)
RETRY = BulkAction.model_validate({"kind": "retry", "silo": "tv"})


def fallout(**changes: Any) -> SeenFallout:
    waits = SeenFallout("tv", FalloutState.WAITING, "no_coverage", BEFORE, BEFORE, None, None)
    return waits._replace(**changes)


def gone(ended: FalloutEnd = FalloutEnd.RETRIED, **changes: Any) -> SeenFallout:
    return fallout(state=FalloutState.OVER, over_at=LATER, ended=ended, **changes)


def seen(*fallout: SeenFallout, **changes: Any) -> Seen:
    told: dict[str, Any] = {"state": LifecycleState.IN_PROGRESS, "ended": False, "verdict": ChangeState.ACCEPTED}
    return Seen(**{**told, **changes}, fallout=fallout)


def retried(*those: SeenFallout, **changes: Any) -> tuple[str, str] | None:
    return outcome_of(RETRY, NOON, seen(*those, **changes))


def test_a_retry_is_done_when_what_was_refused_is_over() -> None:
    assert retried(gone()) == (BulkState.DONE, "")
    assert retried(gone(FalloutEnd.ANSWERED), gone()) == (BulkState.DONE, "")


def test_a_retry_is_under_way_until_that_is_told() -> None:
    assert retried(fallout(state=FalloutState.UNDER_WAY)) is None
    assert retried(fallout()) is None  # The register does not know of the retry yet.
    assert retried(gone(), fallout(state=FalloutState.UNDER_WAY)) is None
    assert retried() is None


def test_a_retry_is_refused_when_a_call_is_refused_after_it_whatever_is_done_about_that_later() -> None:
    assert retried(fallout(refused_at=LATER)) == (BulkState.REFUSED, "no_coverage")
    assert retried(gone(), fallout(refused_at=LATER, code="full")) == (BulkState.REFUSED, "full")
    assert retried(gone(FalloutEnd.RESOLVED, refused_at=LATER)) == (BulkState.REFUSED, "no_coverage")


def test_a_retry_is_about_what_waited_for_it_and_that_silo_alone() -> None:
    later = fallout(since=LATER, refused_at=LATER)
    other = fallout(silo="voice", refused_at=LATER)
    earlier = fallout(state=FalloutState.OVER, over_at=BEFORE, ended=FalloutEnd.RESOLVED)
    assert retried(gone(), later, other, earlier) == (BulkState.DONE, "")


def test_a_retry_is_overtaken_when_what_was_refused_is_settled_in_another_way() -> None:
    assert retried(gone(FalloutEnd.CANCELLED)) == (BulkState.OVERTAKEN, "cancelled")


@pytest.mark.parametrize(
    ("kind", "now", "became"),
    [
        ("cancel", seen(), None),
        ("cancel", seen(state=LifecycleState.CANCELLED, ended=True), BulkState.DONE),
        ("cancel", seen(fallout(refused_at=LATER)), BulkState.REFUSED),
        ("cancel", seen(fallout()), None),
        ("hold", seen(verdict=None), None),
        ("hold", seen(), BulkState.DONE),
        ("release", seen(), BulkState.DONE),
        ("changePriority", seen(), BulkState.DONE),
        ("reschedule", seen(), None),
        ("reschedule", seen(verdict=ChangeState.APPLIED), BulkState.DONE),
        ("reschedule", seen(fallout(refused_at=LATER)), BulkState.REFUSED),
        (
            "reschedule",
            seen(state=LifecycleState.CANCELLED, ended=True, verdict=ChangeState.APPLIED),
            BulkState.OVERTAKEN,
        ),
        ("hold", seen(state=LifecycleState.CANCELLED, ended=True, verdict=None), BulkState.OVERTAKEN),
    ],
)
def test_what_becomes_of_other_changes(kind: str, now: Seen, became: BulkState | None) -> None:
    more = {"priority": 1} if kind == "changePriority" else {}
    more = {"requested_start": NOON} if kind == "reschedule" else more
    outcome = outcome_of(BulkAction.model_validate({"kind": kind, **more}), NOON, now)
    assert (outcome and outcome.state) == became


def test_what_an_order_says_is_taken_from_its_verdict() -> None:
    def said(state: ChangeState, *reasons: Reason) -> tuple[str, str, str]:
        verdict = Verdict(request_id="j.O1", kind=None, state=state, revision=1, reasons=reasons, decided_at="")
        answer = answer_of("O1", verdict)
        return answer.state.value, answer.code, answer.message

    assert said(ChangeState.ACCEPTED) == ("underWay", "", "")
    assert said(ChangeState.APPLIED) == ("underWay", "", "")
    assert said(ChangeState.ASSESSING) == ("asked", "", "")
    assert answer_of("O1", None).state is BulkState.ASKED
    two = (Reason(code="a", message="so"), Reason(code="b", message="and so"))
    assert said(ChangeState.REJECTED, *two) == ("rejected", "a", "so; and so")
    assert said(ChangeState.SUPERSEDED) == ("rejected", "superseded", "")


@pytest.mark.parametrize(
    ("rejected", "refused", "done", "limit", "stops"),
    [
        (4, 0, 0, StopAt(number=5), False),
        (4, 1, 0, StopAt(number=5), True),
        (10, 0, 9, StopAt(share=0.5), False),  # So few say nothing.
        (10, 0, 10, StopAt(share=0.5), True),
        (9, 0, 11, StopAt(share=0.5), False),
        (500, 500, 0, StopAt(), False),
    ],
)
def test_a_job_stops_at_so_many_failures_or_at_such_a_share(
    rejected: int, refused: int, done: int, limit: StopAt, stops: bool
) -> None:
    states = {BulkState.REJECTED: rejected, BulkState.REFUSED: refused, BulkState.DONE: done, BulkState.WAITING: 100}
    assert (Counts(by_state=states).reach(limit) is not None) is stops


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "amend"},
        {"kind": "resolve"},
        {"kind": "retry"},
        {"kind": "hold", "silo": "tv"},
        {"kind": "changePriority"},
        {"kind": "reschedule"},
    ],
)
def test_many_orders_are_asked_for_nothing_else(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"many orders|of kind"):
        BulkAction.model_validate(wrong)


def test_an_order_is_asked_for_the_same_each_time() -> None:
    first, again = (RETRY.asked_of("O1", "j", "Ada", "", "tv is back") for _ in range(2))
    assert first == again
    assert (first.request_id, first.silo, first.requester, first.reason) == ("j.O1", "tv", "Ada", "tv is back")
