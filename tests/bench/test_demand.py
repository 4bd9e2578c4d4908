"""Demand foreseen in the simulated month, against what silos were then asked for."""

from __future__ import annotations

from bench.month import TRUTHS
from bench.sections.demand import foreseen_in, whole


def test_what_is_asked_for_in_a_week_is_foreseen_by_what_was_learned() -> None:
    found = foreseen_in(TRUTHS["as the catalog says"], 400)
    assert whole(found["learned"]) < 0.1
    assert 0.1 < found["learned"]["field-service"].known < 1.0
    assert found["learned"]["crm"].by_day == 0  # It is asked for on the day for which the order is.


def test_silos_faster_than_the_catalog_says_are_foreseen_by_what_was_learned_and_not_by_the_catalog() -> None:
    found = foreseen_in(TRUTHS["faster"], 400)
    assert whole(found["fixed"]) > 0.1
    assert whole(found["learned"]) < 0.05
    assert found["learned"]["field-service"].by_day < found["fixed"]["field-service"].by_day
