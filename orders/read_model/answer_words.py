"""The answer in words, line by line: the same for a terminal and for Temporal's Web UI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from orders.model.instants import moment
from orders.model.order import TimeSlot
from orders.model.values import Verb
from orders.model.writing.wording import IN_A_LIST, Sentence, Wording, Words, joined, verbatim
from orders.read_model.answer import Answer, NextView, NowView
from orders.read_model.fallout import FalloutRecord
from orders.reconcile.outcome import NOT_AS_ASKED, RETRY_BUDGET_SPENT

_DOING = {Verb.AMEND: "changing: ", Verb.COMPENSATE: "undoing: "}


def in_words(answer: Answer) -> Iterator[tuple[str, str]]:
    """Each line with what it is about: `late`, `now` or `next`. The first is about all of it: the summary."""
    if answer.summary:
        yield "", answer.summary
    if answer.late_because:
        since = f"since {moment(answer.late_since)}: " if answer.late_since is not None else ""
        yield "late", f"{since}{answer.late_because}"
    for now in answer.now:
        yield "now", now_line(now, decides=now.task == answer.decides)
    if answer.more_now:
        yield "now", f"and {answer.more_now} more"
    for follows in answer.next:
        yield "next", next_line(follows)
    if answer.more_next:
        yield "next", f"and {answer.more_next} more"


AT_SITE: Final = Sentence("{title} at {site}")
_GAVE_NO_ANSWER: Final = Sentence("{silo} gave no usable answer, however often it was asked: {reason}")
_REFUSED: Final = Sentence("{silo} refused: {reason}")


def slot(made: TimeSlot) -> Words:
    """An appointment for people, by the clock at its site."""
    return made.wording


def at_site(title: str, site: str | None) -> Words:
    """What is done, and where."""
    return AT_SITE(title=title, site=site) if site else title


def refused_in_words(silo: str, code: str, reason: str) -> Wording:
    """What a silo's no comes to."""
    if code == RETRY_BUDGET_SPENT:
        return _GAVE_NO_ANSWER(silo=silo, reason=reason)
    return _REFUSED(silo=silo, reason=reason or code)


_NOT_DONE: Final = Sentence("{title} could not be done: {why}")
_NOT_UNDONE_OR_CHANGED: Final = {
    Verb.AMEND: Sentence("{title} could not be changed, and is as it was: {why}"),
    Verb.COMPENSATE: Sentence("{title} could not be undone, and is still there: {why}"),
}
_NOT_AS_ASKED: Final = Sentence("{title} is done, but not as it was asked for: {silo} says: {reason}")
_BEHIND: Final = Sentence("{what}. Waiting for it: {titles}")
_MORE: Final = Sentence("{number} more")


def fallout_in_words(fallout: FalloutRecord) -> Wording:
    """What a fallout means: what is not as it should be, why, and what waits for it."""
    what = at_site(fallout.title, fallout.site)
    if fallout.code in NOT_AS_ASKED:
        said = _NOT_AS_ASKED(title=what, silo=fallout.silo, reason=fallout.reason)
    else:
        why = refused_in_words(fallout.silo, fallout.code, fallout.reason)
        said = _NOT_UNDONE_OR_CHANGED.get(fallout.verb, _NOT_DONE)(title=what, why=why)
    behind: list[Words] = [*map(verbatim, fallout.behind)]
    if fallout.more_behind:
        behind.append(_MORE(number=str(fallout.more_behind)))
    return _BEHIND(what=said, titles=joined(behind, IN_A_LIST)) if behind else said


def now_line(line: NowView, *, decides: bool) -> str:
    """What goes on, or needs somebody."""
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


def next_line(line: NextView) -> str:
    """What follows."""
    after = f", after: {', '.join(line.after)}" if line.after else ""
    expected = f", expected by {moment(line.expected)}" if line.expected is not None else ""
    return f"{_DOING.get(line.verb, '')}{at_site(line.title, line.site)}{after}{expected}"
