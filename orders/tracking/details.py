"""An order in words for Temporal's Web UI: where it is and why, what comes next, and what can be done about it.

The UI shows them as Markdown under a style sheet that leaves tables without lines and lists without indent. So this is
paragraphs, each under a word in bold, and blocks of JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from orders.fulfilment.order_in_flight import Fulfilment
from orders.model import wire_names
from orders.model.order import Reason
from orders.read_model.answer import Answer, NowView, WaitsFor
from orders.read_model.answer_words import moment, next_line, now_line
from orders.reconcile.target import TaskStatus
from orders.tracking.change_words import in_full, in_short
from orders.tracking.what_if.ready_made import fitting_changes

MOST_PROBLEMS: Final = 20
MOST_CHANGES: Final = 5
"""How many of the latest changes are told of. The rest is in the log of changes."""


def details(order: Fulfilment, found: Answer, *, busy: bool = False) -> str:
    """An order's current details, given its answer. `busy`: with calls that are just under way."""
    blocks = [
        _state(order),
        f"**{_plain(found.summary)}**" if found.summary else "",
        *(_about("Waits" if order.waits else "Rejected", reason.message) for reason in order.reasons[:MOST_PROBLEMS]),
        *(_problem(problem) for problem in islice(order.problems.values(), MOST_PROBLEMS)),
        "" if order.settled else _dates(order),
        *_late(found),
        *_now(order, found),
        *_then(found),
        _silos(order),
        *_changes(order),
        *_what_can_be_done(order, busy=busy),
    ]
    return "\n\n".join(filter(None, blocks))


def _state(order: Fulfilment) -> str:
    offerings = _plain(", ".join(order.revision.offerings()))
    return f"**{order.told_state}** · revision {order.revision.number} · {offerings}"


def _problem(problem: Reason) -> str:
    return _about("Problem", f"{problem.code}: {problem.message}")


def _dates(order: Fulfilment) -> str:
    expected = order.journal.carried.expected_at
    unknown = "once somebody has acted" if order.carried.on_hold or order.reconciler.fallout else ""
    dates = {
        "Promised": moment(order.promised_at) if order.promised_at is not None else "",
        "Expected": unknown or (moment(expected) if expected is not None else ""),
    }
    return " · ".join(_about(name, when) for name, when in dates.items() if when)


def _late(found: Answer) -> Iterator[str]:
    if found.late_because:
        since = f"since {moment(found.late_since)}: " if found.late_since is not None else ""
        yield _about("Late", f"{since}{found.late_because}")


def _now(order: Fulfilment, found: Answer) -> Iterator[str]:
    called = {step.task for step in order.reconciler.calls.values()}
    for line in found.now:
        what = now_line(line, decides=line.task == found.decides)
        if line.waits_for is WaitsFor.PERSON:
            yield _about("Needs a person", f"{what}; {_refusal(order, line)}")
        elif line.task in called:
            yield _about("Tries", f"{what}; how often, and why in vain: Pending Activities")
        else:
            yield _about("Awaits", what)
    if found.more_now:
        yield _about("And", f"{found.more_now} more")


def _refusal(order: Fulfilment, line: NowView) -> str:
    refusal = order.reconciler.ledger.refusals_of(line.task)[-1]
    return f"{line.verb} refused with {refusal.code}; task {line.task}"


def _then(found: Answer) -> Iterator[str]:
    for line in found.next:
        yield _about("Then", next_line(line))
    if found.more_next:
        yield _about("Then", f"and {found.more_next} more")


_SHOWN: Final = {
    TaskStatus.UNDER_WAY: "under way",
    TaskStatus.AWAITING: "awaited",
    TaskStatus.FALLOUT: "refused",
    TaskStatus.TRIED_AGAIN: "tried again",
}


def _silos(order: Fulfilment) -> str:
    told: list[str] = []
    for silo, counts in sorted(order.tally().items()):
        parts = [f"{counts[TaskStatus.IN_PLACE]} of {counts.total()}"]
        parts += [f"{counts[status]} {words}" for status, words in _SHOWN.items() if counts[status]]
        told.append(f"{silo} {', '.join(parts)}")
    return _about("In place", " · ".join(told)) if told else ""


def _changes(order: Fulfilment) -> Iterator[str]:
    latest = order.log[: -MOST_CHANGES - 1 : -1]
    for verdict in latest[:1]:
        yield _about("Last change", in_full(verdict))
    for verdict in latest[1:]:
        yield _about("Before that", in_short(verdict))


def _what_can_be_done(order: Fulfilment, *, busy: bool) -> Iterator[str]:
    if order.ending or order.carried.end_recorded or order.carried.rejected:
        return
    fitting = fitting_changes(order, busy=busy)
    for ready in fitting.changes:
        yield f"**{ready.purpose}**, send the signal `{wire_names.CHANGE_SIGNAL}` with"
        yield f"```json\n{ready.as_json}\n```"
    if fitting.not_cancelled:
        yield _about("It cannot be cancelled any more", fitting.not_cancelled)


def _about(what: str, told: str) -> str:
    return f"**{what}** {_plain(told)}"


_MARKUP: Final = re.compile(r"[\\`*\[\]<>&|~]|(?<![^\W_])_|_(?![^\W_])|(?<=[A-Za-z]):(?=//)")


def _plain(told: str) -> str:
    """Text that silos and people wrote, which is no Markdown: in one line, and as it was written."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(told.split()))
