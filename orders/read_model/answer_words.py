"""The answer in words, line by line: the same for a terminal and for Temporal's Web UI."""

from __future__ import annotations

from collections.abc import Iterator

from orders.model.instants import moment
from orders.model.order import TimeSlot
from orders.model.values import Verb
from orders.read_model.answer import Answer, NextView, NowView

_DOING = {Verb.AMEND: "changing: ", Verb.COMPENSATE: "undoing: "}


def in_words(answer: Answer) -> Iterator[tuple[str, str]]:
    """Each line with what it is about: `late`, `now` or `next`. The first is about all of it: the summary."""
    if answer.summary:
        yield "", answer.summary
    if answer.late_because:
        since = f"since {moment(answer.late_since)}: " if answer.late_since is not None else ""
        yield "late", f"{since}{answer.late_because}"
    for now in answer.now:
        yield "now", _now(now, decides=now.task == answer.decides)
    if answer.more_now:
        yield "now", f"and {answer.more_now} more"
    for follows in answer.next:
        yield "next", _next(follows)
    if answer.more_next:
        yield "next", f"and {answer.more_next} more"


def slot(made: TimeSlot) -> str:
    """An appointment for people, by the clock at its site."""
    return made.words


def at_site(title: str, site: str | None) -> str:
    """What is done, and where."""
    return f"{title} at {site}" if site else title


def _now(line: NowView, *, decides: bool) -> str:
    told = [
        f"{_DOING.get(line.verb, '')}{at_site(line.title, line.site)} ({line.silo})",
        f"since {moment(line.since)}" if line.since is not None else "",
        f"appointment {slot(line.appointment)}" if line.appointment is not None else "",
        f"expected by {moment(line.expected)}" if line.expected is not None else "",
        f"tried {line.attempts} times" if line.attempts else "",
        line.last_error or "",
        f"next try {line.next_try.strftime('%H:%M:%S UTC')}" if line.next_try is not None else "",
        *(f"{name} {at}".rstrip() for name, at in line.milestones.items()),
        *(f"{name} {', '.join(map(str, values))}" for name, values in line.numbers.items()),
        "decides when all is done" if decides else "",
    ]
    return "; ".join(filter(None, told))


def _next(line: NextView) -> str:
    after = f", after: {', '.join(line.after)}" if line.after else ""
    expected = f", expected by {moment(line.expected)}" if line.expected is not None else ""
    return f"{_DOING.get(line.verb, '')}{at_site(line.title, line.site)}{after}{expected}"
