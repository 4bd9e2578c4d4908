"""Of what a silo answers, everything is kept that can be, and nothing else is in the way of it."""

from __future__ import annotations

from orders.reconcile.outcome import Outcome, OutcomeKind, kept_of


def test_outputs_that_no_store_would_take_count_as_not_told() -> None:
    outputs = {"number": "+4930111111", "card": "a\0b", "port": {"name": "\ud800"}, "speed": float("nan")}
    assert kept_of(Outcome(OutcomeKind.DONE, outputs)).outputs == {"number": "+4930111111"}


def test_the_date_of_a_milestone_that_lies_nowhere_is_left_out_and_the_milestone_is_reached() -> None:
    told = {
        "weighed": "2026-03-01T12:00:00.000Z",
        "handed-over": "0001-01-01T00:00:00+01:00",
        "delivered": "9999-12-31T23:59:59.9999999-05:00",
        "a\nb": "",
    }
    kept = kept_of(Outcome(OutcomeKind.ACKNOWLEDGED, milestones=told))
    assert kept.milestones == {"weighed": "2026-03-01T12:00:00.000Z", "handed-over": "", "delivered": ""}


def test_codes_and_reasons_are_printed_in_one_line() -> None:
    kept = kept_of(Outcome(OutcomeKind.REFUSED, code="no\0stock", reason="none left\nin \x1b[31mBonn"))
    assert not any(character in kept.code + kept.reason for character in "\0\n\x1b")
