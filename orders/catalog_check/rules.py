"""Whether the rules of a silo make sense: which refusals they are about, and whether they can ever count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from orders.model.catalog import Silo
from orders.model.silos.rules import Rule

_FOR_NOW: Final = (408, 425, 429)
"""The 4xx that say nothing about the call itself."""


def rule_problems(silo: Silo) -> Iterator[tuple[str, str]]:
    """(field, reason) of everything wrong with a silo's rules."""
    before: dict[str | int, int] = {}
    for number, rule in enumerate(silo.rules):
        path = f"rules.{number}"
        named = (*rule.codes, *rule.statuses)
        if not named:
            yield path, "is about no refusal: it names neither codes nor statuses"
        for name in named:
            if name in before:
                yield path, f"never counts for {name}: rule {before[name]} does"
            before.setdefault(name, number)
        for status in rule.statuses:
            if not 400 <= status < 500 or status in _FOR_NOW:
                yield f"{path}.statuses", f"{status} refuses nothing for good: the retry budget is for it"
        yield from ((f"{path}{field}", reason) for field, reason in _what_it_does(rule))


def _what_it_does(rule: Rule) -> Iterator[tuple[str, str]]:
    does = (rule.try_again, rule.group, rule.severity, rule.for_agents or None, rule.for_customers or None)
    if not any(each is not None for each in does):
        yield "", "does nothing"
    if rule.try_again is not None and rule.try_again.after <= timedelta():
        yield ".try_again.after", "must be more than nothing"
