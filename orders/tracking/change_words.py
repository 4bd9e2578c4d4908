"""What became of a change, in words: refused looks like nothing else at first sight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from orders.change.request import ChangeState, Verdict
from orders.model.budget import cut
from orders.model.order import Reason
from orders.read_model.answer_words import moment

LONGEST_ID: Final = 24
MOST_CODES: Final = 3
MOST_NEWS: Final = 3
MOST_REASONS: Final = 5

_MEANS: Final = {
    ChangeState.ASSESSING: "silos are asked to let go of what they work on; the order goes on meanwhile",
    ChangeState.ACCEPTED: "it is being carried out",
    ChangeState.REJECTED: "nothing was changed",
    ChangeState.APPLIED: "it is done",
    ChangeState.SUPERSEDED: "a cancellation came before it was decided",
}


def in_short(verdict: Verdict) -> str:
    """What was decided, and the codes of the reasons: `cancel agent-1 REJECTED: fee_not_accepted (9.90 EUR)`."""
    codes = list(dict.fromkeys(reason.code for reason in verdict.reasons))
    why = f": {', '.join(codes[:MOST_CODES])}" if codes else ""
    return f"{_named(verdict, cut(verdict.request_id, LONGEST_ID))} {_decided(verdict)}{why}{_fees(verdict)}"


def news_in_short(news: Sequence[Verdict]) -> str:
    """What was decided, on the first few changes of all that there are news of. Empty where there are none."""
    told = [in_short(verdict) for verdict in news[:MOST_NEWS]]
    left = len(news) - len(told)
    return "; ".join([*told, *([f"and {left} more"] if left else [])])


def in_full(verdict: Verdict) -> str:
    """What was decided, what that means, who had asked for it, and every reason, each once."""
    by = f" by {verdict.requester}" if verdict.requester else ""
    through = f" through {verdict.channel}" if verdict.channel else ""
    when = f" on {moment(datetime.fromisoformat(verdict.decided_at))}" if verdict.decided_at else ""
    asked = f"{_named(verdict, verdict.request_id)}{by}{through}"
    told = f"{asked} {_decided(verdict)}{_fees(verdict)}{when}: {_means(verdict)}"
    return ". ".join((told, *_reasons(verdict.reasons)))


def _means(verdict: Verdict) -> str:
    if _waits(verdict):
        return "it waits for its turn"
    at_once = verdict.kind is not None and not verdict.kind.moves_the_target
    return _MEANS[ChangeState.APPLIED if at_once and verdict.state is ChangeState.ACCEPTED else verdict.state]


def _named(verdict: Verdict, request_id: str) -> str:
    return f"{verdict.kind or 'unreadable change'} {request_id}"


def _waits(verdict: Verdict) -> bool:
    """True while nobody has worked out what the change would do."""
    return verdict.state is ChangeState.ASSESSING and verdict.impact is None


def _decided(verdict: Verdict) -> str:
    return "WAITS" if _waits(verdict) else verdict.state.value.upper()


def _fees(verdict: Verdict) -> str:
    fees = verdict.impact.fees if verdict.impact is not None else ()
    return f" ({' and '.join(f'{fee.amount} {fee.currency}' for fee in fees)})" if fees else ""


def _reasons(reasons: tuple[Reason, ...]) -> list[str]:
    told = list(dict.fromkeys(f"{reason.code}: {reason.message}" for reason in reasons))
    left = len(told) - MOST_REASONS
    return [*told[:MOST_REASONS], *([f"and {left} more"] if left > 0 else [])]
