"""Rules before people: what is done about a silo's refusals, by code or HTTP status, before anybody is asked."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import Field

from orders.model.values import Frozen

Language: TypeAlias = Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
"""`en`, or `pt-BR`."""

Words: TypeAlias = Annotated[str, Field(min_length=1, max_length=300)]

Texts: TypeAlias = dict[Language, Words]
"""What people are told, by their language."""


class Severity(StrEnum):
    """How bad it is, in the words of TM Forum's alarms, the gravest first."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    WARNING = "warning"


class TryAgain(Frozen):
    """That a refused call is tried again: `times` at most, each time `after` that long.

    `as_told`: where the silo has said by Retry-After when to come back, it is tried then.
    """

    after: timedelta
    times: Annotated[int, Field(ge=1, le=1000)]
    as_told: bool = False

    def pause(self, told: timedelta) -> timedelta:
        """How long to wait. `told` is what the silo says, nothing where it does not."""
        return told if self.as_told and told > timedelta() else self.after


class Rule(Frozen):
    """What is done about refusals with one of these codes, or HTTP statuses.

    They are tried again first, if at all. A person who is needed then is one of the `group`.
    """

    codes: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    statuses: tuple[int, ...] = ()
    try_again: TryAgain | None = None
    group: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    severity: Severity | None = None
    for_agents: Texts = Field(default_factory=dict)
    for_customers: Texts = Field(default_factory=dict)

    def is_about(self, code: str, status: int) -> bool:
        """True for a refusal with that code, or that status; 0 where none was told."""
        return code in self.codes or (status > 0 and status in self.statuses)


def rule_for(rules: tuple[Rule, ...], code: str, status: int) -> Rule | None:
    """The first rule that is about a refusal, or None."""
    return next((rule for rule in rules if rule.is_about(code, status)), None)
