"""What the answers of a silo mean by its templates: JMESPath expressions on any JSON, and statuses.

An expression that cannot be evaluated on what has come holds for nothing, and picks nothing.
"""

from __future__ import annotations

import json
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import JsonValue

from activities.protocols.http_client import FOR_NOW
from orders.model.silos.http_silo import Answers, Rule
from orders.model.values import Inputs
from orders.reconcile.outcome import Outcome, OutcomeKind

_KINDS = {
    "gone": OutcomeKind.LOST,
    "again": OutcomeKind.UNKNOWN,
    "refused": OutcomeKind.REFUSED,
    "acknowledged": OutcomeKind.ACKNOWLEDGED,
    "done": OutcomeKind.DONE,
}


def body_of(content: bytes) -> JsonValue:
    """The body of an answer: JSON, or else its text."""
    try:
        return json.loads(content) if content else None
    except (ValueError, RecursionError):
        return content.decode("utf-8", errors="replace")


def kind_of(answers: Answers, status: int, body: JsonValue) -> OutcomeKind | None:
    """What an answer says, by the first rule that fits or, where none does, by its status alone.

    None where it says nothing.
    """
    kind = told_kind(answers, status, body)
    if kind is not None:
        return None if kind is OutcomeKind.UNKNOWN else kind
    if 200 <= status <= 299 and answers.done is None:
        return OutcomeKind.DONE
    return OutcomeKind.REFUSED if _of_the_call(status) and status >= 400 else None


def told_kind(answers: Answers, status: int | None, body: JsonValue) -> OutcomeKind | None:
    """What the first rule that fits says. A report has no status."""
    for name, rule in answers.rules().items():
        if _fits(name, rule, status, body):
            return _KINDS[name]
    return None


def outcome_of(answers: Answers, kind: OutcomeKind, body: JsonValue, code: str = "", message: str = "") -> Outcome:
    """The outcome that a body tells of, with a code and a message where it has none."""
    reached = _milestones(answers, body)
    if kind is OutcomeKind.DONE:
        return Outcome(kind, picked(answers.outputs, body), milestones=reached)
    if kind is OutcomeKind.REFUSED:
        told = text(answers.code, body, code), text(answers.message, body, message)
        return Outcome(kind, code=told[0], reason=told[1], milestones=reached)
    return Outcome(kind, milestones=reached)


def picked(expressions: dict[str, str], body: JsonValue) -> Inputs:
    """The values that expressions pick, by name, without those that are null."""
    found = {name: search(expression, body) for name, expression in expressions.items()}
    return {name: value for name, value in found.items() if value is not None}


def _milestones(answers: Answers, body: JsonValue) -> dict[str, str]:
    """The milestones that are reached, each with its instant where one is told."""
    found = {name: search(expression, body) for name, expression in answers.milestones.items()}
    return {name: value if isinstance(value, str) else "" for name, value in found.items() if _is_true(value)}


def text(expression: str | None, body: JsonValue, otherwise: str) -> str:
    """A text that is picked, or what stands for it."""
    value = None if expression is None else search(expression, body)
    if value is None or value == "":
        return otherwise
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def search(expression: str, body: JsonValue) -> JsonValue:
    """What an expression finds."""
    try:
        found: Any = jmespath.search(expression, body)
    except (JMESPathError, RecursionError):
        return None
    return found


def _fits(name: str, rule: Rule, status: int | None, body: JsonValue) -> bool:
    if status is not None and not _has_status(name, rule, status):
        return False
    return rule.when is None or _is_true(search(rule.when, body))


def _has_status(name: str, rule: Rule, status: int) -> bool:
    if rule.status is not None:
        return status in rule.status or f"{status // 100}xx" in rule.status
    return name == "again" or 200 <= status <= 299 or (name == "refused" and _of_the_call(status))


def _of_the_call(status: int) -> bool:
    return (200 <= status <= 299 or 400 <= status <= 499) and status not in FOR_NOW


def _is_true(value: JsonValue) -> bool:
    """As JMESPath has it: nought is true."""
    return not (value is None or value is False or value in ("", [], {}))
