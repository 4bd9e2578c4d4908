"""Rules of silos that can never count, or do nothing, are named when the catalog is read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orders.catalog_check.rules import rule_problems
from orders.model.catalog import Protocol, Silo
from orders.model.silos.rules import Rule, rule_for

AGAIN = {"after": timedelta(minutes=1), "times": 3}


def problems(*rules: dict[str, Any]) -> list[tuple[str, str]]:
    content = {"name": "s", "protocol": Protocol.TMF640, "address": "/s", "rules": rules}
    return list(rule_problems(Silo.model_validate(content)))


def test_sound_rules_have_no_problems() -> None:
    assert problems({"codes": ["locked"], "try_again": AGAIN}, {"statuses": [423], "group": "desk"}) == []


@pytest.mark.parametrize(
    ("rules", "field", "told"),
    [
        ([{"group": "desk"}], "rules.0", "neither codes nor statuses"),
        ([{"codes": ["a"]}], "rules.0", "does nothing"),
        (
            [{"codes": ["a"], "group": "x"}, {"codes": ["b", "a"], "group": "y"}],
            "rules.1",
            "never counts for a: rule 0",
        ),
        ([{"statuses": [503], "group": "x"}], "rules.0.statuses", "503 refuses nothing for good"),
        ([{"statuses": [429], "group": "x"}], "rules.0.statuses", "429 refuses nothing for good"),
        (
            [{"codes": ["a"], "try_again": {**AGAIN, "after": timedelta()}}],
            "rules.0.try_again.after",
            "more than nothing",
        ),
    ],
)
def test_what_makes_no_sense_is_named(rules: list[dict[str, Any]], field: str, told: str) -> None:
    [(found, reason)] = problems(*rules)
    assert found == field
    assert told in reason


def test_the_first_rule_that_is_about_a_refusal_counts() -> None:
    by_code, by_status = Rule(codes=("locked",), group="a"), Rule(statuses=(423,), group="b")
    rules = (by_code, by_status)
    assert rule_for(rules, "locked", 423) is by_code
    assert rule_for(rules, "busy", 423) is by_status
    assert rule_for(rules, "busy", 0) is None
