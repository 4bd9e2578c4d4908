"""What the verdict on a change means for an answer."""

from __future__ import annotations

from typing import TypeGuard

from api.errors import ChangeRefused
from orders.change.request import ChangeState, Verdict


def is_decided(verdict: Verdict | None) -> TypeGuard[Verdict]:
    """True for a verdict that is there and final: the change is not assessed any more."""
    return verdict is not None and verdict.state is not ChangeState.ASSESSING


def require_granted(verdict: Verdict | None) -> None:
    """Return if a change was granted, or is still to be decided.

    Raises:
        ChangeRefused: if it was rejected.
    """
    if verdict is not None and verdict.state is ChangeState.REJECTED:
        raise ChangeRefused(verdict.reasons, verdict.impact.fees if verdict.impact else ())
