"""From what somebody filled in to a bulk job, in the words of the care API: what of which orders, how fast, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from api.console.asking import instant_in
from api.errors import Malformed, problem
from orders.change.request import ChangeKind

FALLOUT: Final = "fallout"
ORDERS: Final = "orders"
_BOTH: Final = ("state", "silo", "offering", "channel", "customer", "inJeopardy")
_SOUGHT: Final = {
    FALLOUT: (*_BOTH, "operation", "code", "order", "group", "claimed", "claimedBy", "sinceFrom", "sinceBefore"),
    ORDERS: (*_BOTH, "q", "waitsFor"),
}
"""What each kind of query is filtered by on the page."""
_SEVERAL: Final = ("state", "waitsFor")
"""What the API takes several of, and the page one."""
_TAKES: Final = {
    ChangeKind.RETRY: ("silo",),
    ChangeKind.CHANGE_PRIORITY: ("priority",),
    ChangeKind.RESCHEDULE: ("requestedStartDate", "requestedCompletionDate"),
}
"""What a kind of change takes beside itself. What is filled in for others is not asked for."""
_ACTION: Final = "action."


def of_fallout(given: Mapping[str, str]) -> bool:
    """True if the orders are those of fallout that fits, not those that fit themselves."""
    return given.get("of", FALLOUT) == FALLOUT


def wanted(given: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    """The body of the job. Times are those of `zone`.

    Raises:
        Malformed: if a field cannot be read.
    """
    of = FALLOUT if of_fallout(given) else ORDERS
    sought: dict[str, Any] = {name: given[name] for name in _SOUGHT[of] if name in given}
    sought |= {name: [sought[name]] for name in _SEVERAL if name in sought}
    asked: dict[str, Any] = {of: sought, "action": _action(given, zone), "reason": given.get("reason", "")}
    if "rate" in given:
        asked["rate"] = _number("rate", given["rate"])
    if given.get("stopAt") == "never":
        asked["stopAt"] = {}
    elif given.get("stopAt") == "number":
        asked["stopAt"] = {"number": _number("stopNumber", given.get("stopNumber", ""))}
    elif given.get("stopAt") == "share":
        asked["stopAt"] = {"share": _number("stopShare", given.get("stopShare", "")) / 100}
    return asked


def _action(given: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    try:
        kind = ChangeKind(given.get("kind", ""))
    except ValueError as error:
        raise Malformed([problem("kind", "is no kind of change")]) from error
    action: dict[str, Any] = {"kind": kind.value}
    for name in _TAKES.get(kind, ()):
        text = given.get(f"{_ACTION}{name}")
        if text is not None:
            action[name] = instant_in(name, text, zone) if name.endswith("Date") else text
    return action


def _number(field: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise Malformed([problem(field, "must be a number")]) from error
